"""Many rows of many tables at once, past SQLAlchemy's work for each row: the statements are made from its tables."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Boolean, Connection, Integer, LargeBinary, SmallInteger, Table

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.codec import Values
from release_passport_server.adapters.sql.tables import Moment, microseconds

# A later state of these replaces the earlier one.
_REPLACED = {tables.attempts, tables.documents, tables.idempotency, tables.jobs}
# A job that runs is not taken from who runs it: it is due again once that is over.
_SCHEDULED = """ ON CONFLICT (tenant, kind, "key") DO UPDATE SET due_time = excluded.due_time,
payload = excluded.payload, generation = jobs.generation + 1, attempts = 0, error = '', dead_time = NULL,
available_time = CASE WHEN jobs.holder = '' THEN excluded.available_time ELSE jobs.available_time END"""
# These may be there already, and are the same then.
_SHARED = {tables.bodies, tables.series, tables.feed_scopes, tables.release_artifacts}

_Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Beside:
    """A statement for PostgreSQL that goes along with the rows, and its one parameter."""

    name: str
    statement: str
    given: str


def insert_rows(
    connection: Connection, waiting: Mapping[Table, Sequence[Values]], beside: Sequence[Beside] = ()
) -> None:
    """Insert the rows of every table; on PostgreSQL by one statement, because each costs a round trip."""
    given = {table: _distinct(table, rows) for table, rows in waiting.items()}
    if connection.dialect.name == "sqlite":
        for table, rows in given.items():
            columns = _columns(table, binary=True)
            values = [tuple(_converted(row, columns)) for row in rows]
            connection.exec_driver_sql(_one_row(table), values)
        return
    texts = []
    for table, rows in given.items():
        columns = _columns(table, binary=False)
        names = [column for column, _ in columns]
        texts.append(json.dumps([dict(zip(names, _converted(row, columns), strict=True)) for row in rows]))
    parts = [(f"put_{table.name}", _from_json(table)) for table in given]
    parts += [(one.name, one.statement) for one in beside]
    statement = ", ".join(f"{name} AS ({part})" for name, part in parts)
    parameters = (*texts, *(one.given for one in beside))
    connection.exec_driver_sql(f"WITH {statement} SELECT 1", parameters)


def _distinct(table: Table, rows: Sequence[Values]) -> Sequence[Values]:
    """Return the last row of each key: one statement cannot replace a row twice."""
    if table not in _REPLACED or len(rows) < 2:
        return rows
    keys = [column.name for column in table.primary_key]
    return list({tuple(row[key] for key in keys): row for row in rows}.values())


def _converted(row: Values, columns: Sequence[tuple[str, _Convert | None]]) -> Iterator[Any]:
    for name, convert in columns:
        value = row.get(name)
        yield value if convert is None or value is None else convert(value)


def _base64(value: bytes) -> str:
    return b64encode(value).decode("ascii")


@lru_cache
def _columns(table: Table, *, binary: bool) -> tuple[tuple[str, _Convert | None], ...]:
    """Return the columns, each with what turns its values into what the statement takes."""
    converts: dict[type, _Convert] = {Moment: microseconds}
    if not binary:
        converts[LargeBinary] = _base64
    return tuple((column.name, converts.get(type(column.type))) for column in table.c)


@lru_cache
def _one_row(table: Table) -> str:
    marks = ", ".join("?" for _ in table.c)
    return f"INSERT INTO {table.name} ({_names(table)}) VALUES ({marks}){_conflict(table)}"  # noqa: S608


@lru_cache
def _from_json(table: Table) -> str:
    typed = ", ".join(f'"{column.name}" {_type(column.type)}' for column in table.c)
    taken = ", ".join(
        f"decode(\"{column.name}\", 'base64')" if isinstance(column.type, LargeBinary) else f'"{column.name}"'
        for column in table.c
    )
    rows = f"SELECT {taken} FROM json_to_recordset(%s::json) AS given({typed})"  # noqa: S608
    return f"INSERT INTO {table.name} ({_names(table)}) {rows}{_conflict(table)}"


def _names(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.c)


def _conflict(table: Table) -> str:
    if table is tables.jobs:
        return _SCHEDULED
    if table in _SHARED:
        return " ON CONFLICT DO NOTHING"
    if table not in _REPLACED:
        return ""
    keys = [column.name for column in table.primary_key]
    others = ", ".join(f'"{one.name}" = excluded."{one.name}"' for one in table.c if one.name not in keys)
    return f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {others}"


def _type(kind: Any) -> str:
    match kind:
        case Boolean():
            return "boolean"
        case SmallInteger() | Integer() | BigInteger() | Moment():
            return "bigint"
        case _:
            return "text"
