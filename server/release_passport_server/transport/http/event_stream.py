"""Every RPC that answers with a stream as server-sent events: `POST /{service}/{method}` with the request as JSON.

One event is one message: `data` is its JSON, `id` its resume token. What fails before the first message is an
ordinary HTTP error; later it is the last event, `error`, with the same body. The credential comes in a header
alone: an address with a token in it would be logged and kept. Source: https://html.spec.whatwg.org (9.2)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from google.protobuf.message import Message
from google.rpc import status_pb2
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from release_passport_server.domain.errors import PassportError
from release_passport_server.transport.grpc.dispatcher import Call, Dispatcher, malformed, request_id_of
from release_passport_server.transport.grpc.errors import Failure, status_of
from release_passport_server.transport.grpc.methods import Method
from release_passport_server.transport.http.json_rpc import (
    called,
    error_response,
    received,
    to_json,
    wrong_type,
)

MEDIA_TYPE = "text/event-stream"
# A resume token is shorter; a longer header is somebody else's.
MAX_TOKEN = 1024


def event_stream_routes(dispatcher: Dispatcher, methods: tuple[Method, ...]) -> list[Route]:
    """Return one route for each RPC that answers one request with a stream."""
    return [
        Route(method.path, _endpoint(dispatcher, method), methods=["POST"])
        for method in methods
        if method.server_streaming
    ]


def _endpoint(dispatcher: Dispatcher, method: Method) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if (refused := wrong_type(request)) is not None:
            return refused
        if MEDIA_TYPE not in request.headers.get("accept", "").lower():
            return Response(f"send accept: {MEDIA_TYPE}\n", status_code=406, media_type="text/plain")
        return _Events(dispatcher, method, request)

    return endpoint


class _Events(Response):
    """The stream of answers to one request."""

    def __init__(self, dispatcher: Dispatcher, method: Method, request: Request) -> None:
        super().__init__()
        self._dispatcher = dispatcher
        self._method = method
        self._request = request
        self._begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answers until they end or the reader has gone."""
        request_id = request_id_of(self._request.headers.get("x-request-id"))
        try:
            call = called(self._request, self._method, request_id)
        except PassportError as error:
            await error_response(status_of(error, request_id), request_id)(scope, receive, send)
            return
        leaving: list[asyncio.Task[None]] = []
        running = asyncio.ensure_future(self._run(call, receive, send, leaving))
        try:
            await asyncio.wait({running})
        finally:
            for task in (running, *leaving):
                task.cancel()
        if running.cancelled():
            return
        status = running.result()
        if status is None:
            await self._end(call, send, b"")
        elif self._begun:
            await self._end(call, send, _event("error", bytes(error_response(status, call.request_id).body)))
        else:
            await error_response(status, call.request_id)(scope, receive, send)

    async def _run(
        self, call: Call, receive: Receive, send: Send, leaving: list[asyncio.Task[None]]
    ) -> status_pb2.Status | None:
        """Return how the stream ended; None means well."""
        this = asyncio.current_task()

        async def request() -> Message:
            message = _resumed(await received(self._request, self._method), self._request)
            leaving.append(asyncio.create_task(_left(receive, this)))
            return message

        async def answer(message: Message) -> None:
            await self._begin(call, send)
            await send({"type": "http.response.body", "body": _written(message), "more_body": True})

        try:
            await self._dispatcher.server_stream(call, request, answer)
        except Failure as failure:
            return failure.status
        except Exception as error:  # noqa: BLE001 - no text of ours reaches the caller
            return status_of(error, call.request_id)
        return None

    async def _begin(self, call: Call, send: Send) -> None:
        if self._begun:
            return
        self._begun = True
        headers = [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"x-request-id", call.request_id.encode()),
            # Proxies that store answers would hold the events back.
            (b"x-accel-buffering", b"no"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def _end(self, call: Call, send: Send, last: bytes) -> None:
        await self._begin(call, send)
        await send({"type": "http.response.body", "body": last, "more_body": False})


async def _left(receive: Receive, stream: asyncio.Task[object] | None) -> None:
    """Cancel the stream when its reader goes."""
    while (await receive())["type"] != "http.disconnect":
        pass
    if stream is not None:
        stream.cancel()


def _resumed(message: Message, request: Request) -> Message:
    """Return the request with the reader's last event as its resume token."""
    token = request.headers.get("last-event-id", "")
    if not token or "resume_token" not in message.DESCRIPTOR.fields_by_name:
        return message
    if len(token) > MAX_TOKEN:
        raise malformed("last-event-id is not the id of an event of this stream")
    message.resume_token = token  # type: ignore[attr-defined]
    return message


def _written(message: Message) -> bytes:
    return _event("", to_json(message).encode(), str(getattr(message, "resume_token", "")))


def _event(name: str, data: bytes, token: str = "") -> bytes:
    lines = [b"event: " + name.encode()] * bool(name) + [b"id: " + token.encode()] * bool(token)
    return b"\n".join([*lines, b"data: " + data]) + b"\n\n"
