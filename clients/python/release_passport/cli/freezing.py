"""A freeze out of what the command line says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from release_passport.cli.options import key_values
from release_passport.v1 import freeze_pb2


def fill_freeze(wanted: freeze_pb2.Freeze, said: dict[str, Any]) -> None:
    """Set what the options of `create` say."""
    for field in ("title", "reason", "rrule", "time_zone", "restores_too"):
        setattr(wanted, field, said[field])
    wanted.services.extend(said["services"])
    wanted.environments.extend(said["environments"])
    wanted.service_labels.update(key_values(said["service_labels"], "--service-label"))
    wanted.environment_labels.update(key_values(said["environment_labels"], "--environment-label"))
    wanted.MergeFrom(freeze_pb2.Freeze(in_flight=f"IN_FLIGHT_{said['in_flight'].upper()}"))
    for text in said["exempt_groups"]:
        group, _, count = text.partition(":")
        wanted.exempt_groups.add(group=group, count=_count(count))
    begins, ends = said["start"] or datetime.now(UTC), said["until"]
    wanted.start_time.FromDatetime(begins)
    if said["duration"] is not None:
        if said["rrule"]:
            wanted.duration.FromTimedelta(said["duration"])
        elif ends is not None:
            raise click.UsageError("--for and --until say the same twice: give one of them")
        else:
            ends = begins + said["duration"]
    if ends is not None:
        wanted.until_time.FromDatetime(ends)


def _count(text: str) -> int:
    if text and not text.isdecimal():
        raise click.UsageError(f"{text!r} is no number of votes: --exempt-group sre:2")
    return int(text or 1)
