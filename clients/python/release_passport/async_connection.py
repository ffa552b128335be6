"""One connection to a server for programs that await: what `connection` does, without blocking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc
from google.protobuf.message import Message
from grpc import aio

from release_passport import __version__
from release_passport.channel import open_async_channel
from release_passport.connection import DEFAULT_TIMEOUT, metadata_of, serialized, with_request_id
from release_passport.rpc_errors import api_error
from release_passport.target import Target

Response = TypeVar("Response", bound=Message)


class AsyncConnection:
    """A connection to one server, for one event loop; subclasses name the RPCs."""

    def __init__(
        self, target: Target, *, timeout: float = DEFAULT_TIMEOUT, channel: aio.Channel | None = None
    ) -> None:
        agent = f"release-passport-python/{__version__}"
        self._channel = channel or open_async_channel(target, user_agent=agent)
        self._target = target
        self._timeout = timeout

    @property
    def channel(self) -> aio.Channel:
        """Return the channel, for calls that are not of this API, such as health."""
        return self._channel

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close()

    async def __aenter__(self) -> Self:
        """Return the client, which is closed at the end of the block."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        await self.close()

    async def _metadata(self) -> tuple[tuple[str, str], ...]:
        # A source of tokens may ask the network for one.
        fresh = self._target.fresh_token is not None
        token = await asyncio.to_thread(self._target.token_now) if fresh else self._target.token_now()
        return metadata_of(token)

    async def call(
        self,
        method: str,
        request: Message,
        response: type[Response],
        timeout: float | None,  # noqa: ASYNC109  The RPC carries it.
    ) -> Response:
        """Return the answer of one RPC, or raise PassportAPIError."""
        call: Any = self._channel.unary_unary(
            f"/release_passport.v1.{method}",
            request_serializer=serialized,
            response_deserializer=response.FromString,
        )
        deadline = self._timeout if timeout is None else timeout
        metadata = await self._metadata()
        task = asyncio.current_task()
        asked = 0 if task is None else task.cancelling()
        try:
            answer: Response = await call(with_request_id(request), timeout=deadline, metadata=metadata)
        except grpc.RpcError as failure:
            raise api_error(failure) from failure
        if task is not None and task.cancelling() > asked:
            # grpc.aio forgets that its task was cancelled where the answer came at the same time.
            raise asyncio.CancelledError
        return answer

    async def stream(
        self,
        method: str,
        request: Message,
        response: type[Response],
        timeout: float | None,  # noqa: ASYNC109  The RPC carries it.
    ) -> AsyncAnswers[Response]:
        """Return the answers of one RPC as they come, without a deadline if none is given."""
        call: Any = self._channel.unary_stream(
            f"/release_passport.v1.{method}",
            request_serializer=serialized,
            response_deserializer=response.FromString,
        )
        return AsyncAnswers(call(request, timeout=timeout, metadata=await self._metadata()))


class AsyncAnswers(AsyncIterator[Response]):
    """The answers of one RPC as they come, or PassportAPIError; `close` ends the call and the iteration."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._answers = aiter(call)
        self._closed = False

    async def __anext__(self) -> Response:
        """Return the next answer."""
        try:
            answer: Response = await anext(self._answers)
        except grpc.RpcError as failure:
            raise api_error(failure) from failure
        except asyncio.CancelledError:
            # The end of the call is told like the end of the task; only the latter goes on outwards.
            task = asyncio.current_task()
            if self._closed and (task is None or not task.cancelling()):
                raise StopAsyncIteration from None
            raise
        return answer

    def close(self) -> None:
        """End the call."""
        self._closed = True
        self._call.cancel()
