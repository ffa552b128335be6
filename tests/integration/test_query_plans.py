"""The plans of everything that calls ask of a store with a past: indexes, and only the rows that are needed.

Run with `-s` to see every plan.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
import pytest
from google.protobuf.message import Message
from psycopg import sql
from psycopg._queries import PostgresQuery
from psycopg.adapt import Transformer
from sqlalchemy import event

from perf.fill import TENANT, Grown, Prepared, fill, prepare
from perf.load import EVALUATE, Target, closed_loop, exchanges
from perf.paging import DEPTHS, lists
from perf.past import Size
from perf.workload import Version, evaluate
from release_passport.v1 import release_service_pb2
from release_passport.v1.decision_service_pb2 import EvaluateRequest
from release_passport_server import bootstrap
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.adapters.sql.tables import metadata
from release_passport_server.domain.record import Page
from support.history import plain
from support.server import free_ports, serving

# With three services one has nearly everything: series and places as long as those of a store that is years old.
SIZE = Size(decisions=4000, evidence=20_000, services=3)
# Far more than any statement needs, far less than what a series, a place or a table has.
MOST_ROWS = 1200
GROWING = sorted({"attempts", "audit", "bodies", "decisions", "evidence", "feed", "feed_scopes", "idempotency",
                  "release_artifacts", "releases", "series"} & metadata.tables.keys())  # fmt: skip
_NAMES = "|".join((*GROWING, "other", "older"))
WHOLE = re.compile(rf"SCAN (?:TABLE )?({_NAMES})\b|SEARCH (evidence|older) .*\(tenant=\? AND subject=\?\)")
TENANT_ALONE = re.compile(rf"SEARCH ({_NAMES}) .*\(tenant=\?( AND kind=\?)?\)")
_PASSPORT = "/release_passport.v1.ReleaseService"


@dataclass
class Noted:
    """Statements as the server sent them, each with the first parameters that came with it."""

    statements: dict[str, Any] = field(default_factory=dict)

    def note(self, _: object, __: object, statement: str, parameters: Any, *___: object) -> None:
        if statement.startswith(("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")):
            given = parameters[0] if isinstance(parameters, list) else parameters
            self.statements.setdefault(statement, given)


@pytest.fixture(scope="module")
def filled_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Give an embedded store with a past."""
    return filled(f"sqlite:///{tmp_path_factory.mktemp('plans') / 'passport.db'}")


@pytest.fixture(scope="module")
def filled_postgres(postgres_url: str) -> Prepared:
    """Give a store on PostgreSQL with a past, and with statistics."""
    return filled(plain(postgres_url))


def filled(url: str) -> Prepared:
    prepared = asyncio.run(prepare(url, SIZE))
    fill(prepared, SIZE)
    return prepared


async def everything_asked(prepared: Prepared) -> Noted:
    """Return what a server sends to the store for the calls that gates and people make all day."""
    settings = free_ports(store={"url": prepared.url}, worker={"enabled": False})
    store = bootstrap.open_store(settings)
    noted = Noted()
    try:
        async with serving(await bootstrap.build(store, settings), settings) as process:
            target = Target("127.0.0.1", process.grpc_port, prepared.tokens[TENANT])
            work = Grown(target, SIZE.services)
            versions = await work.versions(3)
            event.listen(store._engine, "before_cursor_execute", noted.note)
            await call(work, replace(target, token=prepared.admin), [*versions, *await work.versions(3)])
            await listed(store)
            event.remove(store._engine, "before_cursor_execute", noted.note)
    finally:
        await store.close()
    return noted


async def call(work: Grown, admin: Target, versions: Sequence[Version]) -> None:
    """Ask about releases with evidence and without, alone and together; submit; roll out; read."""
    questions = [evaluate(version) for version in versions]
    without = [EvaluateRequest(release=version.release).SerializeToString() for version in versions]
    for asked in (questions[:1], questions[1:], questions[:1], without[:1], without[1:]):
        (await closed_loop(work.target, exchanges(EVALUATE, asked), in_flight=len(asked))).require_ok()
    await work.submit_rest(versions[:1], inline=0)
    service = release_service_pb2
    names = [version.release for version in versions[:2]]
    calls: list[tuple[str, Sequence[Message]]] = [
        ("GetPassport", [service.GetPassportRequest(name=name) for name in names]),
        ("GetRelease", [service.GetReleaseRequest(name=name) for name in names]),
    ]
    for method, requests in calls:
        asked = [request.SerializeToString() for request in requests]
        run = await closed_loop(admin, exchanges(f"{_PASSPORT}/{method}", asked), in_flight=1)
        run.require_ok()


