"""A rollout whose signals stay away is not held for ever: the server itself says so, nobody has to ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.duration_pb2 import Duration

from release_passport.v1 import decision_pb2, decision_service_pb2, policy_pb2, verdict_pb2
from support.calls import Caller
from support.server import real_server
from support.shop import replay_of
from support.story import Story
from support.watch_policy import enforce, exposed, measure, watching

HOLD, ROLLBACK = verdict_pb2.VERDICT_HOLD, verdict_pb2.VERDICT_ROLLBACK_RECOMMENDED
ALLOWING = (verdict_pb2.VERDICT_ALLOW, verdict_pb2.VERDICT_ALLOW_WITH_CANARY)
DEADLINE = 20.0


@pytest_asyncio.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def story(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Story]:
    url = f"sqlite:///{tmp_path / 'passport.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("own_postgres_url").replace("+psycopg", "", 1)
    async with real_server(tmp_path, store={"url": url}) as server:
        told = Story(server)
        await told.begin()
        yield told


def limited(on_hold_limit: policy_pb2.OnHoldLimit) -> dict[str, Any]:
    """Return a rule without a grace period, in a window whose holds last for a second."""
    given = watching()
    given["watch"].grace_period.CopyFrom(Duration())
    given["watch"].hold_limit.CopyFrom(Duration(seconds=1))
    given["watch"].on_hold_limit = on_hold_limit
    return given


def caller(story: Story) -> Caller:
    return Caller(story.server, story.server.token)


async def decided(story: Story, release: str, *verdicts: int, blind: bool = False) -> decision_pb2.Decision:
    """Return the newest decision once it is one of these."""
    request = decision_service_pb2.ListDecisionsRequest(release=release)
    async with asyncio.timeout(DEADLINE):
        while True:
            newest = (await story.call("DecisionService", "ListDecisions", request)).decisions[0]
            found = "WATCH_BLIND" in {finding.reason for finding in newest.findings}
            if newest.effective_verdict in verdicts and found is blind:
                answer: decision_pb2.Decision = newest
                return answer


async def begun(story: Story, on_hold_limit: policy_pb2.OnHoldLimit) -> tuple[str, decision_pb2.Decision]:
    """Return an attempt that takes traffic, and the decision that holds it for want of signals."""
    await enforce(story, "watch", **limited(on_hold_limit))
    attempt = (await story.start(await story.decided("1.0.0"))).name
    await exposed(story, attempt, 30)
    answer = (await story.evaluate("1.0.0")).decision
    return attempt, await decided(story, answer.release, HOLD)


async def test_a_canary_without_signals_is_recommended_back_and_goes_on_when_they_are_back(
    story: Story,
) -> None:
    attempt, first = await begun(story, policy_pb2.ON_HOLD_LIMIT_UNSPECIFIED)
    assert not first.HasField("held_since")
    blind = await decided(story, first.release, ROLLBACK, blind=True)
    assert blind.held_since.ToDatetime() == first.decide_time.ToDatetime()
    assert blind.decide_time.ToDatetime() - first.decide_time.ToDatetime() >= timedelta(seconds=1)
    assert blind.attempt == attempt
    # It stands however often somebody asks.
    assert (await story.evaluate("1.0.0")).decision.name == blind.name
    await measure(story, attempt, 0.01)
    well = await decided(story, first.release, *ALLOWING)
    assert not well.HasField("held_since")
    for one in (first, blind, well):
        assert await replay_of(caller(story), one) == "SAME"


async def test_where_the_policy_says_so_it_stays_on_hold_in_a_new_decision(story: Story) -> None:
    _, first = await begun(story, policy_pb2.ON_HOLD_LIMIT_HOLD)
    blind = await decided(story, first.release, HOLD, blind=True)
    assert blind.name != first.name
    assert await replay_of(caller(story), blind) == "SAME"
