"""A server that answers what a test tells it to, over real gRPC on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import any_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

import release_passport.client  # noqa: F401  Its messages must be known to the pool.

Reply = Message | Exception | Callable[[Any], Message]


class Refusal(Exception):
    """An answer that is an error, with the details that the real server sends."""

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        *,
        reason: str = "",
        violations: dict[str, str] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason
        self.violations = violations or {}
        self.retry_after = retry_after

    def packed(self) -> bytes:
        """Return the details as google.rpc.Status."""
        number: tuple[int, str] = self.code.value
        status = status_pb2.Status(code=number[0], message=self.message)
        details: list[Message] = []
        if self.reason:
            details.append(error_details_pb2.ErrorInfo(reason=self.reason, domain="release-passport.dev"))
        if self.violations:
            request = error_details_pb2.BadRequest()
            for name, text in self.violations.items():
                request.field_violations.add(field=name, description=text)
            details.append(request)
        if self.retry_after is not None:
            retry = error_details_pb2.RetryInfo()
            retry.retry_delay.FromMilliseconds(int(self.retry_after * 1000))
            details.append(retry)
        for detail in details:
            packed = any_pb2.Any()
            packed.Pack(detail)
            status.details.append(packed)
        return bytes(status.SerializeToString())


@dataclass
class FakeServer:
    """What the server answers by the name of the RPC, and what it was asked."""

    address: str = ""
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    requests: list[tuple[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    healthy: bool = True

    def reply(self, method: str, *replies: Reply) -> None:
        """Answer the RPC with these in turn, and with the last one from then on."""
        self.replies[method] = list(replies)

    def asked(self, method: str) -> list[Any]:
        """Return the requests of one RPC."""
        return [request for name, request in self.requests if name == method]

    def answer(self, method: str, request: Message, context: grpc.ServicerContext) -> Message:
        """Answer one call."""
        self.requests.append((method, request))
        metadata = {item[0]: item[1] for item in context.invocation_metadata()}
        self.tokens.append(str(metadata.get("authorization", "")))
        replies = self.replies.get(method)
        if not replies:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"the test gave no answer for {method}")
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if callable(reply):
            reply = reply(request)
        if isinstance(reply, Refusal):
            context.set_trailing_metadata((("grpc-status-details-bin", reply.packed()),))
            context.abort(reply.code, reply.message)
        assert isinstance(reply, Message)
        return reply


class _Handler(grpc.GenericRpcHandler):
    """Serves every RPC of the contract, by its descriptor."""

    def __init__(self, fake: FakeServer) -> None:
        self._fake = fake

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        service, _, method = str(details.method).lstrip("/").rpartition("/")
        if service == "grpc.health.v1.Health":
            status = b"\x08\x01" if self._fake.healthy else b"\x08\x02"
            return grpc.unary_unary_rpc_method_handler(lambda _request, _context: status)
        descriptor = descriptor_pool.Default().FindServiceByName(service).methods_by_name[method]
        request_type = message_factory.GetMessageClass(descriptor.input_type)
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: self._fake.answer(method, request, context),
            request_deserializer=request_type.FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )


@contextmanager
def running_fake_server() -> Iterator[FakeServer]:
    """Run a fake server for the length of the block."""
    fake = FakeServer()
    server = grpc.server(ThreadPoolExecutor(max_workers=4), options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((_Handler(fake),))
    fake.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield fake
    finally:
        server.stop(None).wait()
