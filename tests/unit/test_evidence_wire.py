"""Evidence keeps what it says between messages and the domain's values."""

from __future__ import annotations

import dataclasses
import math
from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from release_passport.v1 import evidence_pb2 as pb
from release_passport_server.domain.access import Scope
from release_passport_server.domain.evidence import EvidenceItem, Revocation, Subject, Verification
from release_passport_server.domain.kind import SubjectType
from release_passport_server.wire.evidence import (
    evidence_to_proto,
    facts_digest,
    facts_to_proto,
    fill_evidence_ref,
    item_from_input,
)

DIGEST = "sha256:" + "ab" * 32
NAME = "tenants/acme/evidence/01J5X"
NOON = datetime(2026, 8, 20, 12, tzinfo=UTC)
SCAN = pb.EvidenceFacts(vulnerability_scan=pb.VulnerabilityScan(scanner="trivy", critical=0))


def timestamp(time: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp


def item(facts: pb.EvidenceFacts = SCAN, bundle: bytes = b"") -> EvidenceItem:
    """Return the item that a submission about an artifact becomes."""
    given = pb.EvidenceInput(
        subject=pb.EvidenceSubject(artifact_digest=DIGEST),
        facts=facts,
        observe_time=timestamp(NOON),
        expire_time=timestamp(NOON + timedelta(hours=1)),
        external_id="run/7",
        bundle=bundle,
    )
    received = NOON + timedelta(seconds=5)
    return item_from_input(given, name=NAME, source="ci", scopes=(Scope(),), receive_time=received)


def metric(**fields: object) -> pb.EvidenceFacts:
    return pb.EvidenceFacts(metric_sample=pb.MetricSample(name="error_rate", **fields))  # type: ignore[arg-type]


def analysis(phase: pb.AnalysisPhase) -> pb.EvidenceFacts:
    return pb.EvidenceFacts(analysis_result=pb.AnalysisResult(template="t", phase=phase))


def test_a_submission_becomes_an_unsigned_item() -> None:
    assert item() == EvidenceItem(
        name=NAME,
        kind="vulnerability_scan",
        key="trivy",
        subject=Subject(SubjectType.ARTIFACT, DIGEST),
        source="ci",
        facts=SCAN.vulnerability_scan,
        facts_digest=facts_digest(SCAN),
        observe_time=NOON,
        receive_time=NOON + timedelta(seconds=5),
        expire_time=NOON + timedelta(hours=1),
        verification=Verification.UNSIGNED,
        scopes=(Scope(),),
        external_id="run/7",
    )


def test_a_bundle_is_not_verified_until_somebody_looked_at_it() -> None:
    stored = item(bundle=b"{}")
    assert stored.verification is Verification.FAILED
    assert stored.verification_reason.startswith("NOT_VERIFIED: ")


def test_an_item_is_shown_whole() -> None:
    revocation = Revocation(NOON + timedelta(minutes=1), "user:ada", "wrong image was scanned")
    stored = dataclasses.replace(item(), revision=41, revocation=revocation)
    assert evidence_to_proto(stored) == pb.Evidence(
        name=NAME,
        kind="vulnerability_scan",
        key="trivy",
        subject=pb.EvidenceSubject(artifact_digest=DIGEST),
        facts=SCAN,
        source="ci",
        external_id="run/7",
        observe_time=timestamp(NOON),
        receive_time=timestamp(NOON + timedelta(seconds=5)),
        expire_time=timestamp(NOON + timedelta(hours=1)),
        verification=pb.Verification(state=pb.VERIFICATION_STATE_UNSIGNED),
        facts_digest=facts_digest(SCAN),
        revision=41,
        revocation=pb.Revocation(
            revoke_time=timestamp(revocation.time), revoker="user:ada", reason="wrong image was scanned"
        ),
    )


def test_a_finding_names_the_item_and_its_verification() -> None:
    stored = dataclasses.replace(item(), verification=Verification.VERIFIED)
    shown = pb.EvidenceRef()
    fill_evidence_ref(shown, stored)
    assert shown == pb.EvidenceRef(
        name=NAME,
        kind="vulnerability_scan",
        key="trivy",
        source="ci",
        facts_digest=facts_digest(SCAN),
        observe_time=timestamp(NOON),
        verification_state=pb.VERIFICATION_STATE_VERIFIED,
    )


def test_custom_facts_come_back_as_they_were() -> None:
    struct = ParseDict({"p99": 1e300, "ok": True, "deep": {"n": [1, None]}}, Struct())
    facts = pb.EvidenceFacts(custom=pb.CustomFacts(kind="acme.example/load-test", facts=struct))
    stored = item(facts)
    assert (stored.kind, stored.key) == ("custom:acme.example/load-test", "")
    assert facts_to_proto(stored) == facts


def test_the_digest_tells_an_honest_zero_from_nothing() -> None:
    assert facts_digest(metric(value=0.0)) != facts_digest(metric())


def test_the_digest_is_the_same_for_ever() -> None:
    assert facts_digest(SCAN) == "sha256:83540eaedf4f443a716e8eae78f5a12e90edbac5c7cd7d2deddc30770f63bba9"


def test_what_is_no_value_is_in_no_digest() -> None:
    assert item(metric(value=math.nan)).facts_digest == facts_digest(metric())


@pytest.mark.parametrize(
    ("facts", "samples"), [(metric(samples=7), 7), (metric(samples=0), 0), (metric(), None), (SCAN, None)]
)
def test_samples_are_those_that_the_facts_state(facts: pb.EvidenceFacts, samples: int | None) -> None:
    assert item(facts).samples == samples


@pytest.mark.parametrize(
    ("facts", "inconclusive"),
    [
        (analysis(pb.ANALYSIS_PHASE_INCONCLUSIVE), True),
        (analysis(pb.ANALYSIS_PHASE_SUCCESSFUL), False),
        (SCAN, False),
    ],
)
def test_an_inconclusive_analysis_is_marked(facts: pb.EvidenceFacts, inconclusive: bool) -> None:
    assert item(facts).inconclusive is inconclusive
