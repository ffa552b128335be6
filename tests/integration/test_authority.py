"""Who may do what over the wire: every method for each kind of caller, and equal answers for absent and foreign."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio
from google.protobuf.message import Message

from release_passport.v1 import (
    access_pb2,
    access_service_pb2,
    catalog_service_pb2,
    evidence_service_pb2,
    release_service_pb2,
    tenant_pb2,
    tenant_service_pb2,
)
from support.calls import METHODS, Caller, Refused, somebody
from support.requests import REASON, ULID, Names, item, request_for
from support.server import RealServer, real_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

OURS = Names()
EVERY = sorted(METHODS)
# What a viewer may do; the lists show what its scope covers, and the rest changes nothing.
READS = {
    name
    for name in EVERY
    if name.startswith(("Get", "List", "Explain", "Simulate", "Validate", "Watch", "WhoAmI"))
} - {
    "GetTenant",
    "ListTenants",
    "ListAPITokens",
    "ListRoleBindings",
    "ListBans",
    "GetNotificationChannel",
    "ListNotificationChannels",
}
# These have no tenant in them at all.
TENANTLESS = {"WhoAmI", "ListTenants", "ValidatePolicy", "TestPolicy"}
ABOVE = {"CreateTenant", "GetTenant", "ListTenants", "SuspendTenant", "UpdateTenant"}

# These need the verb `audit`, which a viewer does not have.
AUDITS = {
    "ListAuditEntries",
    "GetCheckpoint",
    "GetInclusionProof",
    "GetConsistencyProof",
    "GetLogFiles",
    "ListDeadJobs",
    "ListDuties",
    "StreamAuditEntries",
}
# Names that say no place, so that only who may see what they name is told of it.
PLACELESS = {"GetFreeze", "EndFreeze", "GetWaiver", "GrantWaiver", "RevokeWaiver", "GetPolicyChange"}
PLACELESS |= {"GetGate", "DeleteGate", "GetGateHealth"}
PLACELESS |= {"GetConnector", "DeleteConnector", "TestConnector", "CollectNow", "WakeConnector"}
PLACELESS |= {name for name in EVERY if "Notification" in name and not name.startswith(("Create", "Update"))}


@dataclass
class Place:
    """A tenant with a release, evidence, a decision and a policy, and those who ask about them."""

    admin: Caller
    eve: Caller
    names: Names


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealServer]:
    async with real_server(tmp_path_factory.mktemp("authority")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(server: RealServer) -> Place:
    admin = Caller(server, server.token)
    for name in ("CreateService", "CreateEnvironment", "CreatePolicy", "CreateRelease"):
        await admin(name, request_for(name, OURS))
    await admin("CreateService", request_for("CreateService", replace(OURS, service="billing")))
    decided = await admin("Evaluate", request_for("Evaluate", OURS))
    stored = (await admin("SubmitEvidence", request_for("SubmitEvidence", OURS))).evidence[0]
    other = tenant_service_pb2.CreateTenantRequest(tenant=tenant_pb2.Tenant(tenant_id="other"))
    await admin("CreateTenant", other)
    names = replace(
        OURS,
        ulid=decided.decision.name.rpartition("/")[2],
        evidence=stored.name.rpartition("/")[2],
    )
    return Place(admin, await somebody(admin, "user:eve", "admin"), names)


async def revision(place: Place) -> int:
    """Return the tenant's revision: it stands still while nothing is stored."""
    return await place.admin.server.store.read("default", lambda reader: reader.revision())


async def shown(caller: Caller, method: str, names: Names, *hidden: str) -> str:
    """Return an answer or a refusal in words, without the names that the caller sent itself."""
    words = repr(await caller.tried(method, request_for(method, names)))
    for name in (names.ulid, names.evidence, names.version, names.policy, *hidden):
        words = words.replace(name, "…")
    return words


@pytest.mark.parametrize("method", EVERY)
async def test_without_a_token_nothing_is_answered(place: Place, method: str) -> None:
    found = await Caller(place.admin.server, None).refused(method, request_for(method, place.names))
    assert (found.code, found.reason) == ("UNAUTHENTICATED", "CREDENTIAL_MISSING")


async def test_who_has_no_role_may_only_ask_who_it_is(place: Place) -> None:
    nobody, before = await somebody(place.admin, "user:nobody"), await revision(place)
    for method in EVERY:
        found = await nobody.tried(method, request_for(method, place.names))
        assert _allowed(found) == (method == "WhoAmI"), (method, found)
    assert await revision(place) == before


