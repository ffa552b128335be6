"""Notification channels between messages and the domain."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from release_passport.v1 import notification_pb2, notification_service_pb2
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.domain.errors import Violation, invalid
from release_passport_server.domain.etags import channel_etag
from release_passport_server.domain.notice_format import MAX_TEMPLATE
from release_passport_server.domain.notices import (
    Channel,
    ChannelName,
    Notice,
    NoticeState,
    Position,
    WantedChannel,
)
from release_passport_server.wire.fields import (
    MAX_TITLE,
    etag_violations,
    every_violation,
    glob_violations,
    refuse,
    text_violations,
)
from release_passport_server.wire.times import moment, timestamp

MAX_URL = 2000
MAX_TYPES = 50
_URL = re.compile(r"https?://[\x21-\x7e]+")
_TYPE = re.compile(r"[a-z_.*?]{1,64}")
_FORMAT = "NOTIFICATION_FORMAT_"
_STATE = "NOTIFICATION_DELIVERY_STATE_"
_pb = notification_pb2


def channel_name(principal: Principal, name: str, *, field: str = "name") -> ChannelName:
    """Return a channel's name in the caller's tenant; raise Invalid or NotFound."""
    parsed = ChannelName.parse(name, field=field)
    same_tenant(principal, parsed.tenant)
    return parsed


def channel_to_make(
    principal: Principal, request: notification_service_pb2.CreateNotificationChannelRequest
) -> WantedChannel:
    """Return the channel that is wanted; raise Invalid or NotFound."""
    same_tenant(principal, request.tenant)
    refuse(list(_violations(request.channel)))
    return _wanted(request.channel)


def channel_to_change(
    principal: Principal, request: notification_service_pb2.UpdateNotificationChannelRequest
) -> tuple[ChannelName, WantedChannel]:
    """Return which channel is to become what; raise Invalid or NotFound."""

    def named() -> ChannelName:
        return ChannelName.parse(request.channel.name, field="channel.name")

    def rest() -> None:
        refuse([*_violations(request.channel), *etag_violations(request.channel.etag, "channel.etag")])

    with every_violation(named, rest):
        name = named()
        rest()
    same_tenant(principal, name.tenant)
    return name, _wanted(request.channel)


def replay_from(request: notification_service_pb2.ReplayNotificationsRequest) -> tuple[int, datetime | None]:
    """Return from where on to send anew; raise Invalid."""
    if request.from_revision < 0:
        refuse([Violation("from_revision", "must be 1 or more")])
    time: datetime | None = None
    if request.HasField("from_time"):
        try:
            time = moment(request.from_time)
        except ValueError as error:
            raise invalid([Violation("from_time", str(error))]) from error
    if bool(request.from_revision) == (time is not None):
        text = "say either from_revision or from_time"
        refuse([Violation("from_revision", text), Violation("from_time", text)])
    return request.from_revision, time


def state_wanted(value: int) -> NoticeState | None:
    """Return the state to list, None for any; raise Invalid."""
    if value not in _pb.NotificationDeliveryState.values():
        refuse([Violation("state", "is not known")])
    name = _pb.NotificationDeliveryState.Name(value).removeprefix(_STATE)
    return NoticeState(name) if value else None


def channel_to_proto(
    tenant: str, channel: Channel, position: Position
) -> notification_pb2.NotificationChannel:
    """Return the resource that shows a channel; nothing of its secrets."""
    return notification_pb2.NotificationChannel(
        name=str(ChannelName(tenant, channel.channel_id)),
        title=channel.title,
        url=channel.url,
        format=f"{_FORMAT}{channel.format}",
        template=channel.template,
        event_types=channel.event_types,
        services=channel.services,
        environments=channel.environments,
        state=f"NOTIFICATION_CHANNEL_STATE_{_state(channel)}",
        disable_reason=channel.disable_reason,
        position=position.revision,
        missed_until=position.missed_until,
        secret_count=min(len(channel.secrets), 2),
        creator=channel.creator,
        create_time=timestamp(channel.create_time),
        update_time=timestamp(channel.update_time),
        delete_time=None if channel.delete_time is None else timestamp(channel.delete_time),
        etag=channel_etag(channel),
    )


def notice_to_proto(notice: Notice) -> notification_pb2.NotificationDelivery:
    """Return the message that shows a notice; nothing of what was answered but its status."""
    return notification_pb2.NotificationDelivery(
        message_id=notice.event.id,
        revision=notice.revision,
        event_type=notice.event.type,
        subject=notice.event.subject,
        state=f"{_STATE}{notice.state}",
        attempts=notice.attempts,
        last_status=notice.last_status,
        last_failure=notice.last_failure,
        event_time=timestamp(notice.event.time),
        next_time=None if notice.next_time is None else timestamp(notice.next_time),
        end_time=None if notice.end_time is None else timestamp(notice.end_time),
    )


def _state(channel: Channel) -> str:
    if channel.delete_time is not None:
        return "DELETED"
    return "ENABLED" if channel.disable_time is None else "DISABLED"


def _wanted(channel: notification_pb2.NotificationChannel) -> WantedChannel:
    form = channel.format or notification_pb2.NOTIFICATION_FORMAT_WEBHOOK
    return WantedChannel(
        title=channel.title,
        url=channel.url,
        format=notification_pb2.NotificationFormat.Name(form).removeprefix(_FORMAT),
        template=channel.template,
        event_types=tuple(channel.event_types),
        services=tuple(channel.services),
        environments=tuple(channel.environments),
    )


def _violations(channel: notification_pb2.NotificationChannel) -> Iterator[Violation]:
    yield from text_violations(channel.title, "channel.title", most=MAX_TITLE)
    if len(channel.url) > MAX_URL or not _URL.fullmatch(channel.url):
        yield Violation("channel.url", f"must be a URL of at most {MAX_URL} characters of visible ASCII")
    if channel.format not in notification_pb2.NotificationFormat.values():
        yield Violation("channel.format", "is not known")
    if len(channel.template.encode()) > MAX_TEMPLATE:
        yield Violation("channel.template", f"must be {MAX_TEMPLATE} bytes at most")
    elif channel.format == notification_pb2.NOTIFICATION_FORMAT_TEMPLATE and not channel.template:
        yield Violation("channel.template", "is required for NOTIFICATION_FORMAT_TEMPLATE")
    yield from _type_violations(channel.event_types)
    yield from glob_violations(channel.services, "channel.services")
    yield from glob_violations(channel.environments, "channel.environments")


def _type_violations(types: Sequence[str]) -> Iterator[Violation]:
    if len(types) > MAX_TYPES:
        yield Violation("channel.event_types", f"must be at most {MAX_TYPES}")
        return
    for index, one in enumerate(types):
        if not _TYPE.fullmatch(one):
            yield Violation(
                f"channel.event_types[{index}]",
                "must be a glob over types, such as decision.* or freeze.created",
            )
