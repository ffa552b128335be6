"""PermitService: convert, call, convert."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport.v1 import permit_service_pb2 as pb
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.domain.errors import Violation, invalid
from release_passport_server.services.permits import Permits
from release_passport_server.transport.grpc.handlers.asking import ask_of
from release_passport_server.wire import commands
from release_passport_server.wire.enums import verdict_to_proto
from release_passport_server.wire.fields import every_violation
from release_passport_server.wire.times import timestamp

MAX_PERMIT_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class PermitHandlers:
    """Takes permits, and what was done with decisions."""

    permits: Permits

    async def RedeemPermit(
        self, principal: Principal, request: pb.RedeemPermitRequest
    ) -> pb.RedeemPermitResponse:
        """Use a permit, once."""
        same_tenant(principal, request.tenant)
        with every_violation(
            lambda: _permit(request.permit),
            lambda: commands.text_or_empty(request.target, "target"),
            lambda: commands.digests(request.artifact_digests, "artifact_digests"),
            lambda: ask_of(principal, "RedeemPermit", request),
        ):
            permit = _permit(request.permit)
            target = commands.text_or_empty(request.target, "target")
            ask = ask_of(principal, "RedeemPermit", request)
            digests = commands.digests(request.artifact_digests, "artifact_digests")
        written = await self.permits.redeem(ask, permit, target, digests)
        return pb.RedeemPermitResponse(
            decision=written.value.decision,
            effective_verdict=verdict_to_proto(written.value.effective_verdict),
            redeem_time=timestamp(written.value.redeem_time),
            revision=written.revision,
        )

    async def ReportEnforcement(
        self, principal: Principal, request: pb.ReportEnforcementRequest
    ) -> pb.ReportEnforcementResponse:
        """Record what was done with a decision."""
        with every_violation(
            lambda: commands.decision_name(principal, request.decision, field="decision"),
            lambda: _enforcement(request.enforcement),
            lambda: commands.text_or_empty(request.target, "target"),
            lambda: commands.digests(request.artifact_digests, "artifact_digests"),
            lambda: commands.reason(request.detail, field="detail"),
            lambda: ask_of(principal, "ReportEnforcement", request),
        ):
            name = commands.decision_name(principal, request.decision, field="decision")
            ask = ask_of(principal, "ReportEnforcement", request)
            detail: dict[str, object] = {
                "enforcement": _enforcement(request.enforcement),
                "target": commands.text_or_empty(request.target, "target"),
                "digests": sorted(commands.digests(request.artifact_digests, "artifact_digests")),
                "detail": commands.reason(request.detail, field="detail"),
            }
        return pb.ReportEnforcementResponse(revision=(await self.permits.report(ask, name, detail)).revision)


def _permit(envelope: bytes) -> bytes:
    if not 0 < len(envelope) <= MAX_PERMIT_BYTES:
        raise invalid([Violation("permit", f"must be an envelope of at most {MAX_PERMIT_BYTES} bytes")])
    return envelope


def _enforcement(value: int) -> str:
    if value not in pb.Enforcement.values() or value == pb.ENFORCEMENT_UNSPECIFIED:
        raise invalid([Violation("enforcement", "must say what was done: APPLIED, FAILED or OVERRIDDEN")])
    return pb.Enforcement.Name(value).removeprefix("ENFORCEMENT_")