async def test_a_viewer_reads_and_changes_nothing(place: Place) -> None:
    viewer, before = await somebody(place.admin, "user:vic", "viewer"), await revision(place)
    for method in EVERY:
        found = await viewer.tried(method, request_for(method, place.names))
        # To have something read anew changes nothing that was decided.
        reads = method in READS - AUDITS or method == "WakeConnector"
        if method == "EndObserveOnlyBinding" or not reads:
            assert _denied(found), (method, found)
        else:
            assert not _denied(found), (method, found)
    assert await revision(place) == before


async def test_a_neighbours_admin_changes_nothing_here_and_sees_none_of_it(place: Place) -> None:
    neighbour = await somebody(place.admin, "user:ned", "admin", services=("billing",))
    before = await revision(place)
    # Environments and policies are the tenant's; who reads one service reads them.
    common = {"WhoAmI", "GetPolicy", "ListPolicies", "ListPolicyRevisions", "ValidatePolicy", "TestPolicy"}
    common |= {"ListPolicyChanges", "GetEnvironment", "ListEnvironments", "GetTrust", "ListTrustRevisions"}
    for method in EVERY:
        found = await neighbour.tried(method, request_for(method, place.names))
        if method in common:
            assert not isinstance(found, Refused), (method, found)
        elif isinstance(found, Refused):
            # Nothing of that name is there, or nothing that may be seen.
            unknown = ("Evidence" in method and "/" in found.message) or method in PLACELESS
            assert found.code == ("NOT_FOUND" if unknown else "PERMISSION_DENIED"), (method, found)
        else:
            assert method.startswith("List") or _denied(found), (method, found)
            assert method == "StreamEvidence" or "checkout" not in str(found), method
    assert await revision(place) == before


@pytest.mark.parametrize("method", EVERY)
async def test_a_neighbour_cannot_tell_what_is_there_from_what_is_not(place: Place, method: str) -> None:
    neighbour = await somebody(
        place.admin, "user:nell", "admin", services=("billing",), environments=("dev",)
    )
    absent = replace(place.names, ulid=ULID, evidence=ULID, version="9.9.9")
    there, nowhere = await shown(neighbour, method, place.names), await shown(neighbour, method, absent)
    assert there == nowhere or method in {"ValidatePolicy", "TestPolicy"}


@pytest.mark.parametrize("method", EVERY)
async def test_another_tenants_names_are_as_absent_as_those_of_none(place: Place, method: str) -> None:
    real, none = replace(place.names, tenant="other"), replace(place.names, tenant="nobody")
    before = await revision(place)
    found = await shown(place.eve, method, real, "other")
    if method not in TENANTLESS:
        assert found == await shown(place.eve, method, none, "nobody")
        assert ("PERMISSION_DENIED" if method in ABOVE else "NOT_FOUND") in found
    assert await revision(place) == before


async def test_names_of_another_tenant_inside_a_request_are_not_found(place: Place) -> None:
    theirs, before = replace(place.names, tenant="other"), await revision(place)
    for field, name in (("release", theirs.release), ("attempt", f"{theirs.release}/attempts/1")):
        submit = evidence_service_pb2.SubmitEvidenceRequest(evidence=[item(OURS)])
        setattr(submit.evidence[0].subject, field, name)
        kind = "change_ticket" if field == "release" else "rollout_status"
        getattr(submit.evidence[0].facts, kind).SetInParent()
        if field == "attempt":
            submit.evidence[0].facts.rollout_status.object = "eu-1/shop/Rollout/app"
        found = await place.admin.refused("SubmitEvidence", submit)
        assert found.code == "NOT_FOUND", found
    start = release_service_pb2.StartRolloutRequest(
        release=place.names.release, decision=f"{theirs.release}/decisions/{ULID}"
    )
    assert (await place.admin.refused("StartRollout", start)).code == "NOT_FOUND"
    assert await revision(place) == before


async def test_a_suspended_tenant_is_refused_every_method(place: Place) -> None:
    made = tenant_service_pb2.CreateTenantRequest(tenant=tenant_pb2.Tenant(tenant_id="late"))
    secret = (await place.admin("CreateTenant", made)).admin_token
    theirs = Caller(place.admin.server, secret)
    await theirs("WhoAmI", access_service_pb2.WhoAmIRequest())
    suspend = tenant_service_pb2.SuspendTenantRequest(name="tenants/late")
    await place.admin("SuspendTenant", suspend)
    for method in EVERY:
        found = await theirs.refused(method, request_for(method, replace(OURS, tenant="late")))
        assert (found.code, found.reason) == ("PERMISSION_DENIED", "TENANT_SUSPENDED"), method


