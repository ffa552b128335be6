"""People's acts as the record of a case holds them, and read back from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from release_passport_server.domain.canonical import stamp, unstamp
from release_passport_server.domain.people import (
    CountedVote,
    People,
    StandingFreeze,
    StandingOverride,
    StandingWaiver,
)

T = TypeVar("T", bound=NamedTuple)


def people_record(people: People) -> dict[str, object]:
    """Return the JSON value that names every act that counts."""
    return {
        "votes": [_fields(one) for one in people.votes],
        "waivers": [_fields(one) for one in people.waivers],
        "overrides": [_fields(one) for one in people.overrides],
        "freezes": [_fields(one) for one in people.freezes],
        "freezeTime": stamp(people.freeze_time),
        "authorsKnown": people.authors_known,
        "unreviewed": people.unreviewed,
        "fingerprints": dict(people.fingerprints),
    }


def people_of(record: Mapping[str, Any]) -> People:
    """Return the acts that a record names."""
    return People(
        votes=_read(CountedVote, record["votes"]),
        waivers=_read(StandingWaiver, record["waivers"]),
        overrides=_read(StandingOverride, record["overrides"]),
        freezes=_read(StandingFreeze, record["freezes"]),
        freeze_time=unstamp(record["freezeTime"]),
        authors_known=record["authorsKnown"],
        unreviewed=record["unreviewed"],
        fingerprints=record["fingerprints"],
    )


def _fields(act: NamedTuple) -> dict[str, object]:
    """Return an act by its fields' names; those that end in `_time` are times."""
    named = act._asdict()
    return {name: stamp(value) if isinstance(value, datetime) else value for name, value in named.items()}


def _read(made: Callable[..., T], records: Sequence[Mapping[str, Any]]) -> tuple[T, ...]:
    return tuple(made(**{name: _value(name, value) for name, value in one.items()}) for one in records)


def _value(name: str, value: Any) -> Any:
    if name.endswith("_time"):
        return unstamp(value)
    return _tuples(value) if isinstance(value, list) else value


def _tuples(values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(_tuples(value) if isinstance(value, list) else value for value in values)
