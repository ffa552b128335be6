"""After a run, what the database says: as many decisions, audit rows and events as there were calls, none twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from perf.load import BadAnswer
from release_passport.v1 import decision_service_pb2
from release_passport_server.domain.reevaluation import WORKER

TENANT = "default"
# What the server decided by itself was not asked for.
_ASKED = f"AND name NOT IN (SELECT subject FROM audit WHERE principal = '{WORKER}')"


def require_recorded(store_url: str, answers: Collection[decision_service_pb2.EvaluateResponse]) -> None:
    """Raise BadAnswer unless each answered decision is on record once, audited once and told once, and nothing else."""
    told = {answer.decision.name: answer.revision for answer in answers}
    if len(told) != len(answers):
        raise BadAnswer(f"{len(answers)} calls were answered with {len(told)} decisions")
    stored = dict(_rows(store_url, f"SELECT name, revision FROM decisions WHERE tenant = 'default' {_ASKED}"))
    _same("decisions on record", stored, told)
    audited = "SELECT subject, revision FROM audit WHERE tenant = 'default' AND action = 'Evaluate'"
    audited += f" AND principal <> '{WORKER}'"
    audited += " AND subject LIKE '%/decisions/%'"
    _same("audit rows", _once("audit rows", _rows(store_url, audited)), told)
    events = (
        "SELECT subject AS name, revision FROM feed WHERE tenant = 'default' AND type = 'decision.changed' "
    )
    events = f"SELECT name, revision FROM ({events}) AS told WHERE true {_ASKED}"
    _same("events in the feed", _once("events", _rows(store_url, events)), told)
    requests = "SELECT count(*), 0 FROM idempotency WHERE tenant = 'default' AND method LIKE '%Evaluate'"
    ((kept, _),) = _rows(store_url, requests)
    if kept != len(told):
        raise BadAnswer(f"{kept} request ids are kept of {len(told)} calls")
    _require_dense(store_url)


def count(store_url: str, table: str) -> int:
    """Return how many rows of the tenant a table has."""
    ((rows, _),) = _rows(store_url, f"SELECT count(*), 0 FROM {table} WHERE tenant = '{TENANT}'")
    return int(rows)


def leaves(store_url: str) -> dict[str, int]:
    """Return the leaf of each decision in the audit log."""
    query = "SELECT subject, leaf_index FROM audit WHERE tenant = 'default' AND action = 'Evaluate'"
    return dict(_rows(store_url, query))


def _require_dense(store_url: str) -> None:
    ((revisions, last),) = _rows(
        store_url, "SELECT count(DISTINCT revision), max(revision) FROM feed WHERE tenant = 'default'"
    )
    ((head, _),) = _rows(store_url, "SELECT revision, 0 FROM heads WHERE tenant = 'default'")
    if not revisions == last == head:
        raise BadAnswer(f"the feed has {revisions} revisions up to {last}, and the head is at {head}")


def _once(what: str, rows: Iterable[tuple[str, int]]) -> dict[str, int]:
    listed = list(rows)
    found = dict(listed)
    if len(found) != len(listed):
        raise BadAnswer(f"{len(listed) - len(found)} {what} are there twice")
    return found


def _same(what: str, found: dict[str, int], told: dict[str, int]) -> None:
    if found == told:
        return
    missing, more = told.keys() - found.keys(), found.keys() - told.keys()
    raise BadAnswer(
        f"{what}: {len(found)} for {len(told)} answered calls; {len(missing)} missing, {len(more)} not answered, "
        f"{sum(found[name] != told[name] for name in told.keys() & found.keys())} at another revision"
    )


def _rows(store_url: str, query: str) -> list[tuple[Any, Any]]:
    parts = urlsplit(store_url)
    if parts.scheme == "sqlite":
        with closing(sqlite3.connect(f"file:{Path(parts.path[1:])}?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()
    with psycopg.connect(store_url) as other:
        return other.execute(query.encode()).fetchall()
