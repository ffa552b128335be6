"""Scopes, and who may do what by role."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from release_passport_server.adapters.casbin import AccessIndex
from release_passport_server.adapters.casbin.roles import RolesInvalid, load_roles
from release_passport_server.domain.access import PLATFORM, Grant, Principal, Scope, Verb, same_tenant
from release_passport_server.domain.errors import Denied, Invalid, NotFound
from release_passport_server.domain.kind import KINDS
from release_passport_server.resources import policies_dir

LATER = datetime(2030, 1, 1, tzinfo=UTC)
RBAC = policies_dir() / "rbac"


def principal(name: str = "sa:ci", tenant: str = "acme") -> Principal:
    return Principal(name, tenant, LATER, "01JQ0000000000000000000000")


def index(*grants: Grant, tenant: str = "acme") -> AccessIndex:
    access = AccessIndex(RBAC)
    access.replace(tenant, 1, grants)
    return access


def may(access: AccessIndex, who: Principal, verb: Verb, service: str = "", environment: str = "") -> bool:
    try:
        access.require(who, verb, service=service, environment=environment)
    except Denied:
        return False
    return True


def submittable(role: str) -> set[str]:
    access = index(Grant("sa:ci", role))
    allowed = set()
    for kind in (*KINDS, "custom:acme.example/load-test"):
        try:
            access.require(principal(), Verb.SUBMIT, service="checkout", environment="prod", kind=kind)
        except Denied:
            continue
        allowed.add(kind)
    return allowed


@pytest.mark.parametrize(
    ("scope", "service", "environment", "covered"),
    [
        (Scope(), "checkout", "prod", True),
        (Scope(), "", "", True),
        (Scope(("checkout",)), "checkout", "prod", True),
        (Scope(("checkout",)), "checkout2", "prod", False),
        (Scope(("checkout",)), "", "prod", False),
        (Scope(("check*",)), "checkout", "prod", True),
        (Scope(("check???",)), "checkout", "prod", True),
        (Scope(("check???",)), "checkou", "prod", False),
        (Scope(("[a-z]*",)), "checkout", "prod", False),
        (Scope(("*",), ("staging", "dev")), "checkout", "prod", False),
        (Scope(("*",), ("staging", "prod")), "checkout", "prod", True),
        (Scope(()), "checkout", "prod", False),
        (Scope(("Checkout",)), "checkout", "prod", False),
    ],
)
def test_a_scope_covers_what_its_globs_fit(
    scope: Scope, service: str, environment: str, covered: bool
) -> None:
    assert scope.covers(service, environment) is covered


@pytest.mark.parametrize(
    ("wide", "narrow", "contained"),
    [
        ("*", "checkout", True),
        ("*", "a*", True),
        ("a*", "ab*", True),
        ("a*", "*", False),
        ("a?", "a*", False),
        ("a?", "ab", True),
        ("a*b", "a*b*b", True),
        ("checkout", "check*", False),
    ],
)
def test_a_scope_contains_only_what_it_covers_in_full(wide: str, narrow: str, contained: bool) -> None:
    assert Scope((wide,)).contains(Scope((narrow,))) is contained


def test_whatever_nobody_granted_is_denied() -> None:
    access = index()
    assert not any(may(access, principal(), verb, "checkout", "prod") for verb in Verb)
    assert access.verbs(principal()) == frozenset()
    assert access.allowed_scopes(principal(), Verb.READ) == ()


def test_a_tenant_without_loaded_grants_denies_everything() -> None:
    access = AccessIndex(RBAC)
    assert access.generation("acme") == -1
    assert not any(may(access, principal(), verb) for verb in Verb)


@pytest.mark.parametrize(
    ("role", "verbs"),
    [
        ("viewer", {Verb.READ}),
        ("submitter", {Verb.READ, Verb.SUBMIT}),
        ("connector", {Verb.READ, Verb.SUBMIT}),
        ("evaluator", {Verb.READ, Verb.EVALUATE, Verb.START}),
        (
            "approver",
            {Verb.READ, Verb.APPROVE, Verb.RESOLVE_REJECTION, Verb.ACKNOWLEDGE, Verb.WAIVE},
        ),
        ("release-manager", {Verb.READ, Verb.RELEASE, Verb.EVALUATE, Verb.START}),
        ("ci", {Verb.READ, Verb.RELEASE, Verb.EVALUATE, Verb.START, Verb.SUBMIT}),
        ("policy-admin", {Verb.READ, Verb.POLICIES}),
        ("auditor", {Verb.READ, Verb.AUDIT}),
        ("admin", set(Verb) - {Verb.TENANTS}),
    ],
)
def test_a_role_gives_its_verbs_and_no_other(role: str, verbs: set[Verb]) -> None:
    access = index(Grant("sa:ci", role))
    assert access.verbs(principal()) == verbs
    assert access.roles(principal()) == {role}


def test_pipeline_and_connector_share_no_kind_and_leave_none_out() -> None:
    submitter, connector = submittable("submitter"), submittable("connector")
    assert submitter & connector == set()
    assert submitter | connector == {k.name for k in KINDS.values() if not k.server_only} | {
        "custom:acme.example/load-test"
    }
    assert {k.name for k in KINDS.values() if k.connector_only} <= connector
    assert submittable("ci") == submitter


def test_a_submit_question_without_a_kind_is_for_those_who_may_submit_all() -> None:
    assert not may(index(Grant("sa:ci", "submitter")), principal(), Verb.SUBMIT)
    assert may(index(Grant("sa:ci", "admin")), principal(), Verb.SUBMIT)


def test_kinds_of_a_grant_narrow_the_right_to_submit_alone() -> None:
    access = index(Grant("sa:ci", "ci", kinds=("test_result", "runtime_health")))
    access.require(principal(), Verb.SUBMIT, kind="test_result")
    access.require(principal(), Verb.EVALUATE)
    for kind in ("provenance", "runtime_health"):
        with pytest.raises(Denied):
            access.require(principal(), Verb.SUBMIT, kind=kind)


def test_a_right_for_a_neighbour_or_in_another_environment_is_none() -> None:
    access = index(Grant("sa:ci", "ci", Scope(("checkout",), ("staging",))))
    assert may(access, principal(), Verb.EVALUATE, "checkout", "staging")
    assert not may(access, principal(), Verb.EVALUATE, "checkout", "prod")
    assert not may(access, principal(), Verb.EVALUATE, "payments", "staging")
    assert not may(access, principal(), Verb.EVALUATE)


def test_two_grants_do_not_combine_into_a_third() -> None:
    access = index(
        Grant("sa:ci", "evaluator", Scope(("checkout",), ("staging",))),
        Grant("sa:ci", "evaluator", Scope(("payments",), ("prod",))),
    )
    assert not may(access, principal(), Verb.EVALUATE, "checkout", "prod")
    assert set(access.allowed_scopes(principal(), Verb.EVALUATE)) == {
        Scope(("checkout",), ("staging",)),
        Scope(("payments",), ("prod",)),
    }


def test_everywhere_swallows_narrower_scopes() -> None:
    access = index(Grant("sa:ci", "viewer", Scope(("checkout",))), Grant("sa:ci", "viewer"))
    assert access.allowed_scopes(principal(), Verb.READ) == (Scope(),)


def test_require_somewhere_takes_any_scope_but_only_the_kind() -> None:
    access = index(Grant("sa:ci", "submitter", Scope(("checkout",)), ("sbom",)))
    access.require_somewhere(principal(), Verb.SUBMIT, kind="sbom")
    with pytest.raises(Denied):
        access.require_somewhere(principal(), Verb.SUBMIT, kind="provenance")


def test_submit_scopes_are_those_of_the_kind() -> None:
    access = index(
        Grant("sa:ci", "submitter", Scope(("checkout",)), ("sbom",)),
        Grant("sa:ci", "submitter", Scope(("payments",)), ("test_result",)),
    )
    assert access.allowed_scopes(principal(), Verb.SUBMIT, kind="sbom") == (Scope(("checkout",)),)


def test_the_same_principal_id_in_another_tenant_has_no_rights() -> None:
    access = index(Grant("sa:ci", "admin"))
    access.replace("other", 1, [])
    assert not any(may(access, principal(tenant="other"), verb) for verb in Verb)


@pytest.mark.parametrize("tenant", ["*", "", PLATFORM, "acme ", "ACME", "acme\n"])
def test_no_odd_domain_reaches_a_tenant(tenant: str) -> None:
    access = index(Grant("sa:ci", "admin"))
    assert not any(may(access, principal(tenant=tenant), verb) for verb in Verb)


def test_platform_admin_is_one_on_the_platform_and_nowhere_else() -> None:
    access = index(Grant("sa:root", "platform-admin"), Grant("sa:root", "admin"), tenant=PLATFORM)
    access.replace("acme", 1, [Grant("sa:root", "platform-admin")])
    assert access.verbs(principal("sa:root", PLATFORM)) == {Verb.TENANTS}
    assert access.verbs(principal("sa:root", "acme")) == frozenset()


def test_a_principal_named_like_a_role_has_no_role() -> None:
    access = index(Grant("sa:ci", "admin"))
    for name in ("admin", "role:admin", "role:admin|*|*|*", "principal:sa:ci"):
        assert access.verbs(principal(name)) == frozenset()


@pytest.mark.parametrize("glob", ["checkout payments", "* x", "a|b", "", "checkout\n"])
def test_a_glob_that_fits_no_id_gives_nothing(glob: str) -> None:
    for scope in (Scope((glob,)), Scope(("*",), (glob,))):
        assert not may(index(Grant("sa:ci", "viewer", scope)), principal(), Verb.READ, "checkout", "prod")
    access = index(Grant("sa:ci", "submitter", kinds=(glob,)))
    with pytest.raises(Denied):
        access.require(principal(), Verb.SUBMIT, kind="sbom")


def test_an_unknown_role_gives_nothing() -> None:
    assert index(Grant("sa:ci", "root")).verbs(principal()) == frozenset()


def test_older_grants_never_replace_newer_ones() -> None:
    access = index()
    assert access.replace("acme", 7, [])
    assert not access.replace("acme", 6, [Grant("sa:ci", "admin")])
    assert access.generation("acme") == 7
    assert access.verbs(principal()) == frozenset()


def test_a_removed_grant_ends_with_the_replacement() -> None:
    access = index(Grant("sa:ci", "viewer"))
    access.replace("acme", 2, [])
    assert not may(access, principal(), Verb.READ)


def test_a_forgotten_tenant_denies_until_it_is_loaded_again() -> None:
    access = index(Grant("sa:ci", "viewer"))
    access.forget("acme")
    assert not may(access, principal(), Verb.READ)
    access.replace("acme", 1, [Grant("sa:ci", "viewer")])
    assert may(access, principal(), Verb.READ)


def test_a_denial_names_verb_place_and_who_can_grant_it() -> None:
    with pytest.raises(Denied) as denied:
        index().require(principal(), Verb.EVALUATE, service="checkout", environment="prod")
    assert denied.value.reason == "ACCESS_DENIED"
    assert denied.value.message == (
        "sa:ci may not `evaluate` for service checkout in environment prod; "
        "an admin of this tenant can grant a role that may: admin, ci, evaluator, release-manager"
    )
    assert denied.value.metadata == {"verb": "evaluate"}


def test_a_denied_submission_names_the_kind() -> None:
    with pytest.raises(Denied, match=r"`submit` runtime_health .* role that may: admin, connector$"):
        index().require(
            principal(), Verb.SUBMIT, service="checkout", environment="prod", kind="runtime_health"
        )


@pytest.mark.parametrize(
    ("held", "wanted", "allowed"),
    [
        (Grant("sa:ci", "admin"), Grant("user:ada", "admin"), True),
        (Grant("sa:ci", "admin"), Grant("user:ada", "ci", Scope(("a*",))), True),
        (Grant("sa:ci", "viewer"), Grant("user:ada", "ci"), False),
        (Grant("sa:ci", "ci", Scope(("a*",))), Grant("user:ada", "ci", Scope(("ab",))), True),
        (Grant("sa:ci", "ci", Scope(("a*",))), Grant("user:ada", "ci"), False),
        (Grant("sa:ci", "ci", kinds=("sbom",)), Grant("user:ada", "submitter"), False),
        (Grant("sa:ci", "ci", kinds=("sbom",)), Grant("user:ada", "submitter", kinds=("sbom",)), True),
        (Grant("sa:ci", "ci", kinds=("sbom",)), Grant("user:ada", "submitter", kinds=("s*",)), False),
    ],
)
def test_nobody_grants_more_than_they_have(held: Grant, wanted: Grant, allowed: bool) -> None:
    access = index(held)
    if allowed:
        access.require_grantable(principal(), wanted)
    else:
        with pytest.raises(Denied):
            access.require_grantable(principal(), wanted)


@pytest.mark.parametrize("role", ["root", "platform-admin", ""])
def test_a_role_that_is_not_here_cannot_be_granted(role: str) -> None:
    with pytest.raises(Invalid) as refused:
        index(Grant("sa:ci", "admin")).require_grantable(principal(), Grant("user:ada", role))
    assert refused.value.violations[0].field == "role"


def test_another_tenant_is_not_found() -> None:
    same_tenant(principal(), "acme")
    same_tenant(principal(), "")
    with pytest.raises(NotFound):
        same_tenant(principal(), "other")


def test_casbin_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        access = index(Grant("sa:ci", "viewer"))
        may(access, principal(), Verb.EVALUATE)
    assert [record for record in caplog.records if record.name.startswith("casbin")] == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("p, viewer, tenant, read", "expected"),
        ("g, viewer, tenant, read, *", "expected"),
        ("p, viewer, moon, read, *", "unknown plane"),
        ("p, viewer, tenant, raed, *", "unknown verb"),
        ("p, viewer, tenant, read, sbom", "only `submit`"),
        ("p, viewer, tenant, read, *\np, viewer, platform, tenants, *", "two planes"),
    ],
)
def test_a_wrong_table_of_roles_is_refused_with_its_line(
    tmp_path_factory: pytest.TempPathFactory, line: str, fault: str
) -> None:
    path = tmp_path_factory.mktemp("rbac") / "roles.csv"
    path.write_text(line, encoding="utf-8")
    with pytest.raises(RolesInvalid, match=f"line [12]: .*{fault}"):
        load_roles(path)
