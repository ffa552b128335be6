"""The commands about notification channels, each with the RPC that it is for and an answer of it."""

from __future__ import annotations

from google.protobuf.message import Message

from release_passport.v1 import notification_pb2
from release_passport.v1 import notification_service_pb2 as pb
from support.decisions import RELEASE

A_CHANNEL = notification_pb2.NotificationChannel(
    name="tenants/acme/notificationChannels/01H",
    title="The team",
    url="https://example.com/hook",
    format="NOTIFICATION_FORMAT_WEBHOOK",
    event_types=["decision.*"],
    state="NOTIFICATION_CHANNEL_STATE_DISABLED",
    disable_reason="the receiver answered 410",
)
A_DELIVERY = notification_pb2.NotificationDelivery(
    message_id="acme-1-7-0",
    revision=7,
    event_type="decision.changed",
    subject=RELEASE,
    state="NOTIFICATION_DELIVERY_STATE_PENDING",
    attempts=2,
    last_status=503,
)

NOTIFICATIONS: list[tuple[tuple[str, ...], str, Message, str]] = [
    (
        ("notification", "add", "--url", "https://example.com/hook", "--event", "decision.*"),
        "CreateNotificationChannel",
        pb.CreateNotificationChannelResponse(channel=A_CHANNEL, secret="whsec_c2VjcmV0"),
        "whsec_c2VjcmV0",
    ),
    (
        ("notification", "list"),
        "ListNotificationChannels",
        pb.ListNotificationChannelsResponse(channels=[A_CHANNEL]),
        "answered 410",
    ),
    (
        ("notification", "get", "01H"),
        "GetNotificationChannel",
        pb.GetNotificationChannelResponse(channel=A_CHANNEL),
        "decision.*",
    ),
    (
        ("notification", "delete", "01H"),
        "DeleteNotificationChannel",
        pb.DeleteNotificationChannelResponse(channel=A_CHANNEL),
        "01H",
    ),
    (
        ("notification", "enable", "01H"),
        "EnableNotificationChannel",
        pb.EnableNotificationChannelResponse(channel=A_CHANNEL),
        "01H",
    ),
    (
        ("notification", "test", "01H"),
        "TestNotificationChannel",
        pb.TestNotificationChannelResponse(delivered=True, status=204),
        "204",
    ),
    (
        ("notification", "deliveries", "01H", "--state", "pending"),
        "ListNotificationDeliveries",
        pb.ListNotificationDeliveriesResponse(deliveries=[A_DELIVERY]),
        "503",
    ),
    (
        ("notification", "replay", "01H", "--from-revision", "7"),
        "ReplayNotifications",
        pb.ReplayNotificationsResponse(channel=A_CHANNEL),
        "01H",
    ),
]
