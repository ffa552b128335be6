"""What degraded stays what degraded: no other name, attempt, sample or restart makes the same digests good again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from release_passport.v1 import (
    catalog_service_pb2,
    decision_pb2,
    decision_service_pb2,
)
from support.server import real_server
from support.story import Story, identity, manifests, rendered
from support.watch_policy import begun, enforce, measure, watching

ALLOW, CANARY, ASKS, ROLLBACK = 1, 2, 3, 6


@pytest_asyncio.fixture
async def story(tmp_path: Any) -> AsyncIterator[Story]:
    # Nothing is decided here but what somebody asks for.
    async with real_server(tmp_path, worker={"enabled": False}) as server:
        told = Story(server)
        await told.begin()
        await enforce(told, "watch", **watching())
        yield told


async def asked(story: Story, version: str, **changes: Any) -> decision_pb2.Decision:
    """Return the decision about another version of the very same content."""
    given = identity(version)
    given.manifest_digest = manifests("1.0.0")
    for field, value in changes.items():
        getattr(given, field).update(value)
    request = decision_service_pb2.EvaluateRequest(identity=given, evidence=[rendered("1.0.0", 0)])
    answer: decision_service_pb2.EvaluateResponse = await story.call("DecisionService", "Evaluate", request)
    return answer.decision


async def another_version(story: Story, attempt: str) -> decision_pb2.Decision:
    return await asked(story, "1.0.1")


async def other_annotations(story: Story, attempt: str) -> decision_pb2.Decision:
    return await asked(story, "1.0.1", annotations={"rollback": "true", "hotfix": "true"})


async def labels_of_the_service(story: Story, attempt: str) -> decision_pb2.Decision:
    name = "tenants/default/services/checkout"
    found = (
        await story.call("CatalogService", "GetService", catalog_service_pb2.GetServiceRequest(name=name))
    ).service
    found.labels["hotfix"] = "true"
    changed = catalog_service_pb2.UpdateServiceRequest(service=found)
    await story.call("CatalogService", "UpdateService", changed)
    return await asked(story, "1.0.0")


async def good_samples_afterwards(story: Story, attempt: str) -> decision_pb2.Decision:
    for _ in range(5):
        await measure(story, attempt, 0.001)
    return await asked(story, "1.0.0")


async def the_end_of_the_attempt(story: Story, attempt: str) -> decision_pb2.Decision:
    await story.finish(attempt, "CANCELLED")
    return await asked(story, "1.0.0")


async def the_end_of_the_window(story: Story, attempt: str) -> decision_pb2.Decision:
    begun(story, attempt, timedelta(hours=4))
    await story.finish(attempt, "FAILED")
    return await asked(story, "1.0.2")


WAYS: tuple[Callable[[Story, str], Awaitable[decision_pb2.Decision]], ...] = (
    another_version,
    other_annotations,
    labels_of_the_service,
    good_samples_afterwards,
    the_end_of_the_attempt,
    the_end_of_the_window,
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_what_degraded_is_not_laundered_by(
    story: Story, way: Callable[[Story, str], Awaitable[decision_pb2.Decision]]
) -> None:
    decision = await story.decided("1.0.0")
    assert decision.effective_verdict in (ALLOW, CANARY)
    attempt = (await story.start(decision)).name
    await measure(story, attempt, 0.5)
    assert (await story.evaluate("1.0.0")).decision.effective_verdict == ROLLBACK
    after = await way(story, attempt)
    assert after.effective_verdict >= ASKS
    said = {one.reason for one in after.findings}
    assert said & {"PREVIOUSLY_DEGRADED", "ROLLBACK_LATCHED", "EXPECTATION_FAILED"}, said


async def test_another_start_is_not_possible_before_somebody_has_looked(story: Story) -> None:
    attempt = (await story.start(await story.decided("1.0.0"))).name
    await measure(story, attempt, 0.5)
    await story.evaluate("1.0.0")
    await story.finish(attempt, "ROLLED_BACK")
    for version in ("1.0.0", "1.0.1"):
        again = await asked(story, version)
        assert again.effective_verdict == ASKS
        with pytest.raises(Exception, match="REQUIRE_APPROVAL"):
            await story.start(again)
