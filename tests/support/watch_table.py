"""The table of `tests/conformance/watches.yaml`: a server that says what it says, and what clients make of it.

A client's runner (see client_table.py) called with the one argument `watch` reads one line a scenario, `{"request",
"updates", "releases"}`, watches with a new watcher until it had so many updates, or until an error ended it, and writes
one line: `{"updates": ["changed a", "synced", …], "verdicts": {release: name}, "error": {"code", "reason"} or null}`.
With an error to come, `updates` is one more than there are. The verdicts are asked for as the last update is handled,
while the stream is open; after an error they do not count.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping
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
from support.proxy import Proxy, Way

TABLE = Path(__file__).parents[1] / "conformance/watches.yaml"
SERVICE = "release_passport.v1.DecisionService"
_DETAILS = "grpc-status-details-bin"


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a server says to one watcher, and what that comes to."""

    name: str
    streams: list[dict[str, Any]]
    updates: list[str]
    verdicts: Mapping[str, str]
    error: Mapping[str, str] | None

    @property
    def line(self) -> dict[str, Any]:
        """Return what the runner reads."""
        more = 0 if self.error is None else 1
        return {
            "request": {"clientId": self.name},
            "updates": len(self.updates) + more,
            "releases": list(self.verdicts),
        }

    def mismatch(self, said: Mapping[str, Any], asked: list[str]) -> str:
        """Return how a runner's line, or what it asked the server for, differs from the table; empty if it does not."""
        heard = {"updates": said["updates"], "error": said["error"]}
        if heard != {"updates": self.updates, "error": self.error}:
            return f"{self.name}: {heard}"
        if self.error is None and said["verdicts"] != self.verdicts:
            return f"{self.name}: {said['verdicts']}"
        resumed = [stream["resume"] for stream in self.streams]
        # A watcher that has what it waits for may ask once more as it leaves.
        return "" if asked[: len(resumed)] == resumed else f"{self.name}: asked behind {asked}, not {resumed}"


def scenarios() -> list[Scenario]:
    """Return the table."""
    rows = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return [
        Scenario(row["watch"], row["streams"], row["updates"], row.get("verdicts", {}), row.get("error"))
        for row in rows
    ]


@dataclass
class ScriptedServer:
    """Serves WatchDecision over TLS as the table says; the request's client_id names the scenario."""

    files: Certificates
    token: str = "rp1_scripted"
    port: int = 0
    asked: dict[str, list[str]] = field(default_factory=dict)
    cut: Callable[[], None] = lambda: None
    _server: aio.Server | None = None
    _restarts: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        """Listen, on the port of before if there was one."""
        self._server = aio.server()
        handler = grpc.unary_stream_rpc_method_handler(
            self._watch,
            request_deserializer=pb.WatchDecisionRequest.FromString,
            response_serializer=pb.WatchDecisionResponse.SerializeToString,
        )
        handlers = grpc.method_handlers_generic_handler(SERVICE, {"WatchDecision": handler})
        self._server.add_generic_rpc_handlers((handlers,))
        pair = (self.files.server_key.read_bytes(), self.files.server_certificate.read_bytes())
        credentials = grpc.ssl_server_credentials([pair])
        self.port = self._server.add_secure_port(f"127.0.0.1:{self.port}", credentials)
        await self._server.start()

    async def stop(self) -> None:
        """Hang up on everybody."""
        if self._server is not None:
            await self._server.stop(None)

    async def _watch(self, request: pb.WatchDecisionRequest, context: Any) -> AsyncIterator[Any]:
        bearer = dict(context.invocation_metadata()).get("authorization")
        assert bearer == f"Bearer {self.token}"
        asked = self.asked.setdefault(request.client_id, [])
        streams = next(one.streams for one in scenarios() if one.name == request.client_id)
        if not _lost_with_its_connection(asked, streams, request.resume_token):
            asked.append(request.resume_token)
        stream = streams[len(asked) - 1] if len(asked) <= len(streams) else {}
        for message in stream.get("says", []):
            yield json_format.ParseDict(message, pb.WatchDecisionResponse())
        await self._end(stream.get("ends", "never"), context)

    async def _end(self, how: Any, context: Any) -> None:
        if how == "closed":
            return
        if how == "cut":
            # As a proxy does with a stream on which nothing was said for long.
            await asyncio.to_thread(self.cut)
        if how == "killed":
            restart = asyncio.create_task(self._restart())
            self._restarts.add(restart)
        if isinstance(how, str):
            await asyncio.Event().wait()
        code = grpc.StatusCode[how["code"]]
        info = error_details_pb2.ErrorInfo(reason=how.get("reason", ""), domain="release-passport.dev")
        details = any_pb2.Any()
        details.Pack(info)
        status = status_pb2.Status(code=code.value[0], message="as told", details=[details])
        trailing = ((_DETAILS, status.SerializeToString()),) if info.reason else ()
        await context.abort(code, "as told", trailing)

    async def _restart(self) -> None:
        await self.stop()
        await self.start()


def _lost_with_its_connection(asked: list[str], streams: list[dict[str, Any]], token: str) -> bool:
    """Say whether what a stream said was still on its way as it was cut, so that it is asked for once more."""
    last = streams[len(asked) - 1] if 0 < len(asked) <= len(streams) else {}
    return last.get("ends") == "cut" and asked[-1] == token


@asynccontextmanager
async def scripted_server(files: Certificates) -> AsyncIterator[ScriptedServer]:
    """Serve the table for a while."""
    server = ScriptedServer(files)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def cutting_proxy(server: ScriptedServer) -> AsyncIterator[int]:
    """Give the port of a proxy before the server, which cuts every connection when the table says so."""
    proxy, started = Proxy("127.0.0.1", server.port), threading.Event()
    thread = threading.Thread(target=proxy.run, args=(started,), name="proxy")
    thread.start()
    started.wait(10)

    def cut() -> None:
        proxy.turn(Way.REFUSE)
        proxy.turn(Way.PASS)

    server.cut = cut
    try:
        yield proxy.listens
    finally:
        proxy.stop()
        thread.join()
