"""EvidenceService: convert, call, convert."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from release_passport.v1 import evidence_pb2
from release_passport.v1 import evidence_service_pb2 as pb
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.domain.errors import Denied, Invalid, NotFound, PassportError
from release_passport_server.ports.store import EvidenceFilter
from release_passport_server.services.asking import Ask
from release_passport_server.services.collect_attestations import CollectAttestations
from release_passport_server.services.reading import Reading
from release_passport_server.services.revoke_evidence import RevokeEvidence
from release_passport_server.services.submit_evidence import SubmitEvidence
from release_passport_server.transport.grpc.handlers.asking import ask_of
from release_passport_server.wire import commands
from release_passport_server.wire.collection import collection_to_proto, images_of
from release_passport_server.wire.evidence import evidence_to_proto
from release_passport_server.wire.fields import every_violation
from release_passport_server.wire.paging import next_token, page_from_request

MAX_REFUSED_SHOWN = 1000


@dataclass(frozen=True, slots=True)
class EvidenceHandlers:
    """Takes evidence in and shows it."""

    submit: SubmitEvidence
    revoke: RevokeEvidence
    reading: Reading
    collect: CollectAttestations

    async def SubmitEvidence(
        self, principal: Principal, request: pb.SubmitEvidenceRequest
    ) -> pb.SubmitEvidenceResponse:
        """Store items, all or none."""
        same_tenant(principal, request.tenant)
        with every_violation(
            lambda: commands.drafts(request.evidence, least=1),
            lambda: ask_of(principal, "SubmitEvidence", request),
        ):
            ask = ask_of(principal, "SubmitEvidence", request)
            drafts = commands.drafts(request.evidence, least=1)
        written, replayed = await self.submit(ask, drafts)
        return pb.SubmitEvidenceResponse(
            evidence=[evidence_to_proto(item) for item in written.value],
            revision=written.revision,
            replayed=replayed,
        )

    async def StreamEvidence(
        self, principal: Principal, requests: AsyncIterator[pb.StreamEvidenceRequest]
    ) -> pb.StreamEvidenceResponse:
        """Store each message's items in one commit; an item that is refused does not stop the others."""
        summary = pb.StreamEvidenceResponse()
        index = 0
        async for request in requests:
            same_tenant(principal, request.tenant)
            if not 1 <= len(request.evidence) <= commands.MAX_ITEMS:
                commands.drafts(request.evidence, least=1)
            await self._store(principal, request.evidence, index, summary)
            index += len(request.evidence)
        return summary

    async def _store(
        self,
        principal: Principal,
        given: Sequence[evidence_pb2.EvidenceInput],
        start: int,
        summary: pb.StreamEvidenceResponse,
    ) -> None:
        """Store a batch at once; where that is refused, item by item, so that each refusal has its own reason."""
        ask = Ask(principal, "StreamEvidence")
        try:
            written, _ = await self.submit(ask, commands.drafts(given, least=1))
        except (Invalid, Denied, NotFound) as error:
            if len(given) == 1:
                _refuse(summary, start, error)
                return
            for offset, one in enumerate(given):
                await self._store(principal, [one], start + offset, summary)
            return
        summary.accepted_count += len(written.value)
        summary.revision = written.revision

    async def CollectAttestations(
        self, principal: Principal, request: pb.CollectAttestationsRequest
    ) -> pb.CollectAttestationsResponse:
        """Read what is attached to a release's images, and store what it proves."""
        with every_violation(
            lambda: commands.release_name(principal, request.release, field="release"),
            lambda: images_of(request.images),
        ):
            release = commands.release_name(principal, request.release, field="release")
            images = images_of(request.images)
        found = await self.collect(Ask(principal, "CollectAttestations"), release, images)
        return collection_to_proto(found)

    async def GetEvidence(
        self, principal: Principal, request: pb.GetEvidenceRequest
    ) -> pb.GetEvidenceResponse:
        """Return one item."""
        item = await self.reading.evidence(principal, commands.evidence_name(principal, request.name))
        return pb.GetEvidenceResponse(evidence=evidence_to_proto(item))

    async def ListEvidence(
        self, principal: Principal, request: pb.ListEvidenceRequest
    ) -> pb.ListEvidenceResponse:
        """List items, newest first."""
        same_tenant(principal, request.tenant)
        subjects = (commands.subject(request.subject),) if request.HasField("subject") else ()
        release = (
            commands.release_name(principal, request.release, field="release") if request.release else None
        )
        kind = commands.text_or_empty(request.kind, "kind")
        source = commands.text_or_empty(request.source, "source")
        wanted = EvidenceFilter(kind, source, subjects)
        page = page_from_request(principal, "ListEvidence", request)
        listed = await self.reading.list_evidence(principal, wanted, release, page)
        return pb.ListEvidenceResponse(
            evidence=[evidence_to_proto(item) for item in listed.items],
            next_page_token=next_token(principal, "ListEvidence", request, listed.next_after),
        )

    async def RevokeEvidence(
        self, principal: Principal, request: pb.RevokeEvidenceRequest
    ) -> pb.RevokeEvidenceResponse:
        """Revoke an item."""
        with every_violation(
            lambda: commands.evidence_name(principal, request.name),
            lambda: commands.reason(request.reason, least=commands.MIN_REASON),
            lambda: ask_of(principal, "RevokeEvidence", request),
        ):
            name = commands.evidence_name(principal, request.name)
            reason = commands.reason(request.reason, least=commands.MIN_REASON)
            ask = ask_of(principal, "RevokeEvidence", request)
        written = await self.revoke(ask, str(name), reason)
        return pb.RevokeEvidenceResponse(evidence=evidence_to_proto(written.value), revision=written.revision)


def _refuse(summary: pb.StreamEvidenceResponse, index: int, error: PassportError) -> None:
    summary.refused_count += 1
    if len(summary.refused) < MAX_REFUSED_SHOWN:
        summary.refused.add(index=index, reason=error.reason, message=error.message)
