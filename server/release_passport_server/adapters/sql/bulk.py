"""Many rows of many tables at once, past SQLAlchemy's work for each row: the statements are made from its tables."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import BigInteger, Boolean, Connection, Integer, LargeBinary, SmallInteger, Table

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.codec import Values
from release_passport_server.adapters.sql.tables import Moment, microseconds

# A later state of these replaces the earlier one.
_REPLACED = {tables.attempts, tables.documents, tables.idempotency, tables.jobs}
# A job that runs is not taken from who runs it: it is due again once that is over.
_SCHEDULED = """ ON CONFLICT (tenant, kind, "key") DO UPDATE SET due_time = excluded.due_time,
payload = excluded.payload, place = excluded.place, open_time = excluded.open_time,
generation = jobs.generation + 1, attempts = 0, error = '', dead_time = NULL,
available_time = CASE WHEN jobs.holder = '' THEN excluded.available_time ELSE jobs.available_time END"""
# These may be there already, and are the same then.
_SHARED = {
    tables.bodies,
    tables.series,
    tables.feed_scopes,
    tables.release_artifacts,
    tables.release_subjects,
}

_Convert = Callable[[Any], Any]
_encode = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode


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
            values = _converted(table, rows, binary=True)
            connection.exec_driver_sql(_one_row(table), [tuple(row) for row in values])
        return
    texts = []
    for table, rows in given.items():
        texts.append(_encode(_converted(table, rows, binary=False)))
    parts = [(f"put_{table.name}", _from_json(table)) for table in given]
    parts += [(one.name, one.statement) for one in beside]
    statement = ", ".join(f"{name} AS ({part})" for name, part in parts)
    parameters = (*texts, *(one.given for one in beside))
    connection.exec_driver_sql(f"WITH {statement} SELECT 1", parameters)


def _distinct(table: Table, rows: Sequence[Values]) -> Sequence[Values]:
    """Return the last row of each key: one statement cannot replace a row twice, and the same facts come often."""
    if len(rows) < 2 or not (table in _REPLACED or table is tables.bodies):
        return rows
    key = itemgetter(*(column.name for column in table.primary_key))
    return list({key(row): row for row in rows}.values())


def _converted(table: Table, rows: Sequence[Values], *, binary: bool) -> list[list[Any]]:
    """Return the values of each row, in the order of the table's columns, as the statement takes them."""
    names, converts = _columns(table, binary=binary)
    converted = [list(map(row.get, names)) for row in rows]
    for position, convert in converts:
        for values in converted:
            if values[position] is not None:
                values[position] = convert(values[position])
    return converted


def _base64(value: bytes) -> str:
    return b64encode(value).decode("ascii")


@lru_cache
def _columns(table: Table, *, binary: bool) -> tuple[list[str], list[tuple[int, _Convert]]]:
    """Return the columns, and by position what turns the values of some into what the statement takes."""
    converts: dict[type, _Convert] = {Moment: microseconds}
    if not binary:
        converts[LargeBinary] = _base64
    columns = list(table.c)
    kinds = [type(column.type) for column in columns]
    return (
        [column.name for column in columns],
        [(position, converts[kind]) for position, kind in enumerate(kinds) if kind in converts],
    )


@lru_cache
def _one_row(table: Table) -> str:
    marks = ", ".join("?" for _ in table.c)
    return f"INSERT INTO {table.name} ({_names(table)}) VALUES ({marks}){_conflict(table)}"  # noqa: S608


@lru_cache
def _from_json(table: Table) -> str:
    # Rows as lists: as objects, with every name in every row, both sides take twice as long.
    taken = ", ".join(_taken(place, column.type) for place, column in enumerate(table.c))
    rows = f"SELECT {taken} FROM jsonb_array_elements(%s::jsonb) AS given"  # noqa: S608
    return f"INSERT INTO {table.name} ({_names(table)}) {rows}{_conflict(table)}"


def _taken(place: int, kind: Any) -> str:
    text = f"given->>{place}"
    return f"decode({text}, 'base64')" if isinstance(kind, LargeBinary) else f"({text})::{_type(kind)}"


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
