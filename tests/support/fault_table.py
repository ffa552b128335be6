"""The table of `tests/conformance/faults.yaml`: a server that fails as it says, and what clients make of it.

Runners (see client_table.py) are told `timeout` in seconds, and `gate` where the client's gate is to be asked, which is
answered with `{"gate": {"verdict", "proceed", "reasons"}}`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import yaml
from google.protobuf import any_pb2, json_format
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from release_passport.v1 import decision_service_pb2 as pb
from support.certificates import Certificates

TABLE = Path(__file__).parents[1] / "conformance/faults.yaml"
SERVICE = "release_passport.v1.DecisionService"
TOKEN = "rp1_scripted"


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the attempts of one call, and what that comes to."""

    row: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Return the row's name, which the request carries."""
        name: str = self.row["fault"]
        return name

    @property
    def line(self) -> dict[str, Any]:
        """Return what the runner reads."""
        asked: dict[str, Any] = {"call": "DecisionService/GetDecision", "request": {"name": self.name}}
        if self.row.get("gate"):
            asked = {"call": "DecisionService/Evaluate", "request": {"release": self.name}, "gate": True}
        if "timeout" in self.row:
            asked["timeout"] = self.row["timeout"]
        return asked

    def expected(self, client: str) -> dict[str, Any]:
        """Return what a client's runner is to say."""
        if client == "java" and "unretried" in self.row:
            return {"error": self.row["unretried"]}
        if client == "java" and "held" in self.row:
            return {"gate": {"verdict": "VERDICT_HOLD", "proceed": False, "reasons": [self.row["held"]]}}
        if "error" in self.row:
            return {"error": self.row["error"]}
        return {"gate" if self.row.get("gate") else "answer": self.row["answer"]}

    def mismatch(self, client: str, said: dict[str, Any]) -> str:
        """Return how a runner's line differs from the table; empty where it does not."""
        if "answer" in said:
            # What makes an answer long is of no interest.
            said["answer"].pop("envelope", None)
        return "" if said == self.expected(client) else f"{self.name}: {str(said)[:300]}"


def faults() -> list[Fault]:
    """Return the table."""
    return [Fault(row) for row in yaml.safe_load(TABLE.read_text(encoding="utf-8"))]


@dataclass
class FailingServer:
    """Serves GetDecision and Evaluate over TLS as the table says."""

    files: Certificates
    port: int = 0
    attempts: dict[str, int] = field(default_factory=dict)
    _server: aio.Server | None = None
    _restarts: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        """Listen, on the port of before if there was one."""
        self._server = aio.server(options=[("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)])
        kinds: dict[str, Any] = {"GetDecision": pb.GetDecisionRequest, "Evaluate": pb.EvaluateRequest}
        handlers: dict[str, Any] = {
            name: grpc.unary_unary_rpc_method_handler(
                self._answer,
                request_deserializer=kind.FromString,
                response_serializer=lambda answer: answer.SerializeToString(),
            )
            for name, kind in kinds.items()
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        pair = (self.files.server_key.read_bytes(), self.files.server_certificate.read_bytes())
        credentials = grpc.ssl_server_credentials([pair])
        self.port = self._server.add_secure_port(f"127.0.0.1:{self.port}", credentials)
        await self._server.start()

    async def stop(self) -> None:
        """Hang up on everybody."""
        if self._server is not None:
            await self._server.stop(None)

    async def _answer(self, request: Any, context: Any) -> Any:
        gated = isinstance(request, pb.EvaluateRequest)
        name = request.release if gated else request.name
        if name in {"older", "newest"}:
            return pb.GetDecisionResponse(newest=name == "newest")
        attempts = next(one.row["attempts"] for one in faults() if one.name == name)
        at = self.attempts[name] = self.attempts.get(name, 0) + 1
        how = attempts[min(at, len(attempts)) - 1]
        if how == "killed":
            self._restarts.add(asyncio.create_task(self._restart()))
        if isinstance(how, str):
            await asyncio.Event().wait()
        if "code" in how:
            await _abort(how, context)
        answer = json_format.ParseDict(
            how["says"], pb.EvaluateResponse() if gated else pb.GetDecisionResponse()
        )
        answer.envelope = b"x" * how.get("bytes", 0)
        return answer

    async def _restart(self) -> None:
        await self.stop()
        await self.start()


async def _abort(how: Mapping[str, str], context: Any) -> None:
    code = grpc.StatusCode[how["code"]]
    details = any_pb2.Any()
    details.Pack(error_details_pb2.ErrorInfo(reason=how["reason"], domain="release-passport.dev"))
    status = status_pb2.Status(code=code.value[0], message="as told", details=[details])
    await context.abort(code, "as told", (("grpc-status-details-bin", status.SerializeToString()),))


@asynccontextmanager
async def failing_server(files: Certificates) -> AsyncIterator[FailingServer]:
    """Serve the table for a while."""
    server = FailingServer(files)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
