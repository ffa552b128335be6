"""The table of `tests/conformance/clients.yaml`, and what runs it: one runner a client, all with one protocol.

A runner is a program. It is told the server in PASSPORT_ADDRESS (host:port of gRPC), PASSPORT_URL (of HTTP),
PASSPORT_CA (a PEM file) and PASSPORT_TOKEN; each line on its input is `{"call", "request"}`, each line on its
output the answer to the same line: `{"answer": …}` in protobuf JSON, or `{"error": {"code", "reason"}}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).parents[1] / "conformance/clients.yaml"
_AHEAD = re.compile(r"\$\{in (-?\d+) (days|hours)\}")


@dataclass(frozen=True, slots=True)
class Case:
    """One call and what it is answered with."""

    call: str
    request: Mapping[str, Any]
    answer: Mapping[str, Any] | None
    error: Mapping[str, str] | None


def cases() -> list[Case]:
    """Return the table in its order, which matters: a call finds what the calls before it made."""
    rows = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return [
        Case(row["call"], filled(row.get("request", {})), row.get("answer"), row.get("error")) for row in rows
    ]


def filled(value: Any) -> Any:
    """Return the value with each `${in 5 days}` replaced by that time."""
    if isinstance(value, dict):
        return {key: filled(part) for key, part in value.items()}
    if isinstance(value, list):
        return [filled(part) for part in value]
    return _AHEAD.sub(_time, value) if isinstance(value, str) else value


def mismatch(case: Case, said: Mapping[str, Any]) -> str:
    """Return how the runner's line differs from the table; empty where it does not."""
    if case.error is not None:
        return "" if said.get("error") == case.error else f"{case.call}: not {case.error} but {said}"
    if "answer" not in said:
        return f"{case.call}: not an answer but {said}"
    return _missing(case.answer, said["answer"], case.call)


def _missing(expected: Any, found: Any, path: str) -> str:
    """Compare what the table names; an answer may hold more."""
    if isinstance(expected, dict) and isinstance(found, dict):
        parts = (_missing(part, found.get(key), f"{path}.{key}") for key, part in expected.items())
        return next(filter(None, parts), "")
    return "" if expected == found else f"{path}: not {expected!r} but {found!r}"


def _time(found: re.Match[str]) -> str:
    moment = datetime.now(UTC) + timedelta(**{found[2]: int(found[1])})
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
