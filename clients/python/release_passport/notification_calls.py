"""The calls about notification channels."""

from __future__ import annotations

from release_passport.connection import Connection
from release_passport.v1 import notification_service_pb2 as pb


class NotificationCalls(Connection):
    """A part of the client; each method is one RPC."""

    def create_notification_channel(
        self, request: pb.CreateNotificationChannelRequest, *, timeout: float | None = None
    ) -> pb.CreateNotificationChannelResponse:
        """Make a channel; its secret is shown this once."""
        return self.call(
            "NotificationService/CreateNotificationChannel",
            request,
            pb.CreateNotificationChannelResponse,
            timeout,
        )

    def get_notification_channel(
        self, request: pb.GetNotificationChannelRequest, *, timeout: float | None = None
    ) -> pb.GetNotificationChannelResponse:
        """Return a channel."""
        return self.call(
            "NotificationService/GetNotificationChannel", request, pb.GetNotificationChannelResponse, timeout
        )

    def list_notification_channels(
        self, request: pb.ListNotificationChannelsRequest, *, timeout: float | None = None
    ) -> pb.ListNotificationChannelsResponse:
        """List channels, newest first."""
        return self.call(
            "NotificationService/ListNotificationChannels",
            request,
            pb.ListNotificationChannelsResponse,
            timeout,
        )

    def update_notification_channel(
        self, request: pb.UpdateNotificationChannelRequest, *, timeout: float | None = None
    ) -> pb.UpdateNotificationChannelResponse:
        """Replace a channel's settings, or its secret."""
        return self.call(
            "NotificationService/UpdateNotificationChannel",
            request,
            pb.UpdateNotificationChannelResponse,
            timeout,
        )

    def delete_notification_channel(
        self, request: pb.DeleteNotificationChannelRequest, *, timeout: float | None = None
    ) -> pb.DeleteNotificationChannelResponse:
        """Delete a channel: it is told nothing any more."""
        return self.call(
            "NotificationService/DeleteNotificationChannel",
            request,
            pb.DeleteNotificationChannelResponse,
            timeout,
        )

    def enable_notification_channel(
        self, request: pb.EnableNotificationChannelRequest, *, timeout: float | None = None
    ) -> pb.EnableNotificationChannelResponse:
        """Tell a channel again that the server gave up."""
        return self.call(
            "NotificationService/EnableNotificationChannel",
            request,
            pb.EnableNotificationChannelResponse,
            timeout,
        )

    def test_notification_channel(
        self, request: pb.TestNotificationChannelRequest, *, timeout: float | None = None
    ) -> pb.TestNotificationChannelResponse:
        """Send one message that says nothing."""
        return self.call(
            "NotificationService/TestNotificationChannel",
            request,
            pb.TestNotificationChannelResponse,
            timeout,
        )

    def list_notification_deliveries(
        self, request: pb.ListNotificationDeliveriesRequest, *, timeout: float | None = None
    ) -> pb.ListNotificationDeliveriesResponse:
        """List what a channel was told and is to be told, newest first."""
        return self.call(
            "NotificationService/ListNotificationDeliveries",
            request,
            pb.ListNotificationDeliveriesResponse,
            timeout,
        )

    def replay_notifications(
        self, request: pb.ReplayNotificationsRequest, *, timeout: float | None = None
    ) -> pb.ReplayNotificationsResponse:
        """Send events anew, from a revision or a time on."""
        return self.call(
            "NotificationService/ReplayNotifications", request, pb.ReplayNotificationsResponse, timeout
        )
