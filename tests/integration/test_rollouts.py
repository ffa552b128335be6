"""Attempts: on which decision a rollout may start, how it ends, and what its end tells others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.rpc import error_details_pb2, status_pb2

from release_passport.v1 import (
    catalog_pb2,
    catalog_service_pb2,
    decision_service_pb2,
    evidence_service_pb2,
    release_service_pb2,
    verdict_pb2,
)
from support.server import real_server
from support.story import IMAGE, Story, identity, rendered

ALLOW, HOLD, BLOCK = 1, 4, 5


@pytest_asyncio.fixture
async def story(tmp_path: Any) -> AsyncIterator[Story]:
    async with real_server(tmp_path) as server:
        told = Story(server)
        await told.begin()
        yield told


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """Return the stable reason of an error."""
    trailers = dict(error.trailing_metadata())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    info = error_details_pb2.ErrorInfo()
    assert any(detail.Unpack(info) for detail in status.details)
    return str(info.reason)


async def refused(call: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return reason_of(caught.value)


async def test_a_rollout_starts_on_an_allowing_decision_and_is_watched_from_then_on(story: Story) -> None:
    decision = await story.decided("1.0.0")
    attempt = await story.start(decision)
    assert (attempt.number, attempt.ground) == (1, decision.name)
    watched = (await story.evaluate("1.0.0")).decision
    assert (watched.stage, watched.effective_verdict, watched.attempt) == (2, ALLOW, attempt.name)


async def test_a_rollout_does_not_start_on_a_decision_that_does_not_allow(story: Story) -> None:
    assert await refused(story.start(await story.decided("1.0.0", 2))) == "VERDICT_CHANGED"


async def test_a_rollout_does_not_start_on_a_decision_that_is_not_the_newest(story: Story) -> None:
    older = await story.decided("1.0.0")
    await story.decided("1.0.0", 2)
    assert await refused(story.start(older)) == "VERDICT_CHANGED"


async def test_failing_evidence_after_the_decision_stops_the_start_without_a_new_question(
    story: Story,
) -> None:
    decision = await story.decided("1.0.0")
    request = evidence_service_pb2.SubmitEvidenceRequest(evidence=[rendered("1.0.0", 2)])
    await story.call("EvidenceService", "SubmitEvidence", request)
    assert await refused(story.start(decision)) == "VERDICT_CHANGED"


async def test_one_rollout_at_a_time_in_one_place(story: Story) -> None:
    await story.start(await story.decided("1.0.0"))
    assert await refused(story.start(await story.decided("1.0.1"))) == "ATTEMPT_OPEN"


async def test_the_same_request_starts_once(story: Story) -> None:
    decision = await story.decided("1.0.0")
    request = release_service_pb2.StartRolloutRequest(
        release=decision.release, decision=decision.name, request_id="run-1"
    )
    answers = [await story.call("ReleaseService", "StartRollout", request) for _ in range(2)]
    assert answers[0].attempt == answers[1].attempt
    request.decision = ""
    assert await refused(story.call("ReleaseService", "StartRollout", request)) == "REQUEST_ID_REUSED"


async def test_a_rollout_ends_once_and_the_next_attempt_has_the_next_number(story: Story) -> None:
    decision = await story.decided("1.0.0")
    attempt = await story.start(decision)
    ended = await story.finish(attempt.name, "FAILED")
    assert ended.HasField("finish_time")
    assert await refused(story.finish(attempt.name, "PASSED")) == "ATTEMPT_FINISHED"
    again = await story.start(await story.decided("1.0.0"))
    assert again.number == 2


async def test_a_rollout_that_passed_is_evidence_and_what_one_goes_back_to(story: Story) -> None:
    attempt = await story.start(await story.decided("1.0.0"))
    await story.finish(attempt.name, "PASSED")
    listed = await story.call(
        "EvidenceService",
        "ListEvidence",
        evidence_service_pb2.ListEvidenceRequest(kind="rollout_outcome"),
    )
    (told,) = listed.evidence
    assert (told.source, told.key, told.subject.artifact_digest) == ("self", "prod", IMAGE)
    later = await story.call(
        "ReleaseService",
        "GetRelease",
        release_service_pb2.GetReleaseRequest(name=(await story.decided("1.1.0")).release),
    )
    assert (later.release.previous, later.release.is_first) == (
        attempt.name.rpartition("/attempts/")[0],
        False,
    )


async def test_nobody_can_claim_how_a_rollout_ended(story: Story) -> None:
    attempt = await story.start(await story.decided("1.0.0"))
    await story.finish(attempt.name, "PASSED")
    listed = await story.call(
        "EvidenceService",
        "ListEvidence",
        evidence_service_pb2.ListEvidenceRequest(kind="rollout_outcome"),
    )
    forged = rendered("1.0.0", 0)
    forged.facts.CopyFrom(listed.evidence[0].facts)
    forged.subject.CopyFrom(listed.evidence[0].subject)
    request = evidence_service_pb2.SubmitEvidenceRequest(evidence=[forged])
    assert await refused(story.call("EvidenceService", "SubmitEvidence", request)) == "INVALID_FIELDS"


async def test_revoked_evidence_under_a_rollout_withdraws_its_ground(story: Story) -> None:
    await story.start(await story.decided("1.0.0"))
    listed = await story.call(
        "EvidenceService", "ListEvidence", evidence_service_pb2.ListEvidenceRequest(kind="manifest_render")
    )
    request = evidence_service_pb2.RevokeEvidenceRequest(
        name=listed.evidence[0].name, reason="the renderer read the wrong branch"
    )
    # Whoever submitted it may not take it back.
    assert await refused(story.call("EvidenceService", "RevokeEvidence", request)) == "REVOKE_NOT_PERMITTED"
    other = await story.somebody("user:grace", "admin")
    await other.call("EvidenceService", "RevokeEvidence", request)
    assert await refused(other.call("EvidenceService", "RevokeEvidence", request)) == "ALREADY_REVOKED"
    watched = (await story.evaluate("1.0.0")).decision
    assert watched.effective_verdict == HOLD
    assert "GROUND_WITHDRAWN" in [finding.reason for finding in watched.findings]


async def test_the_stage_is_a_check_and_a_refused_question_stores_nothing(story: Story) -> None:
    decision = await story.decided("1.0.0")
    before = (await story.evaluate("1.0.0")).revision
    question = decision_service_pb2.EvaluateRequest(
        release=decision.release, stage=verdict_pb2.STAGE_WATCH, evidence=[rendered("1.0.0", 7)]
    )
    assert await refused(story.call("DecisionService", "Evaluate", question)) == "STAGE_MISMATCH"
    after = await story.evaluate("1.0.0")
    assert (after.revision, after.decision.name, after.standing) == (before, decision.name, True)


async def test_the_same_version_with_other_artifacts_is_refused(story: Story) -> None:
    await story.decided("1.0.0")
    other = identity("1.0.0")
    other.artifacts[0].digest = "sha256:" + "f" * 64
    request = release_service_pb2.CreateReleaseRequest(identity=other)
    assert (
        await refused(story.call("ReleaseService", "CreateRelease", request)) == "RELEASE_IDENTITY_CONFLICT"
    )


async def test_changed_labels_and_policies_change_the_next_answer(story: Story) -> None:
    first = await story.decided("1.0.0")
    assert first.effective_verdict == ALLOW
    got = await story.call(
        "CatalogService",
        "GetEnvironment",
        catalog_service_pb2.GetEnvironmentRequest(name="tenants/default/environments/prod"),
    )
    changed = catalog_pb2.Environment()
    changed.CopyFrom(got.environment)
    changed.required_policies.append("baseline-provenance")
    await story.call(
        "CatalogService",
        "UpdateEnvironment",
        catalog_service_pb2.UpdateEnvironmentRequest(environment=changed),
    )
    second = (await story.evaluate("1.0.0")).decision
    assert (second.effective_verdict, second.supersedes) == (HOLD, first.name)
    assert "REQUIRED_POLICY_MISSING" in [finding.reason for finding in second.findings]


async def test_evidence_streams_in_and_the_refused_items_are_named(story: Story) -> None:
    bad = rendered("1.0.1", 0)
    bad.ClearField("observe_time")

    async def requests() -> AsyncIterator[evidence_service_pb2.StreamEvidenceRequest]:
        items = [rendered("1.0.0", 0), bad, rendered("1.0.2", 0)]
        yield evidence_service_pb2.StreamEvidenceRequest(evidence=items)
        yield evidence_service_pb2.StreamEvidenceRequest(evidence=[rendered("1.0.3", 0)])

    summary = await story.call("EvidenceService", "StreamEvidence", requests())
    assert (summary.accepted_count, summary.refused_count) == (3, 1)
    assert [(one.index, one.reason) for one in summary.refused] == [(1, "INVALID_FIELDS")]


async def test_the_passport_holds_all_of_a_release(story: Story) -> None:
    decision = await story.decided("1.0.0")
    attempt = await story.start(decision)
    await story.evaluate("1.0.0")
    await story.finish(attempt.name, "ROLLED_BACK")
    request = release_service_pb2.GetPassportRequest(name=decision.release)
    passport = (await story.call("ReleaseService", "GetPassport", request)).passport
    assert [one.number for one in passport.release.attempts] == [1]
    assert passport.decisions[-1].name == decision.name
    assert passport.current_decision == passport.decisions[0]
    assert "manifest_render" in [one.kind for one in passport.evidence]
    assert not passport.truncated
