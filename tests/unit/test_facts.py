"""The limits of facts, their kind and key, and what is stored as no value."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from release_passport.v1 import evidence_pb2 as pb
from release_passport_server.domain.errors import Violation
from release_passport_server.domain.kind import KINDS, Kind, SubjectType, UnknownKind, kind_named
from release_passport_server.wire.facts import (
    MAX_VIOLATIONS,
    check_facts,
    facts_key,
    facts_kind,
    facts_message,
    normalise_facts,
)

DIGEST = "sha256:" + "ab" * 32


def scan(**fields: object) -> pb.EvidenceFacts:
    return ParseDict({"vulnerability_scan": {"scanner": "trivy", **fields}}, pb.EvidenceFacts())


def metric(**fields: object) -> pb.EvidenceFacts:
    return pb.EvidenceFacts(metric_sample=pb.MetricSample(name="error_rate", **fields))  # type: ignore[arg-type]


def custom(facts: dict[str, object] | Struct, kind: str = "acme.example/load-test") -> pb.EvidenceFacts:
    struct = facts if isinstance(facts, Struct) else ParseDict(facts, Struct())
    return pb.EvidenceFacts(custom=pb.CustomFacts(kind=kind, facts=struct))


def nested(levels: int) -> dict[str, object]:
    """Return an object of so many levels."""
    value: dict[str, object] = {}
    for _ in range(levels - 1):
        value = {"in": value}
    return value


def fields_of(violations: list[Violation]) -> list[str]:
    return [violation.field for violation in violations]


def test_facts_within_the_limits_are_well() -> None:
    facts = scan(
        critical=0,
        complete=True,
        database_time="2026-08-20T10:00:00Z",
        findings=[{"id": "CVE-2026-1", "severity": "VULNERABILITY_SEVERITY_LOW", "package_name": "zlib"}],
    )
    assert check_facts(facts, "facts") == []


def test_kind_key_and_message_of_a_built_in_kind() -> None:
    facts = scan(critical=0)
    assert (facts_kind(facts), facts_key(facts)) == ("vulnerability_scan", "trivy")
    assert facts_message(facts) == facts.vulnerability_scan


def test_kind_of_custom_facts_names_them_and_their_key_is_empty() -> None:
    facts = custom({"p99": 120})
    assert (facts_kind(facts), facts_key(facts)) == ("custom:acme.example/load-test", "")
    assert check_facts(facts, "facts") == []


def test_a_kind_without_a_key_field_has_the_empty_key() -> None:
    assert facts_key(pb.EvidenceFacts(sbom=pb.Sbom(format="spdx-2.3"))) == ""


@pytest.mark.parametrize("read", [facts_kind, facts_key, facts_message])
def test_no_facts_have_no_kind(read: Callable[[pb.EvidenceFacts], object]) -> None:
    with pytest.raises(ValueError, match="no facts"):
        read(pb.EvidenceFacts())


def test_no_facts_are_refused() -> None:
    assert fields_of(check_facts(pb.EvidenceFacts(), "evidence[0].facts")) == ["evidence[0].facts"]


def test_a_kind_that_this_server_does_not_know_is_refused() -> None:
    unknown_field = b"\xfa\x07\x02\x08\x01"
    assert fields_of(check_facts(pb.EvidenceFacts.FromString(unknown_field), "facts")) == ["facts"]


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.key_field])
def test_each_kind_with_a_key_needs_it(name: str) -> None:
    facts = pb.EvidenceFacts()
    getattr(facts, name).SetInParent()
    assert fields_of(check_facts(facts, "facts")) == [f"facts.{name}.{KINDS[name].key_field}"]


@pytest.mark.parametrize("key", ["", " trivy", "trivy\n", "tri\tvy", "x" * 257])
def test_a_key_that_cannot_be_written_in_a_policy_is_refused(key: str) -> None:
    assert "facts.vulnerability_scan.scanner" in fields_of(check_facts(scan(scanner=key), "facts"))


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        (scan(scanner_version="x" * 4097), "vulnerability_scan.scanner_version"),
        (scan(scanner_version="é" * 2049), "vulnerability_scan.scanner_version"),
        (scan(scanner_version="\x1b[2J"), "vulnerability_scan.scanner_version"),
        (scan(scanner_version="1\x00"), "vulnerability_scan.scanner_version"),
        (scan(scanner_version="1\u009b"), "vulnerability_scan.scanner_version"),
        (scan(critical=-1), "vulnerability_scan.critical"),
        (scan(findings=[{"id": "a"}, {"id": "\x07"}]), "vulnerability_scan.findings[1].id"),
        (scan(findings=[{"severity": 99}]), "vulnerability_scan.findings[0].severity"),
        (scan(findings=[{}] * 1001), "vulnerability_scan.findings"),
        (metric(value=1.0, no_data=True), "metric_sample.no_data"),
        (metric(end_time=Timestamp(seconds=2**40)), "metric_sample.end_time"),
        (metric(end_time=Timestamp(nanos=-1)), "metric_sample.end_time"),
        (metric(window=Duration(seconds=-1)), "metric_sample.window"),
        (metric(window=Duration(nanos=10**9)), "metric_sample.window"),
        (pb.EvidenceFacts(provenance=pb.Provenance(builder_id="b", slsa_level=5)), "provenance.slsa_level"),
        (
            pb.EvidenceFacts(test_result=pb.TestResult(suite="unit", coverage_percent=100.5)),
            "test_result.coverage_percent",
        ),
        (pb.EvidenceFacts(rollout_status=pb.RolloutStatus(object="o", weight=101)), "rollout_status.weight"),
        (
            pb.EvidenceFacts(rollback_readiness=pb.RollbackReadiness(target_digest="checkout:1.2")),
            "rollback_readiness.target_digest",
        ),
        (
            pb.EvidenceFacts(manifest_render=pb.ManifestRender(image_digests=[DIGEST, DIGEST.upper()])),
            "manifest_render.image_digests[1]",
        ),
        (custom({}, kind="provenance"), "custom.kind"),
        (custom({}, kind="Acme.example/x"), "custom.kind"),
        (custom({}, kind="acme.example/" + "x" * 250), "custom.kind"),
        (custom({"a": "x" * 4097}), "custom.facts['a']"),
        (custom({"a": [1, {"b": "\x1b"}]}), "custom.facts['a'][1]['b']"),
        (custom({"": 1}), "custom.facts['']"),
        (custom({"k\x00": 1}), "custom.facts['k\\x00']"),
        (custom({str(n): n for n in range(101)}), "custom.facts"),
        (custom({"a": [0] * 1001}), "custom.facts['a']"),
        (custom({"a": [[None] * 999] * 11}), "custom.facts"),
        (custom(nested(17)), "custom.facts" + "['in']" * 16),
    ],
)
def test_what_breaks_a_limit_is_refused_where_it_stands(facts: pb.EvidenceFacts, field: str) -> None:
    assert fields_of(check_facts(facts, "facts")) == [f"facts.{field}"]


def test_custom_facts_of_sixteen_levels_are_well() -> None:
    assert check_facts(custom(nested(16)), "facts") == []


def test_custom_facts_must_be_there() -> None:
    facts = pb.EvidenceFacts(custom=pb.CustomFacts(kind="acme.example/x"))
    assert fields_of(check_facts(facts, "facts")) == ["facts.custom.facts"]


def test_facts_of_more_than_64_kib_are_refused_without_looking_inside() -> None:
    facts = scan(findings=[{"id": "x" * 200, "severity": 99}] * 500)
    assert fields_of(check_facts(facts, "facts")) == ["facts"]


def test_newline_tab_and_letters_of_any_script_are_text() -> None:
    assert check_facts(scan(scanner_version="1.0\n\tbêta 版本 🚀"), "facts") == []


def test_all_violations_are_reported_at_once() -> None:
    facts = scan(critical=-1, high=-1, scanner="")
    assert set(fields_of(check_facts(facts, "f"))) == {
        "f.vulnerability_scan.scanner",
        "f.vulnerability_scan.critical",
        "f.vulnerability_scan.high",
    }


def test_very_many_violations_are_counted_and_not_listed() -> None:
    violations = check_facts(scan(findings=[{"severity": 99}] * 100), "facts")
    assert len(violations) == MAX_VIOLATIONS + 1
    assert violations[-1] == Violation("facts", "and 80 more violations")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_no_value_and_no_violation(value: float) -> None:
    facts = metric(value=value, baseline_value=0.5)
    assert check_facts(facts, "facts") == []
    stored = normalise_facts(facts).metric_sample
    assert (stored.HasField("value"), stored.baseline_value) == (False, 0.5)


def test_no_data_beside_a_value_that_is_not_finite_is_no_contradiction() -> None:
    assert check_facts(metric(value=math.nan, no_data=True), "facts") == []


def test_nan_is_no_value_at_any_depth() -> None:
    measurement = pb.AnalysisMeasurement(value=math.nan, text_value="NaN")
    metrics = [pb.AnalysisMetric(name="m", value=1, measurements=[measurement])]
    stored = normalise_facts(
        pb.EvidenceFacts(analysis_result=pb.AnalysisResult(template="t", metrics=metrics))
    )
    [kept] = stored.analysis_result.metrics[0].measurements
    assert (kept.HasField("value"), kept.text_value) == (False, "NaN")


def test_a_nan_in_custom_facts_leaves_no_field_and_a_null_in_a_list() -> None:
    struct = Struct()
    struct.fields["rate"].number_value = math.nan
    struct.fields["kept"].number_value = 1
    struct.fields["deep"].struct_value.fields["rate"].number_value = math.inf
    struct.fields["list"].list_value.values.extend([Value(number_value=math.nan), Value(number_value=2)])
    stored = normalise_facts(custom(struct)).custom.facts
    assert stored == ParseDict({"kept": 1, "deep": {}, "list": [None, 2]}, Struct())


def test_an_enum_that_says_unspecified_is_no_value() -> None:
    facts = pb.EvidenceFacts(
        gitops_sync=pb.GitopsSync(application="a", health=pb.HealthState.HEALTH_STATE_UNSPECIFIED)
    )
    assert check_facts(facts, "facts") == []
    assert not normalise_facts(facts).gitops_sync.HasField("health")


def test_an_honest_zero_false_and_empty_text_are_kept() -> None:
    facts = pb.EvidenceFacts(
        rollout_status=pb.RolloutStatus(object="o", weight=0, paused=False, message="", failed_checks=0)
    )
    assert normalise_facts(facts) == facts


def test_fields_that_this_server_does_not_know_are_dropped() -> None:
    known = scan(critical=1)
    inside = known.vulnerability_scan.SerializeToString() + b"\xfa\x07\x02\x08\x01"
    sent = pb.EvidenceFacts(vulnerability_scan=pb.VulnerabilityScan.FromString(inside))
    assert normalise_facts(sent) == known


def test_the_facts_given_are_left_as_they_are() -> None:
    facts = metric(value=math.nan)
    normalise_facts(facts)
    assert facts.metric_sample.HasField("value")


@given(value=st.floats(allow_nan=True, allow_infinity=True), samples=st.integers(0, 2**63 - 1))
def test_normal_facts_are_finite_and_stay_as_they_are(value: float, samples: int) -> None:
    once = normalise_facts(metric(value=value, samples=samples))
    assert normalise_facts(once) == once
    assert math.isfinite(once.metric_sample.value)
    assert once.metric_sample.HasField("value") == math.isfinite(value)


def test_a_built_in_kind_is_found_by_name() -> None:
    assert kind_named("metric_sample").samples_field == "samples"


def test_a_custom_kind_binds_to_anything_for_a_day() -> None:
    kind = kind_named("custom:acme.example/load-test")
    assert kind == Kind("custom:acme.example/load-test", tuple(SubjectType), None, timedelta(hours=24))


@pytest.mark.parametrize(
    "name",
    ["", "custom", "scan", "Provenance", "custom:", "custom:load-test", "custom:a/B", "custom:a//b", "a/b"],
)
def test_a_name_that_is_no_kind_is_refused(name: str) -> None:
    with pytest.raises(UnknownKind, match="no evidence kind"):
        kind_named(name)


def test_attestations_are_the_kinds_that_are_derived_from_an_envelope() -> None:
    assert {name for name, kind in KINDS.items() if kind.attestation} == {
        "provenance",
        "signature",
        "sbom",
        "verification_summary",
    }


def test_facts_of_the_live_system_come_from_connectors() -> None:
    assert {name for name, kind in KINDS.items() if kind.connector_only} == {
        "runtime_health",
        "gitops_sync",
        "rollout_status",
        "incident_state",
        "rollback_readiness",
        "change_ticket",
    }
