"""The commands about gates, each with the RPC that it is for and an answer of it."""

from __future__ import annotations

from google.protobuf.message import Message

from release_passport.v1 import gate_pb2, gate_service_pb2
from support.decisions import RELEASE

A_GATE = gate_pb2.Gate(
    name="tenants/acme/gates/01H",
    controller="GATE_CONTROLLER_FLAGGER",
    cluster="eu-1",
    namespace="shop",
    object_name="checkout",
    service="checkout",
    environment="prod",
    hooks=["confirm-rollout"],
    on_rollback="GATE_ON_ROLLBACK_RECOMMEND",
)
AN_ANSWER = gate_pb2.GateAnswer(
    hook="confirm-rollout", answer="SHUT", release=RELEASE, reasons=["HOLD", "EVIDENCE_MISSING"]
)

GATES: list[tuple[tuple[str, ...], str, Message, str]] = [
    (
        (
            *("edge", "add", "--controller", "flagger", "--cluster", "eu-1", "--namespace", "shop"),
            *("--object", "checkout", "--service", "checkout", "--environment", "prod"),
        ),
        "CreateGate",
        gate_service_pb2.CreateGateResponse(gate=A_GATE, credential="s3cret"),
        "s3cret",
    ),
    (("edge", "list"), "ListGates", gate_service_pb2.ListGatesResponse(gates=[A_GATE]), "checkout"),
    (("edge", "get", "01H"), "GetGate", gate_service_pb2.GetGateResponse(gate=A_GATE), "checkout"),
    (("edge", "delete", "01H"), "DeleteGate", gate_service_pb2.DeleteGateResponse(gate=A_GATE), "01H"),
    (
        ("edge", "health", "01H"),
        "GetGateHealth",
        gate_service_pb2.GetGateHealthResponse(healthy=True, answers=[AN_ANSWER]),
        "EVIDENCE_MISSING",
    ),
]
