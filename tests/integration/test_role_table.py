"""Every method for every role, in its own, in another and in no tenant: a table that no method can be left out of."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from release_passport.v1 import evidence_service_pb2, tenant_pb2, tenant_service_pb2
from release_passport_server.adapters.casbin.roles import load_roles
from release_passport_server.domain.access import Verb
from release_passport_server.domain.glob import any_matches
from release_passport_server.resources import policies_dir
from support.calls import METHODS, Caller, Refused, somebody
from support.requests import Names, request_for
from support.rights import ABOVE, ALSO, ELSE, FORGED, KINDS, OPEN, TENANTLESS, VERBS
from support.server import RealServer, real_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

OURS = Names()
ROLES = load_roles(policies_dir() / "rbac" / "default_roles.csv")
TENANT_ROLES = sorted(name for name, role in ROLES.items() if role.grantable_in("acme"))
# One after the other: a thing must not be gone before its name was tried.
ORDER = sorted(METHODS, key=lambda name: (name.startswith(("Delete", "End", "Revoke")), name))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealServer]:
    async with real_server(tmp_path_factory.mktemp("roles")) as running:
        admin = Caller(running, running.token)
        for name in ("CreateService", "CreateEnvironment", "CreatePolicy", "CreateRelease"):
            await admin(name, request_for(name, OURS))
        await admin("Evaluate", request_for("Evaluate", OURS))
        other = tenant_service_pb2.CreateTenantRequest(tenant=tenant_pb2.Tenant(tenant_id="other"))
        await admin("CreateTenant", other)
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def callers(server: RealServer) -> dict[str, Caller]:
    admin = Caller(server, server.token)
    return {role: await somebody(admin, f"user:as-{role}", role) for role in TENANT_ROLES}


async def test_every_method_says_which_verb_it_needs() -> None:
    assert set(VERBS) | set(OPEN) | set(ABOVE) == set(METHODS)
    assert not set(VERBS) & (OPEN | ABOVE)
    needed = [*VERBS.items(), *ALSO.items()]
    assert set(KINDS) == {name for name, verb in needed if verb is Verb.SUBMIT}


async def test_every_verb_of_a_role_is_one_that_some_method_needs_or_that_waits_for_its_service() -> None:
    used = {*VERBS.values(), Verb.TENANTS}
    assert set(Verb) - used <= {Verb.ACKNOWLEDGE, Verb.CONNECTORS, Verb.RETENTION}


@pytest.mark.parametrize("role", TENANT_ROLES)
async def test_a_role_does_what_its_verbs_allow_and_nothing_else(
    callers: dict[str, Caller], role: str
) -> None:
    wrong = []
    for method in ORDER:
        found = await callers[role].tried(method, request_for(method, OURS))
        if (may(role, method) and method not in FORGED) == _denied(found):
            wrong.append(f"{method}: {found}"[:200])
    assert not wrong


@pytest.mark.parametrize("role", TENANT_ROLES)
async def test_another_tenant_is_for_every_role_the_same_as_none(
    callers: dict[str, Caller], role: str
) -> None:
    before = await _revisions(callers[role].server)
    for method in ORDER:
        if method in TENANTLESS:
            continue
        answers = [await _shown(callers[role], method, tenant) for tenant in ("other", "nobody")]
        assert answers[0] == answers[1], method
        assert ("PERMISSION_DENIED" if method in ABOVE else "NOT_FOUND") in answers[0], (method, answers[0])
    assert await _revisions(callers[role].server) == before


def may(role: str, method: str) -> bool:
    """Say what the table of roles allows."""
    if method in OPEN:
        return True
    if method in ABOVE:
        return False
    needed = {VERBS[method], ALSO.get(method, VERBS[method])}
    lines = ROLES[role].permissions
    kind = KINDS.get(method, "")
    held = {one.verb for one in lines if one.verb is not Verb.SUBMIT or any_matches(one.kinds, kind)}
    return needed <= held or ELSE.get(method) in held


def _denied(found: object) -> bool:
    if isinstance(found, evidence_service_pb2.StreamEvidenceResponse):
        return [one.reason for one in found.refused] == ["ACCESS_DENIED"]
    return isinstance(found, Refused) and found.reason in {"ACCESS_DENIED", "ENVELOPE_INVALID"}


async def _shown(caller: Caller, method: str, tenant: str) -> str:
    found = repr(await caller.tried(method, request_for(method, replace(OURS, tenant=tenant))))
    return re.sub(rf"\b{tenant}\b", "…", found)


async def _revisions(server: RealServer) -> list[int]:
    return [await server.store.read(one, lambda reader: reader.revision()) for one in ("default", "other")]
