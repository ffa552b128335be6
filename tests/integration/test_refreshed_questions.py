"""A question may have the connectors that it depends on read first, for as long as its caller can wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from release_passport.v1 import decision_service_pb2, decision_service_pb2_grpc, policy_pb2, verdict_pb2
from release_passport_server.services.refresh import Refresh
from support.connecting import QUERY, Connected, connected, vector
from support.http_peer import Asked, Write
from support.server import bearer
from support.watch_policy import enforce

ALLOW, HOLD = verdict_pb2.VERDICT_ALLOW, verdict_pb2.VERDICT_HOLD


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Connected]:
    async with connected(tmp_path) as running:
        yield running


async def held(shop: Connected) -> str:
    """Enforce few errors before a rollout, by a connector that was last read an hour ago; return the release."""
    shop.metrics.answers[QUERY] = vector("0.5")
    connector = await shop.made(paused=False, interval={"seconds": 3600})
    need = policy_pb2.Need(kind="metric_sample", keys=["errors"], sources=[connector.source])
    rule = policy_pb2.Rule(
        rule_id="errors",
        title="Few errors?",
        stages=[verdict_pb2.STAGE_PRE_ROLLOUT],
        needs=[need],
        expect="evidence.metric_sample.value < 0.1",
        on_fail=HOLD,
        message="'too many errors'",
        next_action="Wait.",
    )
    await enforce(shop.story, "errors", rule)
    await shop.collected(connector)
    await shop.aged(connector)
    shop.metrics.answers[QUERY] = vector("0.001")
    return str((await shop.story.decided("1.0.0")).release)


async def asked(shop: Connected, release: str, *, refresh: bool, seconds: float = 20.0) -> int:
    request = decision_service_pb2.EvaluateRequest(release=release, refresh=refresh)
    stub = decision_service_pb2_grpc.DecisionServiceStub(shop.server.channel)
    answer = await stub.Evaluate(request, metadata=bearer(shop.admin.token or ""), timeout=seconds)
    return int(answer.decision.effective_verdict)


async def test_only_a_question_that_says_so_has_its_sources_read_first(shop: Connected) -> None:
    release = await held(shop)
    assert await asked(shop, release, refresh=False) == HOLD
    assert await asked(shop, release, refresh=True) == ALLOW


async def test_a_source_that_hangs_costs_no_answer(shop: Connected) -> None:
    release = await held(shop)
    never = asyncio.Event()

    async def hang(_: Asked, __: Write) -> None:
        await never.wait()

    shop.metrics.instead = hang
    assert await asked(shop, release, refresh=True, seconds=2.0) == HOLD
    never.set()


async def test_questions_at_once_share_one_reading(shop: Connected) -> None:
    release = await held(shop)
    before = len(shop.source.asked)
    verdicts = await asyncio.gather(*(asked(shop, release, refresh=True) for _ in range(8)))
    assert (set(verdicts), len(shop.source.asked) - before) == ({ALLOW}, 1)


async def test_where_many_wait_for_sources_the_next_question_reads_none() -> None:
    untouched: Any = None
    # A store that is not there would be missed.
    await Refresh(untouched, untouched, most_waiting=0)("default", "checkout", "prod", 1.0)
    with pytest.raises(AttributeError):
        await Refresh(untouched, untouched, most_waiting=1)("default", "checkout", "prod", 1.0)
