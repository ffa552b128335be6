"""NotificationService: convert, call, convert."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport.v1 import notification_pb2
from release_passport.v1 import notification_service_pb2 as pb
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.services.notifications import Notifications, ShownChannel
from release_passport_server.transport.grpc.handlers.asking import ask_of
from release_passport_server.wire import notifications as wire
from release_passport_server.wire.paging import next_token, page_from_request


@dataclass(frozen=True, slots=True)
class NotificationHandlers:
    """Keeps the channels that are told of events."""

    notifications: Notifications

    async def CreateNotificationChannel(
        self, principal: Principal, request: pb.CreateNotificationChannelRequest
    ) -> pb.CreateNotificationChannelResponse:
        """Make a channel."""
        ask = ask_of(principal, "CreateNotificationChannel", request)
        written = await self.notifications.create(ask, wire.channel_to_make(principal, request))
        return pb.CreateNotificationChannelResponse(
            channel=_shown(principal, written.value), secret=written.value.secret, revision=written.revision
        )

    async def GetNotificationChannel(
        self, principal: Principal, request: pb.GetNotificationChannelRequest
    ) -> pb.GetNotificationChannelResponse:
        """Return a channel."""
        found = await self.notifications.get(principal, wire.channel_name(principal, request.name))
        return pb.GetNotificationChannelResponse(channel=_shown(principal, found))

    async def ListNotificationChannels(
        self, principal: Principal, request: pb.ListNotificationChannelsRequest
    ) -> pb.ListNotificationChannelsResponse:
        """List channels, newest first."""
        same_tenant(principal, request.tenant)
        page = page_from_request(principal, "ListNotificationChannels", request)
        listed = await self.notifications.list(principal, page)
        return pb.ListNotificationChannelsResponse(
            channels=[_shown(principal, one) for one in listed.items],
            next_page_token=next_token(principal, "ListNotificationChannels", request, listed.next_after),
        )

    async def UpdateNotificationChannel(
        self, principal: Principal, request: pb.UpdateNotificationChannelRequest
    ) -> pb.UpdateNotificationChannelResponse:
        """Replace a channel's settings."""
        name, wanted = wire.channel_to_change(principal, request)
        ask = ask_of(principal, "UpdateNotificationChannel", request)
        written = await self.notifications.update(
            ask, name, wanted, request.channel.etag, new_secret=request.new_secret
        )
        return pb.UpdateNotificationChannelResponse(
            channel=_shown(principal, written.value), secret=written.value.secret, revision=written.revision
        )

    async def DeleteNotificationChannel(
        self, principal: Principal, request: pb.DeleteNotificationChannelRequest
    ) -> pb.DeleteNotificationChannelResponse:
        """Delete a channel."""
        name = wire.channel_name(principal, request.name)
        written = await self.notifications.delete(
            ask_of(principal, "DeleteNotificationChannel", request), name
        )
        shown = _shown(principal, written.value)
        return pb.DeleteNotificationChannelResponse(channel=shown, revision=written.revision)

    async def EnableNotificationChannel(
        self, principal: Principal, request: pb.EnableNotificationChannelRequest
    ) -> pb.EnableNotificationChannelResponse:
        """Tell a channel again."""
        name = wire.channel_name(principal, request.name)
        written = await self.notifications.enable(
            ask_of(principal, "EnableNotificationChannel", request), name
        )
        shown = _shown(principal, written.value)
        return pb.EnableNotificationChannelResponse(channel=shown, revision=written.revision)

    async def TestNotificationChannel(
        self, principal: Principal, request: pb.TestNotificationChannelRequest
    ) -> pb.TestNotificationChannelResponse:
        """Send one message that says nothing."""
        answer = await self.notifications.try_out(principal, wire.channel_name(principal, request.name))
        return pb.TestNotificationChannelResponse(
            delivered=answer.is_taken, status=answer.status, failure=answer.failure
        )

    async def ListNotificationDeliveries(
        self, principal: Principal, request: pb.ListNotificationDeliveriesRequest
    ) -> pb.ListNotificationDeliveriesResponse:
        """List what a channel is told, newest first."""
        name, state = wire.channel_name(principal, request.name), wire.state_wanted(request.state)
        page = page_from_request(principal, "ListNotificationDeliveries", request)
        listed = await self.notifications.deliveries(principal, name, page, state)
        return pb.ListNotificationDeliveriesResponse(
            deliveries=[wire.notice_to_proto(one) for one in listed.items],
            next_page_token=next_token(principal, "ListNotificationDeliveries", request, listed.next_after),
        )

    async def ReplayNotifications(
        self, principal: Principal, request: pb.ReplayNotificationsRequest
    ) -> pb.ReplayNotificationsResponse:
        """Send events anew."""
        name, (revision, time) = wire.channel_name(principal, request.name), wire.replay_from(request)
        ask = ask_of(principal, "ReplayNotifications", request)
        written = await self.notifications.replay(ask, name, revision, time)
        shown = _shown(principal, written.value)
        return pb.ReplayNotificationsResponse(channel=shown, revision=written.revision)


def _shown(principal: Principal, shown: ShownChannel) -> notification_pb2.NotificationChannel:
    return wire.channel_to_proto(principal.tenant, shown.channel, shown.position)
