"""Lists as one parameter, so that a statement's text is the same however many there are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Text, any_, bindparam, func, select
from sqlalchemy.types import TypeDecorator


class Strings(TypeDecorator[Sequence[str]]):
    """A list of texts: an array on PostgreSQL, JSON on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> Any:
        """Return the type that the database knows."""
        return dialect.type_descriptor(ARRAY(Text) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        """Return the list as the driver takes it."""
        return list(value) if dialect.name == "postgresql" else json.dumps(list(value))


def among(dialect: str, column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Return the condition that a column is one of the texts of the parameter `name`."""
    given = bindparam(name, type_=Strings())
    if dialect == "postgresql":
        return column == any_(given)
    return column.in_(select(func.json_each(given).table_valued("value").c.value))
