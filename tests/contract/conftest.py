"""Every test of this folder runs on both engines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from release_passport_server.adapters.sql.jobs import SQLJobs
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.adapters.sql.tables import metadata
from support.store import SetClock, a_tenant, opened
from support.working import aside_of


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'passport.db'}"
    given: str = request.getfixturevalue("postgres_url")
    emptied(given)
    return given


@pytest.fixture
def clock() -> SetClock:
    """Give the host's clock."""
    return SetClock()


@pytest.fixture
async def store(url: str, clock: SetClock) -> AsyncIterator[SQLStore]:
    """Give a store with one tenant."""
    async with opened(url, clock) as made:
        await made.write("acme", lambda tx: tx.put_tenant(a_tenant()))
        yield made


@pytest.fixture
async def sqlite_store(tmp_path: Path, clock: SetClock) -> AsyncIterator[SQLStore]:
    """Give a store whose time is the host's, and can be moved."""
    async with opened(f"sqlite:///{tmp_path / 'passport.db'}", clock) as made:
        await made.write("acme", lambda tx: tx.put_tenant(a_tenant()))
        yield made


@pytest.fixture
def jobs(store: SQLStore, clock: SetClock) -> SQLJobs:
    """Give the jobs, at a time that the test moves."""
    return SQLJobs(aside_of(store, clock), store.write)


@pytest.fixture
async def other(store: SQLStore, url: str, clock: SetClock) -> AsyncIterator[SQLJobs]:
    """Give the jobs as another process sees them; SQLite has only one."""
    if url.startswith("sqlite"):
        yield SQLJobs(aside_of(store, clock), store.write)
        return
    async with opened(url, clock) as second:
        yield SQLJobs(aside_of(second, clock), second.write)


def emptied(url: str) -> None:
    """Remove what an earlier test left."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        found = connection.execute(text("SELECT to_regclass('heads')")).scalar()
        if found is not None:
            names = ", ".join(f'"{table}"' for table in metadata.tables)
            connection.execute(text(f"TRUNCATE {names}"))
    engine.dispose()
