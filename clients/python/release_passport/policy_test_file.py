"""Tests beside policies, `<name>_test.yaml`: named fixtures, a pinned time, and what the policy must say.

A case takes its release and its evidence from the file's fixtures by name. `use: NAME` takes a fixture with changes:
what stands beside it replaces the fixture's fields, and `facts` are merged fact by fact, null taking a fact away.
`age: 5m` is an observation five minutes before the case's time. "{release}" in a subject stands for the release's
name, and is resolved by the server.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar

from release_passport.durations import parse_duration
from release_passport.strict_yaml import Mapping, Node, Place, Scalar, Sequence, read_yaml
from release_passport.v1 import evidence_pb2, policy_service_pb2
from release_passport.yaml_message import MessageReader, parse_time

NodeType = TypeVar("NodeType", Mapping, Sequence, Scalar)

_TOP = {"policy", "fixtures", "cases"}
_FIXTURES = {"releases", "evidence"}
_LABELS = {"service_labels", "environment_labels"}
_SHARED = {"stage", "is_first", "is_restore", "way_back_from"}
_CASE = {"name", "now", "release", "attempt_age", "evidence", "expect"} | _SHARED
_EVIDENCE = {"subject", "facts", "source", "verified", "age", "observe_time"}
_EXPECT = {
    "verdict": "expected_verdict",
    "effective_verdict": "expected_effective_verdict",
    "findings": "expected_findings",
}


@dataclass(frozen=True, slots=True)
class PolicyTestFile:
    """The cases of one test file with their places, and the policy file that they are about."""

    file: str
    policy_path: Path
    cases: tuple[policy_service_pb2.PolicyTestCase, ...]
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class _Form(Generic[NodeType]):
    """The form that a node must have, in the program's words and in people's."""

    kind: type[NodeType]
    words: str
    empty: NodeType


_FIELDS = _Form(Mapping, "fields with values", Mapping({}, {}, Place(1, 1)))
_LIST = _Form(Sequence, "a list", Sequence([], Place(1, 1)))
_TEXT = _Form(Scalar, "a text", Scalar("", Place(1, 1)))


def load_policy_test_file(path: Path) -> PolicyTestFile:
    """Return the cases of a file; FileInvalid names everything that is wrong, with file, line and column."""
    return _TestReader(path).read(read_yaml(path))


class _TestReader:
    """Reads one file, and collects what is wrong in it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader = MessageReader(str(path))
        self._releases: dict[str, Node] = {}
        self._evidence: dict[str, Node] = {}

    def read(self, node: Node) -> PolicyTestFile:
        """Return what the document says."""
        document = self._fields(node, "the document", _TOP)
        fixtures = self._fields(document.entries.get("fixtures"), "fixtures", _FIXTURES)
        self._releases = self._part(fixtures, "releases", _FIELDS).entries
        self._evidence = self._part(fixtures, "evidence", _FIELDS).entries
        policy = self._part(document, "policy", _TEXT)
        if not policy.text:
            self._reader.refuse(document.place, "policy is missing: name the policy's file")
        nodes = self._part(document, "cases", _LIST).items
        cases = tuple(self._case(case) for case in nodes)
        names = [case.case_id for case in cases]
        for case, name in zip(nodes, names, strict=True):
            if not name or names.count(name) > 1:
                self._reader.refuse(case.place, f"a case needs a name of its own, not {name[:80]!r}")
        self._reader.finish()
        places = tuple(case.place for case in nodes)
        return PolicyTestFile(str(self._path), self._path.parent / policy.text, cases, places)

    def _case(self, node: Node) -> policy_service_pb2.PolicyTestCase:
        fields = self._fields(node, "a case", _CASE)
        case = policy_service_pb2.PolicyTestCase(case_id=self._part(fields, "name", _TEXT).text)
        self._reader.fill(case, _only(fields, _SHARED))
        now = self._time(fields.entries.get("now"))
        if now is None:
            self._reader.refuse(fields.place, "now is missing: a case needs a pinned time")
        else:
            case.now.FromDatetime(now)
        if (age := fields.entries.get("attempt_age")) is not None:
            case.attempt_age_seconds = self._milliseconds(age) // 1000
        self._fill_release(case, fields)
        for item in self._part(fields, "evidence", _LIST).items:
            self._fill_evidence(case.evidence.add(), self._resolved(item), now)
        self._fill_expectation(case, fields)
        return case

    def _fill_release(self, case: policy_service_pb2.PolicyTestCase, fields: Mapping) -> None:
        named = self._part(fields, "release", _TEXT)
        fixture = self._releases.get(named.text)
        if fixture is None:
            self._reader.refuse(named.place, f"there is no release fixture {named.text[:80]!r}")
            return
        release = self._form(fixture, "a release", _FIELDS)
        self._reader.fill(case.release, _only(release, release.entries.keys() - _LABELS), "release")
        self._reader.fill(case, _only(release, _LABELS))

    def _resolved(self, node: Node) -> Mapping:
        """Return the fields of an item, with those of the fixture that it uses under its own."""
        if isinstance(node, Scalar):
            node = Mapping({"use": node}, {"use": node.place}, node.place)
        own = self._fields(node, "evidence", _EVIDENCE | {"use"})
        use = own.entries.get("use")
        if use is None:
            return own
        named = self._form(use, "use", _TEXT)
        if named.text not in self._evidence:
            self._reader.refuse(use.place, f"there is no evidence fixture {named.text[:80]!r}")
        base = self._fields(self._evidence.get(named.text), "an evidence fixture", _EVIDENCE)
        changes = _only(own, own.entries.keys() - {"use"})
        if changes.entries.keys() & {"age", "observe_time"}:
            base = _only(base, base.entries.keys() - {"age", "observe_time"})
        return _merged(base, changes)

    def _fill_evidence(
        self, item: policy_service_pb2.PolicyTestEvidence, fields: Mapping, now: datetime | None
    ) -> None:
        item.source = self._part(fields, "source", _TEXT).text
        self._reader.fill(item.input, _only(fields, {"subject", "facts"}))
        for key in ("subject", "facts"):
            if key not in fields.entries:
                self._reader.refuse(fields.place, f"{key} is missing")
        observed = self._time(fields.entries.get("observe_time")) or now
        age = fields.entries.get("age")
        if age is not None and "observe_time" in fields.entries:
            self._reader.refuse(fields.place, "age and observe_time say the same: give one of them")
        if observed is not None:
            time = item.input.observe_time
            time.FromDatetime(observed)
            time.FromMilliseconds(time.ToMilliseconds() - (self._milliseconds(age) if age else 0))
        verified = self._form(fields.entries.get("verified"), "verified", _TEXT)
        if verified.text not in {"", "true", "false"}:
            self._reader.refuse(verified.place, "verified must be true or false")
        item.verification = (
            evidence_pb2.VERIFICATION_STATE_VERIFIED
            if verified.text == "true"
            else evidence_pb2.VERIFICATION_STATE_UNSIGNED
        )

    def _fill_expectation(self, case: policy_service_pb2.PolicyTestCase, fields: Mapping) -> None:
        expect = self._fields(fields.entries.get("expect"), "expect", set(_EXPECT))
        if "verdict" not in expect.entries:
            self._reader.refuse(fields.place, "expect.verdict is missing: what is expected must be said")
        known = [key for key in _EXPECT if key in expect.entries]
        entries = {_EXPECT[key]: expect.entries[key] for key in known}
        places = {_EXPECT[key]: expect.places[key] for key in known}
        self._reader.fill(case, Mapping(entries, places, expect.place))

    def _fields(self, node: Node | None, what: str, names: set[str]) -> Mapping:
        fields = self._form(node, what, _FIELDS)
        for key in sorted(fields.entries.keys() - names):
            text = f"{key[:80]!r} is not a field of {what}: {', '.join(sorted(names))}"
            self._reader.refuse(fields.places[key], text)
        return fields

    def _part(self, fields: Mapping, key: str, form: _Form[NodeType]) -> NodeType:
        return self._form(fields.entries.get(key), key, form, fields.place)

    def _form(
        self, node: Node | None, what: str, form: _Form[NodeType], place: Place | None = None
    ) -> NodeType:
        if isinstance(node, form.kind):
            return node
        if node is not None and not (isinstance(node, Scalar) and node.is_null):
            self._reader.refuse(node.place, f"{what} must be {form.words}")
        return replace(form.empty, place=node.place if node else place or form.empty.place)

    def _time(self, node: Node | None) -> datetime | None:
        if node is None:
            return None
        try:
            return parse_time(self._form(node, "a time", _TEXT).text)
        except ValueError as error:
            self._reader.refuse(node.place, str(error))
            return None

    def _milliseconds(self, node: Node) -> int:
        try:
            return int(parse_duration(self._form(node, "a duration", _TEXT).text).total_seconds() * 1000)
        except ValueError as error:
            self._reader.refuse(node.place, str(error))
            return 0


def _only(fields: Mapping, names: set[str]) -> Mapping:
    kept = {key: value for key, value in fields.entries.items() if key in names}
    return Mapping(kept, {key: fields.places.get(key, fields.place) for key in kept}, fields.place)


def _merged(base: Mapping, changes: Mapping) -> Mapping:
    """Return the base with the changes over it; facts are merged fact by fact, all else is replaced."""
    entries = dict(base.entries)
    for key, value in changes.entries.items():
        entries[key] = _merged_facts(entries.get(key), value) if key == "facts" else value
    return Mapping(entries, {**base.places, **changes.places}, changes.place)


def _merged_facts(base: Node | None, changes: Node) -> Node:
    if not isinstance(base, Mapping) or not isinstance(changes, Mapping):
        return changes
    entries = dict(base.entries)
    for key, value in changes.entries.items():
        entries[key] = _merged_facts(entries.get(key), value)
    return Mapping(entries, {**base.places, **changes.places}, changes.place)