async def test_a_revoked_token_is_refused_at_once(place: Place) -> None:
    token = access_service_pb2.CreateAPITokenRequest(
        api_token=access_pb2.APIToken(principal="sa:gone"),
        role_bindings=[access_pb2.RoleBinding(role="viewer")],
    )
    made = await place.admin("CreateAPIToken", token)
    caller = Caller(place.admin.server, made.secret)
    await caller("ListServices", catalog_service_pb2.ListServicesRequest())
    await place.admin("RevokeAPIToken", access_service_pb2.RevokeAPITokenRequest(name=made.api_token.name))
    for method in EVERY:
        found = await caller.refused(method, request_for(method, OURS))
        assert (found.code, found.reason) == ("UNAUTHENTICATED", "CREDENTIAL_INVALID")


async def test_a_role_that_was_taken_away_is_gone_at_once(place: Place) -> None:
    caller = await somebody(place.admin, "sa:demoted", "viewer")
    asked = catalog_service_pb2.ListServicesRequest()
    await caller("ListServices", asked)
    held = access_service_pb2.ListRoleBindingsRequest(principal="sa:demoted")
    (binding,) = (await place.admin("ListRoleBindings", held)).role_bindings
    await place.admin("DeleteRoleBinding", access_service_pb2.DeleteRoleBindingRequest(name=binding.name))
    assert (await caller.refused("ListServices", asked)).code == "PERMISSION_DENIED"


async def test_page_tokens_from_elsewhere_are_refused(place: Place) -> None:
    asked = catalog_service_pb2.ListServicesRequest(page_size=1)
    token = (await place.admin("ListServices", asked)).next_page_token
    assert token
    secret = await _other_admin(place)
    elsewhere: list[tuple[Caller, str, Message]] = [
        (place.admin, "ListEnvironments", catalog_service_pb2.ListEnvironmentsRequest(page_token=token)),
        (place.admin, "ListReleases", release_service_pb2.ListReleasesRequest(page_token=token)),
        (
            Caller(place.admin.server, secret),
            "ListServices",
            catalog_service_pb2.ListServicesRequest(page_token=token),
        ),
        (place.admin, "ListServices", catalog_service_pb2.ListServicesRequest(page_token=token[:-2])),
    ]
    for caller, method, request in elsewhere:
        found = await caller.refused(method, request)
        assert (found.reason, found.fields) == ("PAGE_TOKEN_INVALID", ("page_token",)), (method, found)
    again = catalog_service_pb2.ListServicesRequest(page_size=1, page_token=token)
    assert len((await place.admin("ListServices", again)).services) == 1


async def test_a_page_token_shows_nothing_that_its_reader_may_not_see(place: Place) -> None:
    asked = catalog_service_pb2.ListServicesRequest(page_size=1)
    token = (await place.admin("ListServices", asked)).next_page_token
    neighbour = await somebody(place.admin, "user:nina", "viewer", services=("billing",))
    rest = catalog_service_pb2.ListServicesRequest(page_size=9, page_token=token)
    assert "checkout" not in str(await neighbour("ListServices", rest))


async def test_evidence_is_revoked_by_who_may_wherever_it_counts(place: Place) -> None:
    scan = item(OURS)
    scan.subject.artifact_digest = OURS.digest
    scan.facts.vulnerability_scan.scanner = "trivy"
    ci = await somebody(place.admin, "sa:ci-checkout", "ci", services=("checkout",))
    stored = await ci("SubmitEvidence", evidence_service_pb2.SubmitEvidenceRequest(evidence=[scan]))
    revoke = evidence_service_pb2.RevokeEvidenceRequest(name=stored.evidence[0].name, reason=REASON)
    neighbour = await somebody(place.admin, "user:nick", "admin", services=("billing",))
    assert (await neighbour.refused("RevokeEvidence", revoke)).reason == "REVOKE_NOT_PERMITTED"
    # The admin made the release that has this artifact.
    assert (await place.admin.refused("RevokeEvidence", revoke)).reason == "REVOKE_NOT_PERMITTED"
    assert (await place.eve("RevokeEvidence", revoke)).evidence.HasField("revocation")


def _allowed(found: object) -> bool:
    return not isinstance(found, Refused) and not _denied(found)


def _denied(found: object) -> bool:
    """Say whether a call was denied; a stream says so of each item."""
    if isinstance(found, evidence_service_pb2.StreamEvidenceResponse):
        return [one.reason for one in found.refused] == ["ACCESS_DENIED"]
    return isinstance(found, Refused) and found.code == "PERMISSION_DENIED"


async def _other_admin(place: Place) -> str:
    made = tenant_service_pb2.CreateTenantRequest(tenant=tenant_pb2.Tenant(tenant_id="third"))
    return str((await place.admin("CreateTenant", made)).admin_token)
