"""Whom claims are about: names, rules, groups and other names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from release_passport_server.domain.access import is_group, is_local_principal, is_principal
from release_passport_server.domain.errors import Unauthenticated
from release_passport_server.domain.identity import (
    MAX_GROUPS,
    Admission,
    Identified,
    Kind,
    Source,
    claim,
    identify,
)

EVERYBODY = (Admission("acme", {}),)
PEOPLE = Source("corp", Kind.PERSON, "{sub}", EVERYBODY, {}, "groups", ("email", "preferred_username"))


def test_a_person_has_a_name_groups_and_other_names() -> None:
    claims = {
        "sub": "auth0|42",
        "groups": ["ops", "leads", "ops"],
        "email": "ada@example.com",
        "email_verified": True,
        "preferred_username": "ada",
    }
    found = Identified(
        "acme", "user:corp/auth0|42", ("group:corp/leads", "group:corp/ops"), ("ada@example.com", "ada")
    )
    assert identify(PEOPLE, claims) == found
    assert is_principal(found.principal)
    assert all(map(is_group, found.groups))


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_that_nobody_has_checked_is_no_name(verified: object) -> None:
    claims = {"sub": "eve", "email": "ada@example.com", "email_verified": verified}
    assert identify(PEOPLE, claims).identities == ()


@pytest.mark.parametrize("groups", ["ops", ["ops", 7.5, None, {"a": 1}, "two words", "", "star*", "a\nb"]])
def test_what_is_no_group_is_left_out(groups: object) -> None:
    assert identify(PEOPLE, {"sub": "ada", "groups": groups}).groups == ("group:corp/ops",)


def test_groups_without_end_are_cut() -> None:
    claims = {"sub": "ada", "groups": [f"g{number}" for number in range(5000)]}
    assert len(identify(PEOPLE, claims).groups) == MAX_GROUPS


@pytest.mark.parametrize("sub", [None, "", "two words", "a*", "a?", "ünal", "a\nb", ["ada"], {"a": 1}, 1.5])
def test_who_has_no_usable_name_is_refused(sub: object) -> None:
    with pytest.raises(Unauthenticated):
        identify(PEOPLE, {"sub": sub})


def test_the_first_rule_that_fits_counts() -> None:
    rules = (
        Admission("shop", {"owner": ("1", "2"), "ref": ("refs/heads/*",)}),
        Admission("infra", {"owner": ("2",)}, "sa:infra-ci"),
    )
    source = Source("github", Kind.SERVICE_ACCOUNT, "{repository_id}", rules, {})
    asked = {"repository_id": "77", "owner": "2"}
    assert identify(source, {**asked, "ref": "refs/heads/main"}).tenant == "shop"
    assert identify(source, {**asked, "ref": "refs/tags/v1"}).principal == "sa:infra-ci"
    with pytest.raises(Unauthenticated, match="no rule"):
        identify(source, {**asked, "owner": "3"})
    with pytest.raises(Unauthenticated, match="no rule"):
        identify(source, {"repository_id": "77"})


def test_what_is_required_holds_for_every_rule() -> None:
    source = replace(PEOPLE, require={"hd": ("example.com",)})
    assert identify(source, {"sub": "ada", "hd": "example.com"}).tenant == "acme"
    for claims in ({"sub": "ada"}, {"sub": "ada", "hd": "example.org"}, {"sub": "ada", "hd": "EXAMPLE.com"}):
        with pytest.raises(Unauthenticated, match="hd"):
            identify(source, claims)


def test_claims_are_found_by_name_or_by_path() -> None:
    claims = {
        "kubernetes.io": {"namespace": "shop", "serviceaccount": {"name": "ci"}},
        "https://example.com/groups": ["a"],
        "a/b": 1,
        "a": {"b": 2},
    }
    assert claim(claims, "kubernetes.io/serviceaccount/name") == "ci"
    assert claim(claims, "https://example.com/groups") == ["a"]
    assert claim(claims, "a/b") == 1
    assert claim(claims, "kubernetes.io/missing") is None
    assert claim(claims, "sub/x") is None


@pytest.mark.parametrize(
    ("text", "principal", "local", "group"),
    [
        ("sa:ci", True, True, False),
        ("user:corp/ada@example.com", True, False, False),
        ("sa:mesh/spiffe://prod.test/ns/shop", True, False, False),
        ("group:corp/ops", False, False, True),
        ("group:corp//ops", False, False, True),
        ("group:ops", False, False, False),
        ("user:corp/", False, False, False),
        ("user:Corp/ada", False, False, False),
        ("user:corp/a da", False, False, False),
        ("user:corp/a*", False, False, False),
        ("user:*", False, False, False),
        ("user:corp/ada\n", False, False, False),
        ("system:worker", False, False, False),
    ],
)
def test_forms_of_principals_and_groups(text: str, principal: bool, local: bool, group: bool) -> None:
    assert (is_principal(text), is_local_principal(text), is_group(text)) == (principal, local, group)
