"""What one pass says of plain facts is what checking, making normal and writing them one after the other says."""

from __future__ import annotations

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from perf.workload import Version, evidence
from release_passport.v1 import evidence_pb2
from release_passport_server.domain.canonical import canonical
from release_passport_server.wire.facts import check_facts, normalise_facts
from release_passport_server.wire.json_mapping import json_mapping
from release_passport_server.wire.plain_facts import plain_form
from support.messages import messages

_KINDS = [name for name in evidence_pb2.EvidenceFacts.DESCRIPTOR.fields_by_name if name != "custom"]


@pytest.mark.parametrize("kind", _KINDS)
@given(data=st.data())
def test_facts_that_pass_are_right_normal_and_written_as_their_mapping(
    kind: str, data: st.DataObject
) -> None:
    facts = evidence_pb2.EvidenceFacts()
    getattr(facts, kind).CopyFrom(data.draw(messages(getattr(facts, kind).DESCRIPTOR)))
    form = plain_form(facts)
    if form is None:
        return
    assert form.encode() == canonical(json_mapping(facts))
    assert normalise_facts(facts) == facts
    assert check_facts(facts, "facts", derived=True) == []


@pytest.mark.parametrize("facts", [item.facts for item in evidence(Version("shop", "1.4.0"))])
def test_facts_as_they_come_in_pass(facts: evidence_pb2.EvidenceFacts) -> None:
    form = plain_form(facts)
    assert form is not None
    assert form.encode() == canonical(json_mapping(facts))


def scan(**fields: object) -> evidence_pb2.EvidenceFacts:
    return evidence_pb2.EvidenceFacts(
        vulnerability_scan=evidence_pb2.VulnerabilityScan(scanner="trivy", **fields)  # type: ignore[arg-type]
    )


def run(**fields: object) -> evidence_pb2.EvidenceFacts:
    return evidence_pb2.EvidenceFacts(
        test_result=evidence_pb2.TestResult(suite="unit", **fields)  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    "facts",
    [
        evidence_pb2.EvidenceFacts(),
        evidence_pb2.EvidenceFacts(custom=evidence_pb2.CustomFacts(kind="acme.example/load-test")),
        scan(high=-1),
        scan(scanner_version="\x1b[2J"),
        scan(scan_time=Timestamp(seconds=10**12)),
        scan(findings=[evidence_pb2.Vulnerability(id="CVE-1", severity=99)]),  # type: ignore[arg-type]
        scan(findings=[evidence_pb2.Vulnerability()] * 1001),
        run(coverage_percent=float("nan")),
        run(coverage_percent=100.5),
        run(failed_cases=["x" * 4097]),
        evidence_pb2.EvidenceFacts(manifest_render=evidence_pb2.ManifestRender(image_digests=["sha256:0"])),
    ],
)
def test_what_has_to_be_looked_at_does_not_pass(facts: evidence_pb2.EvidenceFacts) -> None:
    assert plain_form(facts) is None
