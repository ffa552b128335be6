"""The one way into the service, for both edges: who asks, is there room and time, what happened."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from google.protobuf.message import DecodeError, Message
from google.rpc import code_pb2

from release_passport_server.domain.access import Principal
from release_passport_server.domain.errors import (
    Invalid,
    PassportError,
    Unauthenticated,
    Unavailable,
    Violation,
)
from release_passport_server.ports.authentication import Authenticator
from release_passport_server.transport.grpc.errors import DeadlineExceeded, Failure, Unimplemented, status_of
from release_passport_server.transport.grpc.limits import Limits, draining
from release_passport_server.transport.grpc.methods import Method
from release_passport_server.transport.grpc.refusals import REFUSED, Refusals
from release_passport_server.transport.grpc.remaining import ends_at
from release_passport_server.transport.grpc.turns import Turns
from release_passport_server.transport.metrics import Metrics
from release_passport_server.transport.roles import EVERY_ROLE, Roles, elsewhere, role_of

logger = logging.getLogger(__name__)
T = TypeVar("T")

LEAST_SECONDS = 0.05
RECEIVE_SECONDS = 15.0
MOST_SECONDS = 60.0
STREAM_MOST_SECONDS = 3600.0
STREAM_IDLE_SECONDS = 60.0
MAX_MESSAGE_BYTES = 4 * 1024 * 1024

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")

Unary = Callable[[Principal, Message], Awaitable[Message]]
ClientStream = Callable[[Principal, AsyncIterator[Message]], Awaitable[Message]]
ServerStream = Callable[[Principal, Message], AsyncIterator[Message]]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Call:
    """One call as an edge received it."""

    method: Method
    edge: str
    request_id: str
    authorization: tuple[str, ...] = field(repr=False)
    remaining: float | None = None
    # The client's certificate, PEM or DER, of the connection's TLS handshake; never one from a header.
    certificate: bytes = field(default=b"", repr=False)

    @property
    def caller(self) -> str:
        """Return whose share of the places the call takes: the credential as it is shown."""
        return self.authorization[0] if self.authorization else self.certificate.decode("latin-1")


@dataclass(slots=True)
class _Outcome:
    """What the access log says about a call."""

    code: str = "OK"
    reason: str = ""
    principal: str = ""
    tenant: str = ""


class _Time:
    """How long a call may take: its request has to be there early."""

    def __init__(self, seconds: float) -> None:
        self._clock = asyncio.get_running_loop().time
        self._seconds = seconds
        now = self._clock()
        self.end = now + seconds
        self.timeout = asyncio.timeout_at(min(self.end, now + RECEIVE_SECONDS))

    def received(self) -> None:
        """Give the call all of its time, because its request is there."""
        self.timeout.reschedule(self.end)

    def left(self) -> float:
        """Return the seconds until the end."""
        return self.end - self._clock()

    def over(self) -> DeadlineExceeded:
        """Return the error of a call that had its time."""
        when = self.timeout.when()
        if when is not None and when < self.end:
            text = f"the request did not arrive within {RECEIVE_SECONDS:.0f} s; nothing was done"
            return DeadlineExceeded("DEADLINE_EXCEEDED", text)
        return _too_long(self._seconds)


_Act = Callable[[Principal, _Time], Awaitable[T]]


class Dispatcher:
    """Runs each call of either edge: admits, authenticates, keeps the time, maps errors, counts and logs."""

    def __init__(
        self,
        handlers: Mapping[str, object],
        authenticator: Authenticator,
        limits: Limits,
        metrics: Metrics,
        roles: Roles = EVERY_ROLE,
    ) -> None:
        self._handlers = handlers
        self._roles = roles
        self._authenticator = authenticator
        self._limits = limits
        self._metrics = metrics
        self._refusals = Refusals(metrics)
        self._turns = Turns()

    def implements(self, method: Method) -> bool:
        """Say whether there is a handler for the method."""
        return callable(getattr(self._handlers.get(method.service), method.name, None))

    async def unary(self, call: Call, receive: Callable[[], Awaitable[Message]]) -> Message:
        """Return the answer to one request, which is read only from somebody known; raise Failure."""

        async def act(principal: Principal, time: _Time) -> Message:
            handle = cast(Unary, self._handler(call.method))
            request = await receive()
            time.received()
            with self._limits.admit(call.method.call_class, call.caller, time.left()):
                await self._turns.take()
                return await handle(principal, request)

        return await self._run(call, act, MOST_SECONDS)

    async def client_stream(self, call: Call, messages: AsyncIterator[bytes]) -> Message:
        """Return the answer to a stream of requests; raise Failure."""

        async def act(principal: Principal, time: _Time) -> Message:
            handle = cast(ClientStream, self._handler(call.method))
            time.received()
            with self._limits.admit(call.method.call_class, call.caller):
                return await handle(principal, self._requests(call, messages))

        return await self._run(call, act, STREAM_MOST_SECONDS)

    async def server_stream(self, call: Call, receive: Receive, send: Send) -> None:
        """Send the answers to one request, each when the one before was taken; raise Failure."""

        async def act(principal: Principal, time: _Time) -> None:
            handle = cast(ServerStream, self._handler(call.method))
            request = await receive()
            time.received()
            with self._limits.admit(call.method.call_class, call.caller):
                await self._send_all(call, handle(principal, request), send)

        await self._run(call, act, STREAM_MOST_SECONDS)

    async def authenticate(self, authorization: Sequence[str], certificate: bytes = b"") -> Principal:
        """Return who asks; raise Unauthenticated."""
        return await self._authenticator.authenticate(_bearer(authorization), certificate)

    def refusal(self, call: Call) -> Unavailable | None:
        """Return why the call is refused unheard; None where it is not. It counts as ended."""
        refusal = self._refusal(call)
        if refusal is not None:
            self._refusals.count(call.method, call.edge, refusal.reason)
        return refusal

    def answered(self, call: Call, size: int) -> Callable[[], None]:
        """Count an answer of so many bytes as unread; return what to call when it has been read."""
        return self._limits.unread(call.caller, size)

    def _refusal(self, call: Call) -> Unavailable | None:
        return elsewhere(role_of(call.method), self._roles) or self._limits.refusal(
            call.method.call_class, call.caller, call.remaining
        )

    async def _run(self, call: Call, act: _Act[T], most_seconds: float) -> T:
        clock = asyncio.get_running_loop().time
        started = clock()
        outcome = _Outcome(code="CANCELLED")
        try:
            answer = await self._timed(call, act, most_seconds, outcome)
            outcome.code = "OK"
            return answer
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Nobody cancelled this call: something that it waited for was given up.
            raise self._failure(RuntimeError("given up"), call, outcome) from error
        except Exception as error:  # noqa: BLE001 - this is the border: nothing passes it unmapped
            raise self._failure(error, call, outcome) from None
        finally:
            self._ended(call, outcome, clock() - started)

    async def _timed(self, call: Call, act: _Act[T], most_seconds: float, outcome: _Outcome) -> T:
        refusal = self._refusal(call)
        if refusal is not None:
            raise refusal
        if call.remaining is not None and call.remaining < LEAST_SECONDS:
            raise DeadlineExceeded(
                "DEADLINE_TOO_SHORT", "less than 50 ms were left when the call arrived; give it more time"
            )
        seconds = min(most_seconds, most_seconds if call.remaining is None else call.remaining)
        time = _Time(seconds)
        ends_at(time.end)
        try:
            async with time.timeout:
                principal = await self.authenticate(call.authorization, call.certificate)
                outcome.principal, outcome.tenant = principal.id, principal.tenant
                return await act(principal, time)
        except TimeoutError:
            if not time.timeout.expired():
                raise
            raise time.over() from None

    def _handler(self, method: Method) -> object:
        if not self.implements(method):
            raise Unimplemented("UNIMPLEMENTED", f"this server does not have {method.path}")
        return getattr(self._handlers[method.service], method.name)

    def _failure(self, error: Exception, call: Call, outcome: _Outcome) -> Failure:
        status = status_of(error, call.request_id)
        outcome.code = code_pb2.Code.Name(status.code)
        if isinstance(error, PassportError) and status.code != code_pb2.INTERNAL:
            outcome.reason = error.reason
        else:
            outcome.reason = "INTERNAL"
            logger.error("call failed", exc_info=error, extra={"request_id": call.request_id})
        return Failure(status)

    def _ended(self, call: Call, outcome: _Outcome, seconds: float) -> None:
        if outcome.reason in REFUSED:
            self._refusals.count(call.method, call.edge, outcome.reason)
            return
        self._metrics.call_ended(call.method, call.edge, outcome.code, seconds)
        logger.info(
            "call",
            extra={
                "request_id": call.request_id,
                "method": call.method.path,
                "edge": call.edge,
                "principal": outcome.principal,
                "tenant": outcome.tenant,
                "code": outcome.code,
                "reason": outcome.reason,
                "ms": round(seconds * 1000, 2),
            },
        )

    async def _requests(self, call: Call, messages: AsyncIterator[bytes]) -> AsyncIterator[Message]:
        drained = asyncio.ensure_future(self._limits.drained())
        try:
            while True:
                raw = await self._next(messages, drained)
                if raw is None:
                    return
                # A stream may outlive its credential.
                await self.authenticate(call.authorization, call.certificate)
                yield decode(call.method, raw)
        finally:
            drained.cancel()

    async def _send_all(self, call: Call, answers: AsyncIterator[Message], send: Send) -> None:
        try:
            async with self._limits.until_drained():
                async for answer in answers:
                    # A stream may outlive its credential.
                    await self.authenticate(call.authorization, call.certificate)
                    await _taken(send(answer))
        finally:
            if isinstance(answers, AsyncGenerator):
                await answers.aclose()

    async def _next(self, messages: AsyncIterator[bytes], drained: asyncio.Future[None]) -> bytes | None:
        reading = asyncio.ensure_future(_read(messages))
        try:
            either: set[asyncio.Future[Any]] = {reading, drained}
            await asyncio.wait(either, timeout=STREAM_IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                return reading.result()
            raise draining() if drained.done() else _too_long(STREAM_IDLE_SECONDS)
        finally:
            reading.cancel()


def decode(method: Method, raw: bytes) -> Message:
    """Return the request that the bytes hold; raise Invalid."""
    if len(raw) > MAX_MESSAGE_BYTES:
        raise malformed("the message is larger than 4 MiB; send less at once")
    try:
        return method.request.FromString(raw)
    except (DecodeError, ValueError):
        name = method.request.DESCRIPTOR.name
        raise malformed(
            f"the bytes are not a {name}: cut short, too deep, or text that is not UTF-8"
        ) from None


def malformed(text: str) -> Invalid:
    """Return the error of a request that cannot be read as a whole."""
    return Invalid("INVALID_FIELDS", text, violations=[Violation("", text)])


def request_id_of(given: str | None) -> str:
    """Return the caller's request id where it can be one, else a new one."""
    return given if given is not None and _REQUEST_ID.fullmatch(given) else secrets.token_hex(16)


async def _taken(sending: Awaitable[None]) -> None:
    """Return when there is room for the next answer; raise DeadlineExceeded for a caller that does not read."""
    try:
        async with asyncio.timeout(STREAM_IDLE_SECONDS):
            await sending
    except TimeoutError:
        text = (
            f"the answers were not read for {STREAM_IDLE_SECONDS:.0f} s; ask again from the last one that was"
        )
        raise DeadlineExceeded("DEADLINE_EXCEEDED", text) from None


async def _read(messages: AsyncIterator[bytes]) -> bytes | None:
    return await anext(messages, None)


def _bearer(authorization: Sequence[str]) -> str | None:
    if not authorization:
        return None
    scheme, _, token = authorization[0].partition(" ")
    if len(authorization) > 1 or scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("CREDENTIAL_INVALID", "send one header: `authorization: Bearer` and the token")
    return token.strip()


def _too_long(seconds: float) -> DeadlineExceeded:
    return DeadlineExceeded(
        "DEADLINE_EXCEEDED",
        f"no answer within {seconds:.3g} s; it may have been done: ask again with the same request_id",
    )
