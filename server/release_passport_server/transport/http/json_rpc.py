"""Every unary RPC as `POST /{service}/{method}` with protobuf JSON: the unary form of the Connect protocol.

Errors have Connect's form, so that its clients read them: `code`, `message`, and `details` with the bytes of
each google.rpc detail; `debug` shows the same as JSON for people. Source: https://connectrpc.com/docs/protocol
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from release_passport_server.transport.grpc.dispatcher import (
    MAX_MESSAGE_BYTES,
    Call,
    Dispatcher,
    malformed,
    request_id_of,
)
from release_passport_server.transport.grpc.errors import Failure, status_of
from release_passport_server.transport.grpc.methods import Method
from release_passport_server.transport.http.patience import CERTIFICATE

MAX_DEPTH = 64
# Reading JSON costs microseconds for each value: this many take less than 200 ms.
MAX_VALUES = 30_000
_LOOP_BYTES = 32 * 1024

_HTTP_STATUS: Mapping[int, int] = MappingProxyType(
    {
        code_pb2.CANCELLED: 499,
        code_pb2.UNKNOWN: 500,
        code_pb2.INVALID_ARGUMENT: 400,
        code_pb2.DEADLINE_EXCEEDED: 504,
        code_pb2.NOT_FOUND: 404,
        code_pb2.ALREADY_EXISTS: 409,
        code_pb2.PERMISSION_DENIED: 403,
        code_pb2.UNAUTHENTICATED: 401,
        code_pb2.RESOURCE_EXHAUSTED: 429,
        code_pb2.FAILED_PRECONDITION: 400,
        code_pb2.ABORTED: 409,
        code_pb2.OUT_OF_RANGE: 400,
        code_pb2.UNIMPLEMENTED: 501,
        code_pb2.INTERNAL: 500,
        code_pb2.UNAVAILABLE: 503,
        code_pb2.DATA_LOSS: 500,
    }
)

# Connect writes this one word with one l.
_CONNECT_NAMES = {"cancelled": "canceled"}


def json_rpc_routes(dispatcher: Dispatcher, methods: tuple[Method, ...]) -> list[Route]:
    """Return one route for each unary RPC."""
    return [
        Route(method.path, _endpoint(dispatcher, method), methods=["POST"])
        for method in methods
        if method.unary
    ]


def _endpoint(dispatcher: Dispatcher, method: Method) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if (refused := wrong_type(request)) is not None:
            return refused
        request_id = request_id_of(request.headers.get("x-request-id"))
        try:
            call = called(request, method, request_id)
            answer = await dispatcher.unary(call, lambda: received(request, method))
            body = await asyncio.to_thread(to_json, answer)
        except Failure as failure:
            return error_response(failure.status, request_id)
        except Exception as error:  # noqa: BLE001 - no text of ours reaches the caller
            return error_response(status_of(error, request_id), request_id)
        return Response(body, media_type="application/json", headers={"x-request-id": request_id})

    return endpoint


def wrong_type(request: Request) -> Response | None:
    """Return the refusal of a body that does not say it is JSON; None where it does."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
        return None
    return Response("send content-type: application/json\n", status_code=415, media_type="text/plain")


def called(request: Request, method: Method, request_id: str) -> Call:
    """Return the call that the headers describe; raise Invalid."""
    return Call(
        method,
        "http",
        request_id,
        tuple(request.headers.getlist("authorization")),
        _remaining(request.headers.get("connect-timeout-ms")),
        request.scope.get(CERTIFICATE, b""),
    )


def error_response(status: status_pb2.Status, request_id: str) -> Response:
    """Return the HTTP form of a failed call."""
    name = code_pb2.Code.Name(status.code).lower()
    body = {
        "code": _CONNECT_NAMES.get(name, name),
        "message": status.message,
        "details": [_detail(packed) for packed in status.details],
    }
    headers = {"x-request-id": request_id}
    if status.code == code_pb2.UNAUTHENTICATED:
        headers["www-authenticate"] = "Bearer"
    retry = error_details_pb2.RetryInfo()
    if any(packed.Unpack(retry) for packed in status.details if packed.Is(retry.DESCRIPTOR)):
        headers["retry-after"] = str(max(1, round(retry.retry_delay.ToTimedelta().total_seconds())))
    return JSONResponse(body, status_code=_HTTP_STATUS.get(status.code, 500), headers=headers)


def from_json(method: Method, raw: bytes) -> Message:
    """Return the request that the JSON holds; raise Invalid, also for unknown or repeated fields."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise malformed(f"the body is not UTF-8 at byte {error.start}") from None
    if not text.lstrip().startswith("{"):
        raise malformed("the body is not a JSON object")
    if text.count(",") + text.count("{") + text.count("[") > MAX_VALUES:
        raise malformed(f"the body holds more than {MAX_VALUES} values; send less at once")
    try:
        return json_format.Parse(text, method.request(), max_recursion_depth=MAX_DEPTH)
    except json_format.ParseError as error:
        # The library's text names the field; what follows the first line lists all fields.
        raise malformed(str(error).partition("\n")[0][:400]) from None
    except (ValueError, RecursionError, TypeError, AttributeError):
        raise malformed(f"the body is not the JSON form of {method.request.DESCRIPTOR.name}") from None


async def received(request: Request, method: Method) -> Message:
    """Return the request that the body holds; raise Invalid."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_MESSAGE_BYTES:
                raise malformed("the body is larger than 4 MiB; send less at once")
    except ClientDisconnect:
        raise malformed("the body was cut short") from None
    if len(body) <= _LOOP_BYTES:
        return from_json(method, bytes(body))
    return await asyncio.to_thread(from_json, method, bytes(body))


def _remaining(timeout_ms: str | None) -> float | None:
    if timeout_ms is None:
        return None
    if not (timeout_ms.isascii() and timeout_ms.isdecimal() and len(timeout_ms) <= 10):
        raise malformed("connect-timeout-ms is a number of milliseconds of up to ten digits")
    return int(timeout_ms) / 1000


def to_json(message: Message) -> str:
    """Return the message as JSON on one line."""
    return json_format.MessageToJson(message, indent=None, ensure_ascii=False)


def _detail(packed: Any) -> dict[str, object]:
    detail: dict[str, object] = {
        "type": packed.TypeName(),
        "value": base64.b64encode(packed.value).decode("ascii").rstrip("="),
    }
    debug = json_format.MessageToDict(packed)
    debug.pop("@type", None)
    return detail | {"debug": debug}
