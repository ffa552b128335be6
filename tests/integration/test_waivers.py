"""Waivers on a real server: they cover one finding of one set of facts, by two people, for a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from release_passport.v1 import (
    evidence_pb2,
    policy_pb2,
    policy_service_pb2,
    verdict_pb2,
    waiver_pb2,
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
    TESTS,
    backdated,
    decided,
    finished,
    opened,
    reasons,
    released,
    replay_of,
    scanned,
    shop_policy,
    started,
    told,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALLOW, HOLD, BLOCK = verdict_pb2.VERDICT_ALLOW, verdict_pb2.VERDICT_HOLD, verdict_pb2.VERDICT_BLOCK
CVE_1, CVE_2 = ("CVE-2026-1", "critical", "3.0.8"), ("CVE-2026-2", "critical", "")


@dataclass(frozen=True)
class Shop:
    """Who is there: a pipeline, who asks for exceptions, and who grants them."""

    admin: Caller
    ci: Caller
    asker: Caller
    granter: Caller


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    async with real_server(tmp_path_factory.mktemp("waivers")) as running:
        admin = await opened(Caller(running, running.token), service_wide=True)
        ci = await somebody(admin, "sa:ci-1", "ci")
        asker = await somebody(admin, "user:ada", "release-manager")
        yield Shop(admin, ci, asker, await somebody(admin, "user:grace", "approver"))


def asking(release: str, **more: object) -> waiver_service_pb2.RequestWaiverRequest:
    request = waiver_service_pb2.RequestWaiverRequest(
        release=release, policy=POLICY, rule=SCANS, ticket="SEC-7", reason=REASON, expire_time=ahead(days=20)
    )
    request.MergeFrom(waiver_service_pb2.RequestWaiverRequest(**more))  # type: ignore[arg-type]
    return request


async def requested(shop: Shop, release: str, **more: object) -> waiver_pb2.Waiver:
    """Return a request for a waiver, after the question was asked."""
    await decided(shop.ci, release)
    found: waiver_pb2.Waiver = (await shop.asker("RequestWaiver", asking(release, **more))).waiver
    return found


async def granted(shop: Shop, release: str, **more: object) -> waiver_pb2.Waiver:
    made = await requested(shop, release, **more)
    found: waiver_pb2.Waiver = (await shop.granter("GrantWaiver", granting(made))).waiver
    return found


def granting(waiver: waiver_pb2.Waiver) -> waiver_service_pb2.GrantWaiverRequest:
    return waiver_service_pb2.GrantWaiverRequest(name=waiver.name)


async def shown(shop: Shop, waiver: waiver_pb2.Waiver) -> str:
    """Return where a waiver stands now."""
    asked = waiver_service_pb2.GetWaiverRequest(name=waiver.name)
    found = (await shop.granter("GetWaiver", asked)).waiver
    return waiver_pb2.WaiverState.Name(found.state).removeprefix("WAIVER_STATE_")


async def test_a_waiver_for_one_vulnerability_does_not_cover_another(shop: Shop) -> None:
    release = await released(shop.ci, "1.0.1", CVE_1)
    assert (await decided(shop.ci, release)).effective_verdict == BLOCK
    made = await requested(shop, release)
    assert "CVE-2026-1" in made.fingerprint
    assert (await decided(shop.ci, release)).effective_verdict == BLOCK
    waiver = (await shop.granter("GrantWaiver", granting(made))).waiver
    allowed = await decided(shop.ci, release)
    assert (allowed.verdict, allowed.effective_verdict) == (ALLOW, ALLOW)
    assert reasons(allowed)[SCANS] == "WAIVED"
    assert list(allowed.weakenings) == ["WAIVED"]
    (finding,) = [one for one in allowed.findings if one.rule == SCANS]
    assert [act.name for act in finding.lifted_by] == [waiver.name]
    await scanned(shop.ci, "1.0.1", CVE_1, CVE_2)
    blocked = await decided(shop.ci, release)
    assert blocked.effective_verdict == BLOCK
    assert reasons(blocked)[SCANS] == "EXPECTATION_FAILED"
    assert [await replay_of(shop.admin, one) for one in (allowed, blocked)] == ["SAME", "SAME"]


async def test_a_number_without_a_list_is_waived_as_a_number(shop: Shop) -> None:
    release = await released(shop.ci, "1.0.2", CVE_1)

    async def counted(critical: int) -> None:
        scan = evidence_pb2.VulnerabilityScan(scanner="trivy", critical=critical)
        scan.known_exploited, scan.fixable_high = 0, 0
        await told(shop.ci, "1.0.2", evidence_pb2.EvidenceFacts(vulnerability_scan=scan))

    await counted(1)
    await granted(shop, release)
    assert (await decided(shop.ci, release)).effective_verdict == ALLOW
    await counted(2)
    assert (await decided(shop.ci, release)).effective_verdict == BLOCK


async def test_what_the_rule_does_not_read_does_not_end_a_waiver(shop: Shop) -> None:
    release = await released(shop.ci, "1.0.3", CVE_1)
    await granted(shop, release)
    await scanned(shop.ci, "1.0.3", CVE_1, ("CVE-2026-9", "low", ""))
    assert (await decided(shop.ci, release)).effective_verdict == ALLOW


async def test_another_failure_of_the_same_evidence_is_another_finding(shop: Shop) -> None:
    release = await released(shop.ci, "1.0.4", CVE_1, ("CVE-2026-3", "high", ""))
    await granted(shop, release)
    assert (await decided(shop.ci, release)).effective_verdict == ALLOW
    # Nobody waived this one: it failed nothing while there was no version without it.
    await scanned(shop.ci, "1.0.4", CVE_1, ("CVE-2026-3", "high", "3.0.9"))
    assert (await decided(shop.ci, release)).effective_verdict == BLOCK


async def test_a_waiver_is_granted_by_a_person_who_neither_asked_nor_made_the_release(shop: Shop) -> None:
    release = await released(shop.ci, "1.1.0", CVE_1, authors=["user:Maker"])
    both = await somebody(shop.admin, "user:both", "release-manager", "approver")
    await decided(shop.ci, release)
    own = (await both("RequestWaiver", asking(release))).waiver
    assert (await both.refused("GrantWaiver", granting(own))).reason == "SELF_APPROVAL"
    maker = await somebody(shop.admin, "user:maker", "approver")
    assert (await maker.refused("GrantWaiver", granting(own))).reason == "SELF_APPROVAL"
    robot = await somebody(shop.admin, "sa:robot", "approver")
    assert (await robot.refused("GrantWaiver", granting(own))).reason == "ACCESS_DENIED"
    assert (await shop.asker.refused("GrantWaiver", granting(own))).reason == "ACCESS_DENIED"
    assert (await decided(shop.ci, release)).effective_verdict == BLOCK
    assert (await shop.granter("GrantWaiver", granting(own))).waiver.granter == "user:grace"
    assert (await decided(shop.ci, release)).effective_verdict == ALLOW


async def test_who_may_neither_ask_nor_make_releases_asks_for_no_waiver(shop: Shop) -> None:
    release = await released(shop.ci, "1.1.1", CVE_1)
    await decided(shop.ci, release)
    viewer = await somebody(shop.admin, "user:vic", "viewer")
    assert (await viewer.refused("RequestWaiver", asking(release))).code == "PERMISSION_DENIED"
    near = await somebody(shop.admin, "user:near", "release-manager", services=("billing",))
    assert (await near.refused("RequestWaiver", asking(release))).code == "PERMISSION_DENIED"
    machine = await shop.ci.refused("RequestWaiver", asking(release))
    assert machine.fields == ("owner",)
    assert (await shop.ci("RequestWaiver", asking(release, owner="user:ada"))).waiver.owner == "user:ada"


async def test_somebody_else_s_waivers_are_as_absent_as_those_that_are_not_there(shop: Shop) -> None:
    made = await granted(shop, await released(shop.ci, "1.1.2", CVE_1))
    near = await somebody(shop.admin, "user:neighbour", "admin", services=("billing",))
    absent = waiver_pb2.Waiver(name=made.name[:-4] + "0000")
    for waiver in (made, absent):
        assert (await near.refused("GrantWaiver", granting(waiver))).code == "NOT_FOUND"
        revoke = waiver_service_pb2.RevokeWaiverRequest(name=waiver.name)
        assert (await near.refused("RevokeWaiver", revoke)).code == "NOT_FOUND"
    assert not (await near("ListWaivers", waiver_service_pb2.ListWaiversRequest())).waivers


async def test_nothing_is_waived_that_nobody_asked_or_that_passes(shop: Shop) -> None:
    release = await released(shop.ci, "1.2.0", CVE_1)
    assert (await shop.asker.refused("RequestWaiver", asking(release))).reason == "NOTHING_ASKED"
    await decided(shop.ci, release)
    for more in ({"rule": TESTS}, {"rule": "gone"}, {"policy": "gone"}, {"key": "grype"}):
        found = await shop.asker.refused("RequestWaiver", asking(release, **more))
        assert (found.code, found.reason) == ("FAILED_PRECONDITION", "NOTHING_ASKED")


async def test_a_decision_that_is_not_true_any_more_is_not_waived(shop: Shop) -> None:
    release = await released(shop.ci, "1.2.1", CVE_1)
    await decided(shop.ci, release)
    failed = evidence_pb2.TestResult(suite="unit", passed=8, failed=1, errored=0)
    await told(shop.ci, "1.2.1", evidence_pb2.EvidenceFacts(test_result=failed))
    found = await shop.asker.refused("RequestWaiver", asking(release))
    assert (found.code, found.reason) == ("ABORTED", "VERDICT_CHANGED")


async def test_a_waiver_ends_within_the_policy_s_time(shop: Shop) -> None:
    release = await released(shop.ci, "1.2.2", CVE_1)
    await decided(shop.ci, release)
    for wrong in (ahead(days=31), ahead(seconds=-5)):
        found = await shop.asker.refused("RequestWaiver", asking(release, expire_time=wrong))
        assert (found.code, found.fields) == ("INVALID_ARGUMENT", ("expire_time",))
    await requested(shop, release, expire_time=ahead(days=29))


async def test_when_a_waiver_s_time_is_over_the_finding_stands_again(shop: Shop) -> None:
    release = await released(shop.ci, "1.3.0", CVE_1)
    waiver = await granted(shop, release, expire_time=ahead(minutes=5))
    allowed = await decided(shop.ci, release)
    assert allowed.effective_verdict == ALLOW
    assert allowed.valid_until.ToDatetime() <= waiver.expire_time.ToDatetime()
    await backdated(shop.admin, Waiver, waiver.name, expire_time=datetime.now(UTC))
    assert (await decided(shop.ci, release)).effective_verdict == BLOCK
    assert await shown(shop, waiver) == "EXPIRED"
    assert (await shop.granter.refused("GrantWaiver", granting(waiver))).reason == "ALREADY_ENDED"


async def test_a_waiver_that_stands_is_renewed_before_it_ends(shop: Shop) -> None:
    release = await released(shop.ci, "1.3.1", CVE_1)
    first = await granted(shop, release, expire_time=ahead(days=1))
    assert await shown(shop, first) == "EXPIRING"
    second = await granted(shop, release)
    assert (second.fingerprint, await shown(shop, second)) == (first.fingerprint, "ACTIVE")


async def test_a_waiver_that_a_rollout_started_on_and_that_is_revoked_holds_it(shop: Shop) -> None:
    release = await released(shop.ci, "1.3.2", CVE_1)
    waiver = await granted(shop, release)
    attempt = await started(shop.ci, await decided(shop.ci, release))
    assert (await decided(shop.ci, release)).effective_verdict == ALLOW
    revoke = waiver_service_pb2.RevokeWaiverRequest(name=waiver.name, reason="the fix is out")
    ended = (await shop.granter("RevokeWaiver", revoke)).waiver
    assert (ended.ended_by, ended.end_reason) == ("user:grace", "the fix is out")
    held = await decided(shop.ci, release)
    assert held.effective_verdict == HOLD
    (ground,) = [one for one in held.findings if one.reason == "GROUND_WITHDRAWN"]
    assert waiver.name in ground.message
    assert await replay_of(shop.admin, held) == "SAME"
    await finished(shop.ci, attempt)


async def test_a_waiver_for_the_service_covers_the_same_facts_in_its_other_releases(shop: Shop) -> None:
    first = await released(shop.ci, "2.0.0", CVE_1)
    waiver = await granted(shop, first, service_wide=True)
    assert not waiver.release
    second = await released(shop.ci, "2.0.1", CVE_1)
    assert (await decided(shop.ci, second)).effective_verdict == ALLOW
    worse = await released(shop.ci, "2.0.2", CVE_1, CVE_2)
    assert (await decided(shop.ci, worse)).effective_verdict == BLOCK
    # Who granted it made this one.
    own = await released(shop.ci, "2.0.3", CVE_1, authors=["user:grace"])
    assert (await decided(shop.ci, own)).effective_verdict == BLOCK
    revoke = waiver_service_pb2.RevokeWaiverRequest(name=waiver.name)
    await shop.asker("RevokeWaiver", revoke)
    assert (await decided(shop.ci, second)).effective_verdict == BLOCK


async def test_who_asked_for_a_waiver_or_may_grant_them_ends_it(shop: Shop) -> None:
    waiver = await granted(shop, await released(shop.ci, "2.1.0", CVE_1))
    other = await somebody(shop.admin, "user:other", "release-manager")
    revoke = waiver_service_pb2.RevokeWaiverRequest(name=waiver.name)
    assert (await other.refused("RevokeWaiver", revoke)).code == "PERMISSION_DENIED"
    assert (await shop.asker("RevokeWaiver", revoke)).waiver.ended_by == "user:ada"
    assert (await shop.granter("RevokeWaiver", revoke)).waiver.ended_by == "user:ada"


# The last of the module: it changes the policy.
async def test_a_waiver_whose_rule_says_something_else_is_listed_as_orphaned(shop: Shop) -> None:
    release = await released(shop.ci, "3.0.0", CVE_1)
    waiver, late = await granted(shop, release), await requested(shop, release)
    assert [await shown(shop, one) for one in (waiver, late)] == ["ACTIVE", "REQUESTED"]
    changed = shop_policy()
    stored = await shop.admin(
        "GetPolicy", policy_service_pb2.GetPolicyRequest(name=f"tenants/default/policies/{POLICY}")
    )
    changed.spec.rules[1].expect += "\n&& evidence.vulnerability_scan.low == 0"
    changed.spec.rules[0].waivable = False
    update = policy_pb2.Policy(name=stored.policy.name, spec=changed.spec, etag=stored.policy.etag)
    await shop.admin("UpdatePolicy", policy_service_pb2.UpdatePolicyRequest(policy=update))
    assert (await decided(shop.ci, release)).effective_verdict == BLOCK
    assert [await shown(shop, one) for one in (waiver, late)] == ["ORPHANED", "ORPHANED"]
    assert (await shop.granter.refused("GrantWaiver", granting(late))).reason == "NOT_WAIVABLE"
    asked = waiver_service_pb2.ListWaiversRequest(
        service="checkout", state="WAIVER_STATE_ORPHANED", release=release
    )
    listed = await shop.granter("ListWaivers", asked)
    assert {one.name for one in listed.waivers} == {waiver.name, late.name}
    wide = await shop.asker.refused("RequestWaiver", asking(release, service_wide=True))
    assert wide.reason == "NOT_WAIVABLE"
    failed = evidence_pb2.TestResult(suite="unit", passed=8, failed=1, errored=0, failed_cases=["a"])
    await told(shop.ci, "3.0.0", evidence_pb2.EvidenceFacts(test_result=failed))
    await decided(shop.ci, release)
    fixed = await shop.asker.refused("RequestWaiver", asking(release, rule=TESTS))
    assert fixed.reason == "NOT_WAIVABLE"
    assert timedelta(0) < waiver.expire_time.ToDatetime(UTC) - datetime.now(UTC)
