"""A writer whose connection broke off in the midst of a batch finds what it left behind there, and ends it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import psycopg
import pytest

from release_passport_server.adapters.sql import engine
from release_passport_server.adapters.sql.engine import DatabaseTimeouts
from release_passport_server.adapters.sql.patience import PatientConnection
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.errors import Unavailable
from support.history import plain
from support.proxy import Proxy, Way, proxied
from support.store import TENANT, a_tenant

pytestmark = [pytest.mark.postgres, pytest.mark.parametrize("url", ["postgresql"], indirect=True)]

TIMEOUTS = DatabaseTimeouts(lock=1.0, answer=1.0)
# What the database is in that has been sent statements without their end: it waits for the rest, in no transaction.
_HALFWAY = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'release-passport'"
    " AND state = 'active' AND wait_event = 'ClientRead'"
)


@pytest.fixture
def behind(url: str) -> Iterator[tuple[Proxy, str]]:
    with proxied(url) as (proxy, other):
        yield proxy, other


async def test_what_was_sent_in_part_holds_no_lock_for_ever(
    store: SQLStore, url: str, behind: tuple[Proxy, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, through = behind
    far = SQLStore.open(through, datetime.now, timeouts=TIMEOUTS)
    try:
        await far.write(TENANT, lambda tx: tx.put_tenant(a_tenant()))
        synchronize = PatientConnection.synchronize

        def broken_off(connection: PatientConnection) -> None:
            """Have the network swallow the end of what was sent, once the database has the rest."""
            if connection.is_piping and proxy.way is Way.PASS and connection.pgconn.transaction_status:
                connection.pgconn.flush()
                _until_halfway(url)
                proxy.turn(Way.SWALLOW)
            synchronize(connection)

        with monkeypatch.context() as patched:
            patched.setattr(PatientConnection, "synchronize", broken_off)
            with pytest.raises(Unavailable):
                await far.write(TENANT, lambda tx: tx.put_tenant(a_tenant()))
        # Its locks are in everybody's way.
        with psycopg.connect(plain(url)) as other:
            other.execute("SET lock_timeout = '100ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute("UPDATE heads SET revision = revision")
        proxy.turn(Way.PASS)
        await far.write(TENANT, lambda tx: tx.put_tenant(a_tenant()))
        await store.write(TENANT, lambda tx: tx.put_tenant(a_tenant()))
    finally:
        await far.close()


async def test_who_may_end_no_session_writes_all_the_same(
    store: SQLStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(engine, "_END", "SELECT nobody_may(%s)")
    connection = engine.connect_to_write(store._engine, {1})
    try:
        with connection.begin():
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    finally:
        connection.invalidate()
        connection.close()
    assert "left behind" in caplog.text


def _until_halfway(url: str) -> None:
    with psycopg.connect(plain(url), autocommit=True) as looking:
        for _ in range(200):
            found = looking.execute(_HALFWAY).fetchone()
            if found is not None and found[0]:
                return
            looking.execute("SELECT pg_sleep(0.01)")
    raise AssertionError("the database was not found halfway")
