"""Nothing gates the way back: what passed before goes while something newer goes wrong, at gates as well."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import pytest_asyncio
from sqlalchemy import update

from release_passport.v1 import (
    decision_pb2,
    freeze_pb2,
    freeze_service_pb2,
    policy_pb2,
    policy_service_pb2,
    release_pb2,
    release_service_pb2,
    verdict_pb2,
)
from release_passport_server.adapters.sql import tables
from release_passport_server.services import live_reading
from support.calls import Caller
from support.gates import CONFIRMING, GateCaller, Objects, image, registered
from support.requests import ahead, identity
from support.server import real_server
from support.shop import (
    OURS,
    POLICY,
    decided,
    digest_of,
    opened,
    reasons,
    released,
    replay_of,
    shop_policy,
    started,
)
from support.watching_shop import sampled, watched

ALLOW, HOLD = verdict_pb2.VERDICT_ALLOW, verdict_pb2.VERDICT_HOLD
HOOKS = [*CONFIRMING, "rollback", "pre-rollout"]
NEWEST = "2.0.0"


@pytest.fixture(autouse=True)
def each_question_reads_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_reading, "REMEMBERED_SECONDS", -1.0)


@dataclass
class Shop:
    """A service behind a gate, whose first version passed and whose second is being rolled out."""

    admin: Caller
    gate: GateCaller
    objects: Objects
    good: str
    bad: str = ""

    async def attempts(self, release: str) -> list[release_pb2.Attempt]:
        """Return the rollouts of a release, the newest last."""
        found = await self.admin("GetRelease", release_service_pb2.GetReleaseRequest(name=release))
        return sorted(found.release.attempts, key=lambda one: one.number)

    async def begun(self, version: str) -> str:
        """Return the attempt that the gate lets begin."""
        self.runs(version)
        answer = await self.gate.flagger("confirm-rollout")
        assert (answer.status_code, answer.text) == (200, "go on\n")
        (attempt,) = await self.admin.server.store.read("default", lambda reader: reader.open_attempts())
        return attempt.name

    def runs(self, version: str) -> None:
        """Have the controller's object want a version."""
        self.objects.deployment(image(version))
        self.objects.canary(webhooks=self.gate.webhooks(*CONFIRMING))

    def aged(self, version: str) -> None:
        """Make all that is known of a version's artifact older than any rule takes."""
        c = tables.evidence.c
        with self.admin.server.store._engine.begin() as connection:
            long_ago = datetime.now(UTC) - timedelta(days=60)
            changed = update(tables.evidence).where(c.subject == f"artifact:{digest_of(version)}")
            assert connection.execute(changed.values(observe_time=long_ago)).rowcount > 0


@pytest_asyncio.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def shop(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Shop]:
    objects = Objects()
    # Nothing is decided here but what somebody asks for.
    sections: dict[str, Any] = {"worker": {"enabled": False}}
    if request.param == "postgresql":
        url = request.getfixturevalue("own_postgres_url").replace("+psycopg", "", 1)
        sections["store"] = {"url": url}
    async with real_server(tmp_path, objects=objects, **sections) as running:
        admin = await opened(Caller(running, running.token))
        await watched(admin)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.process.http_port}") as http:
            gate = await registered(admin, http, hooks=HOOKS)
            made = Shop(admin, gate, objects, await released(admin, "1.0.0"))
            first = await made.begun("1.0.0")
            await sampled(admin, first, 0.001)
            ended = release_service_pb2.FinishRolloutRequest(attempt=first, outcome="ATTEMPT_OUTCOME_PASSED")
            await admin("FinishRollout", ended)
            made.bad = await released(admin, NEWEST)
            made.aged("1.0.0")
            yield made


async def condemned(shop: Shop) -> str:
    """Return the attempt of the newest version, which is to be rolled back."""
    attempt = await shop.begun(NEWEST)
    await sampled(shop.admin, attempt, 0.5)
    decision = await decided(shop.admin, shop.bad)
    assert decision.effective_verdict == verdict_pb2.VERDICT_ROLLBACK_RECOMMENDED
    assert decision.rollback_target == shop.good
    return attempt


