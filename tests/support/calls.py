"""Calls to a whole server as somebody: any method by its name, and what a refusal says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from release_passport.v1 import access_pb2, access_service_pb2
from release_passport_server.transport.grpc.methods import Method, all_methods
from support.server import RealServer, bearer

METHODS = {method.name: method for method in all_methods()}
UNARY = tuple(method for method in all_methods() if method.unary)


@dataclass(frozen=True, slots=True)
class Refused:
    """A call that was refused."""

    code: str
    reason: str
    message: str
    fields: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a token, or nobody."""

    server: RealServer
    token: str | None

    async def __call__(self, name: str, request: Message) -> Any:
        """Call a method; raise what gRPC raises."""
        method = METHODS[name]
        metadata = bearer(self.token) if self.token else ()
        to: dict[str, Any] = {
            "request_serializer": method.request.SerializeToString,
            "response_deserializer": method.response.FromString,
        }
        if method.client_streaming:
            stream: Any = self.server.channel.stream_unary(method.path, **to)
            return await stream(iter([request]), metadata=metadata)
        if method.server_streaming:
            answers: Any = self.server.channel.unary_stream(method.path, **to)
            return await first_of(answers(request, metadata=metadata))
        unary: Any = self.server.channel.unary_unary(method.path, **to)
        return await unary(request, metadata=metadata)

    async def refused(self, name: str, request: Message) -> Refused:
        """Call a method that must be refused; return how it was."""
        with pytest.raises(aio.AioRpcError) as caught:
            await self(name, request)
        return refusal(caught.value)

    async def tried(self, name: str, request: Message) -> Any | Refused:
        """Return the answer, or how the call was refused."""
        try:
            return await self(name, request)
        except aio.AioRpcError as error:
            return refusal(error)

    async def raw(self, method: Method, body: bytes) -> Refused:
        """Send bytes that must be refused; return how they were."""
        call: Any = self.server.channel.unary_unary(method.path)
        with pytest.raises(aio.AioRpcError) as caught:
            await call(body, metadata=bearer(self.token or ""))
        return refusal(caught.value)


async def first_of(call: Any) -> Any:
    """Return the first message of a stream of answers, and leave the rest."""
    async for answer in call:
        call.cancel()
        return answer
    return None


def refusal(error: aio.AioRpcError) -> Refused:
    """Return what a failed call says of itself."""
    trailer = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    status = status_pb2.Status.FromString(trailer if isinstance(trailer, bytes) else trailer.encode())
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for packed in status.details:
        for message in (info, bad):
            if packed.Is(message.DESCRIPTOR):
                packed.Unpack(message)
    return Refused(
        error.code().name,
        info.reason,
        error.details() or "",
        tuple(violation.field for violation in bad.field_violations),
        tuple(violation.description for violation in bad.field_violations),
    )


async def somebody(
    admin: Caller,
    principal: str,
    *roles: str,
    services: tuple[str, ...] = (),
    environments: tuple[str, ...] = (),
    kinds: tuple[str, ...] = (),
) -> Caller:
    """Return a new principal with these roles in this scope, everywhere where none is given."""
    request = access_service_pb2.CreateAPITokenRequest(
        api_token=access_pb2.APIToken(principal=principal),
        role_bindings=[
            access_pb2.RoleBinding(
                role=role, services=services, environments=environments, evidence_kinds=kinds
            )
            for role in roles
        ],
    )
    return Caller(admin.server, (await admin("CreateAPIToken", request)).secret)
