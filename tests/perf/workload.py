"""What is asked in the measurements: releases, evidence of twelve kinds as large as real ones, the right answers."""

from __future__ import annotations

import hashlib
import itertools
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from google.protobuf.message import Message

from perf.load import BadAnswer, Run, Target, closed_loop, exchanges
from release_passport.policy_file import load_policy_file
from release_passport.v1 import (
    access_pb2,
    access_service_pb2,
    catalog_pb2,
    catalog_service_pb2,
    decision_pb2,
    decision_service_pb2,
    evidence_pb2,
    evidence_service_pb2,
    policy_service_pb2,
    release_pb2,
    release_service_pb2,
    verdict_pb2,
)
from support.dsse import Signer, p256_signer, provenance, sign, statement

POLICIES = Path(__file__).parent / "policies"
RULES = 12
ENVIRONMENT = "prod"
SOURCE = "sa:ci-gate"
_PACKAGE = "/release_passport.v1."
_pb = evidence_pb2


def sha256(text: str) -> str:
    """Return a digest that stands for some content."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Version:
    """A release of one of many services, with digests made out of its name."""

    service: str
    number: str

    @property
    def commit(self) -> str:
        """Return the commit that it was built from."""
        return sha256(f"commit {self.service} {self.number}")[7:47]

    @property
    def image(self) -> str:
        """Return the digest of its one image."""
        return sha256(f"image {self.service} {self.number}")

    @property
    def manifests(self) -> str:
        """Return the digest of its rendered manifests."""
        return sha256(f"manifests {self.service} {self.number}")

    @property
    def release(self) -> str:
        """Return the release's resource name."""
        return f"tenants/default/services/{self.service}/environments/{ENVIRONMENT}/releases/{self.number}"

    @property
    def identity(self) -> release_pb2.ReleaseIdentity:
        """Return what identifies the release."""
        return release_pb2.ReleaseIdentity(
            service=self.service,
            environment=ENVIRONMENT,
            version=self.number,
            source_revision=self.commit,
            artifacts=[release_pb2.Artifact(name=f"registry.example/{self.service}", digest=self.image)],
            manifest_digest=self.manifests,
        )


@dataclass
class Workload:
    """Releases of many services on one server, each of which is asked about once."""

    target: Target
    services: int = 100
    signer: Signer = field(default_factory=p256_signer)
    # So that another workload on the same store has other releases.
    series: str = field(default_factory=lambda: uuid.uuid4().hex[:6])
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    async def set_up(self) -> None:
        """Register services, the environment and the policies; from then on call as the pipeline."""
        place = [
            ("CreateService", catalog_service_pb2.CreateServiceRequest(service=self._service(number)))
            for number in range(self.services)
        ]
        environment = catalog_pb2.Environment(environment_id=ENVIRONMENT, labels={"tier": "production"})
        request = catalog_service_pb2.CreateEnvironmentRequest(environment=environment)
        await self._calls("CatalogService", [*place, ("CreateEnvironment", request)])
        policies = [load_policy_file(path) for path in sorted(POLICIES.glob("*.yaml"))]
        if sum(len(policy.spec.rules) for policy in policies) != RULES:
            raise BadAnswer(f"the policies of the measurement have not {RULES} rules")
        await self._calls(
            "PolicyService",
            [("CreatePolicy", policy_service_pb2.CreatePolicyRequest(policy=one)) for one in policies],
        )
        roles = [access_pb2.RoleBinding(role=role) for role in ("ci", "connector")]
        token = access_service_pb2.CreateAPITokenRequest(
            api_token=access_pb2.APIToken(principal=SOURCE), role_bindings=roles
        )
        run = await self._calls("AccessService", [("CreateAPIToken", token)])
        made = access_service_pb2.CreateAPITokenResponse.FromString(run.exchanges[0].message)
        self.target = Target(self.target.host, self.target.port, made.secret)

    def _service(self, number: int) -> catalog_pb2.Service:
        return catalog_pb2.Service(
            service_id=f"service-{number}",
            title=f"Service {number}",
            labels={"risk": "high"},
            signers=[self.signer.pem],
        )

    async def versions(self, count: int) -> list[Version]:
        """Return new releases, registered, each with its signed provenance in the store."""
        made = [
            Version(f"service-{number % self.services}", f"1.{number}.0-{self.series}")
            for number in itertools.islice(self._numbers, count)
        ]
        create = release_service_pb2.CreateReleaseRequest
        await self._calls(
            "ReleaseService", [("CreateRelease", create(identity=one.identity)) for one in made]
        )
        await self.submit(self.signed_provenance(version) for version in made)
        return made

    async def submit(self, items: Iterable[evidence_pb2.EvidenceInput]) -> None:
        """Store evidence, as many items a call as fit into a stream's first window."""
        calls = []
        waiting = list(items)
        for start in range(0, len(waiting), 25):
            request = evidence_service_pb2.SubmitEvidenceRequest(evidence=waiting[start : start + 25])
            calls.append(("SubmitEvidence", request))
        await self._calls("EvidenceService", calls, in_flight=8)

    async def submit_rest(self, versions: Sequence[Version], *, inline: int) -> None:
        """Store the evidence that does not come with the question."""
        await self.submit(item for version in versions for item in evidence(version)[inline:])

    async def _calls(self, service: str, calls: Sequence[tuple[str, Message]], *, in_flight: int = 32) -> Run:
        made = [
            one
            for name, request in calls
            for one in exchanges(f"{_PACKAGE}{service}/{name}", [request.SerializeToString()])
        ]
        return (await closed_loop(self.target, made, in_flight=in_flight)).require_ok()

    def signed_provenance(self, version: Version) -> evidence_pb2.EvidenceInput:
        """Return the signed provenance of a release's image."""
        now = datetime.now(UTC)
        item = _item({"provenance": _pb.Provenance()}, now, artifact_digest=version.image)
        item.bundle = sign(self.signer, statement(version.image, provenance(commit=version.commit)))
        return item


