"""What must hold of a store whatever was killed: nothing is there by half, nothing twice, no number is missing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, select
from sqlalchemy.engine import make_url

from release_passport_server.adapters.sql import tables
from release_passport_server.domain.canonical import digest

DECIDED = ("decision.changed", "decision.renewed")


def faults(url: str) -> list[str]:
    """Return everything that is wrong with a store, in words."""
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            return [
                *_heads(connection),
                *_decisions(connection),
                *_evidence(connection),
                *([] if engine.dialect.name == "postgresql" else _file(connection)),
            ]
    finally:
        engine.dispose()


def decided(url: str) -> Counter[str]:
    """Return how many decisions each release has, by its version."""
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            releases = connection.scalars(select(tables.decisions.c.release))
            return Counter(release.rpartition("/")[2] for release in releases)
    finally:
        engine.dispose()


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return create_engine(parsed)


def _heads(connection: Connection) -> Iterator[str]:
    """Revisions and leaves are dense, and the head is at the last of each."""
    for head in connection.execute(select(tables.heads)).all():
        tenant = head.tenant
        feed = connection.scalars(
            select(tables.feed.c.revision).where(tables.feed.c.tenant == tenant).distinct()
        )
        yield from _dense(f"revisions of {tenant}", feed, 1, head.revision)
        audit = tables.audit.c
        leaves = connection.scalars(select(audit.leaf_index).where(audit.tenant == tenant))
        yield from _dense(f"leaves of {tenant}", leaves, 0, head.leaf_count - 1)


def _dense(what: str, found: Iterable[int], first: int, last: int) -> Iterator[str]:
    numbers = sorted(found)
    if numbers != list(range(first, last + 1)):
        missing = sorted(set(range(first, last + 1)) - set(numbers))
        yield f"{what}: {len(numbers)} up to {last}, missing {missing[:5]}, last {numbers[-1:]}"


def _decisions(connection: Connection) -> Iterator[str]:
    """Each decision has its event, its entry in the audit log with its digest, its release and its request id."""
    decisions = _by(connection, tables.decisions, "name")
    events = _by(connection, tables.feed, "subject", lambda row: row.type in DECIDED)
    entries = _by(connection, tables.audit, "subject", lambda row: "/decisions/" in row.subject)
    answers = _by(connection, tables.idempotency, "answer", lambda row: row.method == "Evaluate")
    releases = _by(connection, tables.releases, "name")
    items = _by(connection, tables.evidence, "name")
    for (tenant, name), (decision, *more) in decisions.items():
        if more:
            yield f"{name} is there {1 + len(more)} times"
        told = events.get((tenant, name), []) + entries.get((tenant, name), [])
        if [row.revision for row in told] != [decision.revision] * 2:
            yield f"{name}: event and entry have revisions {[row.revision for row in told]}"
        for entry in entries.get((tenant, name), []):
            if json.loads(entry.body)["detail"]["bodyDigest"] != digest(decision.body):
                yield f"{name}: the entry is about another body"
        if len(answers.get((tenant, name.encode()), [])) != 1:
            yield f"{name} is not the answer to one request id"
        if (tenant, decision.release) not in releases:
            yield f"{name}: there is no release"
        rests_on = json.loads(decision.evidence)
        missing = [one for one in rests_on if "/evidence/" in one and (tenant, one) not in items]
        if missing:
            yield f"{name}: evidence is missing: {missing}"
    yield from _without(decisions, "event", events)
    yield from _without(decisions, "entry", entries)
    known = {(tenant, name.encode()) for tenant, name in decisions}
    yield from (f"an answer without a decision: {name}" for name in answers.keys() - known)


def _without(decisions: dict[Any, Any], what: str, others: dict[Any, Any]) -> Iterator[str]:
    yield from (f"an {what} without a decision: {name}" for name in others.keys() - decisions.keys())


def _evidence(connection: Connection) -> Iterator[str]:
    """Each item has its facts and its event."""
    facts = _by(connection, tables.bodies, "digest")
    events = _by(connection, tables.feed, "subject", lambda row: row.type.startswith("evidence."))
    for (tenant, name), (item, *_) in _by(connection, tables.evidence, "name").items():
        if (tenant, item.facts_digest) not in facts:
            yield f"{name} has no facts"
        if item.revision not in [row.revision for row in events.get((tenant, name), [])]:
            yield f"{name} has no event"


def _file(connection: Connection) -> Iterator[str]:
    found = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
    if found != ["ok"]:
        yield f"the file is damaged: {found[:3]}"


def _by(connection: Connection, table: Any, key: str, wanted: Any = None) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = {}
    for row in connection.execute(select(table)):
        if wanted is None or wanted(row):
            found.setdefault((row.tenant, getattr(row, key)), []).append(row)
    return found
