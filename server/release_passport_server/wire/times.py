"""Times and durations between messages and the standard library."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp


def timestamp(time: datetime) -> Timestamp:
    """Return a time as a message."""
    message = Timestamp()
    message.FromDatetime(time)
    return message


def moment(message: Timestamp) -> datetime:
    """Return a message's time in UTC; raise ValueError outside years 1 to 9999."""
    return message.ToDatetime(tzinfo=UTC)


def span(message: Duration) -> timedelta:
    """Return a message's duration; raise ValueError or OverflowError where it is out of range."""
    return message.ToTimedelta()


def duration(value: timedelta) -> Duration:
    """Return a duration as a message."""
    message = Duration()
    message.FromTimedelta(value)
    return message
