"""FreezeService: convert, call, convert."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport.v1 import freeze_service_pb2 as pb
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.services.freezes import Freezes
from release_passport_server.transport.grpc.handlers.asking import ask_of
from release_passport_server.wire import freezes as wire
from release_passport_server.wire.paging import next_token, page_from_request


@dataclass(frozen=True, slots=True)
class FreezeHandlers:
    """Keeps the times in which no release starts."""

    freezes: Freezes

    async def CreateFreeze(
        self, principal: Principal, request: pb.CreateFreezeRequest
    ) -> pb.CreateFreezeResponse:
        """Make a freeze."""
        same_tenant(principal, request.tenant)
        freeze = wire.freeze_to_create(request.freeze)
        written = await self.freezes.create(ask_of(principal, "CreateFreeze", request), freeze)
        shown, in_flight = written.value
        return pb.CreateFreezeResponse(
            freeze=wire.freeze_to_proto(shown.freeze, shown.times),
            in_flight=in_flight,
            revision=written.revision,
        )

    async def UpdateFreeze(
        self, principal: Principal, request: pb.UpdateFreezeRequest
    ) -> pb.UpdateFreezeResponse:
        """Replace a freeze."""
        freeze, etag = wire.freeze_to_update(principal, request.freeze)
        written = await self.freezes.update(ask_of(principal, "UpdateFreeze", request), freeze, etag)
        shown = wire.freeze_to_proto(written.value.freeze, written.value.times)
        return pb.UpdateFreezeResponse(freeze=shown, revision=written.revision)

    async def EndFreeze(self, principal: Principal, request: pb.EndFreezeRequest) -> pb.EndFreezeResponse:
        """End a freeze now."""
        name, reason = wire.freeze_to_end(principal, request)
        written = await self.freezes.end(ask_of(principal, "EndFreeze", request), name, reason)
        shown = wire.freeze_to_proto(written.value.freeze, written.value.times)
        return pb.EndFreezeResponse(freeze=shown, revision=written.revision)

    async def GetFreeze(self, principal: Principal, request: pb.GetFreezeRequest) -> pb.GetFreezeResponse:
        """Return a freeze."""
        found = await self.freezes.get(principal, wire.freeze_name(principal, request.name))
        return pb.GetFreezeResponse(freeze=wire.freeze_to_proto(found.freeze, found.times))

    async def ListFreezes(
        self, principal: Principal, request: pb.ListFreezesRequest
    ) -> pb.ListFreezesResponse:
        """List freezes, newest first."""
        same_tenant(principal, request.tenant)
        page = page_from_request(principal, "ListFreezes", request)
        listed = await self.freezes.list(principal, page, current=request.current)
        return pb.ListFreezesResponse(
            freezes=[wire.freeze_to_proto(one.freeze, one.times) for one in listed.items],
            next_page_token=next_token(principal, "ListFreezes", request, listed.next_after),
        )

    async def CreateFreezeExemption(
        self, principal: Principal, request: pb.CreateFreezeExemptionRequest
    ) -> pb.CreateFreezeExemptionResponse:
        """Exempt one release from a freeze."""
        wanted = wire.exemption_to_create(principal, request)
        ask = ask_of(principal, "CreateFreezeExemption", request)
        written = await self.freezes.exempt(ask, wanted)
        return pb.CreateFreezeExemptionResponse(
            exemption=wire.exemption_to_proto(written.value), revision=written.revision
        )

    async def EndFreezeExemption(
        self, principal: Principal, request: pb.EndFreezeExemptionRequest
    ) -> pb.EndFreezeExemptionResponse:
        """End an exemption."""
        name = wire.exemption_name(principal, request.name)
        ask = ask_of(principal, "EndFreezeExemption", request)
        written = await self.freezes.end_exemption(ask, name)
        return pb.EndFreezeExemptionResponse(
            exemption=wire.exemption_to_proto(written.value), revision=written.revision
        )

    async def ListFreezeExemptions(
        self, principal: Principal, request: pb.ListFreezeExemptionsRequest
    ) -> pb.ListFreezeExemptionsResponse:
        """List exemptions, newest first."""
        same_tenant(principal, request.tenant)
        release, freeze = wire.exemptions_wanted(principal, request)
        page = page_from_request(principal, "ListFreezeExemptions", request)
        listed = await self.freezes.exemptions(principal, release, freeze, page)
        return pb.ListFreezeExemptionsResponse(
            exemptions=[wire.exemption_to_proto(one) for one in listed.items],
            next_page_token=next_token(principal, "ListFreezeExemptions", request, listed.next_after),
        )
