"""GateService: convert, call, convert."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport.v1 import gate_pb2
from release_passport.v1 import gate_service_pb2 as pb
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.services.gates import Gates
from release_passport_server.transport.grpc.handlers.asking import ask_of
from release_passport_server.wire import gates as wire
from release_passport_server.wire.paging import next_token, page_from_request


@dataclass(frozen=True, slots=True)
class GateHandlers:
    """Keeps the gates that controllers ask at."""

    gates: Gates

    async def CreateGate(self, principal: Principal, request: pb.CreateGateRequest) -> pb.CreateGateResponse:
        """Make a gate."""
        wanted = wire.gate_to_make(principal, request)
        written = await self.gates.create(ask_of(principal, "CreateGate", request), wanted)
        made = written.value
        return pb.CreateGateResponse(
            gate=wire.gate_to_proto(principal.tenant, made.gate),
            credential=made.credential,
            revision=written.revision,
        )

    async def GetGate(self, principal: Principal, request: pb.GetGateRequest) -> pb.GetGateResponse:
        """Return a gate."""
        gate = await self.gates.get(principal, wire.gate_name(principal, request.name))
        return pb.GetGateResponse(gate=wire.gate_to_proto(principal.tenant, gate))

    async def ListGates(self, principal: Principal, request: pb.ListGatesRequest) -> pb.ListGatesResponse:
        """List gates, newest first."""
        same_tenant(principal, request.tenant)
        page = page_from_request(principal, "ListGates", request)
        listed = await self.gates.list(principal, page)
        return pb.ListGatesResponse(
            gates=[wire.gate_to_proto(principal.tenant, one) for one in listed.items],
            next_page_token=next_token(principal, "ListGates", request, listed.next_after),
        )

    async def UpdateGate(self, principal: Principal, request: pb.UpdateGateRequest) -> pb.UpdateGateResponse:
        """Replace a gate's settings."""
        name, wanted = wire.gate_to_change(principal, request)
        ask = ask_of(principal, "UpdateGate", request)
        written = await self.gates.update(
            ask, name, wanted, request.gate.etag, new_credential=request.new_credential
        )
        made = written.value
        return pb.UpdateGateResponse(
            gate=wire.gate_to_proto(principal.tenant, made.gate),
            credential=made.credential,
            revision=written.revision,
        )

    async def DeleteGate(self, principal: Principal, request: pb.DeleteGateRequest) -> pb.DeleteGateResponse:
        """Delete a gate."""
        name = wire.gate_name(principal, request.name)
        written = await self.gates.delete(ask_of(principal, "DeleteGate", request), name)
        shown = wire.gate_to_proto(principal.tenant, written.value)
        return pb.DeleteGateResponse(gate=shown, revision=written.revision)

    async def GetGateHealth(
        self, principal: Principal, request: pb.GetGateHealthRequest
    ) -> pb.GetGateHealthResponse:
        """Say what a gate was asked and answered."""
        health = await self.gates.health(principal, wire.gate_name(principal, request.name))
        return pb.GetGateHealthResponse(
            healthy=not health.problems,
            answers=[wire.answer_to_proto(one) for one in health.answers],
            rollouts=[
                gate_pb2.GateRollout(attempt=attempt.name, asked=asked) for attempt, asked in health.rollouts
            ],
            problems=health.problems,
        )
