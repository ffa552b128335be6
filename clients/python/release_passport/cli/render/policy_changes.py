"""Proposed changes of policies, for people."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from release_passport.cli.policy_write import policy_yaml
from release_passport.cli.render.names import last_part
from release_passport.cli.render.text import Document, Span, pairs, table
from release_passport.cli.render.view import time_words
from release_passport.enum_names import short_name
from release_passport.v1 import policy_pb2

_STATE = policy_pb2.PolicyChangeState.DESCRIPTOR


def changes(items: Sequence[policy_pb2.PolicyChange]) -> Document:
    """Return proposed changes as a table."""
    rows = [
        (
            last_part(item.name),
            last_part(item.policy),
            _what(item),
            short_name(_STATE, item.state).lower(),
            str(item.place_count),
            item.proposer,
            item.applier,
            time_words(item.create_time),
        )
        for item in items
    ]
    headers = ("id", "policy", "change", "state", "left open", "proposed by", "applied by", "proposed")
    return table(headers, rows, empty="no proposed changes")


def change(item: policy_pb2.PolicyChange, current: policy_pb2.Policy | None = None) -> Document:
    """Return all of a change; against the policy as it is now, with every line that differs."""
    document = pairs(
        [
            ("change", item.name),
            ("policy", f"{last_part(item.policy)}, {_what(item)} from revision {item.base_revision}"),
            ("digest", item.digest),
            ("state", short_name(_STATE, item.state).lower()),
            ("reason", item.reason),
            ("proposed by", f"{item.proposer} at {time_words(item.create_time)}"),
            ("applied by", f"{item.applier} at {time_words(item.apply_time)}" if item.applier else ""),
            ("withdrawn by", _withdrawn(item)),
            ("until", "" if item.applier or item.withdrawn_by else time_words(item.expire_time)),
        ]
    )
    _add_places(document, item)
    _add_weakenings(document, item)
    if current is not None and item.HasField("spec"):
        _add_difference(document, item, current)
    return document


def _add_places(document: Document, item: policy_pb2.PolicyChange) -> None:
    if not item.place_count:
        return
    document.gap()
    document.add(
        Span("no ENFORCE policy is left for these; releases hold, or go ahead where observed only:", "strong")
    )
    for place in item.places:
        document.add(place, indent=2)
    if item.place_count > len(item.places):
        document.add(f"and {item.place_count - len(item.places)} more", indent=2)


def _withdrawn(item: policy_pb2.PolicyChange) -> str:
    why = f": {item.withdraw_reason}" if item.withdraw_reason else ""
    return f"{item.withdrawn_by} at {time_words(item.withdraw_time)}{why}" if item.withdrawn_by else ""


def _add_weakenings(document: Document, item: policy_pb2.PolicyChange) -> None:
    if not item.weakenings:
        return
    document.gap()
    document.add(Span("what it takes back, or could:", "strong"))
    for weakening in item.weakenings:
        document.add(weakening, indent=2)


def _add_difference(document: Document, item: policy_pb2.PolicyChange, current: policy_pb2.Policy) -> None:
    wanted = policy_pb2.Policy(policy_id=current.policy_id, spec=item.spec)
    now, then = policy_yaml(current).splitlines(), policy_yaml(wanted).splitlines()
    document.gap()
    for line in difflib.unified_diff(now, then, f"revision {current.revision}", "proposed", lineterm=""):
        document.add(line)


def _what(item: policy_pb2.PolicyChange) -> str:
    return "updated" if item.HasField("spec") else "deleted"
