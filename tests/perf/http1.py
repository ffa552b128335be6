"""The least HTTP/1.1 that measuring needs, so that generator and stand-in cost a fraction of what is measured."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


def _body_length(head: bytes) -> int:
    _, found, rest = head.lower().partition(_LENGTH)
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


@dataclass(slots=True, eq=False)
class _Connection(asyncio.Protocol):
    """One connection with at most one question on it."""

    answer: asyncio.Future[tuple[int, bytes]] | None = None
    transport: asyncio.Transport | None = None
    _read: bytearray = field(default_factory=bytearray)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        end = self._read.find(_END)
        if end < 0:
            return
        head = bytes(self._read[:end])
        length = _body_length(head)
        if len(self._read) < end + 4 + length or self.answer is None:
            return
        body, self._read = bytes(self._read[end + 4 : end + 4 + length]), bytearray()
        answer, self.answer = self.answer, None
        if not answer.cancelled():
            answer.set_result((int(head[9:12]), body))

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(exc or ConnectionResetError("closed in the midst of an answer"))


@dataclass(slots=True)
class Client:
    """Asks over as many connections as there are questions at once, and keeps them."""

    host: str
    port: int
    _free: deque[_Connection] = field(default_factory=deque)

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Return status and body."""
        while self._free:
            connection = self._free.pop()
            if connection.transport is not None:
                try:
                    return await self._ask(connection, request)
                except ConnectionResetError:
                    # The server closed what was idle as we wrote: another connection.
                    continue
        loop = asyncio.get_running_loop()
        return await self._ask((await loop.create_connection(_Connection, self.host, self.port))[1], request)

    async def _ask(self, connection: _Connection, request: bytes) -> tuple[int, bytes]:
        assert connection.transport is not None
        connection.answer = asyncio.get_running_loop().create_future()
        connection.transport.write(request)
        answer = await connection.answer
        self._free.append(connection)
        return answer

    def post(self, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
        """Return the bytes of a POST of JSON."""
        lines = [f"POST {path} HTTP/1.1", f"host: {self.host}", "content-type: application/json"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines.append(f"content-length: {len(body)}")
        return "\r\n".join(lines).encode() + _END + body


@dataclass(slots=True, eq=False)
class _Serving(asyncio.Protocol):
    """One connection to a server whose answers are known by their paths."""

    answers: Mapping[bytes, bytes]
    token: bytes
    _read: bytearray = field(default_factory=bytearray)
    _transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(_END)) >= 0:
            head, self._read = bytes(self._read[:end]), self._read[end + 4 :]
            path = head.split(b" ", 2)[1]
            allowed = self.token in head
            status, body = (b"200 OK", self.answers.get(path)) if allowed else (b"403 Forbidden", b"{}")
            if body is None:
                status, body = b"404 Not Found", b"{}"
            assert self._transport is not None
            length = str(len(body)).encode()
            self._transport.write(
                b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %b\r\n\r\n%b"
                % (status, length, body)
            )


async def serve(answers: Mapping[bytes, bytes], token: str) -> asyncio.Server:
    """Return a server on loopback that answers GET of these paths to who has the token."""
    loop = asyncio.get_running_loop()
    shown = f"Bearer {token}".encode()
    return await loop.create_server(lambda: _Serving(answers, shown), "127.0.0.1", 0)
