"""WatchWindowService: convert, call, convert."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport.v1 import watch_window_service_pb2 as pb
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.services.adopt_policies import AdoptPolicies
from release_passport_server.services.watch_windows import WatchWindows
from release_passport_server.transport.grpc.handlers.asking import ask_of
from release_passport_server.wire import commands
from release_passport_server.wire import watch_windows as wire
from release_passport_server.wire.paging import next_token, page_from_request


@dataclass(frozen=True, slots=True)
class WatchWindowHandlers:
    """Shows watch windows, and takes what people say of them."""

    windows: WatchWindows
    policies: AdoptPolicies

    async def GetWatchWindow(
        self, principal: Principal, request: pb.GetWatchWindowRequest
    ) -> pb.GetWatchWindowResponse:
        """Return one window."""
        window = await self.windows.get(principal, wire.name_of(principal, request.name))
        return pb.GetWatchWindowResponse(window=wire.window_to_proto(window))

    async def ListWatchWindows(
        self, principal: Principal, request: pb.ListWatchWindowsRequest
    ) -> pb.ListWatchWindowsResponse:
        """List the windows of what is under way."""
        same_tenant(principal, request.tenant)
        service = commands.slug_or_empty(request.service, "service")
        environment = commands.slug_or_empty(request.environment, "environment")
        page = page_from_request(principal, "ListWatchWindows", request)
        listed = await self.windows.list(principal, service, environment, page)
        return pb.ListWatchWindowsResponse(
            windows=[wire.window_to_proto(one) for one in listed.items],
            next_page_token=next_token(principal, "ListWatchWindows", request, listed.next_after),
        )

    async def AcknowledgeWatchWindow(
        self, principal: Principal, request: pb.AcknowledgeWatchWindowRequest
    ) -> pb.AcknowledgeWatchWindowResponse:
        """Clear what latched."""
        name, reason = wire.acknowledged(principal, request)
        ask = ask_of(principal, "AcknowledgeWatchWindow", request)
        written = await self.windows.acknowledge(ask, name, reason)
        shown = wire.window_to_proto(written.value)
        return pb.AcknowledgeWatchWindowResponse(window=shown, revision=written.revision)

    async def CloseWatchWindow(
        self, principal: Principal, request: pb.CloseWatchWindowRequest
    ) -> pb.CloseWatchWindowResponse:
        """End a rollout by hand."""
        name, outcome, reason = wire.closed(principal, request)
        ask = ask_of(principal, "CloseWatchWindow", request)
        written = await self.windows.close(ask, name, outcome, reason)
        shown = wire.window_to_proto(written.value)
        return pb.CloseWatchWindowResponse(window=shown, revision=written.revision)

    async def AdoptPolicies(
        self, principal: Principal, request: pb.AdoptPoliciesRequest
    ) -> pb.AdoptPoliciesResponse:
        """Have a rollout judged by the policies of now, or say what that would change."""
        if request.validate_only:
            window, found = await self.policies.show(principal, wire.name_of(principal, request.name))
            return wire.adoption_to_proto(window, found, 0)
        name, reason, etag = wire.adopted(principal, request)
        ask = ask_of(principal, "AdoptPolicies", request)
        written = await self.policies(ask, name, reason, etag)
        window, found = written.value
        return wire.adoption_to_proto(window, found, written.revision)
