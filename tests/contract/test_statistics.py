"""A fresh store on PostgreSQL reads by the right index from its first thousands of rows on."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from release_passport_server.adapters.sql import statistics
from release_passport_server.adapters.sql.asked import _observations
from release_passport_server.adapters.sql.statistics import Statistics
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.ports.store import Replay, Transaction
from support.history import plain
from support.store import TENANT, an_item, put_item

pytestmark = [pytest.mark.postgres, pytest.mark.parametrize("url", ["postgresql"], indirect=True)]
LOOKED_AT = b"SELECT 1 FROM pg_statistic WHERE starelid = 'evidence'::regclass"
THOUSANDS = b"""INSERT INTO evidence SELECT (json_populate_record(one, json_build_object(
    'name', 'evidence/' || n, 'evidence_id', n::text, 'external_id', 'run-' || n, 'key', n::text))).*
    FROM evidence AS one, generate_series(1, 10000) AS n"""


def as_if_new(connection: psycopg.Connection[Any]) -> None:
    """Have the database know nothing of evidence, and find nothing out by itself."""
    connection.execute("ALTER TABLE evidence SET (autovacuum_enabled = off)")
    connection.execute("DELETE FROM pg_statistic WHERE starelid = 'evidence'::regclass")


def indexes(node: dict[str, Any]) -> set[str]:
    """Return the names of the indexes that a plan reads."""
    below = set[str]().union(*map(indexes, node.get("Plans", ())))
    return below | {node["Index Name"]} if "Index Name" in node else below


def planned(store: SQLStore, url: str) -> set[str]:
    """Return the indexes by which it is looked up what was sent before."""
    compiled = _observations("postgresql").compile(store._engine)
    asked = json.dumps([{"source": "sa:ci", "external_id": "run-7"}])
    with psycopg.connect(plain(url)) as connection:
        connection.execute("SET enable_seqscan = off")
        statement = f"EXPLAIN (FORMAT JSON) {compiled}".encode()
        ((found,),) = connection.execute(statement, compiled.params | {"tenant": TENANT, "asked": asked})
    return indexes(found[0]["Plan"])


async def test_the_writer_has_a_table_looked_at_once_it_has_grown(
    store: SQLStore, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "BYTES", 1)
    with psycopg.connect(plain(url), autocommit=True) as connection:
        as_if_new(connection)
        for number in range(statistics.FIRST // 100 + 1):
            await store.write(TENANT, lambda tx, number=number: many(tx, number))  # type: ignore[misc]
        # The writer looks at tables behind its answers, before it takes what comes next.
        await store.write(TENANT, lambda tx: None)
        assert connection.execute(LOOKED_AT).fetchone()


async def test_what_was_sent_before_is_found_by_its_id_among_thousands(store: SQLStore, url: str) -> None:
    await store.write(TENANT, lambda tx: put_item(tx, an_item(external_id="run")))
    with psycopg.connect(plain(url), autocommit=True) as connection:
        as_if_new(connection)
        connection.execute(THOUSANDS)
        looking = Statistics(store._engine)
        looking.wrote(statistics.FIRST - 1)
        assert not connection.execute(LOOKED_AT).fetchone()
        looking.wrote(1)
        assert connection.execute(LOOKED_AT).fetchone()
    assert planned(store, url) == {"ix_evidence_external", "pk_bodies"}


def many(tx: Transaction, number: int) -> None:
    """Remember a hundred answers, which are rows without more."""
    for one in range(100):
        tx.remember("sa:ci", "Test", f"{number}-{one}", Replay("sha256:" + "0" * 64, b""))
    put_item(tx, an_item(external_id=f"run-{number}"))
