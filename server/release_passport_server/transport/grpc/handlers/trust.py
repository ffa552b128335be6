"""TrustService: convert, call, convert."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport.v1 import trust_service_pb2 as pb
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.services.trust import TrustConfigurations
from release_passport_server.transport.grpc.handlers.asking import ask_of
from release_passport_server.wire import trust as wire
from release_passport_server.wire.paging import next_token, page_from_request


@dataclass(frozen=True, slots=True)
class TrustHandlers:
    """Keeps what a tenant trusts."""

    trust: TrustConfigurations

    async def GetTrust(self, principal: Principal, request: pb.GetTrustRequest) -> pb.GetTrustResponse:
        """Return the configuration as it stands, or one revision of it."""
        same_tenant(principal, request.tenant)
        found = await self.trust.get(principal, wire.revision_of(request.revision))
        return pb.GetTrustResponse(trust=wire.trust_to_proto(principal.tenant, found))

    async def UpdateTrust(
        self, principal: Principal, request: pb.UpdateTrustRequest
    ) -> pb.UpdateTrustResponse:
        """Write a new revision."""
        trust, etag = wire.trust_to_update(principal, request)
        written = await self.trust.update(ask_of(principal, "UpdateTrust", request), trust, etag)
        return pb.UpdateTrustResponse(trust=wire.trust_to_proto(principal.tenant, written.value))

    async def ListTrustRevisions(
        self, principal: Principal, request: pb.ListTrustRevisionsRequest
    ) -> pb.ListTrustRevisionsResponse:
        """List revisions, newest first."""
        same_tenant(principal, request.tenant)
        page = page_from_request(principal, "ListTrustRevisions", request)
        listed = await self.trust.list(principal, page)
        return pb.ListTrustRevisionsResponse(
            trusts=[wire.trust_to_proto(principal.tenant, one) for one in listed.items],
            next_page_token=next_token(principal, "ListTrustRevisions", request, listed.next_after),
        )
