"""What a caller may configure as trusted: every fault in its place, and the same out as in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from release_passport.v1 import trust_pb2, trust_service_pb2
from release_passport_server.domain.access import Principal
from release_passport_server.domain.attestation import Proof, SignerClaims
from release_passport_server.domain.errors import Invalid, NotFound
from release_passport_server.domain.trust import Match, Scope, SignerRule, Trust, TrustedRoot, TrustRevision
from release_passport_server.wire.trust import (
    MAX_KEYS,
    MAX_ROOT_BYTES,
    MAX_ROOTS,
    MAX_RULES,
    trust_body,
    trust_of,
    trust_to_proto,
    trust_to_update,
)
from support.requests import Names, request_for

ADMIN = Principal("user:admin", "default", datetime(2100, 1, 1, tzinfo=UTC))
ISSUER = "https://token.actions.githubusercontent.com"


def asked() -> Any:
    """Return a request that is right."""
    found = trust_service_pb2.UpdateTrustRequest()
    found.MergeFrom(request_for("UpdateTrust", Names()))  # type: ignore[arg-type]
    return found


def faults(request: trust_service_pb2.UpdateTrustRequest) -> list[str]:
    with pytest.raises(Invalid) as raised:
        trust_to_update(ADMIN, request)
    return [violation.field for violation in raised.value.violations]


def test_what_is_right_comes_out_as_it_went_in() -> None:
    request = asked()
    trust, etag = trust_to_update(ADMIN, request)
    shown = trust_to_proto("default", TrustRevision(trust, "user:admin"))
    for field in ("roots", "rules", "keys"):
        assert getattr(shown, field) == getattr(request.trust, field)
    assert (etag, shown.name, shown.revision) == ("e", "tenants/default/trust", 0)
    assert trust_of(trust_body(trust), 0) == trust


@pytest.mark.parametrize(
    ("field", "value", "place"),
    [
        ("roots[0].sha256", "sha256:" + "0" * 64, "trust.roots[0].sha256"),
        ("roots[0].sha256", "", "trust.roots[0].sha256"),
        ("roots[0].content", b"[]", "trust.roots[0].content"),
        ("roots[0].content", b"x" * (MAX_ROOT_BYTES + 1), "trust.roots[0].content"),
        ("roots[0].ref", "a\x00", "trust.roots[0].ref"),
        ("rules[0].name", "CI", "trust.rules[0].name"),
        ("rules[0].name", "builder", "trust.keys[0].name"),
        ("rules[0].issuer", None, "trust.rules[0].issuer"),
        ("rules[0].issuer.exact", "", "trust.rules[0].issuer.exact"),
        ("rules[0].issuer.pattern", "*", "trust.rules[0].issuer"),
        ("rules[0].identity", None, "trust.rules[0].identity"),
        ("rules[0].identity.pattern", "https://github.com/*", "trust.rules[0].identity"),
        ("rules[0].identity.pattern", "https://h/o/a*b*c*d*e*", "trust.rules[0].identity.pattern"),
        ("rules[0].ref.exact", "a*", "trust.rules[0].ref"),
        ("rules[0].scope.kinds[0]", "provenence", "trust.rules[0].scope.kinds[0]"),
        ("rules[0].scope.services[0]", "Checkout", "trust.rules[0].scope.services[0]"),
        ("keys[0].scope.environments[0]", "", "trust.keys[0].scope.environments[0]"),
        ("keys[0].pem", "", "trust.keys[0].pem"),
        ("etag", "", "trust.etag"),
        ("name", "tenants/other/trust", "trust.name"),
    ],
)
def test_what_is_wrong_is_told_in_its_place(field: str, value: object, place: str) -> None:
    request = asked()
    _set(request.trust, field, value)
    assert faults(request) == [place]


@pytest.mark.parametrize(("field", "most"), [("roots", MAX_ROOTS), ("rules", MAX_RULES), ("keys", MAX_KEYS)])
def test_lists_are_bounded(field: str, most: int) -> None:
    request = asked()
    items = getattr(request.trust, field)
    items.extend([items[0]] * most)
    assert f"trust.{field}" in faults(request)


def test_another_tenants_trust_is_not_found() -> None:
    request = asked()
    request.tenant = "other"
    with pytest.raises(NotFound):
        trust_to_update(ADMIN, request)


def test_a_match_says_how_it_compares() -> None:
    request = asked()
    request.trust.rules[0].ref.SetInParent()
    assert faults(request) == ["trust.rules[0].ref"]


CLAIMS = SignerClaims(issuer=ISSUER, identity="https://h/o/r@main", ref="refs/heads/main")
PROOF = Proof(CLAIMS, "sigstore-bundle", root="sha256:a", builder="b")
RULE = SignerRule("ci", Match(ISSUER), identity=Match("https://h/o/*", True))
ROOTS = (TrustedRoot("r", "sha256:a", b""),)


@pytest.mark.parametrize(
    ("trust", "counts"),
    [
        (Trust(1, ROOTS, (RULE,)), True),
        (Trust(1, (), (RULE,)), False),
        (Trust(1, (TrustedRoot("r", "sha256:b", b""),), (RULE,)), False),
        (Trust(1, ROOTS, ()), False),
        (Trust(1, ROOTS, (SignerRule("ci", Match("https://other")),)), False),
        (Trust(1, ROOTS, (SignerRule("ci", Match(ISSUER), ref=Match("refs/tags/*", True)),)), False),
        (Trust(1, ROOTS, (SignerRule("ci", Match(ISSUER), builder=Match("c")),)), False),
        (Trust(1, ROOTS, (SignerRule("ci", Match(ISSUER), scope=Scope(services=("x",))),)), False),
        (Trust(1, ROOTS, (SignerRule("ci", Match(ISSUER), scope=Scope(frozenset({"sbom"}))),)), False),
        (Trust(1, ROOTS, (SignerRule("a", Match("https://other")), RULE)), True),
    ],
)
def test_a_proof_counts_by_what_is_trusted_now(trust: Trust, counts: bool) -> None:
    assert trust.vouches(PROOF, "provenance", "checkout", "prod") is counts


def test_the_servers_root_is_for_tenants_that_have_named_none() -> None:
    assert Trust().with_defaults(ROOTS).roots == ROOTS
    own = (TrustedRoot("own", "sha256:b", b""),)
    assert Trust(1, own).with_defaults(ROOTS).roots == own


def _set(message: trust_pb2.TrustConfiguration, path: str, value: object) -> None:
    """Set a field by its path; None leaves it out."""
    place: Any = message
    *steps, last = path.replace("[", ".[").split(".")
    for step in steps:
        place = place[int(step[1:-1])] if step.startswith("[") else getattr(place, step)
    if last.startswith("["):
        place[int(last[1:-1])] = value
    elif value is None:
        place.ClearField(last)
    else:
        setattr(place, last, value)
