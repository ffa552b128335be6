"""How often the writer waits for PostgreSQL, and that it is told what went wrong all the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from release_passport_server.adapters.sql.patience import PatientConnection
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.errors import AlreadyExists
from support.history import plain
from support.store import TENANT, Question, a_release, an_item

pytestmark = [pytest.mark.postgres, pytest.mark.parametrize("url", ["postgresql"], indirect=True)]


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give what is waited for by the writer from now on."""
    found: list[str] = []
    synchronize, commit = PatientConnection.synchronize, PatientConnection.commit

    def synchronized(connection: PatientConnection) -> None:
        if connection.is_piping:
            found.append("answers")
        synchronize(connection)

    def committed(connection: PatientConnection) -> None:
        if connection.is_piping:
            found.append("commit")
        commit(connection)

    monkeypatch.setattr(PatientConnection, "synchronize", synchronized)
    monkeypatch.setattr(PatientConnection, "commit", committed)
    return found


@contextmanager
def refusing(url: str, table: str) -> Iterator[None]:
    """Have the database refuse every new row of a table for a while."""
    with psycopg.connect(plain(url), autocommit=True) as connection:
        connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT none CHECK (tenant = '') NOT VALID".encode())
        yield
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT none".encode())


def a_question(number: int) -> Question:
    """Return a question about a new release, with evidence and a request id."""
    return Question(a_release(str(number)), f"id-{number}", items=(an_item(),), creates=True)


async def test_a_lone_question_with_evidence_takes_four_round_trips(
    store: SQLStore, waits: list[str]
) -> None:
    for number in range(3):
        await store.judge(a_question(number))
    waits.clear()
    await store.judge(a_question(3))
    assert waits == ["answers", "answers", "answers", "commit"]


async def test_what_the_database_refuses_at_the_end_is_told_and_nothing_is_recorded(
    store: SQLStore, url: str
) -> None:
    for number in range(3):
        await store.judge(a_question(number))
    revision = await store.read(TENANT, lambda reader: reader.revision())
    with refusing(url, "audit"), pytest.raises(AlreadyExists):
        await store.judge(a_question(3))
    assert await store.read(TENANT, lambda reader: reader.revision()) == revision
    # The evidence has the first one, the decision the second.
    assert (await store.judge(a_question(3))).revision == revision + 2
