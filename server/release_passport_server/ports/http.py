"""What services and adapters need of calls to other systems."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from release_passport_server.domain.outbound import Reach

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class HTTPRequest:
    """What is asked. No text of it is ever logged or told."""

    url: str
    method: str = "GET"
    # Sent to the origin of `url` alone, as `credential` is: a redirect elsewhere goes without.
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    # The value of the Authorization header.
    credential: str = field(default="", repr=False)
    body: bytes = field(default=b"", repr=False)
    # Media types that an answer with a body may have; it is asked for these. None: whatever comes.
    accept: tuple[str, ...] = ()
    # Most bytes of the body, as sent and once it is unpacked.
    max_bytes: int = MIB
    # Most seconds in all: names, connections, redirects and the last byte.
    seconds: float = 10.0
    # Redirects are followed for GET and HEAD alone.
    max_redirects: int = 3


@dataclass(frozen=True, slots=True)
class HTTPResponse:
    """What was answered; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    # Where it came from in the end.
    url: str

    @property
    def media_type(self) -> str:
        """Return the type of the body without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class HTTPClient(Protocol):
    """Calls one configured system, and nothing else."""

    async def send(self, request: HTTPRequest) -> HTTPResponse:
        """Return the answer, whatever its status; raise OutboundError where there is none that can be trusted."""
        ...


class HTTPClients(Protocol):
    """Opens clients."""

    def open(self, reach: Reach, ca_file: Path | None = None) -> AbstractAsyncContextManager[HTTPClient]:
        """Return a client that goes nowhere but there; authorities are the system's, or those of a PEM file."""
        ...


class HTTPStream(Protocol):
    """An answer that goes on for as long as there is something to tell."""

    @property
    def status(self) -> int:
        """Return the status of the answer."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the headers; names are in lower case."""
        ...

    def lines(self) -> AsyncIterator[bytes]:
        """Yield each line without its end; raise OutboundError where one is too long, or the stream breaks."""
        ...


class StreamingClient(HTTPClient, Protocol):
    """Calls one configured system whose answers may go on."""

    def stream(self, request: HTTPRequest, idle_seconds: float) -> AbstractAsyncContextManager[HTTPStream]:
        """Return the answer as it comes; redirects are not followed.

        `request.seconds` is for the beginning, `idle_seconds` for each silence after it, and `request.max_bytes` for
        one line. Raise OutboundError where there is no answer that can be trusted.
        """
        ...


class StreamingClients(Protocol):
    """Opens clients that can stream."""

    def open(
        self, reach: Reach, ca_file: Path | None = None, *, connections: int = 10
    ) -> AbstractAsyncContextManager[StreamingClient]:
        """Return a client that goes nowhere but there, and has no more connections open than so many."""
        ...