def evaluate(version: Version, *, inline: int = RULES - 1, now: datetime | None = None) -> bytes:
    """Return the question about a release, serialised, with fresh evidence of so many kinds beside its provenance."""
    return decision_service_pb2.EvaluateRequest(
        release=version.release,
        evidence=evidence(version, now)[:inline],
        request_id=f"gate-{version.number}-{version.service}",
    ).SerializeToString()


def check(versions: Sequence[Version], run: Run) -> list[decision_service_pb2.EvaluateResponse]:
    """Return the answers; raise BadAnswer unless each is a new, right decision about the release asked about."""
    run.require_ok()
    answers = []
    for version, exchange in zip(versions, run.exchanges, strict=True):
        answer = decision_service_pb2.EvaluateResponse.FromString(exchange.message)
        decision = answer.decision
        if answer.standing or answer.replayed or decision.release != version.release:
            raise BadAnswer(f"the answer about {version.release} is no new decision about it: {answer}")
        if decision.effective_verdict != verdict_pb2.VERDICT_ALLOW_WITH_CANARY:
            raise BadAnswer(f"{version.release} should be allowed with a canary: {decision}")
        if len(decision.findings) != RULES or len(_kinds(decision)) != RULES:
            raise BadAnswer(
                f"{version.release} was not judged by {RULES} rules over as many kinds: {decision}"
            )
        answers.append(answer)
    if len({answer.revision for answer in answers}) != len(answers):
        raise BadAnswer("two decisions have the same revision")
    return answers


def _kinds(decision: decision_pb2.Decision) -> set[str]:
    return {used.kind for finding in decision.findings for used in finding.evidence}


def evidence(version: Version, now: datetime | None = None) -> list[evidence_pb2.EvidenceInput]:
    """Return fresh evidence of the eleven kinds that are no attestations, each about this release alone."""
    now = now or datetime.now(UTC)
    return [*_from_pipeline(version, now), *_from_live_systems(version, now), *_from_people(version, now)]


def _from_pipeline(version: Version, now: datetime) -> list[evidence_pb2.EvidenceInput]:
    run = f"https://ci.example/{version.service}/runs/{version.number}"
    scan = _pb.VulnerabilityScan(
        scanner="trivy", scanner_version="0.67.2", critical=0, high=2, medium=11, low=34, negligible=5,
        unknown=0, fixable_critical=0, fixable_high=0, fixable_medium=3, fixable_low=9, known_exploited=0,
        suppressed=1, complete=True,
    )  # fmt: skip
    scan.scan_time.FromDatetime(now)
    scan.database_time.FromDatetime(now - timedelta(hours=3))
    for number in range(8):
        scan.findings.add(
            id=f"CVE-2026-{10_000 + number}", severity="VULNERABILITY_SEVERITY_MEDIUM",
            package_name=f"libexample{number}", installed_version="2.36-9+deb12u4",
            fixed_version="2.36-9+deb12u7", known_exploited=False,
        )  # fmt: skip
    tests = _pb.TestResult(
        suite="unit", passed=412, failed=0, errored=0, skipped=3, flaky=1, coverage_percent=84.5,
        complete=True, run_uri=run,
    )  # fmt: skip
    tests.finish_time.FromDatetime(now)
    render = _pb.ManifestRender(
        tool="helm", tool_version="3.19.0", manifest_digest=version.manifests,
        source_uri=f"https://github.com/acme/{version.service}", source_revision=version.commit,
        object_count=14, unpinned_images=0, image_digests=[version.image], complete=True, reproduced=True,
    )  # fmt: skip
    render.render_time.FromDatetime(now)
    return [
        _item({"test_result": tests}, now, source_revision=version.commit),
        _item({"vulnerability_scan": scan}, now, artifact_digest=version.image),
        _item({"manifest_render": render}, now, manifest_digest=version.manifests),
    ]


