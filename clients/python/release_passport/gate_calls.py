"""The calls about gates, where controllers ask."""

from __future__ import annotations

from release_passport.connection import Connection
from release_passport.v1 import gate_service_pb2


class GateCalls(Connection):
    """A part of the client; each method is one RPC."""

    def create_gate(
        self, request: gate_service_pb2.CreateGateRequest, *, timeout: float | None = None
    ) -> gate_service_pb2.CreateGateResponse:
        """Make a gate; its credential is shown this once."""
        return self.call("GateService/CreateGate", request, gate_service_pb2.CreateGateResponse, timeout)

    def get_gate(
        self, request: gate_service_pb2.GetGateRequest, *, timeout: float | None = None
    ) -> gate_service_pb2.GetGateResponse:
        """Return a gate."""
        return self.call("GateService/GetGate", request, gate_service_pb2.GetGateResponse, timeout)

    def list_gates(
        self, request: gate_service_pb2.ListGatesRequest, *, timeout: float | None = None
    ) -> gate_service_pb2.ListGatesResponse:
        """List gates, newest first."""
        return self.call("GateService/ListGates", request, gate_service_pb2.ListGatesResponse, timeout)

    def update_gate(
        self, request: gate_service_pb2.UpdateGateRequest, *, timeout: float | None = None
    ) -> gate_service_pb2.UpdateGateResponse:
        """Replace a gate's settings, or its credential."""
        return self.call("GateService/UpdateGate", request, gate_service_pb2.UpdateGateResponse, timeout)

    def delete_gate(
        self, request: gate_service_pb2.DeleteGateRequest, *, timeout: float | None = None
    ) -> gate_service_pb2.DeleteGateResponse:
        """Delete a gate; whoever asks there is refused."""
        return self.call("GateService/DeleteGate", request, gate_service_pb2.DeleteGateResponse, timeout)

    def get_gate_health(
        self, request: gate_service_pb2.GetGateHealthRequest, *, timeout: float | None = None
    ) -> gate_service_pb2.GetGateHealthResponse:
        """Say what a gate was asked and answered."""
        return self.call(
            "GateService/GetGateHealth", request, gate_service_pb2.GetGateHealthResponse, timeout
        )
