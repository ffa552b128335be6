"""What may be submitted as evidence, and about what."""

from __future__ import annotations

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from release_passport.v1 import evidence_pb2 as pb
from release_passport_server.domain.errors import Violation
from release_passport_server.domain.evidence import Subject
from release_passport_server.domain.kind import SubjectType
from release_passport_server.wire.evidence_input import MAX_BUNDLE_BYTES, check_evidence_input
from release_passport_server.wire.subject import subject_of, subject_proto, subject_type

DIGEST = "sha256:" + "ab" * 32
RELEASE = "tenants/acme/services/checkout/environments/prod/releases/1.4.2"
NOON = Timestamp(seconds=1_787_000_000)
SCAN = pb.EvidenceFacts(vulnerability_scan=pb.VulnerabilityScan(scanner="trivy", critical=0))
TESTS = pb.EvidenceFacts(test_result=pb.TestResult(suite="unit", passed=3))
CUSTOM = pb.EvidenceFacts(custom=pb.CustomFacts(kind="acme.example/load-test", facts={}))
WORKLOAD = pb.ServiceEnvironment(service="checkout", environment="prod")


def about(**subject: object) -> pb.EvidenceSubject:
    return pb.EvidenceSubject(**subject)  # type: ignore[arg-type]


def item(**fields: object) -> pb.EvidenceInput:
    """Return a clean scan of an artifact, but for the fields given."""
    whole = {"subject": about(artifact_digest=DIGEST), "facts": SCAN, "observe_time": NOON} | fields
    return pb.EvidenceInput(**whole)  # type: ignore[arg-type]


def test_a_scan_of_an_artifact_is_well() -> None:
    expire_time = Timestamp(seconds=NOON.seconds, nanos=1)
    assert check_evidence_input(item(expire_time=expire_time, external_id="run/7", bundle=b"{}"), "e") == []


@pytest.mark.parametrize(
    ("subject", "kind", "text"),
    [
        (about(artifact_digest=DIGEST), SubjectType.ARTIFACT, DIGEST),
        (about(source_revision="c0ffee1"), SubjectType.SOURCE, "c0ffee1"),
        (about(manifest_digest=DIGEST), SubjectType.MANIFEST, DIGEST),
        (about(release=RELEASE), SubjectType.RELEASE, RELEASE),
        (about(attempt=f"{RELEASE}/attempts/2"), SubjectType.ATTEMPT, f"{RELEASE}/attempts/2"),
        (about(workload=WORKLOAD), SubjectType.WORKLOAD, "checkout/prod"),
    ],
)
def test_each_subject_has_a_type_and_a_value(
    subject: pb.EvidenceSubject, kind: SubjectType, text: str
) -> None:
    assert subject_of(subject) == Subject(kind, text)
    assert subject_proto(kind, text) == subject
    assert check_evidence_input(item(subject=subject, facts=CUSTOM), "e") == []


def test_no_subject_has_no_type() -> None:
    with pytest.raises(ValueError, match="no subject"):
        subject_type(pb.EvidenceSubject())


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (item(subject=pb.EvidenceSubject()), "e.subject"),
        (item(subject=about(artifact_digest="checkout:1.4.2")), "e.subject.artifact_digest"),
        (item(subject=about(artifact_digest=DIGEST.upper())), "e.subject.artifact_digest"),
        (item(subject=about(artifact_digest=DIGEST + "\n")), "e.subject.artifact_digest"),
        (item(subject=about(source_revision="main")), "e.subject.source_revision"),
        (item(subject=about(manifest_digest="")), "e.subject.manifest_digest"),
        (item(subject=about(release="checkout/1.4.2")), "e.subject.release"),
        (item(subject=about(release=RELEASE.replace("prod", "Prod"))), "e.subject.release"),
        (item(subject=about(attempt=RELEASE)), "e.subject.attempt"),
        (item(subject=about(attempt=f"{RELEASE}/attempts/0")), "e.subject.attempt"),
        (
            item(subject=about(workload=pb.ServiceEnvironment(service="checkout"))),
            "e.subject.workload.environment",
        ),
        (item(facts=pb.EvidenceFacts()), "e.facts"),
        (item(observe_time=None), "e.observe_time"),
        (item(observe_time=Timestamp(seconds=2**40)), "e.observe_time"),
        (item(expire_time=NOON), "e.expire_time"),
        (item(expire_time=Timestamp(nanos=-1)), "e.expire_time"),
        (item(external_id="x" * 257), "e.external_id"),
        (item(external_id="\x1b"), "e.external_id"),
        (item(bundle=b"x" * (MAX_BUNDLE_BYTES + 1)), "e.bundle"),
        (item(subject=about(workload=WORKLOAD)), "e.subject"),
        (item(subject=about(manifest_digest=DIGEST), facts=TESTS), "e.subject"),
    ],
)
def test_what_is_wrong_is_refused_where_it_stands(given: pb.EvidenceInput, field: str) -> None:
    assert [violation.field for violation in check_evidence_input(given, "e")] == [field]


def test_an_empty_item_says_everything_that_it_lacks() -> None:
    violations = check_evidence_input(pb.EvidenceInput(), "evidence[3]")
    assert [violation.field for violation in violations] == [
        "evidence[3].subject",
        "evidence[3].facts",
        "evidence[3].observe_time",
    ]


def test_nobody_submits_the_outcome_of_a_rollout() -> None:
    outcome = pb.RolloutOutcome(environment="staging", outcome=pb.RolloutResult.ROLLOUT_RESULT_PASSED)
    assert check_evidence_input(item(facts=pb.EvidenceFacts(rollout_outcome=outcome)), "e") == [
        Violation("e.facts", "rollout_outcome is written by the server alone")
    ]
