"""What a newer release's exposure does to the window of the one before; a retry is an attempt of its own."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import psycopg
import pytest
import pytest_asyncio
from sqlalchemy import URL

from release_passport.v1 import (
    audit_service_pb2,
    decision_pb2,
    decision_service_pb2,
    evidence_pb2,
    evidence_service_pb2,
    passport_pb2,
    release_service_pb2,
    watch_window_pb2,
)
from support.server import real_server
from support.story import IMAGE, Story, identity, item, rendered
from support.watch_policy import enforce, measure, watching

NEWER, STRANGE = "sha256:" + "9" * 64, "sha256:" + "8" * 64
PLACE = evidence_pb2.ServiceEnvironment(service="checkout", environment="prod")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Give what a server needs to know of its store."""
    if request.param == "sqlite":
        return {}
    url: str = request.getfixturevalue("database")
    return {"store": {"url": url.replace("+psycopg", "")}}


@pytest.fixture
def database(postgres_server: URL) -> Iterator[str]:
    """Give the URL of an empty database of the test's own."""
    name = f"passport_test_{uuid.uuid4().hex[:12]}"
    server = postgres_server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        yield postgres_server.set(database=name).render_as_string(hide_password=False)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest_asyncio.fixture
async def story(tmp_path: Path, settings: dict[str, Any]) -> AsyncIterator[Story]:
    # Nothing is decided here but what somebody asks for.
    async with real_server(tmp_path, worker={"enabled": False}, **settings) as server:
        told = Story(server)
        await told.begin()
        await enforce(told, "watch", **watching())
        yield told


async def decided(story: Story, version: str, image: str) -> decision_pb2.Decision:
    """Return the decision about a version of one image."""
    asked = identity(version)
    asked.artifacts[0].digest = image
    request = decision_service_pb2.EvaluateRequest(identity=asked, evidence=[rendered(version, 0)])
    answer = await story.call("DecisionService", "Evaluate", request)
    found: decision_pb2.Decision = answer.decision
    return found


async def seen(story: Story, image: str, weight: int, *, name: str = "rollout", stable: str = "") -> None:
    """Let a connector see what an object of the place rolls out, and what is stable there."""
    status = evidence_pb2.RolloutStatus(object=name, weight=weight, canary_image_digests=[image])
    status.stable_image_digests.extend([stable] if stable else [])
    request = evidence_service_pb2.SubmitEvidenceRequest(
        evidence=[item({"rollout_status": status}, workload=PLACE)]
    )
    reading = await story.somebody("sa:cluster", "connector")
    await reading.call("EvidenceService", "SubmitEvidence", request)


async def passport(story: Story, release: str) -> passport_pb2.Passport:
    request = release_service_pb2.GetPassportRequest(name=release)
    found: passport_pb2.Passport = (await story.call("ReleaseService", "GetPassport", request)).passport
    return found


async def states(story: Story, release: str) -> list[str]:
    """Return where the windows of a release stand, the newest first, as its passport has them."""
    windows = (await passport(story, release)).watch_windows
    names = watch_window_pb2.WatchWindowState.Name
    return [names(one.state).removeprefix("WATCH_WINDOW_STATE_") for one in windows]


async def test_only_a_newer_exposure_without_any_of_the_older_supersedes(story: Story) -> None:
    older = await decided(story, "1.0.0", IMAGE)
    attempt = (await story.start(older)).name
    await seen(story, IMAGE, 30)
    await measure(story, attempt, 0.5)
    assert (await decided(story, "1.0.0", IMAGE)).effective_verdict == 6
    # That there is a newer release, and that it was asked about, ends nothing, nor do images of no release.
    newer = await decided(story, "2.0.0", NEWER)
    await seen(story, STRANGE, 100)
    await seen(story, NEWER, 0)
    await seen(story, IMAGE, 30)
    assert await states(story, older.release) == ["LATCHED"]
    # It is exposed, and so is the older one: elsewhere, or as what is stable.
    await seen(story, NEWER, 20, name="other")
    await seen(story, NEWER, 20, stable=IMAGE)
    assert await states(story, older.release) == ["LATCHED"]
    await seen(story, NEWER, 20)
    assert await states(story, older.release) == ["SUPERSEDED"]
    shown = await passport(story, older.release)
    assert shown.watch_windows[0].reason.startswith(f"{newer.release} was seen")
    # What latched stands on the digests: the next try of them asks people.
    assert len(shown.watch_windows[0].latches) == 1
    assert "PREVIOUSLY_DEGRADED" in {one.reason for one in (await decided(story, "1.0.0", IMAGE)).findings}
    request = audit_service_pb2.ListAuditEntriesRequest(subject=attempt)
    told = (await story.call("AuditService", "ListAuditEntries", request)).entries
    assert [one.principal for one in told if one.action == "SupersedeWatchWindow"] == ["system:exposure"]
    with pytest.raises(grpc.aio.AioRpcError, match="ended as SUPERSEDED"):
        await story.finish(attempt, "PASSED")


async def test_an_older_release_supersedes_nothing(story: Story) -> None:
    await decided(story, "1.0.0", NEWER)
    newer = await decided(story, "2.0.0", IMAGE)
    await story.start(newer)
    await seen(story, IMAGE, 30)
    await seen(story, NEWER, 100)
    (window,) = (await passport(story, newer.release)).watch_windows
    assert (window.state, window.paused) == (watch_window_pb2.WATCH_WINDOW_STATE_OPEN, True)
    assert not window.HasField("pass_time")


async def test_one_rollout_at_a_time_and_a_retry_is_an_attempt_of_its_own(story: Story) -> None:
    first = await decided(story, "1.0.0", IMAGE)
    other = await decided(story, "2.0.0", NEWER)
    attempt = await story.start(first)
    await seen(story, IMAGE, 30)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await story.start(other)
    assert f"{attempt.name} is open" in (refused.value.details() or "")
    await story.finish(attempt.name, "CANCELLED")
    again = await story.start(await decided(story, "1.0.0", IMAGE))
    assert (again.number, again.name) != (attempt.number, attempt.name)
    # What was seen of the first try opens nothing of the second.
    assert await states(story, first.release) == ["ARMED", "CANCELLED"]
    await seen(story, IMAGE, 30)
    assert await states(story, first.release) == ["OPEN", "CANCELLED"]
    await story.finish(again.name, "ROLLED_BACK")
    await story.start(await decided(story, "2.0.0", NEWER))
    assert await states(story, first.release) == ["ROLLED_BACK", "CANCELLED"]
    assert await states(story, other.release) == ["ARMED"]
