"""A recorded decision is decided again from its record: the same bytes, or it is said what differs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select, update

from release_passport.v1 import (
    decision_service_pb2,
)
from release_passport_server import bootstrap
from release_passport_server.adapters.sql import tables
from release_passport_server.services.explain import Explain
from support.server import real_server
from support.story import Story, rendered

LIBRARY = Path(__file__).resolve().parents[2] / "policies" / "library"
pytestmark = pytest.mark.asyncio(loop_scope="module")
IMAGE = "sha256:" + "a" * 64


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Story]:
    async with real_server(tmp_path_factory.mktemp("replay")) as server:
        told = Story(server)
        await told.begin()
        yield told


async def explained(story: Story, name: str) -> decision_service_pb2.ExplainDecisionResponse:
    request = decision_service_pb2.ExplainDecisionRequest(name=name)
    answer = await story.call("DecisionService", "ExplainDecision", request)
    assert isinstance(answer, decision_service_pb2.ExplainDecisionResponse)
    return answer


async def test_a_decision_replays_to_the_same_bytes_and_explains_itself(story: Story) -> None:
    decision = await story.decided("1.0.0")
    assert decision.effective_verdict == 1, decision
    answer = await explained(story, decision.name)
    assert answer.replay == decision_service_pb2.REPLAY_RESULT_SAME
    topics = [step.topic for step in answer.steps]
    assert topics[0] == "release"
    assert topics[-2:] == ["verdict", "verdict"]
    assert {"evidence", "policy", "rule"} <= set(topics)


async def test_a_watch_decision_with_a_ground_replays_too(story: Story) -> None:
    decision = await story.decided("1.0.1")
    await story.start(decision)
    request = decision_service_pb2.EvaluateRequest(release=decision.release)
    watched = await story.call("DecisionService", "Evaluate", request)
    assert isinstance(watched, decision_service_pb2.EvaluateResponse)
    assert watched.decision.ground == decision.name
    answer = await explained(story, watched.decision.name)
    assert answer.replay == decision_service_pb2.REPLAY_RESULT_SAME


async def test_later_evidence_policies_and_revocations_do_not_change_a_replay(story: Story) -> None:
    decision = await story.decided("1.0.2")
    later = await story.evaluate("1.0.2", 2)
    assert later.decision.effective_verdict == 5
    assert (await explained(story, decision.name)).replay == decision_service_pb2.REPLAY_RESULT_SAME


async def test_one_altered_byte_is_tampering(story: Story) -> None:
    decision = await story.decided("1.0.3")
    record = await story.server.store.read("default", lambda reader: reader.find_decision(decision.name))
    assert record is not None
    forged = record.body.replace(b"checkout", b"checkou7", 1)
    for column, body in (("body", forged), ("case_body", record.case_body.replace(b"c", b"d", 1))):
        _overwrite(story, decision.name, **{column: body})
        assert (await explained(story, decision.name)).replay == decision_service_pb2.REPLAY_RESULT_TAMPERED
        _overwrite(story, decision.name, body=record.body, case_body=record.case_body)
    assert (await explained(story, decision.name)).replay == decision_service_pb2.REPLAY_RESULT_SAME


async def test_altered_evidence_is_tampering_even_where_the_verdict_would_be_the_same(story: Story) -> None:
    decision = await story.decided("1.0.6", 0)
    used = decision.findings[0].evidence[0]
    bodies = await story.server.store.read(
        "default", lambda reader: reader.evidence_bodies([used.facts_digest])
    )
    altered = rendered("1.0.6", 0).facts
    altered.manifest_render.object_count = 99
    _overwrite_body(story, used.facts_digest, altered.SerializeToString())
    assert (await explained(story, decision.name)).replay == decision_service_pb2.REPLAY_RESULT_TAMPERED
    _overwrite_body(story, used.facts_digest, bodies[used.facts_digest])
    assert (await explained(story, decision.name)).replay == decision_service_pb2.REPLAY_RESULT_SAME


async def test_an_altered_policy_is_tampering(story: Story) -> None:
    decision = await story.decided("1.0.7", 0)
    revisions = tables.policy_revisions
    with story.server.store._engine.begin() as connection:
        spec: bytes = connection.execute(select(revisions.c.spec)).scalar_one()
        connection.execute(
            update(revisions).values(spec=spec.replace(b"unpinned_images == 0", b"unpinned_images == 9"))
        )
    assert (await explained(story, decision.name)).replay == decision_service_pb2.REPLAY_RESULT_TAMPERED
    with story.server.store._engine.begin() as connection:
        connection.execute(update(revisions).values(spec=spec))
    assert (await explained(story, decision.name)).replay == decision_service_pb2.REPLAY_RESULT_SAME


async def test_another_engine_with_another_outcome_is_told_apart_from_tampering(story: Story) -> None:
    decision = await story.decided("1.0.4")
    application = await bootstrap.build(story.server.store, story.server.process.settings)
    handler = application.handlers["release_passport.v1.DecisionService"]
    explain: Explain = handler.explain  # type: ignore[attr-defined]
    record = await story.server.store.read("default", lambda reader: reader.find_decision(decision.name))
    assert record is not None
    newer = replace(explain, engine_version="another engine")
    draft = await story.server.store.read("default", lambda reader: newer.replay(reader, record))
    assert newer.compared(record, draft) == "SAME"
    stricter = replace(draft, outcome=replace(draft.outcome, weakenings=("X",)))
    assert newer.compared(record, stricter) == "ENGINE_DIFFERS"
    assert explain.compared(record, replace(stricter, engine_version=explain.engine_version)) == "TAMPERED"


async def test_a_purged_body_is_said_to_be_gone(story: Story) -> None:
    decision = await story.decided("1.0.5")
    with story.server.store._engine.begin() as connection:
        connection.execute(update(tables.bodies).values(body=None))
    assert (await explained(story, decision.name)).replay == decision_service_pb2.REPLAY_RESULT_BODY_PURGED


def _overwrite(story: Story, name: str, **columns: bytes) -> None:
    with story.server.store._engine.begin() as connection:
        connection.execute(update(tables.decisions).where(tables.decisions.c.name == name).values(**columns))


def _overwrite_body(story: Story, digest: str, body: bytes) -> None:
    with story.server.store._engine.begin() as connection:
        connection.execute(update(tables.bodies).where(tables.bodies.c.digest == digest).values(body=body))
