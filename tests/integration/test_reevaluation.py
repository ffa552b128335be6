"""What was decided is decided again by the server itself when time passes or something changes; nobody asks."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from google.protobuf.duration_pb2 import Duration

from release_passport.v1 import (
    decision_pb2,
    decision_service_pb2,
    evidence_pb2,
    evidence_service_pb2,
    policy_pb2,
    policy_service_pb2,
    trust_pb2,
    trust_service_pb2,
    verdict_pb2,
    watch_pb2,
)
from release_passport_server.domain import reevaluation
from release_passport_server.domain.record import Page
from release_passport_server.ports.store import AuditFilter
from support.calls import Caller
from support.minisigstore import as_bytes
from support.server import real_server
from support.sigstore import MINI, WHO, about
from support.story import IMAGE, Story, item, rendered
from support.watched import live

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALLOW, HOLD, BLOCK = verdict_pb2.VERDICT_ALLOW, verdict_pb2.VERDICT_HOLD, verdict_pb2.VERDICT_BLOCK
DEADLINE = 10.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Story]:
    async with real_server(tmp_path_factory.mktemp("reevaluation")) as server:
        told = Story(server)
        await told.begin()
        yield told


async def decisions(story: Story, release: str) -> list[decision_pb2.Decision]:
    """Return the decisions of a release, newest first."""
    request = decision_service_pb2.ListDecisionsRequest(release=release)
    answer = await story.call("DecisionService", "ListDecisions", request)
    return list(answer.decisions)


async def after(story: Story, known: decision_pb2.Decision) -> decision_pb2.Decision:
    """Return the decision that came after a known one; nobody asked for it."""
    async with asyncio.timeout(DEADLINE):
        while True:
            newest = (await decisions(story, known.release))[0]
            if newest.name != known.name:
                return newest


async def submit(story: Story, *given: evidence_pb2.EvidenceInput) -> str:
    """Submit evidence and return the name of the first item."""
    request = evidence_service_pb2.SubmitEvidenceRequest(evidence=given)
    name: str = (await story.call("EvidenceService", "SubmitEvidence", request)).evidence[0].name
    return name


async def enforce(story: Story, policy_id: str, rule: policy_pb2.Rule) -> policy_pb2.Policy:
    """Enforce a policy of one rule."""
    spec = policy_pb2.PolicySpec(title=policy_id, mode=verdict_pb2.POLICY_MODE_ENFORCE, rules=[rule])
    policy = policy_pb2.Policy(policy_id=policy_id, spec=spec)
    request = policy_service_pb2.CreatePolicyRequest(policy=policy)
    made: policy_pb2.Policy = (await story.call("PolicyService", "CreatePolicy", request)).policy
    return made


async def remove(story: Story, policy: policy_pb2.Policy) -> None:
    """Delete a policy."""
    request = policy_service_pb2.DeletePolicyRequest(name=policy.name, etag=policy.etag)
    await story.call("PolicyService", "DeletePolicy", request)


async def test_evidence_against_an_allowed_release_is_decided_on_at_once(story: Story) -> None:
    allowed = await story.decided("1.0.0")
    assert allowed.effective_verdict == ALLOW
    await submit(story, rendered("1.0.0", 3))
    blocked = await after(story, allowed)
    assert (blocked.effective_verdict, blocked.supersedes) == (BLOCK, allowed.name)
    found = await story.server.store.read(
        "default", lambda reader: reader.list_audit(AuditFilter(subject=blocked.name), Page(1))
    )
    assert [entry.principal for entry in found.items] == ["system:worker"]


async def test_evidence_that_was_missing_opens_what_waits(story: Story) -> None:
    held = await story.decided("1.1.0", None)
    assert held.effective_verdict == HOLD
    await submit(story, rendered("1.1.0", 0))
    assert (await after(story, held)).effective_verdict == ALLOW


async def test_evidence_that_is_taken_back_holds(story: Story) -> None:
    held = await story.decided("1.2.0", None)
    name = await submit(story, rendered("1.2.0", 0))
    allowed = await after(story, held)
    assert allowed.effective_verdict == ALLOW
    security = await story.somebody("user:security", "admin")
    request = evidence_service_pb2.RevokeEvidenceRequest(name=name, reason="the renderer was out of order")
    await security.call("EvidenceService", "RevokeEvidence", request)
    assert (await after(story, allowed)).effective_verdict == HOLD


async def test_a_finished_rollout_is_decided_no_more(story: Story) -> None:
    allowed = await story.decided("1.3.0")
    attempt = await story.start(allowed)
    await story.finish(attempt.name, "CANCELLED")
    watched = await decisions(story, allowed.release)
    other = await story.decided("1.3.1", None)
    await submit(story, rendered("1.3.0", 3), rendered("1.3.1", 0))
    assert (await after(story, other)).effective_verdict == ALLOW
    assert await decisions(story, allowed.release) == watched


async def test_silence_makes_evidence_stale_and_holds(story: Story) -> None:
    need = policy_pb2.Need(kind="metric_sample", sources=["user:*"], max_age=Duration(seconds=1))
    rule = policy_pb2.Rule(rule_id="errors", needs=[need], expect="evidence.metric_sample.value < 1.0")
    policy = await enforce(story, "errors", rule)
    sample = evidence_pb2.MetricSample(name="errors", value=0.5)
    place = evidence_pb2.ServiceEnvironment(service="checkout", environment="prod")
    answer = await story.evaluate("1.4.0", 0)
    await submit(story, item({"metric_sample": sample}, workload=place))
    allowed = await after(story, answer.decision)
    assert allowed.effective_verdict == ALLOW
    stale = await after(story, allowed)
    assert stale.effective_verdict == HOLD
    assert stale.decide_time.ToNanoseconds() >= allowed.valid_until.ToNanoseconds()
    await remove(story, policy)


async def test_a_decision_that_nobody_asks_about_any_more_expires(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    need = policy_pb2.Need(kind="metric_sample", sources=["user:*"], max_age=Duration(seconds=1))
    rule = policy_pb2.Rule(rule_id="errors", needs=[need], expect="evidence.metric_sample.value < 1.0")
    policy = await enforce(story, "errors-too", rule)
    stream = await live(Caller(story.server, story.server.token))
    monkeypatch.setattr(reevaluation, "OPEN_FOR", timedelta(0))
    sample = evidence_pb2.MetricSample(name="errors", value=0.5)
    place = evidence_pb2.ServiceEnvironment(service="checkout", environment="prod")
    await submit(story, item({"metric_sample": sample}, workload=place))
    allowed = (await story.evaluate("1.4.1", 0)).decision
    assert allowed.effective_verdict == ALLOW
    while (said := (await stream.until("decision")).decision).decision.release != allowed.release:
        pass
    assert said.kind == watch_pb2.DECISION_EVENT_KIND_CHANGED
    while (said := (await stream.until("decision")).decision).decision.release != allowed.release:
        pass
    assert (said.kind, said.decision) == (watch_pb2.DECISION_EVENT_KIND_EXPIRED, allowed)
    assert (await decisions(story, allowed.release))[0] == allowed
    stream.leave()
    monkeypatch.undo()
    await remove(story, policy)


async def test_a_policy_holds_what_was_allowed_until_it_goes(story: Story) -> None:
    allowed = await story.decided("1.5.0")
    assert allowed.effective_verdict == ALLOW
    need = policy_pb2.Need(kind="test_result", sources=["user:*"])
    rule = policy_pb2.Rule(rule_id="tested", needs=[need], expect="evidence.test_result.failed == 0")
    policy = await enforce(story, "tested", rule)
    held = await after(story, allowed)
    assert held.effective_verdict == HOLD
    await remove(story, policy)
    assert (await after(story, held)).effective_verdict == ALLOW


async def trust(story: Story, *rules: trust_pb2.SignerRule) -> None:
    """Trust these identities of the tests' instance."""
    root = MINI.trusted_root()
    pinned = trust_pb2.TrustedRoot(sha256=f"sha256:{hashlib.sha256(root).hexdigest()}", content=root)
    now = (await story.call("TrustService", "GetTrust", trust_service_pb2.GetTrustRequest())).trust
    given = trust_pb2.TrustConfiguration(roots=[pinned], rules=rules, etag=now.etag)
    await story.call("TrustService", "UpdateTrust", trust_service_pb2.UpdateTrustRequest(trust=given))


