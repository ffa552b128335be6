"""Connections of the second port whose peer keeps us waiting are ended, so that they cannot add up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from enum import Enum
from typing import cast

import h11
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

# A request line with its headers, counted from the connection's begin or the last answer's end.
HEAD_SECONDS = 15.0
# The body behind them; whoever waits for it answers first.
BODY_SECONDS = 20.0
# The peer's reading of what does not fit into the system's buffers.
ANSWER_SECONDS = 30.0
MOST_CONNECTIONS = 512

# Where a request's scope has the client's certificate in DER, verified by the handshake. No header leads here.
CERTIFICATE = "release_passport.certificate"


class Awaited(Enum):
    """What the peer of a connection has to do next."""

    HEAD = "head"
    BODY = "body"
    READING = "reading"
    NOTHING = "nothing"


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that remembers since when it has been waiting, and for what."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection; where there are too many, the one that has waited longest for a request goes."""
        super().connection_made(transport)
        if certificate := _certificate(transport):
            self.app = _certified(self.app, certificate)
        self._phase: tuple[Awaited, int] = (Awaited.HEAD, 0)
        self._since = self.loop.time()
        if len(self.connections) > MOST_CONNECTIONS:
            idle = [one for one in patient(self.connections) if one.awaited is Awaited.HEAD]
            min(idle, key=lambda one: one.since, default=self).cut()

    @property
    def since(self) -> float:
        """Return when the wait began, in the loop's time."""
        return self._since

    @property
    def awaited(self) -> Awaited:
        """Return what the peer has to do next."""
        if self.transport.get_write_buffer_size():
            return Awaited.READING
        return {h11.IDLE: Awaited.HEAD, h11.SEND_BODY: Awaited.BODY}.get(
            self.conn.their_state, Awaited.NOTHING
        )

    def look(self) -> None:
        """End the connection if its peer has had its time."""
        phase = (self.awaited, id(self.cycle))
        if phase != self._phase:
            self._phase, self._since = phase, self.loop.time()
        elif self.loop.time() - self._since > _patience(phase[0]):
            self.cut()

    def cut(self) -> None:
        """End the connection at once, whatever is still to be sent."""
        self.transport.abort()


def _certificate(transport: asyncio.Transport) -> bytes:
    tls = transport.get_extra_info("ssl_object")
    found = None if tls is None else tls.getpeercert(binary_form=True)
    return found or b""


def _certified(app: ASGIApp, certificate: bytes) -> ASGIApp:
    """Return the application whose requests carry the certificate of their connection's handshake."""

    async def certified(scope: Scope, receive: Receive, send: Send) -> None:
        scope[CERTIFICATE] = certificate
        await app(scope, receive, send)

    return certified


def patient(connections: Iterable[object]) -> list[PatientProtocol]:
    """Return the connections as what they are."""
    return cast(list[PatientProtocol], list(connections))


def _patience(awaited: Awaited) -> float:
    return {
        Awaited.HEAD: HEAD_SECONDS,
        Awaited.BODY: BODY_SECONDS,
        Awaited.READING: ANSWER_SECONDS,
        Awaited.NOTHING: float("inf"),
    }[awaited]
