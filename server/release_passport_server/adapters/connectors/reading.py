"""Reads what sources answer without trusting its form: what is not as it should be is an error that says no content."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from release_passport_server.domain.connector import CollectFailure
from release_passport_server.domain.errors import Violation
from release_passport_server.ports.connector import CollectFailed, SettingsRefused, Source, Target

M = TypeVar("M", bound=BaseModel)
_MAX_PROBLEMS = 20
_NAME = re.compile("[A-Za-z0-9_-]{1,64}")


class SettingsModel(BaseModel):
    """The settings of a kind of connector; nothing that it does not know is taken."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=4096)


def settings_of(model: type[M], given: Mapping[str, Any]) -> M:
    """Return checked settings; raise SettingsRefused with every field that is wrong."""
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        places = [one["loc"] for one in found]
        # What is wrong with a part makes the whole wrong too, which helps nobody.
        own = [one for one in found if not any(_below(place, one["loc"]) for place in places)]
        raise SettingsRefused(
            [
                Violation(".".join(_part(part) for part in one["loc"]) or "settings", one["msg"])
                for one in own[:_MAX_PROBLEMS]
            ]
        ) from error


def _below(place: tuple[int | str, ...], other: tuple[int | str, ...]) -> bool:
    return len(place) > len(other) and place[: len(other)] == other


def _part(part: int | str) -> str:
    """Return a step of a path; what is no name of ours is not repeated."""
    return str(part) if isinstance(part, int) or _NAME.fullmatch(part) else "…"


def source_of(target: Target) -> Source:
    """Return the address that a kind with an endpoint reads."""
    assert target.source is not None
    return target.source


def broken(place: str, what: str) -> CollectFailed:
    """Return the error for an answer that is not in its form."""
    return CollectFailed(CollectFailure.ANSWER_BROKEN, f"{place} answered without {what}: check the endpoint")


def mapping(value: object, place: str, what: str) -> Mapping[str, Any]:
    """Return an object of JSON; raise CollectFailed."""
    if not isinstance(value, dict):
        raise broken(place, what)
    return value


def items(value: object, place: str, what: str) -> Sequence[Any]:
    """Return a list of JSON; raise CollectFailed."""
    if not isinstance(value, list):
        raise broken(place, what)
    return value


def time_of(value: object) -> datetime | None:
    """Return a time as RFC 3339 writes it, None for what is none."""
    if not isinstance(value, str) or len(value) > 64:
        return None
    try:
        found = datetime.fromisoformat(value)
        return found.astimezone(UTC) if found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def text_of(value: object, most: int = 256) -> str:
    """Return a text that can be stored, cut where it is too long; nothing for what is none."""
    if not isinstance(value, str):
        return ""
    clean = "".join(one if one.isprintable() else " " for one in value).encode("utf-8", "replace")
    return clean[:most].decode("utf-8", "ignore").strip()


def stamp(time: datetime) -> str:
    """Return a time as protobuf's JSON has it."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