async def policy_says(shop: Shop, **changes: Any) -> None:
    """Change the policy of the shop."""
    asked = policy_service_pb2.GetPolicyRequest(name=f"tenants/default/policies/{POLICY}")
    policy = (await shop.admin("GetPolicy", asked)).policy
    policy.spec.CopyFrom(shop_policy().spec)
    policy.spec.MergeFrom(policy_pb2.PolicySpec(**changes))
    await shop.admin("UpdatePolicy", policy_service_pb2.UpdatePolicyRequest(policy=policy))


async def test_what_passed_before_goes_at_the_gate_where_a_rule_would_hold_it(shop: Shop) -> None:
    # The newest version is not begun yet: what is stale holds.
    held = await decided(shop.admin, shop.good)
    assert (held.effective_verdict, set(reasons(held).values())) == (HOLD, {"EVIDENCE_STALE"})
    shop.runs("1.0.0")
    assert (await shop.gate.flagger("confirm-rollout")).status_code == 403
    bad = await condemned(shop)
    back = await decided(shop.admin, shop.good)
    assert (back.effective_verdict, back.verdict) == (ALLOW, held.verdict)
    assert set(reasons(back).values()) == {"EVIDENCE_STALE", "RESTORES_PREVIOUS"}
    assert list(back.weakenings) == ["RESTORES_PREVIOUS"]
    shop.runs("1.0.0")
    answer = await shop.gate.flagger("confirm-rollout")
    assert (answer.status_code, "go on" in answer.text) == (200, True)
    _, again = await shop.attempts(shop.good)
    assert (again.ground, again.HasField("finish_time")) == (back.name, False)
    # What was gone back from has ended so.
    (ended,) = await shop.attempts(shop.bad)
    assert (ended.name, ended.outcome) == (bad, release_pb2.ATTEMPT_OUTCOME_ROLLED_BACK)
    assert await replay_of(shop.admin, back) == "SAME"
    assert await replay_of(shop.admin, held) == "SAME"
    # Its rollout has no signal yet, and is held by nothing.
    assert (await shop.gate.flagger("confirm-traffic-increase")).status_code == 200
    assert (await shop.gate.flagger("confirm-promotion")).status_code == 200
    rolling = await decided(shop.admin, shop.good)
    assert (rolling.stage, rolling.effective_verdict) == (verdict_pb2.STAGE_WATCH, ALLOW)
    assert await replay_of(shop.admin, rolling) == "SAME"
    # It is called good only where that is seen.
    ended_well = release_service_pb2.FinishRolloutRequest(
        attempt=again.name, outcome="ATTEMPT_OUTCOME_PASSED"
    )
    with pytest.raises(grpc.aio.AioRpcError, match="cannot end as PASSED"):
        await shop.admin("FinishRollout", ended_well)
    await sampled(shop.admin, again.name, 0.001)
    await shop.admin("FinishRollout", ended_well)
    # There is nothing to go back from any more.
    after = await decided(shop.admin, shop.good)
    assert set(reasons(after).values()) == {"EVIDENCE_STALE"}


async def test_a_revert_under_a_new_name_goes_while_the_newer_one_is_under_way(shop: Shop) -> None:
    attempt = await shop.begun(NEWEST)
    given = identity(OURS)
    given.version, given.artifacts[0].digest = "1.0.1", digest_of("1.0.0")
    made = await shop.admin("CreateRelease", release_service_pb2.CreateReleaseRequest(identity=given))
    back = await decided(shop.admin, made.release.name)
    assert (back.effective_verdict, reasons(back)["RESTORES_PREVIOUS"]) == (ALLOW, "RESTORES_PREVIOUS")
    again = await started(shop.admin, back)
    assert again != attempt
    # What was gone back from has ended so, outside of a gate as well.
    (ended,) = await shop.attempts(shop.bad)
    assert (ended.name, ended.outcome) == (attempt, release_pb2.ATTEMPT_OUTCOME_ROLLED_BACK)
    assert ended.reason.endswith("went back to 1.0.1")
    # Nothing else starts beside it.
    with pytest.raises(grpc.aio.AioRpcError, match="is open: finish it"):
        await started(shop.admin, back)


