"""One connection to a server: deadlines, request ids, and failures as one exception."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc
from google.protobuf.message import Message

from release_passport import __version__
from release_passport.channel import open_channel
from release_passport.rpc_errors import api_error
from release_passport.target import Target

Response = TypeVar("Response", bound=Message)

DEFAULT_TIMEOUT = 30.0


class Connection:
    """A connection to one server; subclasses name the RPCs."""

    def __init__(
        self, target: Target, *, timeout: float = DEFAULT_TIMEOUT, channel: grpc.Channel | None = None
    ) -> None:
        self._channel = channel or open_channel(target, user_agent=f"release-passport-python/{__version__}")
        self._target = target
        self._timeout = timeout

    @property
    def channel(self) -> grpc.Channel:
        """Return the channel, for calls that are not of this API, such as health."""
        return self._channel

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def __enter__(self) -> Self:
        """Return the client, which is closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self.close()

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        return metadata_of(self._target.token_now())

    def call(
        self, method: str, request: Message, response: type[Response], timeout: float | None
    ) -> Response:
        """Return the answer of one RPC, or raise PassportAPIError."""
        call = self._channel.unary_unary(
            f"/release_passport.v1.{method}",
            request_serializer=serialized,
            response_deserializer=response.FromString,
        )
        deadline = self._timeout if timeout is None else timeout
        try:
            answer: Response = call(with_request_id(request), timeout=deadline, metadata=self._metadata())
        except grpc.RpcError as failure:
            raise api_error(failure) from failure
        return answer

    def stream(
        self, method: str, request: Message, response: type[Response], timeout: float | None
    ) -> Answers[Response]:
        """Return the answers of one RPC as they come, without a deadline if none is given."""
        call = self._channel.unary_stream(
            f"/release_passport.v1.{method}",
            request_serializer=serialized,
            response_deserializer=response.FromString,
        )(request, timeout=timeout, metadata=self._metadata())
        return Answers(call)


class Answers(Iterator[Response]):
    """The answers of one RPC as they come, or PassportAPIError; `close` ends the call, from any thread."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def __next__(self) -> Response:
        """Return the next answer."""
        try:
            answer: Response = next(self._call)
        except grpc.RpcError as failure:
            raise api_error(failure) from failure
        return answer

    def close(self) -> None:
        """End the call."""
        self._call.cancel()

    def __del__(self) -> None:
        """End the call of an iterator that nobody has any more."""
        self.close()


def metadata_of(token: str) -> tuple[tuple[str, str], ...]:
    """Return what a call shows of its caller."""
    return (("authorization", f"Bearer {token}"),) if token else ()


def serialized(request: Message) -> bytes:
    """Return a request as it is sent."""
    return request.SerializeToString()


def with_request_id(request: Message) -> Message:
    """Return the request with a new id, where it takes one and has none."""
    names = {field.name for field, _ in request.ListFields()}
    if "request_id" not in request.DESCRIPTOR.fields_by_name or "request_id" in names:
        return request
    copy = type(request)(request_id=str(uuid.uuid4()))
    copy.MergeFrom(request)
    return copy
