"""The gRPC port: every RPC of the contract through the dispatcher, health and reflection beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import NoReturn, Protocol, TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc import status_pb2
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from release_passport_server.transport.grpc.connections import Connections
from release_passport_server.transport.grpc.dispatcher import (
    MAX_MESSAGE_BYTES,
    Call,
    Dispatcher,
    decode,
    malformed,
    request_id_of,
)
from release_passport_server.transport.grpc.errors import Failure, status_of
from release_passport_server.transport.grpc.health import Health
from release_passport_server.transport.grpc.methods import Method, service_names
from release_passport_server.transport.grpc.peers import peer_certificate
from release_passport_server.transport.grpc.reflection import reflection_handlers
from release_passport_server.transport.grpc.refusals import REQUEST_ID, trailers_of
from release_passport_server.transport.roles import EVERY_ROLE, Role, Roles, services_of
from release_passport_server.transport.tls import PEM, LiveFiles, TLSFiles

T = TypeVar("T")
_STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}

_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # Below these the core drops bursts of new calls as CANCELLED, which clients do not retry.
    ("grpc.server.max_pending_requests", 20_000),
    ("grpc.server.max_pending_requests_hard_limit", 30_000),
)


class Context(Protocol):
    """What the core says about a call, and takes for its answer."""

    def invocation_metadata(self) -> Iterable[tuple[str, str | bytes]] | None: ...

    async def read(self) -> object: ...

    async def write(self, message: bytes, /) -> None: ...

    def time_remaining(self) -> float | None: ...

    def set_trailing_metadata(self, metadata: tuple[tuple[str, str | bytes], ...], /) -> None: ...

    def auth_context(self) -> Mapping[str, Iterable[bytes]]: ...

    async def abort(
        self, code: grpc.StatusCode, details: str, trailing_metadata: tuple[tuple[str, str | bytes], ...], /
    ) -> NoReturn: ...


class GRPCServer:
    """The gRPC port and its health."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        methods: tuple[Method, ...],
        connections: Connections,
        *,
        tls: TLSFiles | None = None,
        open_reflection: bool,
        shared: bool = False,
        roles: Roles = EVERY_ROLE,
    ) -> None:
        self._tls = tls
        self._roles = roles
        # Two servers on one port share its calls, and unless they were told to they do so in silence.
        sharing = ("grpc.so_reuseport", int(shared))
        self._server = aio.server(options=(*_OPTIONS, sharing, *connections.options()))
        self._health = Health()
        certificates = tls is not None and tls.client_ca is not None
        self._server.add_generic_rpc_handlers((_RPCs(dispatcher, methods, certificates=certificates),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        authenticate = None if open_reflection else dispatcher.authenticate
        self._server.add_generic_rpc_handlers(reflection_handlers(authenticate))

    async def start(self, address: str) -> int:
        """Listen, say what is SERVING, and return the port; raise RuntimeError where the address is taken."""
        if self._tls is None:
            port = int(self._server.add_insecure_port(address))
        else:
            port = int(self._server.add_secure_port(address, _credentials(self._tls)))
        served = services_of(self._roles) | self._roles
        for name in (*service_names(), *Role):
            serving = health_pb2.HealthCheckResponse.SERVING
            refused = health_pb2.HealthCheckResponse.NOT_SERVING
            await self._health.set(str(name), serving if name in served else refused)
        await self._server.start()
        return port

    async def say_not_serving(self) -> None:
        """Tell health checks and watchers that this server is going away."""
        await self._health.enter_graceful_shutdown()

    async def stop(self, grace: float) -> None:
        """Close the port, and what is still open after so many seconds."""
        await self._server.stop(grace)


class _RPCs(grpc.GenericRpcHandler):
    """Finds the RPC of a path; messages stay bytes up to the dispatcher, which answers for bad ones too."""

    def __init__(self, dispatcher: Dispatcher, methods: tuple[Method, ...], *, certificates: bool) -> None:
        self._by_path = {
            method.path: _rpc(dispatcher, method, certificates=certificates) for method in methods
        }

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        """Return the RPC, or None for a path that is none of ours."""
        return self._by_path.get(handler_call_details.method)


def _rpc(
    dispatcher: Dispatcher, method: Method, *, certificates: bool
) -> grpc.RpcMethodHandler[bytes, bytes]:
    def called(context: Context) -> Call:
        return _call(method, context, peer_certificate(context) if certificates else b"")

    async def received(context: Context) -> Message:
        raw = await context.read()
        if not isinstance(raw, bytes):
            raise malformed("the call ended without a message")
        return decode(method, raw)

    async def unary(_: AsyncIterator[bytes], context: Context) -> bytes:
        async def run(call: Call) -> bytes:
            answer = await dispatcher.unary(call, lambda: received(context))
            return _serialized(dispatcher, call, answer)

        return await _answered(context, dispatcher, called(context), run)

    async def client_stream(raw: AsyncIterator[bytes], context: Context) -> bytes:
        async def run(call: Call) -> bytes:
            return _serialized(dispatcher, call, await dispatcher.client_stream(call, raw))

        return await _answered(context, dispatcher, called(context), run)

    async def server_stream(_: AsyncIterator[bytes], context: Context) -> None:
        async def send(answer: Message) -> None:
            # The core lets it return when there is room for it: a slow reader is waited for, not stored for.
            await context.write(answer.SerializeToString())

        async def run(call: Call) -> None:
            await dispatcher.server_stream(call, lambda: received(context), send)

        await _answered(context, dispatcher, called(context), run)

    # Read by us, the message of a unary call is read only where the call is taken, and not waited for for ever.
    if method.server_streaming:
        return grpc.stream_stream_rpc_method_handler(server_stream)
    return grpc.stream_unary_rpc_method_handler(client_stream if method.client_streaming else unary)


async def _answered(
    context: Context, dispatcher: Dispatcher, call: Call, run: Callable[[Call], Awaitable[T]]
) -> T:
    refusal = dispatcher.refusal(call)
    if refusal is not None:
        await context.abort(
            grpc.StatusCode.UNAVAILABLE, refusal.message, trailers_of(refusal, call.request_id)
        )
    try:
        answer = await run(call)
        context.set_trailing_metadata(((REQUEST_ID, call.request_id),))
        return answer
    except Failure as failure:
        status = failure.status
    except Exception as error:  # noqa: BLE001 - the dispatcher maps all; should it fail, the text stays here
        status = status_of(error, call.request_id)
    return await abort(context, status, call.request_id)


def _serialized(dispatcher: Dispatcher, call: Call, answer: Message) -> bytes:
    raw = answer.SerializeToString()
    _until_read(dispatcher, call, len(raw))
    return raw


def _until_read(dispatcher: Dispatcher, call: Call, size: int) -> None:
    """Let the answer count as its caller's until the core has passed it on, with which the call's task ends."""
    task = asyncio.current_task()
    if task is not None:
        read = dispatcher.answered(call, size)
        task.add_done_callback(lambda _: read())


def _call(method: Method, context: Context, certificate: bytes) -> Call:
    request_id = None
    authorization = []
    for key, value in context.invocation_metadata() or ():
        if key == "authorization" and isinstance(value, str):
            authorization.append(value)
        elif key == REQUEST_ID and isinstance(value, str):
            request_id = value
    request_id = request_id_of(request_id)
    return Call(method, "grpc", request_id, tuple(authorization), context.time_remaining(), certificate)


async def abort(context: Context, status: status_pb2.Status, request_id: str) -> NoReturn:
    """End the call with the status and its details."""
    code = _STATUS_CODES.get(status.code, grpc.StatusCode.INTERNAL)
    details = (("grpc-status-details-bin", status.SerializeToString()), (REQUEST_ID, request_id))
    await context.abort(code, status.message, details)


def _credentials(tls: TLSFiles) -> grpc.ServerCredentials:
    """Return credentials that follow the files: the core asks before each handshake."""
    live = LiveFiles(tls)

    def renewed() -> grpc.ServerCertificateConfiguration | None:
        found = live.renewed()
        return None if found is None else _configuration(found)

    made: grpc.ServerCredentials = grpc.dynamic_ssl_server_credentials(
        _configuration(live.current),
        renewed,  # type: ignore[arg-type]  # None says that nothing has changed.
        tls.client_ca is not None,
    )
    return made


def _configuration(pem: PEM) -> grpc.ServerCertificateConfiguration:
    made: grpc.ServerCertificateConfiguration = grpc.ssl_server_certificate_configuration(
        [(pem.key, pem.certificate)], pem.client_ca
    )
    return made
