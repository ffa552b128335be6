"""What identifies facts that fail, apart from their values: a waiver covers these and no others.

Each mark comes with the fields that an expression reads it by. What nothing identifies counts by its number, so that
one more is another finding; a measured value counts not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct

from release_passport.v1 import evidence_pb2
from release_passport_server.domain.canonical import digest

# The fields that a mark is read by, and the mark.
Mark = tuple[Iterable[str], str]

# What differs from one observation, build or run to the next of the same state.
_PASSING = frozenset(
    {
        *("message", "operation_message", "title", "complete", "uri", "run_uri", "run", "invocation_id"),
        *("scanner_version", "tool_version", "engine_version", "generator", "query_id", "format"),
        *("document_digest", "manifest_digest", "policy_digest", "image_digests", "canary_image_digests"),
        *("stable_image_digests", "source_revision", "revision", "operation_revision", "revision_hash"),
        *("stable_revision", "canary_revision", "target_release", "target_revision", "target_digest"),
        *("release", "attempt", "log_index"),
    }
)
# Numbers of things that no list names, and levels.
_EXACT = frozenset({"unpinned_images", "unidentified_count", "unlicensed_count", "slsa_level"})
_NEVER = frozenset({"google.protobuf.Timestamp", "google.protobuf.Duration"})
_SEVERITIES = ("critical", "high", "medium", "low", "negligible", "unknown")
_FIXABLE = ("critical", "high", "medium", "low")


def identities(facts: Message) -> list[str]:
    """Return everything that identifies facts, sorted: each line is the fields that it is read by, and the mark."""
    # Of what nobody here knows everything counts, whatever is read of it.
    custom = isinstance(facts, Struct)
    marks = [(("*",), _digest(facts))] if custom else [*_listed(facts), *_plain(facts)]
    return sorted({f"{' '.join(sorted(fields))}: {' '.join(mark.split())}" for fields, mark in marks})


def _listed(facts: Message) -> Iterator[Mark]:
    reading = _LISTS.get(type(facts))
    if reading is not None:
        yield from reading[0](facts)


def _plain(facts: Message) -> Iterator[Mark]:
    """Yield the marks of all fields that no list speaks of."""
    told = _LISTS[type(facts)][1] if type(facts) in _LISTS else frozenset()
    for field, value in facts.ListFields():
        if field.name in told or field.name in _PASSING:
            continue
        values: Sequence[Any] = value if field.is_repeated else (value,)
        for one in values:
            mark = _mark(field, one)
            if mark:
                yield (field.name,), f"{field.name}{mark}"


def _mark(field: FieldDescriptor, value: Any) -> str:
    """Return what a value says of what is the case; empty for one that is only measured."""
    if isinstance(value, Message):
        return "" if value.DESCRIPTOR.full_name in _NEVER else f"={_digest(value)}"
    if field.enum_type is not None:
        return f"={_enum(field, value)}"
    if isinstance(value, str | bool):
        return f"={value}"
    if isinstance(value, int):
        return f"={value}" if field.name in _EXACT else " > 0" if value > 0 else ""
    return ""


def _digest(value: Message) -> str:
    return digest(value.SerializeToString(deterministic=True))


def _enum(field: FieldDescriptor, number: int) -> str:
    assert field.enum_type is not None
    named = field.enum_type.values_by_number.get(number)
    return named.name if named is not None else str(number)


def _last_word(message: Message, field: str, number: int) -> str:
    """Return the last word of an enum's name: `critical` for a severity."""
    described: Any = message.DESCRIPTOR.fields_by_name[field]
    return _enum(described, number).rpartition("_")[2].lower()


def _vulnerabilities(scan: evidence_pb2.VulnerabilityScan) -> Iterator[Mark]:
    listed: dict[str, int] = {}
    for one in scan.findings:
        severity = _last_word(one, "severity", one.severity)
        fields = [severity]
        if one.fixed_version:
            fields.append(f"fixable_{severity}")
        if one.known_exploited:
            fields.append("known_exploited")
        for field in fields:
            listed[field] = listed.get(field, 0) + 1
        # One that can be fixed now, or is exploited now, is news to who reads that.
        for field in fields:
            yield (field, "findings"), f"{field} {one.id} {one.package_name}"
    names = (*_SEVERITIES, *(f"fixable_{one}" for one in _FIXABLE), "known_exploited")
    yield from _unnamed(scan, names, listed)


