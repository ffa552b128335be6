"""A service under the policy of the library about tests and vulnerabilities, told through a real server's RPCs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from release_passport.policy_file import load_policy_file
from release_passport.v1 import (
    catalog_pb2,
    catalog_service_pb2,
    decision_pb2,
    decision_service_pb2,
    evidence_pb2,
    evidence_service_pb2,
    policy_pb2,
    policy_service_pb2,
    release_service_pb2,
)
from release_passport_server.domain.record import FeedEvent
from support.calls import Caller
from support.requests import Names, ahead, identity, request_for

LIBRARY = Path(__file__).resolve().parents[2] / "policies" / "library"
POLICY, TESTS, SCANS = "tests-and-vulnerabilities", "tests-pass", "no-serious-vulnerabilities"
OURS = Names()
# (id, severity, version that mends it): a vulnerability that a scan lists.
Found = tuple[str, str, str]


async def opened(admin: Caller, *, service_wide: bool = False) -> Caller:
    """Register the service and its environment, and enforce the policy; return the admin."""
    await admin("CreateService", request_for("CreateService", OURS))
    prod = catalog_pb2.Environment(environment_id=OURS.environment, required_policies=[POLICY])
    await admin("CreateEnvironment", catalog_service_pb2.CreateEnvironmentRequest(environment=prod))
    made = shop_policy(service_wide=service_wide)
    await admin("CreatePolicy", policy_service_pb2.CreatePolicyRequest(policy=made))
    return admin


def shop_policy(*, service_wide: bool = False) -> policy_pb2.Policy:
    """Return the policy of the library, which takes everybody's word."""
    made = load_policy_file(LIBRARY / f"{POLICY}.yaml")
    for rule in made.spec.rules:
        for need in rule.needs:
            need.sources[:] = ["sa:*", "user:*"]
    made.spec.waivers.service_wide = service_wide
    return made


async def released(ci: Caller, version: str, *found: Found, authors: Sequence[str] = ()) -> str:
    """Return the name of a new release whose tests passed and whose scan found these vulnerabilities."""
    given = identity(OURS)
    given.version, given.artifacts[0].digest = version, digest_of(version)
    given.authors[:] = authors
    made = await ci("CreateRelease", release_service_pb2.CreateReleaseRequest(identity=given))
    for suite in ("unit", "e2e"):
        tests = evidence_pb2.TestResult(suite=suite, passed=9, failed=0, errored=0)
        await told(ci, version, evidence_pb2.EvidenceFacts(test_result=tests))
    await scanned(ci, version, *found)
    return str(made.release.name)


async def scanned(ci: Caller, version: str, *found: Found) -> None:
    """Have a release's artifact scanned."""
    counts: dict[str, int] = {}
    scan = evidence_pb2.VulnerabilityScan(scanner="trivy", complete=True)
    for name, severity, mended in found:
        scan.findings.add(
            id=name,
            severity=f"VULNERABILITY_SEVERITY_{severity.upper()}",
            package_name="openssl",
            fixed_version=mended,
        )
        for field in (severity, f"fixable_{severity}" if mended else ""):
            counts[field] = counts.get(field, 0) + 1
    for field in ("critical", "known_exploited", "fixable_high", "low"):
        setattr(scan, field, counts.get(field, 0))
    await told(ci, version, evidence_pb2.EvidenceFacts(vulnerability_scan=scan))


async def told(ci: Caller, version: str, facts: evidence_pb2.EvidenceFacts) -> None:
    """Submit facts about a release's artifact."""
    subject = evidence_pb2.EvidenceSubject(artifact_digest=digest_of(version))
    item = evidence_pb2.EvidenceInput(subject=subject, facts=facts, observe_time=ahead())
    await ci("SubmitEvidence", evidence_service_pb2.SubmitEvidenceRequest(evidence=[item]))


async def decided(caller: Caller, release: str) -> decision_pb2.Decision:
    """Return what stands about a release now."""
    asked = decision_service_pb2.EvaluateRequest(release=release)
    answer: decision_service_pb2.EvaluateResponse = await caller("Evaluate", asked)
    return answer.decision


async def started(caller: Caller, decision: decision_pb2.Decision) -> str:
    """Return the attempt that was opened on a decision."""
    asked = release_service_pb2.StartRolloutRequest(release=decision.release, decision=decision.name)
    return str((await caller("StartRollout", asked)).attempt.name)


async def finished(caller: Caller, attempt: str) -> None:
    """End a rollout that failed."""
    asked = release_service_pb2.FinishRolloutRequest(attempt=attempt, outcome="ATTEMPT_OUTCOME_FAILED")
    await caller("FinishRollout", asked)


async def replay_of(caller: Caller, decision: decision_pb2.Decision) -> str:
    """Return how a replay of a decision compares with its record."""
    asked = decision_service_pb2.ExplainDecisionRequest(name=decision.name)
    answer = await caller("ExplainDecision", asked)
    return decision_service_pb2.ReplayResult.Name(answer.replay).removeprefix("REPLAY_RESULT_")


async def backdated(admin: Caller, act: type[Any], name: str, **times: datetime) -> None:
    """Make something that people recorded older than it is."""

    def change(tx: Any) -> None:
        found: Any = tx.find_act(act, name.rpartition("/")[2])
        tx.put_act(replace(found, **times))
        tx.emit(FeedEvent("test", name, ("tenant",)))

    await admin.server.store.write("default", change)


def digest_of(version: str) -> str:
    """Return the digest of a version's artifact."""
    return f"sha256:{sha256(version.encode()).hexdigest()}"


def reasons(decision: decision_pb2.Decision) -> dict[str, str]:
    """Return the reason of each finding by its rule; the server's own stand under their reason."""
    return {one.rule or one.reason: one.reason for one in decision.findings}
