"""The report of duties from a real server: what it finds in the store, in which time, and for whom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
import pytest_asyncio
from google.protobuf.timestamp_pb2 import Timestamp

from release_passport.v1 import (
    audit_pb2,
    audit_service_pb2,
    override_service_pb2,
    policy_pb2,
    policy_service_pb2,
    waiver_service_pb2,
)
from release_passport_server.domain.acts import Waiver
from support.calls import Caller, somebody
from support.people_requests import REASON
from support.requests import ahead
from support.server import real_server
from support.shop import (
    POLICY,
    SCANS,
    backdated,
    decided,
    opened,
    released,
    shop_policy,
    started,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

CVE = ("CVE-2026-1", "critical", "3.0.8")


@dataclass(frozen=True)
class Shop:
    """Who is there: a pipeline, people who make exceptions, and who audits them."""

    admin: Caller
    ci: Caller
    asker: Caller
    granter: Caller
    auditor: Caller

    async def told(self, **wanted: object) -> list[audit_pb2.ReleaseDuties]:
        """Return what the report says, all pages of it."""
        found: list[audit_pb2.ReleaseDuties] = []
        request = audit_service_pb2.ListDutiesRequest(**wanted)  # type: ignore[arg-type]
        while True:
            answer = await self.auditor("ListDuties", request)
            found += answer.releases
            if not answer.next_page_token:
                return found
            request.page_token = answer.next_page_token

    async def of(self, release: str) -> audit_pb2.ReleaseDuties:
        return next(one for one in await self.told() if one.release == release)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    async with real_server(tmp_path_factory.mktemp("duties")) as running:
        admin = await opened(Caller(running, running.token), service_wide=True)
        yield Shop(
            admin,
            await somebody(admin, "sa:ci-1", "ci"),
            await somebody(admin, "user:ada", "release-manager"),
            await somebody(admin, "user:grace", "approver"),
            await somebody(admin, "user:audrey", "auditor"),
        )


async def waived(shop: Shop, version: str, *, service_wide: bool = False) -> tuple[str, str]:
    """Return a release with a serious vulnerability, and the waiver that was granted for it."""
    release = await released(shop.ci, version, CVE, authors=("user:dev",))
    await decided(shop.ci, release)
    asked = waiver_service_pb2.RequestWaiverRequest(
        release=release,
        service_wide=service_wide,
        policy=POLICY,
        rule=SCANS,
        ticket="SEC-7",
        reason=REASON,
        expire_time=ahead(days=20),
    )
    made = (await shop.asker("RequestWaiver", asked)).waiver
    await shop.granter("GrantWaiver", waiver_service_pb2.GrantWaiverRequest(name=made.name))
    return release, made.name


def done(told: audit_pb2.ReleaseDuties) -> dict[str, str]:
    return {audit_pb2.Duty.Name(one.duty).removeprefix("DUTY_"): one.principal for one in told.duties}


def codes(told: audit_pb2.ReleaseDuties) -> list[str]:
    names = audit_pb2.DutyConflictCode.Name
    return [names(one.code).removeprefix("DUTY_CONFLICT_CODE_") for one in told.conflicts]


async def test_what_people_did_is_told_with_its_record(shop: Shop) -> None:
    release, waiver = await waived(shop, "1.0.0")
    attempt = await started(shop.ci, await decided(shop.ci, release))
    told = await shop.of(release)
    assert done(told) == {
        "CREATED": "sa:ci-1",
        "AUTHORED": "user:dev",
        "STARTED": "sa:ci-1",
        "WAIVER_REQUESTED": "user:ada",
        "WAIVER_GRANTED": "user:grace",
    }
    assert {one.act for one in told.duties} == {"", attempt, waiver}
    assert (codes(told), told.authors_known) == ([], True)


async def test_a_conflict_in_the_record_is_found(shop: Shop) -> None:
    release, waiver = await waived(shop, "1.1.0")
    # The server refuses this; the report tells what the store says all the same.
    await backdated(shop.admin, Waiver, waiver, granter="user:dev")  # type: ignore[arg-type]
    told = await shop.of(release)
    assert codes(told) == ["AUTHOR_WAIVED"]
    assert (list(told.conflicts[0].principals), told.conflicts[0].act) == (["user:dev"], waiver)
    assert release in [one.release for one in await shop.told(conflicts_only=True)]


async def test_a_waiver_for_the_whole_service_is_told_of_releases_that_it_stood_for(shop: Shop) -> None:
    before, waiver = await waived(shop, "1.2.0", service_wide=True)
    behind = await released(shop.ci, "1.2.1", CVE)
    assert "WAIVER_GRANTED" in done(await shop.of(before))
    assert done(await shop.of(behind))["WAIVER_GRANTED"] == "user:grace"
    gone = waiver_service_pb2.RevokeWaiverRequest(name=waiver, reason=REASON)
    await shop.granter("RevokeWaiver", gone)
    after = await released(shop.ci, "1.2.2", CVE)
    assert "WAIVER_GRANTED" in done(await shop.of(behind))
    assert "WAIVER_GRANTED" not in done(await shop.of(after))


async def test_an_override_is_told_of_its_own_release_until_it_is_reviewed(shop: Shop) -> None:
    release = await released(shop.ci, "1.3.0", CVE)
    other = await released(shop.ci, "1.3.1", CVE)
    asked = override_service_pb2.CreateOverrideRequest(
        release=release, decision=(await decided(shop.ci, release)).name, ticket="INC-1", reason=REASON
    )
    asked.duration.FromTimedelta(timedelta(hours=1))
    made = (await shop.admin("CreateOverride", asked)).override
    told = await shop.of(release)
    assert (done(told)["OVERRODE"], codes(told)) == ("user:admin", ["OVERRIDE_UNREVIEWED"])
    assert "OVERRODE" not in done(await shop.of(other))
    reviewer = await somebody(shop.admin, "user:rae", "admin")
    review = override_service_pb2.ReviewOverrideRequest(name=made.name, review=REASON)
    await reviewer("ReviewOverride", review)
    told = await shop.of(release)
    assert (done(told)["REVIEWED"], codes(told)) == ("user:rae", [])


async def test_a_waiver_of_a_rule_that_changed_is_orphaned(shop: Shop) -> None:
    release, _ = await waived(shop, "1.4.0")
    name = f"tenants/default/policies/{POLICY}"
    policy = (await shop.admin("GetPolicy", policy_service_pb2.GetPolicyRequest(name=name))).policy
    spec = policy_pb2.PolicySpec.FromString(policy.spec.SerializeToString())
    next(rule for rule in spec.rules if rule.rule_id == SCANS).title = "Is anything serious left?"
    changed = policy_pb2.Policy(name=name, etag=policy.etag, spec=spec)
    etag = (
        await shop.admin("UpdatePolicy", policy_service_pb2.UpdatePolicyRequest(policy=changed))
    ).policy.etag
    assert codes(await shop.of(release)) == ["WAIVER_ORPHANED"]
    back = replace_spec(name, etag)
    await shop.admin("UpdatePolicy", policy_service_pb2.UpdatePolicyRequest(policy=back))
    assert codes(await shop.of(release)) == []


def replace_spec(name: str, etag: str) -> policy_pb2.Policy:
    return policy_pb2.Policy(name=name, etag=etag, spec=shop_policy(service_wide=True).spec)


async def test_the_time_and_the_pages_leave_nothing_out(shop: Shop) -> None:
    names = [await released(shop.ci, f"2.0.{number}") for number in range(5)]
    everything = await shop.told()
    mine = [one for one in everything if one.release in names]
    assert [one.release for one in mine] == names[::-1]
    assert [one.release for one in await shop.told(page_size=1)] == [one.release for one in everything]
    first, last = mine[-2].create_time, mine[0].create_time
    between = await shop.told(from_time=first, to_time=last, page_size=1)
    assert [one.release for one in between] == names[3:0:-1]
    assert await shop.told(to_time=Timestamp(seconds=1)) == []
    assert await shop.told(from_time=ahead(days=1)) == []


async def test_newer_releases_are_passed_over_page_by_page(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("release_passport_server.services.duties._PASSED_OVER", 2)
    await released(shop.ci, "3.0.0")
    for number in range(6):
        await released(shop.ci, f"3.1.{number}")
    everything = await shop.told()
    assert "3.0.0" in everything[6].release
    wanted = audit_service_pb2.ListDutiesRequest(to_time=everything[5].create_time, page_size=1)
    empty = await shop.auditor("ListDuties", wanted)
    assert (list(empty.releases), bool(empty.next_page_token)) == ([], True)
    found = await shop.told(to_time=everything[5].create_time, page_size=1)
    assert found == everything[6:]


@pytest.mark.parametrize("role", ["viewer", "policy-admin", "ci"])
async def test_only_who_audits_the_whole_tenant_is_told(shop: Shop, role: str) -> None:
    somewhere = await somebody(shop.admin, "user:sam", "auditor", services=("checkout",))
    for caller in (await somebody(shop.admin, f"user:{role}", role), somewhere):
        refused = await caller.refused("ListDuties", audit_service_pb2.ListDutiesRequest())
        assert (refused.code, refused.reason) == ("PERMISSION_DENIED", "ACCESS_DENIED")