async def test_an_identity_that_becomes_trusted_opens_what_it_signed_before(story: Story) -> None:
    need = policy_pb2.Need(kind="provenance", sources=["user:*"])
    rule = policy_pb2.Rule(rule_id="built", needs=[need], expect="evidence.provenance.builder_id != ''")
    policy = await enforce(story, "built", rule)
    await trust(story)
    signed = as_bytes(MINI.bundle(WHO, about(digest=IMAGE), at=datetime.now(UTC) - timedelta(minutes=5)))
    bundle = item({}, artifact_digest=IMAGE)
    bundle.bundle = signed
    bundle.facts.provenance.SetInParent()
    await submit(story, bundle)
    held = await story.decided("1.6.0")
    assert (held.effective_verdict, held.findings[0].reason) == (HOLD, "EVIDENCE_UNVERIFIED")
    exact = trust_pb2.ClaimMatch
    who = trust_pb2.SignerRule(name="ci", issuer=exact(exact=WHO.issuer), identity=exact(exact=WHO.san))
    await trust(story, who)
    allowed = await after(story, held)
    assert allowed.effective_verdict == ALLOW, [(f.reason, f.message) for f in allowed.findings]
    await trust(story)
    assert (await after(story, allowed)).effective_verdict == HOLD
    await remove(story, policy)
