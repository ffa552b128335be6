"""What somebody may do and why, and who may do what, for people and for spreadsheets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from release_passport.cli.render.lists import scope_words
from release_passport.cli.render.spreadsheet import csv_text
from release_passport.cli.render.text import Document, table
from release_passport.cli.render.view import time_words
from release_passport.enum_names import short_name
from release_passport.v1 import access_pb2, access_service_pb2

_Told = Callable[[Timestamp], str]

_OUTCOME = access_pb2.DESCRIPTOR.enum_types_by_name["BindingOutcome"]
_HEADERS = (
    *("principal", "role", "where", "may", "submits", "since", "granted by"),
    *("tokens", "tokens end", "state", "name"),
)


def answer(found: access_service_pb2.CheckAccessResponse) -> Document:
    """Return yes or no, and under it what each binding says."""
    document = Document()
    document.add("yes" if found.allowed else "no")
    if found.explanation:
        document.add(found.explanation)
    if found.bindings:
        document.gap()
        rows = [_ruling(one) for one in found.bindings]
        document.lines += table(("says", "of", "role", "where", "rule", "name"), rows, empty="").lines
    return document


def as_table(items: Sequence[access_pb2.AccessEntry]) -> Document:
    """Return an access review as a table."""
    return table(_HEADERS, [_row(item, time_words) for item in items], empty="nobody may do anything")


def as_csv(items: Iterable[access_pb2.AccessEntry]) -> str:
    """Return an access review for a spreadsheet."""
    return csv_text(_HEADERS, (_row(item, _exact) for item in items))


def _ruling(one: access_pb2.BindingRuling) -> tuple[str, ...]:
    binding = one.role_binding
    says = short_name(_OUTCOME, one.outcome).lower().replace("_", " ")
    rule = ", ".join(("p", *one.rule)) if one.rule else ""
    return says, binding.principal, binding.role, scope_words(binding), rule, binding.name


def _row(item: access_pb2.AccessEntry, told: _Told) -> tuple[str, ...]:
    binding = item.role_binding
    end = told(item.tokens_expire_time) if item.HasField("tokens_expire_time") else ""
    state = "banned" if item.banned else "group" if item.group else ""
    return (
        *(binding.principal, binding.role, scope_words(binding)),
        *(" ".join(item.verbs), " ".join(item.evidence_kinds)),
        *(told(binding.create_time), binding.creator),
        *(str(item.tokens), end, state, binding.name),
    )


def _exact(moment: Timestamp) -> str:
    return moment.ToJsonString()
