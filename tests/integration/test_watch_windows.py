"""Watch windows: armed by the start, open from the first exposure, latched until a person says otherwise, and ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
import pytest_asyncio
from sqlalchemy import select

from release_passport.v1 import (
    evidence_pb2,
    evidence_service_pb2,
    watch_window_pb2,
)
from release_passport.v1 import watch_window_service_pb2 as pb
from release_passport_server.adapters.sql import tables
from release_passport_server.domain.job import Timer
from release_passport_server.domain.watch_window import EXPIRE_WINDOW
from support.server import real_server
from support.story import IMAGE, Story, item
from support.watch_policy import begun, enforce, exposed, measure, watching

ROLLBACK, APPROVAL = 6, 3
REASON = "the probe was wrong, see the incident"


@pytest_asyncio.fixture
async def story(tmp_path: Any) -> AsyncIterator[Story]:
    # Nothing is decided here but what somebody asks for.
    async with real_server(tmp_path, worker={"enabled": False}) as server:
        told = Story(server)
        await told.begin()
        await enforce(told, "watch", **watching())
        yield told


async def called(story: Story, method: str, **given: Any) -> Any:
    request = getattr(pb, f"{method}Request")(**given)
    return await story.call("WatchWindowService", method, request)


async def window(story: Story, attempt: str) -> watch_window_pb2.WatchWindow:
    found: pb.GetWatchWindowResponse = await called(story, "GetWatchWindow", name=f"{attempt}/watchWindow")
    return found.window


def state(found: watch_window_pb2.WatchWindow) -> str:
    return watch_window_pb2.WatchWindowState.Name(found.state).removeprefix("WATCH_WINDOW_STATE_")


async def degraded(story: Story) -> str:
    """Return an attempt of which a rollback was recommended."""
    attempt = (await story.start(await story.decided("1.0.0"))).name
    await measure(story, attempt, 0.5)
    assert (await story.evaluate("1.0.0")).decision.effective_verdict == ROLLBACK
    return attempt


async def approver(story: Story) -> Story:
    return await story.somebody("user:ann", "approver", "viewer")


async def test_it_opens_with_the_first_exposure_and_not_before(story: Story) -> None:
    attempt = (await story.start(await story.decided("1.0.0"))).name
    armed = await window(story, attempt)
    assert (state(armed), armed.HasField("open_time")) == ("ARMED", False)
    assert armed.duration.ToTimedelta() == timedelta(hours=1)
    assert armed.expire_time.ToDatetime() - armed.arm_time.ToDatetime() == timedelta(hours=3)
    await exposed(story, attempt, 0)
    assert state(await window(story, attempt)) == "ARMED"
    await exposed(story, attempt, 5)
    seen = await window(story, attempt)
    assert state(seen) == "OPEN"
    assert seen.pass_time.ToDatetime() - seen.open_time.ToDatetime() == timedelta(hours=1)
    await exposed(story, attempt, 50)
    assert (await window(story, attempt)).open_time == seen.open_time


async def test_what_is_said_of_the_place_opens_it_where_it_is_about_these_images(story: Story) -> None:
    attempt = (await story.start(await story.decided("1.0.0"))).name
    reading = await story.somebody("sa:cluster", "connector")
    place = evidence_pb2.ServiceEnvironment(service="checkout", environment="prod")
    for digest, seen in (("sha256:" + "e" * 64, "ARMED"), (IMAGE, "OPEN")):
        status = evidence_pb2.RolloutStatus(object="o", weight=100, canary_image_digests=[digest])
        request = evidence_service_pb2.SubmitEvidenceRequest(
            evidence=[item({"rollout_status": status}, workload=place)]
        )
        await reading.call("EvidenceService", "SubmitEvidence", request)
        assert state(await window(story, attempt)) == seen


async def test_it_says_what_was_last_seen_of_the_way_back(story: Story) -> None:
    attempt = (await story.start(await story.decided("1.0.0"))).name
    release = attempt.partition("/attempts/")[0]
    assert not (await window(story, attempt)).HasField("rollback_readiness")
    reading = await story.somebody("sa:registry", "connector")
    for ready in (False, True):
        facts = evidence_pb2.RollbackReadiness(ready=ready, target_revision="9")
        request = evidence_service_pb2.SubmitEvidenceRequest(
            evidence=[item({"rollback_readiness": facts}, release=release)]
        )
        await reading.call("EvidenceService", "SubmitEvidence", request)
        seen = await window(story, attempt)
        assert (seen.rollback_readiness.ready, seen.rollback_readiness.target_revision) == (ready, "9")
    assert seen.HasField("rollback_readiness_time")


async def test_a_recommended_rollback_stands_until_a_person_acknowledges_it(story: Story) -> None:
    attempt = await degraded(story)
    await measure(story, attempt, 0.01)
    assert (await story.evaluate("1.0.0")).decision.effective_verdict == ROLLBACK
    latched = await window(story, attempt)
    assert (state(latched), len(latched.latches)) == ("LATCHED", 1)
    answer = await called(await approver(story), "AcknowledgeWatchWindow", name=latched.name, reason=REASON)
    assert not answer.window.latches
    (said,) = answer.window.acknowledgements
    assert (said.principal, said.reason) == ("user:ann", REASON)
    assert (await story.evaluate("1.0.0")).decision.effective_verdict != ROLLBACK
    with pytest.raises(grpc.aio.AioRpcError, match="nothing is latched"):
        await called(await approver(story), "AcknowledgeWatchWindow", name=latched.name, reason=REASON)


async def test_the_next_try_asks_people_until_it_is_acknowledged(story: Story) -> None:
    attempt = await degraded(story)
    await story.finish(attempt, "ROLLED_BACK")
    assert (await story.decided("2.0.0")).effective_verdict != APPROVAL
    again = (await story.evaluate("1.0.0")).decision
    assert again.effective_verdict == APPROVAL
    assert "PREVIOUSLY_DEGRADED" in {one.reason for one in again.findings}
    found = await window(story, attempt)
    assert state(found) == "ROLLED_BACK"
    await called(await approver(story), "AcknowledgeWatchWindow", name=found.name, reason=REASON)
    assert (await story.evaluate("1.0.0")).decision.effective_verdict != APPROVAL


async def test_neither_an_author_nor_a_machine_acknowledges(story: Story) -> None:
    attempt = await degraded(story)
    name = f"{attempt}/watchWindow"
    with pytest.raises(grpc.aio.AioRpcError, match="is an author"):
        await called(story, "AcknowledgeWatchWindow", name=name, reason=REASON)
    machine = await story.somebody("sa:bot", "approver")
    with pytest.raises(grpc.aio.AioRpcError, match="is no person"):
        await called(machine, "AcknowledgeWatchWindow", name=name, reason=REASON)
    assert state(await window(story, attempt)) == "LATCHED"


async def test_a_window_is_closed_by_hand_and_what_latched_stands(story: Story) -> None:
    attempt = await degraded(story)
    other = await approver(story)
    answer = await called(
        other,
        "CloseWatchWindow",
        name=f"{attempt}/watchWindow",
        outcome="WATCH_WINDOW_STATE_FAILED",
        reason=REASON,
    )
    assert (state(answer.window), len(answer.window.latches)) == ("FAILED", 1)
    with pytest.raises(grpc.aio.AioRpcError, match="ended as FAILED"):
        await called(
            other,
            "CloseWatchWindow",
            name=f"{attempt}/watchWindow",
            outcome="WATCH_WINDOW_STATE_CANCELLED",
            reason=REASON,
        )


async def test_what_is_under_way_is_listed(story: Story) -> None:
    attempt = (await story.start(await story.decided("1.0.0"))).name
    listed = await called(story, "ListWatchWindows", service="checkout")
    assert [one.name for one in listed.windows] == [f"{attempt}/watchWindow"]
    assert not (await called(story, "ListWatchWindows", environment="dev")).windows
    await story.finish(attempt, "CANCELLED")
    assert not (await called(story, "ListWatchWindows")).windows


@pytest.mark.parametrize(
    ("value", "weight", "ends"),
    [
        (0.01, 5, "PASSED"),
        (0.01, 0, "EXPIRED_WITHOUT_DATA"),
        (0.5, 5, "EXPIRED_WITHOUT_DATA"),
        (None, 5, "EXPIRED_WITHOUT_DATA"),
    ],
)
async def test_a_window_always_ends(tmp_path: Any, value: float | None, weight: int, ends: str) -> None:
    async with real_server(tmp_path) as server:
        story = Story(server)
        await story.begin()
        await enforce(story, "watch", **watching())
        attempt = (await story.start(await story.decided("1.0.0"))).name
        begun(story, attempt, timedelta(hours=3))
        await exposed(story, attempt, weight, timedelta(hours=2))
        if value is not None:
            await measure(story, attempt, value)
        await hurried(story, attempt)
        assert state(await ended(story, attempt)) == ends


async def ended(story: Story, attempt: str) -> watch_window_pb2.WatchWindow:
    """Return a window once it has ended."""
    for _ in range(600):
        found = await window(story, attempt)
        if found.HasField("close_time"):
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("the window did not end")


async def hurried(story: Story, attempt: str) -> None:
    """Let the end of a window be due now."""
    now = datetime.now(UTC)
    await story.server.store.write(
        "default", lambda tx: tx.schedule(Timer(EXPIRE_WINDOW, attempt, now, place="checkout/prod"))
    )


async def test_the_end_is_a_job_until_the_rollout_has_ended(story: Story) -> None:
    attempt = (await story.start(await story.decided("1.0.0"))).name
    assert attempt in await jobs(story)
    await story.finish(attempt, "CANCELLED")
    assert attempt not in await jobs(story)


async def jobs(story: Story) -> set[str]:
    c = tables.jobs.c
    with story.server.store._engine.connect() as connection:
        return set(connection.execute(select(c.key).where(c.kind == EXPIRE_WINDOW)).scalars())
