"""Missing data never passes: every field of every kind, absent in every way, under every way to ask."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.struct_pb2 import Struct

from release_passport.v1 import evidence_pb2 as pb
from release_passport_server.adapters.cel.environment import built_in_kinds
from release_passport_server.domain.expression import ExpressionFailure, MissingFact
from support.cel_rules import ALL_KINDS, CUSTOM, LOAD_TEST, ask, context, problems, rule

KINDS = built_in_kinds()
NUMBERS = (
    "{} < 900",
    "{} <= 0",
    "!({} > 900)",
    "{} == 0",
    "{} != 7",
    "-{} < 1",
    "{} + 1 < 900",
    "!({} in [7])",
)
ASKED = {
    "int": NUMBERS,
    "double": (
        *("{} < 900", "{} <= 0", "!({} > 900)", "{} == 0.0", "{} != 7.0", "-{} < 1", "!({} in [7.0])"),
        *("math.abs({}) < 900.0", "double({}) < 900"),
    ),
    "bool": ("!{}", "{} == false", "{} != true", "{} || !{}", "{} ? true : true"),
    "string": (
        *("{} == ''", "{} != 'x'", "!{}.contains('x')", "size({}) < 900", "{}.size() == 0", "!({} in ['x'])"),
        *("{} < 'x'", "!{}.matches('x')", "!{}.startsWith('x')", "[{}].all(s, s != 'x')"),
    ),
    "enum": ("{} != 3", "{} == 0", "{} < 3", "!({} > 3)", "!({} in [1, 3])"),
    "google.protobuf.Timestamp": (
        "{} < now",
        "{} != now",
        "now - {} > duration('1h')",
        "!({} > now)",
        "{} != null",
    ),
    "google.protobuf.Duration": ("{} < duration('1h')", "{} != duration('1h')", "!({} > duration('1h'))"),
}
LISTS = (
    *("{}.all(x, true)", "!{}.exists(x, true)", "!{}.exists_one(x, true)", "size({}) == 0", "{}.size() < 1"),
    *("{}.filter(x, true).size() == 0", "{}.map(x, 1).size() == 0", "{}.filter(x, true).all(x, true)"),
)
SCALAR_LISTS = ("{} == []", "{} != ['x']", "{}.all(x, x != 'x')", "!{}.exists(x, x == 'x')", "{}[0] != 'x'")


def type_name(field: FieldDescriptor) -> str:
    if field.message_type is not None:
        return field.message_type.full_name
    if field.enum_type is not None:
        return "enum"
    return {
        FieldDescriptor.CPPTYPE_BOOL: "bool",
        FieldDescriptor.CPPTYPE_STRING: "string",
        FieldDescriptor.CPPTYPE_DOUBLE: "double",
    }.get(field.cpp_type, "int")


def questions(path: str, field: FieldDescriptor, factory: type) -> Iterator[tuple[str, str, Any]]:
    """Yield an expression, the absent path, and facts in which all but that path is there."""
    if not field.is_repeated:
        for form in ASKED[type_name(field)]:
            yield form.replace("{}", path), path, factory()
        return
    for form in LISTS if field.message_type is not None else (*LISTS, *SCALAR_LISTS):
        yield form.replace("{}", path), path, factory()
    if field.message_type is not None:
        yield from questions_about_entries(path, field, factory)


def questions_about_entries(
    path: str, field: FieldDescriptor, factory: type
) -> Iterator[tuple[str, str, Any]]:
    assert field.message_type is not None
    one_entry = factory()
    getattr(one_entry, field.name).add()
    for inner in field.message_type.fields:
        if inner.is_repeated:
            yield f"{path}.all(e, e.{inner.name}.all(x, true))", f"{path}[0].{inner.name}", one_entry
            yield f"!{path}.exists(e, e.{inner.name}.exists(x, true))", f"{path}[0].{inner.name}", one_entry
            continue
        for form in ASKED[type_name(inner)]:
            asked = form.replace("{}", f"e.{inner.name}")
            absent = f"{path}[0].{inner.name}"
            yield f"{path}.all(e, {asked})", absent, one_entry
            yield f"{path}.exists(e, {asked})", absent, one_entry
            yield f"{path}.filter(e, {asked}).size() == 1", absent, one_entry
            yield f"{path}.filter(e, true).all(e, {asked})", absent, one_entry
            yield form.replace("{}", f"{path}[0].{inner.name}"), absent, one_entry


def message_class(descriptor: Descriptor) -> type:
    return message_factory.GetMessageClass(descriptor)


@pytest.mark.parametrize("kind", KINDS)
def test_an_absent_field_is_named_and_nothing_is_evaluated(kind: str) -> None:
    asked = 0
    for field in KINDS[kind].fields:
        for expression, absent, facts in questions(
            f"evidence.{kind}.{field.name}", field, message_class(KINDS[kind])
        ):
            compiled = rule(expression)
            assert compiled.expect(context(**{kind: facts})) == MissingFact(absent), expression
            assert compiled.expect(context()) == MissingFact(f"evidence.{kind}"), expression
            loose = rule(expression, strict=False)
            assert loose.expect(context(**{kind: facts})) == MissingFact(absent), expression
            asked += 1
    assert asked > len(KINDS[kind].fields)


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_that_is_set_to_zero_counts_as_present(kind: str) -> None:
    for field in KINDS[kind].fields:
        facts = message_class(KINDS[kind])()
        if field.is_repeated or field.enum_type is not None:
            continue
        if field.message_type is not None:
            getattr(facts, field.name).SetInParent()
        else:
            setattr(facts, field.name, type(getattr(facts, field.name))())
        for form in ASKED[type_name(field)]:
            answer = rule(form.replace("{}", f"evidence.{kind}.{field.name}")).expect(
                context(**{kind: facts})
            )
            assert isinstance(answer, bool), (form, field.name, answer)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("asked", ASKED["double"])
def test_a_number_that_is_not_finite_is_no_value(asked: str, number: float) -> None:
    answer = ask(
        asked.replace("{}", "evidence.metric_sample.value"), metric_sample=pb.MetricSample(value=number)
    )
    assert answer == MissingFact("evidence.metric_sample.value")


@pytest.mark.parametrize("state", [0, 77])
def test_an_enum_that_is_unspecified_or_unknown_is_no_value(state: int) -> None:
    facts = pb.ChangeTicket()
    facts.state = state  # type: ignore[assignment]
    answer = ask("evidence.change_ticket.state != 6", change_ticket=facts)
    assert answer == MissingFact("evidence.change_ticket.state")


def test_numbers_and_enums_in_entries_are_checked_in_every_entry() -> None:
    facts = pb.AnalysisResult()
    facts.metrics.add(name="a", value=0.1)
    facts.metrics.add(name="b", value=math.nan)
    answer = ask("evidence.analysis_result.metrics.exists(m, m.value < 1)", analysis_result=facts)
    assert answer == MissingFact("evidence.analysis_result.metrics[1].value")


def test_what_the_other_side_of_an_or_reads_must_be_there_too() -> None:
    facts = pb.MetricSample(value=0.1)
    answer = ask("evidence.metric_sample.value < 1 || evidence.metric_sample.no_data", metric_sample=facts)
    assert answer == MissingFact("evidence.metric_sample.no_data")


EMPTY = (
    *("{}.all(f, f.severity != 6)", "!{}.exists(f, f.known_exploited)"),
    *("size({}) == 0", "{}.filter(f, true).size() == 0"),
)


@pytest.mark.parametrize("form", EMPTY)
def test_an_empty_list_counts_only_where_the_need_allows_it_and_the_item_is_complete(form: str) -> None:
    path = "evidence.vulnerability_scan.findings"
    expression = form.replace("{}", path)
    complete, silent = pb.VulnerabilityScan(complete=True), pb.VulnerabilityScan()
    denied = pb.VulnerabilityScan(complete=False)
    assert ask(expression, allow_empty=True, vulnerability_scan=complete) is True
    for facts, allowed in ((silent, True), (denied, True), (complete, False), (silent, False)):
        assert ask(expression, allow_empty=allowed, vulnerability_scan=facts) == MissingFact(path)


def test_a_list_inside_an_entry_may_never_be_empty() -> None:
    facts = pb.AnalysisResult(complete=True)
    facts.metrics.add(name="latency")
    expression = "evidence.analysis_result.metrics.all(m, m.measurements.all(x, x.value < 1))"
    answer = ask(expression, allow_empty=True, analysis_result=facts)
    assert answer == MissingFact("evidence.analysis_result.metrics[0].measurements")


def struct(**members: Any) -> Struct:
    facts = Struct()
    facts.update(members)
    return facts


@pytest.mark.parametrize(
    ("asked", "absent"),
    [
        ("{}.errors < 1", ".errors"),
        ("{}['errors'] != 7", ".errors"),
        ("{}['p 99'] != 7", '["p 99"]'),
        ("{}.none != 3", ".none"),
        ("{}.nan != 3", ".nan"),
        ("{}.object.inner != 3", ".object.inner"),
        ("{}.object != {'a': 1}", ".object"),
        ("{}.value.inner != 3", ".value.inner"),
        ("{}.empty.all(x, x < 1)", ".empty"),
        ("{}.empty == []", ".empty"),
        ("size({}.empty) == 0", ".empty"),
        ("size({}.hollow) == 0", ".hollow"),
        ("!{}.empty.exists(x, x > 1)", ".empty"),
        ("{}.rows.all(r, r.v < 9)", ".rows[1].v"),
        ("{}.rows.filter(r, r.v < 9).size() == 1", ".rows[1].v"),
        ("{}.rows != []", ".rows[0]"),
        ("{}.mixed.all(x, x != 7)", ".mixed[1]"),
        ("{}.mixed != [7]", ".mixed[1]"),
        ("{}.rows[0].v < 9", ".rows[1].v"),
        ("{}.object[release.service] != 7", '.object["a"]'),
        ("{}.list.inner != 3", ".list.inner"),
    ],
)
def test_absent_members_of_a_custom_kind_are_named(asked: str, absent: str) -> None:
    facts = struct(
        none=None,
        nan=math.nan,
        object={"a": None},
        value=1,
        empty=[],
        hollow={},
        rows=[{"v": 1}, {"w": 2}],
        mixed=[1, None],
        list=[1],
    )
    expression = asked.replace("{}", LOAD_TEST, 1)
    assert ask(expression, custom=facts) == MissingFact(LOAD_TEST + absent)
    assert ask(expression) == MissingFact(LOAD_TEST)


def test_an_empty_list_of_a_custom_kind_counts_when_it_is_complete() -> None:
    expression = f"{LOAD_TEST}.failures.all(f, f.fatal == false)"
    assert ask(expression, allow_empty=True, custom=struct(failures=[], complete=True)) is True
    silent: list[dict[str, Any]] = [{"failures": []}, {"failures": [], "complete": "yes"}, {"complete": True}]
    for members in silent:
        answer = ask(expression, allow_empty=True, custom=struct(**members))
        assert answer == MissingFact(f"{LOAD_TEST}.failures")


def test_present_members_of_a_custom_kind_are_read() -> None:
    facts = struct(p99=120.5, passed=True, rows=[{"v": 1}, {"v": 2}], tags=["a"])
    expression = (
        f"{LOAD_TEST}.p99 < 200 && {LOAD_TEST}.passed == true && {LOAD_TEST}.rows.all(r, r.v > 0)"
        f" && {LOAD_TEST}.tags == ['a']"
    )
    compiled = rule(expression)
    assert compiled.expect(context(custom=facts)) is True
    assert compiled.evidence_kinds == {CUSTOM}


@pytest.mark.parametrize(
    "expression",
    [
        "evidence.metric_sample == evidence.metric_sample",
        "evidence.metric_sample != evidence.metric_sample",
        "[evidence.metric_sample].all(m, m.value < 1)",
        "{'m': evidence.metric_sample}['m'].value < 1.0",
        "(release.is_first ? evidence.metric_sample : evidence.metric_sample).value < 1.0",
        "evidence.vulnerability_scan.findings == []",
        "evidence.vulnerability_scan.findings != []",
        "evidence.vulnerability_scan.findings[0] == evidence.vulnerability_scan.findings[0]",
        "(true ? evidence.policy_report.results : evidence.policy_report.results).all(f, f.outcome != 6)",
        "evidence.analysis_result.metrics.map(m, m.measurements).all(l, l.all(x, x.value < 1))",
        "evidence.analysis_result.metrics.all(m, evidence.analysis_result.metrics.map(n, m)[0].value < 1)",
        f"{LOAD_TEST} == {{}}",
        "evidence.custom.exists(k, true)",
        "size(evidence.custom) == 0",
        "evidence.custom[release.service].x == 1",
        "evidence.metric_sample != null",
    ],
)
def test_evidence_that_could_not_be_followed_is_refused(expression: str) -> None:
    assert problems(expression, strict=False)[0].field == "expect"


def test_evidence_of_another_type_is_a_failure_and_never_an_answer() -> None:
    compiled = rule("!evidence.rollout_status.aborted")
    for wrong in (pb.RolloutOutcome(), Struct(), "text", 3):
        assert isinstance(compiled.expect(context(rollout_status=wrong)), ExpressionFailure | MissingFact)
    same_field = rule("evidence.sbom.format == 'spdx'")
    assert isinstance(same_field.expect(context(sbom=pb.Signature(format="spdx"))), ExpressionFailure)


def test_every_kind_was_asked_about() -> None:
    assert set(KINDS) | {CUSTOM} == set(ALL_KINDS)
    assert len(KINDS) >= 18
