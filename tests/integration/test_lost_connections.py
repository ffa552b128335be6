"""PostgreSQL goes away at the worst moments: what was acknowledged is there, and nothing is there twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from release_passport_server.adapters.sql.engine import DatabaseTimeouts
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.errors import Unavailable
from release_passport_server.ports.store import Transaction
from support.history import plain
from support.store import TENANT, an_item, opened, put_item, workload


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[SQLStore]:
    """Give an empty store whose connections are about to break."""
    async with opened(postgres_url, lambda: datetime.now(UTC), pool_size=2) as made:
        with closing(psycopg.connect(plain(postgres_url), autocommit=True)) as connection:
            connection.execute("TRUNCATE heads, feed, feed_scopes, evidence, series, bodies")
        yield made


def break_at(store: SQLStore, monkeypatch: pytest.MonkeyPatch, *, committed: bool) -> list[str]:
    """Let the connection break at the next commit, before or after it has happened."""
    commit, broken = store._engine.dialect.do_commit, [""]

    def commits(connection: Any) -> None:
        if broken == [""]:
            broken[0] = "broken"
            if committed:
                commit(connection)
            connection.dbapi_connection.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        commit(connection)

    monkeypatch.setattr(store._engine.dialect, "do_commit", commits)
    return broken


def kill_everybody(url: str) -> None:
    with closing(psycopg.connect(plain(url), autocommit=True)) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def counting(runs: list[int]) -> Callable[[Transaction], None]:
    def act(tx: Transaction) -> None:
        runs.append(tx.revision())
        put_item(tx, an_item(at=tx.now))

    return act


@pytest.mark.parametrize(("committed", "runs_expected"), [(True, 1), (False, 2)])
async def test_a_commit_that_was_not_answered_happens_once(
    store: SQLStore, monkeypatch: pytest.MonkeyPatch, committed: bool, runs_expected: int
) -> None:
    first = await store.write(TENANT, lambda tx: put_item(tx, an_item()))
    runs: list[int] = []
    broken = break_at(store, monkeypatch, committed=committed)
    written = await store.write(TENANT, counting(runs))
    assert (broken, len(runs)) == (["broken"], runs_expected)
    assert written.revision == first.revision + 1
    found = await store.read(TENANT, lambda reader: reader.evidence_about([workload()]))
    assert len(found) == 2


async def test_connections_that_broke_while_idle_are_replaced(store: SQLStore, postgres_url: str) -> None:
    await store.write(TENANT, lambda tx: put_item(tx, an_item()))
    await store.read(TENANT, lambda reader: reader.revision())
    kill_everybody(postgres_url)
    assert await store.read(TENANT, lambda reader: reader.revision()) == 1
    kill_everybody(postgres_url)
    assert (await store.write(TENANT, lambda tx: put_item(tx, an_item()))).revision == 2


async def test_a_batch_whose_connection_breaks_begins_anew(store: SQLStore, postgres_url: str) -> None:
    runs: list[int] = []

    def act(tx: Transaction) -> None:
        runs.append(1)
        if len(runs) == 1:
            kill_everybody(postgres_url)
        put_item(tx, an_item(at=tx.now))

    assert (await store.write(TENANT, act)).revision == 1
    assert len(runs) == 2


async def test_a_database_that_is_not_there_is_unavailable() -> None:
    store = SQLStore.open(
        "postgresql://postgres@127.0.0.1:1/none",
        lambda: datetime.now(UTC),
        timeouts=DatabaseTimeouts(connect=2),
    )
    try:
        for call in (
            store.write(TENANT, lambda tx: put_item(tx, an_item())),
            store.read(TENANT, lambda reader: reader.revision()),
            store.ready(),
        ):
            with pytest.raises(Unavailable) as refused:
                await call
            assert (refused.value.reason, refused.value.retry_after) == ("STORE_UNAVAILABLE", 1.0)
            assert "127.0.0.1" not in refused.value.message
    finally:
        await store.close()


async def test_a_head_that_somebody_keeps_locked_makes_writers_give_up(postgres_url: str) -> None:
    timeouts = DatabaseTimeouts(lock=0.2)
    async with opened(postgres_url, lambda: datetime.now(UTC), pool_size=2, timeouts=timeouts) as store:
        await store.write(TENANT, lambda tx: put_item(tx, an_item()))
        with closing(psycopg.connect(plain(postgres_url))) as other:
            other.execute("SELECT 1 FROM heads FOR UPDATE")
            with pytest.raises(Unavailable):
                await store.write(TENANT, lambda tx: put_item(tx, an_item()))
            other.rollback()
        await store.write(TENANT, lambda tx: put_item(tx, an_item()))


async def test_what_is_acknowledged_is_on_disk_whatever_the_database_s_default(postgres_url: str) -> None:
    name = make_url(postgres_url).database
    with closing(psycopg.connect(plain(postgres_url), autocommit=True)) as connection:
        connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off'.encode())
        connection.execute(
            f'ALTER DATABASE "{name}" SET default_transaction_isolation = serializable'.encode()
        )
    async with opened(postgres_url, lambda: datetime.now(UTC), pool_size=2) as store:

        def settings(tx: Transaction) -> list[str]:
            names = ("synchronous_commit", "transaction_isolation")
            query = "SELECT current_setting('{}')"
            return [str(tx._connection.exec_driver_sql(query.format(one)).scalar()) for one in names]  # type: ignore[attr-defined]

        assert (await store.write(TENANT, settings)).value == ["on", "read committed"]