async def listed(store: SQLStore) -> None:
    """Read a page of every list with every filter, at the top and far down."""
    head = await store.read(TENANT, lambda reader: reader.revision())
    pages = [Page(50, f"{int(head * (1 - depth))} ~" if depth else "") for depth in DEPTHS]
    for one in (await store.read(TENANT, lambda reader: lists(reader, SIZE))).values():
        for page in pages:
            await store.read(TENANT, lambda reader, one=one, page=page: one(reader, page))  # type: ignore[misc]


@contextmanager
def prepared_statement(
    connection: psycopg.Connection[Any], statement: str, given: Any
) -> Iterator[sql.Composed]:
    """Prepare a statement as the driver does after some runs; give what executes it."""
    query = PostgresQuery(Transformer(connection))
    query.convert(statement, given)
    values = [given[name] for name in query._order] if query._order else list(given or ())
    connection.execute(sql.SQL("PREPARE asked AS ") + sql.SQL(query.query.decode()))
    try:
        arguments = sql.SQL("({})").format(sql.SQL(", ").join(values)) if values else sql.SQL("")
        yield sql.SQL("EXECUTE asked") + arguments
    finally:
        connection.execute("DEALLOCATE asked")


def plan(connection: psycopg.Connection[Any], statement: str, given: Any, mode: str) -> dict[str, Any]:
    """Return the plan, with the rows that it really read unless it writes."""
    connection.execute(sql.SQL("SET plan_cache_mode = {}").format(sql.SQL(mode)))
    runs = "FALSE" if "INSERT INTO" in statement else "TRUE"
    with prepared_statement(connection, statement, given) as execute:
        explained = sql.SQL(f"EXPLAIN (FORMAT JSON, ANALYZE {runs}) ") + execute
        ((found,),) = connection.execute(explained).fetchall()
    root: dict[str, Any] = found[0]["Plan"]
    return root


def nodes(node: dict[str, Any], depth: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the steps of a plan with their depths."""
    yield depth, node
    for child in node.get("Plans", ()):
        yield from nodes(child, depth + 1)


def rows_read(node: dict[str, Any]) -> int:
    """Return how many rows a step has looked at."""
    each = node.get("Actual Rows", 0) + node.get("Rows Removed by Filter", 0)
    return int(each * node.get("Actual Loops", 1))


def shown(root: dict[str, Any]) -> str:
    """Return a plan as people read it."""
    lines = []
    for depth, node in nodes(root):
        what = [node["Node Type"], node.get("Index Name") or node.get("Relation Name") or ""]
        what.append(f"{rows_read(node):,} rows" if "Actual Rows" in node else "")
        lines.append("  " * (depth + 1) + "  ".join(part for part in what if part))
    return "\n".join(lines)


@pytest.mark.postgres
@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_postgresql_reads_no_more_than_it_needs(filled_postgres: Prepared, mode: str) -> None:
    noted = await everything_asked(filled_postgres)
    assert len(noted.statements) > 40
    bad = []
    with psycopg.connect(filled_postgres.url, prepare_threshold=None) as connection:
        for statement, given in noted.statements.items():
            root = plan(connection, statement, given, mode)
            text = f"{' '.join(statement.split())[:400]}\n{shown(root)}"
            sys.stdout.write(f"\n{text}\n")
            if max(rows_read(node) for _, node in nodes(root)) > MOST_ROWS:
                bad.append(text)
            # What is small is rightly read whole, as long as an index is there for when it has grown.
            connection.execute("SET enable_seqscan = off")
            indexed = plan(connection, statement, given, mode)
            connection.execute("SET enable_seqscan = on")
            if any(
                one["Node Type"] == "Seq Scan" and one["Relation Name"] in GROWING
                for _, one in nodes(indexed)
            ):
                bad.append(f"{text}\nwithout sequential scans:\n{shown(indexed)}")
        connection.rollback()
    assert not bad, "\n\n".join(["these read too much:", *bad])


async def test_sqlite_reads_no_more_than_it_needs(filled_sqlite: Prepared) -> None:
    noted = await everything_asked(filled_sqlite)
    assert len(noted.statements) > 40
    bad = []
    with closing(sqlite3.connect(filled_sqlite.url.removeprefix("sqlite:///"))) as connection:
        for statement, given in noted.statements.items():
            explained = connection.execute(f"EXPLAIN QUERY PLAN {statement}", given or ())
            steps = [row[-1] for row in explained]
            text = "\n  ".join([" ".join(statement.split())[:400], *steps])
            sys.stdout.write(f"\n{text}\n")
            # One page of rows in an index's order, or one end of it, is read without the rest.
            ends = (
                "LIMIT" in statement and "USE TEMP B-TREE FOR ORDER BY" not in steps
            ) or "min(" in statement
            if any(WHOLE.match(step) or (not ends and TENANT_ALONE.match(step)) for step in steps):
                bad.append(text)
    assert not bad, "\n\n".join(["these read too much:", *bad])
