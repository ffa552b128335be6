"""The schema: migrations up and down, equal to the tables, and an index for every hot query."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event, inspect, text

from release_passport_server.adapters.sql import migrate
from release_passport_server.adapters.sql.engine import DatabaseTimeouts, open_engine
from release_passport_server.adapters.sql.tables import metadata
from support.store import TENANT, Question, a_release, an_item, opened, put_item, put_release


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """Give an engine on a database without any schema."""
    made = open_engine(url, pool_size=2, password=None, timeouts=DatabaseTimeouts())
    with made.begin() as connection:
        for table in inspect(connection).get_table_names():
            connection.execute(text(f'DROP TABLE "{table}"'))
    yield made
    made.dispose()


def tables_of(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(inspect(connection).get_table_names()) - {"alembic_version"}


def is_usable(engine: Engine) -> bool:
    with engine.connect() as connection:
        return migrate.is_usable(connection)


def test_migrations_go_up_and_down_and_up_again(engine: Engine) -> None:
    assert not is_usable(engine)
    migrate.upgrade(engine)
    assert is_usable(engine)
    assert tables_of(engine) == set(metadata.tables)
    migrate.downgrade(engine, "base")
    assert (tables_of(engine), is_usable(engine)) == (set(), False)
    migrate.upgrade(engine)
    migrate.upgrade(engine)
    assert is_usable(engine)


def test_a_later_schema_is_used_as_it_is_and_an_older_one_is_not(engine: Engine) -> None:
    migrate.upgrade(engine)
    number = int(migrate.HEAD)
    for version, usable in ((number + 1, True), (number - 1, False), (number, True)):
        with engine.begin() as connection:
            connection.execute(text(f"UPDATE alembic_version SET version_num = '{version:04}'"))
        assert is_usable(engine) is usable
        if usable:
            # A version before that is started anew by the same commands changes nothing.
            migrate.upgrade(engine)


def test_migrations_make_the_tables_that_the_code_uses(engine: Engine) -> None:
    migrate.upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []


def test_the_code_knows_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(migrate._config()).get_current_head() == migrate.HEAD


def test_the_tenant_comes_first_in_every_key_and_index() -> None:
    # A writer's row belongs to a process, and three look-ups cannot name a tenant first.
    exempt = {"writers", "ix_documents_token", "ix_idempotency_expire_time", "ix_jobs_available_time"}
    for table in metadata.tables.values():
        keys: list[Any] = [table.primary_key, *table.indexes]
        for index in keys:
            if not exempt & {table.name, index.name}:
                assert next(iter(index.columns)).name == "tenant", index


async def test_no_hot_statement_reads_a_whole_table(tmp_path: Path) -> None:
    """SQLite's plans do not depend on how much there is."""
    seen: list[tuple[str, Any]] = []

    def note(connection: Connection, cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if not statement.startswith("EXPLAIN"):
            seen.append((statement, parameters))

    async with opened(f"sqlite:///{tmp_path / 'passport.db'}") as store:
        release = a_release()
        await store.write(TENANT, lambda tx: put_release(tx, release))
        event.listen(store._engine, "before_cursor_execute", note)
        await store.judge(Question(release, "run-1", items=(an_item(1, external_id="1"),)))
        await asyncio.gather(*(store.judge(Question(release, f"run-{n}")) for n in (1, 2, 3)))
        await store.write(TENANT, lambda tx: put_item(tx, an_item(external_id="2")))
        await store.read(TENANT, lambda reader: reader.newest_decision(release.name))
        event.remove(store._engine, "before_cursor_execute", note)
        with store._engine.connect() as connection:
            plans = {
                statement: [
                    row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", one)
                ]
                for statement, given in seen
                if statement.startswith(("SELECT", "UPDATE", "DELETE", "INSERT"))
                for one in [given[0] if isinstance(given, list) else given]
            }
    assert len(plans) > 15
    names = "|".join(({*metadata.tables} - {"heads"}) | {"other", "older"})
    # Going by the tenant alone would read all that it has.
    whole = re.compile(
        rf"SCAN (?:TABLE )?({names})\b|SEARCH ({names}) .*\(tenant=\?\)|SEARCH evidence .* subject=\?\)"
    )
    assert {step: text for text, steps in plans.items() for step in steps if whole.match(step)} == {}