def _from_live_systems(version: Version, now: datetime) -> list[evidence_pb2.EvidenceInput]:
    sync = _pb.GitopsSync(
        application=f"argocd/{version.service}", controller="argocd", sync_state="SYNC_STATE_SYNCED",
        health="HEALTH_STATE_HEALTHY", operation_state="OPERATION_STATE_SUCCEEDED",
        operation_message="successfully synced (all tasks run)", revision=version.commit,
        operation_revision=version.commit, suspended=False, auto_sync=True, observed_generation_current=True,
        image_digests=[version.image], complete=True,
    )  # fmt: skip
    sync.reconcile_time.FromDatetime(now)
    health = _pb.RuntimeHealth(
        object=f"eu-1/shop/Rollout/{version.service}", revision_hash=version.commit[:10], desired_replicas=6,
        ready_replicas=6, updated_replicas=6, available_replicas=6, restarts_10m=0,
        crash_looping_containers=0, image_pull_failures=0, out_of_memory_kills_10m=0,
        observed_generation_current=True, image_digests=[version.image], complete=True,
    )  # fmt: skip
    for name in ("Available", "Progressing"):
        condition = health.conditions.add(type=name, status="True", reason="NewReplicaSetAvailable")
        condition.transition_time.FromDatetime(now)
    latency = _pb.MetricSample(
        name="latency_p99", query_id="latency-p99-by-service", value=211.5, baseline_value=203.25, unit="ms",
        samples=60, requests=18_211, no_data=False, partial=False, revision_hash=version.commit[:10],
    )  # fmt: skip
    latency.window.FromTimedelta(timedelta(minutes=10))
    latency.end_time.FromDatetime(now)
    rollout = _pb.RolloutStatus(
        object=f"eu-1/shop/Rollout/{version.service}", controller="argo-rollouts",
        phase="ROLLOUT_PHASE_SUCCEEDED", reported_phase="Healthy", step=5, step_count=5, weight=0,
        stable_revision=version.commit[:10], paused=False, aborted=False, failed_checks=0,
        observed_generation_current=True, stable_image_digests=[version.image], complete=True,
    )  # fmt: skip
    return [
        _item({"gitops_sync": sync}, now, manifest_digest=version.manifests),
        _item({"runtime_health": health}, now, workload=_place(version)),
        _item({"metric_sample": latency}, now, workload=_place(version)),
        _item({"rollout_status": rollout}, now, workload=_place(version)),
    ]


def _from_people(version: Version, now: datetime) -> list[evidence_pb2.EvidenceInput]:
    incidents = _pb.IncidentState(
        provider="pagerduty", complete=True, open_count=1, sev1=0, sev2=0, sev3=1, sev4=0, sev5=0,
        unclassified=0, suppressed=0, watchdog_seen=True,
    )  # fmt: skip
    incident = incidents.open_incidents.add(
        id=f"Q1{version.commit[:8].upper()}", severity="INCIDENT_SEVERITY_SEV3", title="Slow exports",
        state="acknowledged", affected_service=version.service, uri="https://acme.pagerduty.example/Q1",
    )  # fmt: skip
    incident.open_time.FromDatetime(now - timedelta(hours=5))
    readiness = _pb.RollbackReadiness(
        target_release=f"{version.release}.before", target_revision=version.commit,
        target_digest=version.image, pullable=True, verified=True, ready=True, migration_reversible=True,
        gitops_reverts=True, complete=True,
    )  # fmt: skip
    ticket = _pb.ChangeTicket(
        system="jira", id=f"CHG-{version.number}", state="CHANGE_TICKET_STATE_APPROVED", approved=True,
        approver="user:ines", risk="medium", title=f"Roll out {version.service} {version.number}",
        uri=f"https://acme.atlassian.example/browse/CHG-{version.number}",
    )  # fmt: skip
    ticket.window_start_time.FromDatetime(now - timedelta(hours=1))
    ticket.window_end_time.FromDatetime(now + timedelta(hours=6))
    flags = _pb.FeatureFlagState(provider="flagd", complete=True)
    for number in range(4):
        flags.flags.add(
            key=f"{version.service}-{number}", enabled=number == 0, variant="on", rollout_percent=5
        )
    return [
        _item({"incident_state": incidents}, now, workload=_place(version)),
        _item({"rollback_readiness": readiness}, now, release=version.release),
        _item({"change_ticket": ticket}, now, release=version.release),
        _item({"feature_flag_state": flags}, now, workload=_place(version)),
    ]


def _place(version: Version) -> evidence_pb2.ServiceEnvironment:
    return _pb.ServiceEnvironment(service=version.service, environment=ENVIRONMENT)


def _item(facts: dict[str, Message], now: datetime, **subject: Any) -> evidence_pb2.EvidenceInput:
    item = _pb.EvidenceInput(
        subject=_pb.EvidenceSubject(**subject),
        facts=_pb.EvidenceFacts(**facts),  # type: ignore[arg-type]
        external_id=uuid.uuid4().hex,
    )
    item.observe_time.FromDatetime(now)
    return item
