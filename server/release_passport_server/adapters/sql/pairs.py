"""The pairs of values that two columns have: found by an index, from one pair to the next, past all rows between."""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, bindparam, func, select, true, tuple_

from release_passport_server.adapters.sql.statements import given_rows

Pair = tuple[str, str]


def pairs(
    connection: Connection,
    tenant: str,
    table: Table,
    columns: Pair,
    firsts: Collection[str] | None = None,
) -> list[Pair]:
    """Return the pairs that a tenant's rows have, or those with one of the first values.

    An index has to begin with the tenant and the columns. The rows between are not read, however many they are.
    """
    dialect = connection.dialect.name
    if firsts is None and dialect == "postgresql":
        rows = connection.execute(_all(table, columns), {"tenant": tenant})
    else:
        if firsts is None:
            firsts = connection.execute(_firsts(table, columns[0]), {"tenant": tenant}).scalars().all()
        given = json.dumps([{"first": first} for first in sorted(firsts)])
        rows = connection.execute(_with(dialect, table, columns), {"tenant": tenant, "firsts": given})
    return [(row[0], row[1]) for row in rows]


@lru_cache
def _all(table: Table, columns: Pair) -> Select[Any]:
    """Return the select of all pairs, which takes a lateral join and an index that is good for both at once."""
    found = _least(table, columns).cte("found", recursive=True)
    last = (found.c[name] for name in columns)
    behind = tuple_(*(table.c[name] for name in columns)) > tuple_(*last)
    one = _least(table, columns, behind).correlate(found).lateral("one")
    return select(found.union_all(select(*one.c).select_from(found.join(one, true()))))


def _least(table: Table, columns: Pair, *conditions: ColumnElement[bool]) -> Select[Any]:
    pair = [table.c[name] for name in columns]
    rows = select(*pair).where(table.c.tenant == bindparam("tenant"), *conditions)
    return rows.order_by(*pair).limit(1)


@lru_cache
def _firsts(table: Table, column: str) -> Select[Any]:
    """Return the select of the first values alone."""

    def least(*conditions: ColumnElement[bool]) -> Any:
        return select(func.min(table.c[column])).where(table.c.tenant == bindparam("tenant"), *conditions)

    found = select(least().scalar_subquery().label("first")).cte("found", recursive=True)
    following = least(table.c[column] > found.c.first).correlate(found).scalar_subquery()
    found = found.union_all(select(following).where(found.c.first.is_not(None)))
    return select(found).where(found.c.first.is_not(None))


@lru_cache
def _with(dialect: str, table: Table, columns: Pair) -> Select[Any]:
    """Return the select of the pairs that begin with `:firsts`."""
    first, second = (table.c[name] for name in columns)
    given = given_rows(dialect, "firsts", "first")

    def least(of: ColumnElement[str], source: Any, *conditions: ColumnElement[bool]) -> Any:
        value = select(func.min(second)).where(
            table.c.tenant == bindparam("tenant"), first == of, *conditions
        )
        return value.correlate(source).scalar_subquery().label("second")

    found = select(given.c.first, least(given.c.first, given)).cte("found", recursive=True)
    following = least(found.c.first, found, second > found.c.second)
    step = select(found.c.first, following).where(found.c.second.is_not(None))
    found = found.union_all(step)
    return select(found).where(found.c.second.is_not(None))
