"""WaiverService: convert, call, convert."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport.v1 import waiver_pb2
from release_passport.v1 import waiver_service_pb2 as pb
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.services.waivers import ShownWaiver, Waivers
from release_passport_server.transport.grpc.handlers.asking import ask_of
from release_passport_server.wire import waivers as wire
from release_passport_server.wire.paging import next_token, page_from_request


@dataclass(frozen=True, slots=True)
class WaiverHandlers:
    """Makes exceptions to findings."""

    waivers: Waivers

    async def RequestWaiver(
        self, principal: Principal, request: pb.RequestWaiverRequest
    ) -> pb.RequestWaiverResponse:
        """Ask for a waiver."""
        wanted = wire.waiver_to_request(principal, request)
        written = await self.waivers.request(ask_of(principal, "RequestWaiver", request), wanted)
        return pb.RequestWaiverResponse(waiver=_shown(written.value), revision=written.revision)

    async def GrantWaiver(
        self, principal: Principal, request: pb.GrantWaiverRequest
    ) -> pb.GrantWaiverResponse:
        """Grant a waiver that somebody else asked for."""
        name = wire.waiver_name(principal, request.name)
        written = await self.waivers.grant(ask_of(principal, "GrantWaiver", request), name)
        return pb.GrantWaiverResponse(waiver=_shown(written.value), revision=written.revision)

    async def RevokeWaiver(
        self, principal: Principal, request: pb.RevokeWaiverRequest
    ) -> pb.RevokeWaiverResponse:
        """End a waiver, or a request for one."""
        name, reason = wire.waiver_to_revoke(principal, request)
        written = await self.waivers.revoke(ask_of(principal, "RevokeWaiver", request), name, reason)
        return pb.RevokeWaiverResponse(waiver=_shown(written.value), revision=written.revision)

    async def GetWaiver(self, principal: Principal, request: pb.GetWaiverRequest) -> pb.GetWaiverResponse:
        """Return a waiver."""
        found = await self.waivers.get(principal, wire.waiver_name(principal, request.name))
        return pb.GetWaiverResponse(waiver=_shown(found))

    async def ListWaivers(
        self, principal: Principal, request: pb.ListWaiversRequest
    ) -> pb.ListWaiversResponse:
        """List waivers, newest first."""
        same_tenant(principal, request.tenant)
        wanted = wire.waivers_wanted(principal, request)
        page = page_from_request(principal, "ListWaivers", request)
        listed = await self.waivers.list(principal, wanted, page)
        return pb.ListWaiversResponse(
            waivers=[_shown(one) for one in listed.items],
            next_page_token=next_token(principal, "ListWaivers", request, listed.next_after),
        )


def _shown(found: ShownWaiver) -> waiver_pb2.Waiver:
    return wire.waiver_to_proto(found.waiver, found.state)