def _tests(result: evidence_pb2.TestResult) -> Iterator[Mark]:
    for case in result.failed_cases:
        yield ("failed", "errored", "failed_cases"), case
    if len(result.failed_cases) < result.failed + result.errored:
        yield from _unnamed(result, ("failed", "errored"), {})


def _incidents(state: evidence_pb2.IncidentState) -> Iterator[Mark]:
    listed = {"open_count": len(state.open_incidents)}
    for one in state.open_incidents:
        severity = _last_word(one, "severity", one.severity)
        listed[severity] = listed.get(severity, 0) + 1
        yield ("open_incidents", "open_count", severity), f"{one.id} {severity}"
    yield from _unnamed(state, ("open_count", *(f"sev{n}" for n in range(1, 6)), "unclassified"), listed)


def _results(report: evidence_pb2.PolicyReport) -> Iterator[Mark]:
    listed: dict[str, int] = {}
    for one in report.results:
        field = _OUTCOMES.get(one.outcome)
        if field is not None:
            listed[field] = listed.get(field, 0) + 1
            yield (field, "results"), f"{field} {one.policy}/{one.rule} {one.resource}"
    yield from _unnamed(report, tuple(_OUTCOMES.values()), listed)


def _metrics(result: evidence_pb2.AnalysisResult) -> Iterator[Mark]:
    for one in result.metrics:
        if one.phase != evidence_pb2.ANALYSIS_PHASE_SUCCESSFUL:
            yield ("metrics", "phase"), f"{one.name} {_last_word(one, 'phase', one.phase)}"


def _conditions(facts: Any) -> Iterator[Mark]:
    for one in facts.conditions:
        yield ("conditions",), f"{one.type}={one.status} {one.reason}"


def _flags(state: evidence_pb2.FeatureFlagState) -> Iterator[Mark]:
    for one in state.flags:
        yield ("flags",), f"{one.key}={one.enabled} {one.variant}"


def _materials(provenance: evidence_pb2.Provenance) -> Iterator[Mark]:
    for one in provenance.materials:
        yield ("materials",), one.uri.partition("@")[0]


def _unnamed(facts: Any, fields: Iterable[str], listed: Mapping[str, int]) -> Iterator[Mark]:
    """Yield the numbers of things that the list does not account for: nothing else tells one from another."""
    for field in fields:
        number = getattr(facts, field)
        if number > listed.get(field, 0):
            yield (field,), f"{number} {field}, not all of them listed"


_OUTCOMES: Mapping[int, str] = {
    evidence_pb2.POLICY_REPORT_OUTCOME_FAIL: "failed",
    evidence_pb2.POLICY_REPORT_OUTCOME_WARN: "warned",
    evidence_pb2.POLICY_REPORT_OUTCOME_ERROR: "errored",
    evidence_pb2.POLICY_REPORT_OUTCOME_SKIP: "skipped",
}
# How a kind's list is read, and the fields that it speaks for.
_LISTS: Mapping[type[Message], tuple[Callable[[Any], Iterator[Mark]], frozenset[str]]] = {
    evidence_pb2.VulnerabilityScan: (
        _vulnerabilities,
        frozenset({"findings", "known_exploited", *_SEVERITIES, *(f"fixable_{one}" for one in _FIXABLE)}),
    ),
    evidence_pb2.TestResult: (_tests, frozenset({"failed_cases", "failed", "errored"})),
    evidence_pb2.IncidentState: (
        _incidents,
        frozenset({"open_incidents", "open_count", "unclassified", *(f"sev{n}" for n in range(1, 6))}),
    ),
    evidence_pb2.PolicyReport: (_results, frozenset({"results", *_OUTCOMES.values()})),
    evidence_pb2.AnalysisResult: (_metrics, frozenset({"metrics"})),
    evidence_pb2.GitopsSync: (_conditions, frozenset({"conditions"})),
    evidence_pb2.RuntimeHealth: (_conditions, frozenset({"conditions"})),
    evidence_pb2.FeatureFlagState: (_flags, frozenset({"flags"})),
    evidence_pb2.Provenance: (_materials, frozenset({"materials"})),
}
