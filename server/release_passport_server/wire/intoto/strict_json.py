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
        value: JSON = _DECODER.decode(raw.decode("utf-8"))
    except JSONInvalid:
        raise
    except UnicodeDecodeError as error:
        raise JSONInvalid("not UTF-8") from error
    except RecursionError as error:
        raise JSONInvalid(f"nested more than {MAX_DEPTH} levels deep") from error
    except ValueError as error:
        # The library's text can quote the input; its position cannot.
        raise JSONInvalid("not JSON") from error
    # Half a surrogate pair comes from such an escape alone, and depth from brackets: most texts have few of either.
    if b"\\ud" in raw or b"\\uD" in raw:
        _check_texts(value)
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH:
        _check_depth(value)
    return value


def _object(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JSONInvalid("an object has the same key twice")
    return found


def _refuse_constant(_: str) -> JSON:
    raise JSONInvalid("NaN and infinities are not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant)


def _check_depth(value: JSON) -> None:
    """Raise JSONInvalid for a value that is too deep."""
    level: list[JSON] = [value]
    for _ in range(MAX_DEPTH):
        below: list[JSON] = []
        for item in level:
            if isinstance(item, dict):
                below += [inner for inner in item.values() if isinstance(inner, (dict, list))]
            elif isinstance(item, list):
                below += [inner for inner in item if isinstance(inner, (dict, list))]
        if not below:
            return
        level = below
    raise JSONInvalid(f"nested more than {MAX_DEPTH} levels deep")


def _check_texts(value: JSON) -> None:
    """Raise JSONInvalid for a value that holds text that is not Unicode."""
    waiting: list[JSON] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            _check_text(item)
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise JSONInvalid("a text has half of a surrogate pair") from error
