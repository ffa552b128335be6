"""Server reflection, for who is known: the contract is public, what a server offers is not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from release_passport_server.domain.access import Principal
from release_passport_server.domain.errors import Unauthenticated
from release_passport_server.transport.grpc.methods import service_names
from release_passport_server.transport.grpc.peers import peer_certificate

Authenticate = Callable[[Sequence[str], bytes], Awaitable[Principal]]

# The messages of v1 are those of v1alpha; newer tools ask for v1 first.
_SERVICES = ("grpc.reflection.v1.ServerReflection", reflection.SERVICE_NAME)


def reflection_handlers(authenticate: Authenticate | None) -> tuple[grpc.GenericRpcHandler, ...]:
    """Return the handlers of both versions; without `authenticate` everybody may ask."""
    servicer: Any = reflection.aio.ReflectionServicer((*service_names(), "grpc.health.v1.Health", *_SERVICES))

    async def info(requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        if authenticate is not None:
            metadata = context.invocation_metadata() or ()
            try:
                shown = [value for key, value in metadata if key == "authorization"]
                await authenticate(shown, peer_certificate(context))
            except Unauthenticated as error:
                await context.abort(grpc.StatusCode.UNAUTHENTICATED, error.message)
            except Exception:  # noqa: BLE001 - no text of ours reaches the caller
                await context.abort(grpc.StatusCode.UNAVAILABLE, "who asks could not be checked; retry")
        async for response in servicer.ServerReflectionInfo(requests, context):
            yield response

    handler: Any = grpc.stream_stream_rpc_method_handler(
        info,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    return tuple(
        grpc.method_handlers_generic_handler(service, {"ServerReflectionInfo": handler})
        for service in _SERVICES
    )
