"""Brings the schema to the version of the code; never destructive in one step."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from release_passport_server.adapters.sql.engine import unhurried

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0009"
_LOCK = 0x52505F4D49


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Apply every migration up to a revision; several processes may try at once. A later schema stays as it is."""
    with engine.connect() as connection:
        later = revision == "head" and is_usable(connection)
    if not later:
        _run(engine, "upgrade", revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take migrations back down to a revision."""
    _run(engine, "downgrade", revision)


def is_usable(connection: Connection) -> bool:
    """Say whether this version can use the schema: its own, or a later one; does not load the migration tool.

    Migrations only add, and number themselves in four digits, so that the version before can be started anew while the
    next one comes.
    """
    if not inspect(connection).has_table("alembic_version"):
        return False
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found is not None and str(found) >= HEAD


def _run(engine: Engine, direction: str, revision: str) -> None:
    from alembic import command

    with unhurried(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            # Whoever waits for a table's lock lets nobody else have it: rather fail than stop the service.
            connection.execute(text("SET LOCAL lock_timeout = '3s'"))
        config = _config()
        config.attributes["connection"] = connection
        getattr(command, direction)(config, revision)


@lru_cache(maxsize=1)
def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return config
