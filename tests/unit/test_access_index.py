"""The index gives the answers of the Casbin enforcer that it is built from."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from release_passport_server.adapters.casbin import AccessIndex
from release_passport_server.adapters.casbin.enforcer import TenantEnforcer
from release_passport_server.adapters.casbin.roles import load_roles
from release_passport_server.domain.access import PLATFORM, Grant, Principal, Scope, Verb
from release_passport_server.domain.access_review import AccessQuestion, BindingOutcome
from release_passport_server.domain.errors import Denied
from release_passport_server.resources import policies_dir

RBAC = policies_dir() / "rbac"
ROLES = load_roles(RBAC / "default_roles.csv")
INDEX = AccessIndex(RBAC)
LATER = datetime(2030, 1, 1, tzinfo=UTC)

principals = st.sampled_from(["sa:ci", "sa:cd", "connector:argocd", "user:ada", "admin", "role:ci|*|*|*"])
tenants = st.sampled_from(["acme", "other", PLATFORM, "*"])
services = st.sampled_from(["", "checkout", "checkout2", "payments", "a"])
environments = st.sampled_from(["", "prod", "prod2", "staging"])
service_globs = st.sampled_from(["*", "checkout", "check*", "checkout?", "p*s", "[a-z]", "?", "a b", ""])
environment_globs = st.sampled_from(["*", "prod", "prod?", "*ing", "prod*"])
kinds = st.sampled_from(["", "sbom", "runtime_health", "custom:acme.example/x", "rollout_outcome"])
kind_globs = st.sampled_from(["sbom", "*", "custom:*", "runtime_*", "???m"])


def globs(one: st.SearchStrategy[str], least: int) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(one, min_size=least, max_size=2).map(tuple)


grants = st.builds(
    Grant,
    principals,
    st.sampled_from([*ROLES, "root"]),
    st.builds(Scope, globs(service_globs, 0), globs(environment_globs, 0)),
    globs(kind_globs, 0),
)
questions = st.tuples(principals, tenants, st.sampled_from(Verb), services, environments, kinds)


@settings(max_examples=60, deadline=None)
@given(tenants, st.lists(grants, max_size=6), st.lists(questions, min_size=1, max_size=12))
def test_the_index_answers_as_casbin_does(
    tenant: str, granted: list[Grant], asked: list[tuple[str, str, Verb, str, str, str]]
) -> None:
    enforcer = TenantEnforcer(RBAC / "model.conf", ROLES, tenant, granted)
    for other in ("acme", "other", PLATFORM, "*"):
        INDEX.forget(other)
    INDEX.replace(tenant, 1, granted)
    for name, home, verb, service, environment, kind in asked:
        who = Principal(name, home, LATER)
        try:
            INDEX.require(who, verb, service=service, environment=environment, kind=kind)
            allowed = True
        except Denied:
            allowed = False
        assert allowed is enforcer.enforce(who, verb, service, environment, kind)
        if service and environment:
            scopes = INDEX.allowed_scopes(who, verb, kind=kind)
            assert allowed is any(scope.covers(service, environment) for scope in scopes)


@given(globs(service_globs, 1), globs(service_globs, 1), services)
def test_what_a_contained_scope_covers_its_container_covers(
    wide: tuple[str, ...], narrow: tuple[str, ...], service: str
) -> None:
    if Scope(wide).contains(Scope(narrow)) and Scope(narrow).covers(service, "prod"):
        assert Scope(wide).covers(service, "prod")


@settings(max_examples=60, deadline=None)
@given(tenants, grants, st.lists(questions, min_size=1, max_size=8))
def test_what_a_grant_alone_says_is_what_casbin_says_of_it(
    tenant: str, grant: Grant, asked: list[tuple[str, str, Verb, str, str, str]]
) -> None:
    enforcer = TenantEnforcer(RBAC / "model.conf", ROLES, tenant, [grant])
    who = Principal(grant.principal, tenant, LATER)
    for _, _, verb, service, environment, kind in asked:
        ruling = INDEX.ruling(tenant, grant, AccessQuestion(verb, service, environment, kind))
        allows = ruling.outcome is BindingOutcome.ALLOWS
        assert allows is enforcer.enforce(who, verb, service, environment, kind)
        assert not ruling.rule or list(ruling.rule) in enforcer.rules()
