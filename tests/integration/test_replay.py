"""A recorded decision is decided again from its record: the same bytes, or it is said what differs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import update

from release_passport.policy_file import load_policy_file
from release_passport.v1 import (
    catalog_pb2,
    catalog_service_pb2,
    decision_pb2,
    decision_service_pb2,
    evidence_pb2,
    policy_service_pb2,
    release_pb2,
    release_service_pb2,
)
from release_passport_server import bootstrap
from release_passport_server.adapters.sql import tables
from release_passport_server.services.explain import Explain
from support.server import RealServer, bearer, real_server

LIBRARY = Path(__file__).resolve().parents[2] / "policies" / "library"
pytestmark = pytest.mark.asyncio(loop_scope="module")
IMAGE = "sha256:" + "a" * 64


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealServer]:
    async with real_server(tmp_path_factory.mktemp("replay")) as one:
        yield one


async def call(server: RealServer, service: str, method: str, request: object) -> object:
    return await getattr(server.stub(service), method)(request, metadata=bearer(server.token))


def item(fact: dict[str, object], **subject: object) -> evidence_pb2.EvidenceInput:
    given = evidence_pb2.EvidenceInput(
        subject=evidence_pb2.EvidenceSubject(**subject),  # type: ignore[arg-type]
        facts=evidence_pb2.EvidenceFacts(**fact),  # type: ignore[arg-type]
    )
    given.observe_time.FromDatetime(datetime.now(UTC))
    return given


async def decided(server: RealServer, version: str) -> decision_pb2.Decision:
    """Record a decision about a release whose manifests are known."""
    catalog = catalog_service_pb2
    if version == "1.0.0":
        service = catalog_pb2.Service(service_id="checkout")
        environment = catalog_pb2.Environment(environment_id="prod")
        await call(server, "CatalogService", "CreateService", catalog.CreateServiceRequest(service=service))
        await call(
            server,
            "CatalogService",
            "CreateEnvironment",
            catalog.CreateEnvironmentRequest(environment=environment),
        )
        policy = load_policy_file(LIBRARY / "manifest-render.yaml")
        # The admin of the test stands for the pipeline.
        policy.spec.rules[0].needs[0].sources[:] = ["user:*"]
        await call(
            server, "PolicyService", "CreatePolicy", policy_service_pb2.CreatePolicyRequest(policy=policy)
        )
    render = evidence_pb2.ManifestRender(object_count=3, unpinned_images=0)
    manifests = "sha256:" + version.replace(".", "").ljust(64, "b")
    identity = release_pb2.ReleaseIdentity(
        service="checkout",
        environment="prod",
        version=version,
        artifacts=[release_pb2.Artifact(name="checkout", digest=IMAGE)],
        manifest_digest=manifests,
    )
    answer = await call(
        server,
        "DecisionService",
        "Evaluate",
        decision_service_pb2.EvaluateRequest(
            identity=identity, evidence=[item({"manifest_render": render}, manifest_digest=manifests)]
        ),
    )
    assert isinstance(answer, decision_service_pb2.EvaluateResponse)
    return answer.decision


async def explained(server: RealServer, name: str) -> decision_service_pb2.ExplainDecisionResponse:
    request = decision_service_pb2.ExplainDecisionRequest(name=name)
    answer = await call(server, "DecisionService", "ExplainDecision", request)
    assert isinstance(answer, decision_service_pb2.ExplainDecisionResponse)
    return answer


async def test_a_decision_replays_to_the_same_bytes_and_explains_itself(server: RealServer) -> None:
    decision = await decided(server, "1.0.0")
    assert decision.effective_verdict == 1, decision
    answer = await explained(server, decision.name)
    assert answer.replay == decision_service_pb2.REPLAY_RESULT_SAME
    topics = [step.topic for step in answer.steps]
    assert topics[0] == "release"
    assert topics[-2:] == ["verdict", "verdict"]
    assert {"evidence", "policy", "rule"} <= set(topics)


async def test_a_watch_decision_with_a_ground_replays_too(server: RealServer) -> None:
    decision = await decided(server, "1.0.1")
    await call(
        server,
        "ReleaseService",
        "StartRollout",
        release_service_pb2.StartRolloutRequest(release=decision.release, decision=decision.name),
    )
    request = decision_service_pb2.EvaluateRequest(release=decision.release)
    watched = await call(server, "DecisionService", "Evaluate", request)
    assert isinstance(watched, decision_service_pb2.EvaluateResponse)
    assert watched.decision.ground == decision.name
    answer = await explained(server, watched.decision.name)
    assert answer.replay == decision_service_pb2.REPLAY_RESULT_SAME


async def test_later_evidence_policies_and_revocations_do_not_change_a_replay(server: RealServer) -> None:
    decision = await decided(server, "1.0.2")
    bad = evidence_pb2.ManifestRender(object_count=3, unpinned_images=2)
    manifests = "sha256:" + "102".ljust(64, "b")
    later = await call(
        server,
        "DecisionService",
        "Evaluate",
        decision_service_pb2.EvaluateRequest(
            release=decision.release, evidence=[item({"manifest_render": bad}, manifest_digest=manifests)]
        ),
    )
    assert isinstance(later, decision_service_pb2.EvaluateResponse)
    assert later.decision.effective_verdict == 5
    assert (await explained(server, decision.name)).replay == decision_service_pb2.REPLAY_RESULT_SAME


async def test_one_altered_byte_is_tampering(server: RealServer) -> None:
    decision = await decided(server, "1.0.3")
    record = await server.store.read("default", lambda reader: reader.find_decision(decision.name))
    assert record is not None
    forged = record.body.replace(b"checkout", b"checkou7", 1)
    for column, body in (("body", forged), ("case_body", record.case_body.replace(b"c", b"d", 1))):
        _overwrite(server, decision.name, **{column: body})
        assert (await explained(server, decision.name)).replay == decision_service_pb2.REPLAY_RESULT_TAMPERED
        _overwrite(server, decision.name, body=record.body, case_body=record.case_body)
    assert (await explained(server, decision.name)).replay == decision_service_pb2.REPLAY_RESULT_SAME


async def test_another_engine_with_another_outcome_is_told_apart_from_tampering(server: RealServer) -> None:
    decision = await decided(server, "1.0.4")
    application = await bootstrap.build(server.store)
    handler = application.handlers["release_passport.v1.DecisionService"]
    explain: Explain = handler.explain  # type: ignore[attr-defined]
    record = await server.store.read("default", lambda reader: reader.find_decision(decision.name))
    assert record is not None
    newer = replace(explain, engine_version="another engine")
    draft = await server.store.read("default", lambda reader: newer.replay(reader, record))
    assert newer.compared(record, draft) == "SAME"
    stricter = replace(draft, outcome=replace(draft.outcome, weakenings=("X",)))
    assert newer.compared(record, stricter) == "ENGINE_DIFFERS"
    assert explain.compared(record, replace(stricter, engine_version=explain.engine_version)) == "TAMPERED"


async def test_a_purged_body_is_said_to_be_gone(server: RealServer) -> None:
    decision = await decided(server, "1.0.5")
    with server.store._engine.begin() as connection:
        connection.execute(update(tables.bodies).values(body=None))
    assert (await explained(server, decision.name)).replay == decision_service_pb2.REPLAY_RESULT_BODY_PURGED


def _overwrite(server: RealServer, name: str, **columns: bytes) -> None:
    with server.store._engine.begin() as connection:
        connection.execute(update(tables.decisions).where(tables.decisions.c.name == name).values(**columns))