async def test_what_was_rolled_back_by_hand_is_gone_back_from_as_well(shop: Shop) -> None:
    attempt = await shop.begun(NEWEST)
    taken = release_service_pb2.FinishRolloutRequest(attempt=attempt, outcome="ATTEMPT_OUTCOME_ROLLED_BACK")
    await shop.admin("FinishRollout", taken)
    back = await decided(shop.admin, shop.good)
    assert (back.effective_verdict, reasons(back)["RESTORES_PREVIOUS"]) == (ALLOW, "RESTORES_PREVIOUS")
    assert await started(shop.admin, back)


async def test_a_policy_may_have_ways_back_judged(shop: Shop) -> None:
    await condemned(shop)
    await policy_says(shop, restore=policy_pb2.RESTORE_MODE_JUDGE)
    judged = await decided(shop.admin, shop.good)
    assert (judged.effective_verdict, set(reasons(judged).values())) == (HOLD, {"EVIDENCE_STALE"})
    shop.runs("1.0.0")
    answer = await shop.gate.flagger("confirm-rollout")
    assert (answer.status_code, "EVIDENCE_STALE" in answer.text) == (403, True)
    await policy_says(shop)
    assert (await shop.gate.flagger("confirm-rollout")).status_code == 200


async def test_what_is_condemned_itself_is_no_way_back(shop: Shop) -> None:
    bad = await condemned(shop)
    taken = release_service_pb2.FinishRolloutRequest(attempt=bad, outcome="ATTEMPT_OUTCOME_ROLLED_BACK")
    await shop.admin("FinishRollout", taken)
    back: decision_pb2.Decision = await decided(shop.admin, shop.good)
    assert back.effective_verdict == ALLOW
    again = await shop.begun("1.0.0")
    await sampled(shop.admin, again, 0.5)
    degraded = await decided(shop.admin, shop.good)
    assert degraded.effective_verdict == verdict_pb2.VERDICT_ROLLBACK_RECOMMENDED
    failed = release_service_pb2.FinishRolloutRequest(attempt=again, outcome="ATTEMPT_OUTCOME_FAILED")
    await shop.admin("FinishRollout", failed)
    held = await decided(shop.admin, shop.good)
    assert held.effective_verdict != ALLOW
    assert "RESTORES_PREVIOUS" not in {one.reason for one in held.findings}


async def test_a_freeze_holds_a_way_back_only_where_it_is_meant_to(shop: Shop) -> None:
    await condemned(shop)
    freeze = freeze_pb2.Freeze(
        title="quarter's end",
        environments=[OURS.environment],
        start_time=ahead(hours=-1),
        until_time=ahead(hours=2),
        reason="the books are being closed this week",
    )
    made = (await shop.admin("CreateFreeze", freeze_service_pb2.CreateFreezeRequest(freeze=freeze))).freeze
    # Under its own name it is a way back as well.
    back = await decided(shop.admin, shop.good)
    assert (back.effective_verdict, "FROZEN" in reasons(back).values()) == (ALLOW, False)
    ended = freeze_service_pb2.EndFreezeRequest(name=made.name, reason="another one")
    await shop.admin("EndFreeze", ended)
    freeze.restores_too = True
    await shop.admin("CreateFreeze", freeze_service_pb2.CreateFreezeRequest(freeze=freeze))
    held = await decided(shop.admin, shop.good)
    assert held.effective_verdict == HOLD
    assert set(reasons(held).values()) == {"EVIDENCE_STALE", "FROZEN"}
