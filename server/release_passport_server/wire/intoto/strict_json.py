"""Reads JSON that two readers could not understand differently."""

from __future__ import annotations

import json

MAX_DEPTH = 64

JSON = dict[str, "JSON"] | list["JSON"] | str | int | float | bool | None


class JSONInvalid(ValueError):
    """The text is not JSON, or not unambiguous; the message says how."""


def parse(raw: bytes) -> JSON:
    """Return the value of UTF-8 JSON without repeated keys, NaN, lone surrogates or more than 64 levels."""
    try:
        value: JSON = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse_constant
        )
    except JSONInvalid:
        raise
    except UnicodeDecodeError as error:
        raise JSONInvalid("not UTF-8") from error
    except RecursionError as error:
        raise JSONInvalid(f"nested more than {MAX_DEPTH} levels deep") from error
    except ValueError as error:
        # The library's text can quote the input; its position cannot.
        raise JSONInvalid("not JSON") from error
    _check(value)
    return value


def _object(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JSONInvalid("an object has the same key twice")
    return found


def _refuse_constant(_: str) -> JSON:
    raise JSONInvalid("NaN and infinities are not JSON")


def _check(value: JSON) -> None:
    """Raise JSONInvalid for a value that is too deep or holds text that is not Unicode."""
    level: list[JSON] = [value]
    for _ in range(MAX_DEPTH):
        below: list[JSON] = []
        for item in level:
            if isinstance(item, str):
                _check_text(item)
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, dict):
                below.extend(item)
                below.extend(item.values())
        if not below:
            return
        level = below
    raise JSONInvalid(f"nested more than {MAX_DEPTH} levels deep")


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise JSONInvalid("a text has half of a surrogate pair") from error
