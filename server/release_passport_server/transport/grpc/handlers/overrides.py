"""OverrideService: convert, call, convert."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport.v1 import override_service_pb2 as pb
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.services.overrides import Overrides
from release_passport_server.transport.grpc.handlers.asking import ask_of
from release_passport_server.wire import overrides as wire
from release_passport_server.wire.decision import decision_from_body
from release_passport_server.wire.paging import next_token, page_from_request


@dataclass(frozen=True, slots=True)
class OverrideHandlers:
    """Breaks the glass, and has it reviewed."""

    overrides: Overrides

    async def CreateOverride(
        self, principal: Principal, request: pb.CreateOverrideRequest
    ) -> pb.CreateOverrideResponse:
        """Let a release start against the findings of its newest decision."""
        wanted = wire.override_to_create(principal, request)
        ask = ask_of(principal, "CreateOverride", request)
        written, judged = await self.overrides.create(ask, wanted)
        return pb.CreateOverrideResponse(
            override=wire.override_to_proto(written.value),
            decision=decision_from_body(judged.record.body),
            revision=written.revision,
        )

    async def RecordOverride(
        self, principal: Principal, request: pb.RecordOverrideRequest
    ) -> pb.RecordOverrideResponse:
        """Record what was done by hand."""
        told = wire.bypass_to_record(principal, request)
        ask = ask_of(principal, "RecordOverride", request)
        written = await self.overrides.report(ask, told)
        return pb.RecordOverrideResponse(
            override=wire.override_to_proto(written.value), revision=written.revision
        )

    async def WithdrawOverride(
        self, principal: Principal, request: pb.WithdrawOverrideRequest
    ) -> pb.WithdrawOverrideResponse:
        """End an override."""
        name = wire.override_name(principal, request.name)
        ask = ask_of(principal, "WithdrawOverride", request)
        written = await self.overrides.withdraw(ask, name)
        return pb.WithdrawOverrideResponse(
            override=wire.override_to_proto(written.value), revision=written.revision
        )

    async def ReviewOverride(
        self, principal: Principal, request: pb.ReviewOverrideRequest
    ) -> pb.ReviewOverrideResponse:
        """Say that somebody has looked at an override."""
        name, review = wire.review_to_record(principal, request)
        ask = ask_of(principal, "ReviewOverride", request)
        written = await self.overrides.review(ask, name, review)
        return pb.ReviewOverrideResponse(
            override=wire.override_to_proto(written.value), revision=written.revision
        )

    async def ListOverrides(
        self, principal: Principal, request: pb.ListOverridesRequest
    ) -> pb.ListOverridesResponse:
        """List overrides, newest first."""
        same_tenant(principal, request.tenant)
        wanted = wire.overrides_wanted(request)
        page = page_from_request(principal, "ListOverrides", request)
        listed = await self.overrides.list(principal, wanted, page)
        return pb.ListOverridesResponse(
            overrides=[wire.override_to_proto(one) for one in listed.items],
            next_page_token=next_token(principal, "ListOverrides", request, listed.next_after),
        )
