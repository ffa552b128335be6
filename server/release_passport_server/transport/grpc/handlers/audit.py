"""AuditService: convert, call, convert."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from release_passport.v1 import audit_service_pb2 as pb
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.services.audit import Audit
from release_passport_server.services.duties import Duties, DutiesFilter
from release_passport_server.wire import audit as wire
from release_passport_server.wire.commands import time_or_none
from release_passport_server.wire.duties import duties_to_proto
from release_passport_server.wire.fields import every_violation
from release_passport_server.wire.paging import next_token, page_from_request


@dataclass(frozen=True, slots=True)
class AuditHandlers:
    """Shows the audit log and proves what is in it."""

    audit: Audit
    duties: Duties

    async def ListAuditEntries(
        self, principal: Principal, request: pb.ListAuditEntriesRequest
    ) -> pb.ListAuditEntriesResponse:
        """List entries by leaf, oldest first."""
        same_tenant(principal, request.tenant)
        with every_violation(
            lambda: wire.subject(request.subject),
            lambda: time_or_none(request, "from_time"),
            lambda: time_or_none(request, "to_time"),
            lambda: wire.number(request.from_leaf, "from_leaf"),
        ):
            wanted = wire.filter_of(request)
        page = page_from_request(principal, "ListAuditEntries", request)
        listed = await self.audit.entries(principal, wanted, page)
        return pb.ListAuditEntriesResponse(
            entries=[wire.entry_to_proto(entry) for entry in listed.items],
            next_page_token=next_token(principal, "ListAuditEntries", request, listed.next_after),
        )

    async def StreamAuditEntries(
        self, principal: Principal, request: pb.StreamAuditEntriesRequest
    ) -> AsyncGenerator[pb.StreamAuditEntriesResponse, None]:
        """Send entries from a leaf on, and new ones as they come."""
        same_tenant(principal, request.tenant)
        first = wire.number(request.from_leaf, "from_leaf")
        async with aclosing(self.audit.follow(principal, first)) as followed:
            async for entries, leaf in followed:
                yield pb.StreamAuditEntriesResponse(
                    entries=[wire.entry_to_proto(entry) for entry in entries], next_leaf=leaf
                )

    async def GetCheckpoint(
        self, principal: Principal, request: pb.GetCheckpointRequest
    ) -> pb.GetCheckpointResponse:
        """Return the newest checkpoint."""
        same_tenant(principal, request.tenant)
        standing = await self.audit.standing(principal)
        return pb.GetCheckpointResponse(
            checkpoint=standing.note.encode(),
            origin=standing.origin,
            size=standing.size,
            pending=standing.pending,
            key_set=json.dumps(self.audit.key_set()).encode(),
        )

    async def GetInclusionProof(
        self, principal: Principal, request: pb.GetInclusionProofRequest
    ) -> pb.GetInclusionProofResponse:
        """Return the proof that an entry stands in the log."""
        same_tenant(principal, request.tenant)
        index = wire.number(request.leaf_index, "leaf_index")
        return pb.GetInclusionProofResponse(proof=(await self.audit.inclusion(principal, index)).encode())

    async def GetConsistencyProof(
        self, principal: Principal, request: pb.GetConsistencyProofRequest
    ) -> pb.GetConsistencyProofResponse:
        """Return the proof that the newest tree continues an older one."""
        same_tenant(principal, request.tenant)
        size = wire.number(request.size, "size")
        hashes, note = await self.audit.consistency(principal, size)
        return pb.GetConsistencyProofResponse(hashes=hashes, checkpoint=note.encode())

    async def ListDuties(self, principal: Principal, request: pb.ListDutiesRequest) -> pb.ListDutiesResponse:
        """Tell who did what about releases, newest first."""
        same_tenant(principal, request.tenant)
        with every_violation(
            lambda: time_or_none(request, "from_time"), lambda: time_or_none(request, "to_time")
        ):
            times = time_or_none(request, "from_time"), time_or_none(request, "to_time")
        page = page_from_request(principal, "ListDuties", request)
        listed = await self.duties.list(principal, DutiesFilter(*times, request.conflicts_only), page)
        return pb.ListDutiesResponse(
            releases=[duties_to_proto(one) for one in listed.items],
            next_page_token=next_token(principal, "ListDuties", request, listed.next_after),
        )

    async def GetLogFiles(
        self, principal: Principal, request: pb.GetLogFilesRequest
    ) -> pb.GetLogFilesResponse:
        """Return tiles and entry bundles."""
        same_tenant(principal, request.tenant)
        found = await self.audit.files(principal, wire.paths(request.paths))
        return pb.GetLogFilesResponse(
            files=[pb.LogFile(path=path, content=content) for path, content in found.items()]
        )
