"""Notification channels, for people."""

from __future__ import annotations

from collections.abc import Sequence

from release_passport.cli.render.names import last_part
from release_passport.cli.render.text import Document, table
from release_passport.cli.render.view import time_words
from release_passport.v1 import notification_pb2


def channels(items: Sequence[notification_pb2.NotificationChannel]) -> Document:
    """Return channels as a table."""
    rows = [
        (
            last_part(item.name),
            item.title,
            item.url,
            _word(notification_pb2.NotificationFormat.Name(item.format), "NOTIFICATION_FORMAT_"),
            " ".join(item.event_types) or "all",
            f"{' '.join(item.services) or 'all'} in {' '.join(item.environments) or 'all'}",
            _state(item),
        )
        for item in items
    ]
    headers = ("id", "title", "url", "format", "events", "releases", "state")
    return table(headers, rows, empty="no notification channels")


def deliveries(items: Sequence[notification_pb2.NotificationDelivery]) -> Document:
    """Return deliveries as a table."""
    rows = [
        (
            item.message_id,
            item.event_type,
            item.subject.partition("/")[2].partition("/")[2],
            _word(
                notification_pb2.NotificationDeliveryState.Name(item.state), "NOTIFICATION_DELIVERY_STATE_"
            ),
            str(item.attempts),
            str(item.last_status or ""),
            item.last_failure,
            time_words(item.next_time) if item.HasField("next_time") else "",
        )
        for item in items
    ]
    headers = ("message", "event", "subject", "state", "attempts", "status", "failure", "next")
    return table(headers, rows, empty="nothing was told")


def _state(item: notification_pb2.NotificationChannel) -> str:
    word = _word(notification_pb2.NotificationChannelState.Name(item.state), "NOTIFICATION_CHANNEL_STATE_")
    return f"{word}: {item.disable_reason}" if item.disable_reason else word


def _word(name: str, prefix: str) -> str:
    return name.removeprefix(prefix).lower().replace("_", "-")
