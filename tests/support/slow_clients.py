"""Peers that keep a server waiting, frame by frame (RFC 9113) and byte by byte; they do as told and no more."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, WINDOW = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _END_HEADERS, _ACK = 0x1, 0x4, 0x1
_NO_TABLE, _MOST_STREAMS, _FIRST_WINDOW = 1, 3, 4


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as the server sent it."""

    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def ends_stream(self) -> bool:
        """Say whether nothing follows on its stream."""
        return self.kind == RESET or (self.kind in {DATA, HEADERS} and bool(self.flags & _END_STREAM))

    @property
    def settings(self) -> dict[int, int]:
        """Return the settings that the frame names."""
        return dict(struct.iter_unpack(">HI", self.payload)) if self.kind == SETTINGS else {}


@dataclass(slots=True)
class RawConnection:
    """A TCP connection on which nothing is sent but what a test sends."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    frames: list[Frame] = field(default_factory=list)
    _next: int = 1

    def send(self, raw: bytes) -> None:
        """Send bytes."""
        self.writer.write(raw)

    def send_frame(self, kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> None:
        """Send one frame."""
        self.send(frame(kind, flags, stream, payload))

    def greet(self, *, window: int = 65_535) -> None:
        """Begin HTTP/2; each of our streams takes so many bytes, and none more."""
        wanted = struct.pack(">HIHI", _NO_TABLE, 0, _FIRST_WINDOW, window)
        self.send(PREFACE + frame(SETTINGS, 0, 0, wanted))

    async def settled(self) -> dict[int, int]:
        """Answer the server's first settings and return them; nothing after that is answered."""
        found = (await self.until(SETTINGS)).settings
        self.send_frame(SETTINGS, _ACK)
        return found

    def call(self, path: str, headers: Mapping[str, str], *, body: bytes | None = None) -> int:
        """Open a call and return its stream; without a body its message never comes."""
        stream, self._next = self._next, self._next + 2
        names = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "localhost"}
        names |= {"content-type": "application/grpc", "te": "trailers", **headers}
        block = b"".join(_literal(name, value) for name, value in names.items())
        self.send_frame(HEADERS, _END_HEADERS, stream, block)
        if body is not None:
            self.send_frame(DATA, _END_STREAM, stream, b"\x00" + struct.pack(">I", len(body)) + body)
        return stream

    async def next_frame(self) -> Frame | None:
        """Return the next frame; None at the connection's end."""
        try:
            head = await self.reader.readexactly(9)
            size, stream = int.from_bytes(head[:3], "big"), int.from_bytes(head[5:], "big")
            made = Frame(head[3], head[4], stream, await self.reader.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return None
        self.frames.append(made)
        return made

    async def until(self, kind: int, *, ack: bool = False) -> Frame:
        """Return the next frame of the kind, an acknowledgement or not."""
        while (made := await self.next_frame()) is not None:
            if made.kind == kind and (kind not in {SETTINGS, PING} or bool(made.flags & _ACK) == ack):
                return made
        raise AssertionError(f"the connection ended before a frame of kind {kind}: {self.frames}")

    async def end_of(self, stream: int) -> list[Frame]:
        """Return what came on a stream up to its end."""
        while not any(made.stream == stream and made.ends_stream for made in self.frames):
            assert await self.next_frame() is not None, self.frames
        return [made for made in self.frames if made.stream == stream]

    async def closed(self) -> list[Frame]:
        """Read up to the connection's end, which the server makes, and return all frames."""
        while await self.next_frame() is not None:
            pass
        return self.frames

    async def rest(self) -> bytes:
        """Return the bytes up to the connection's end, which the server makes."""
        try:
            return await self.reader.read()
        except ConnectionResetError:
            return b""


@asynccontextmanager
async def raw_connection(port: int) -> AsyncIterator[RawConnection]:
    """Open a connection to a port of this machine."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield RawConnection(reader, writer)
    finally:
        writer.transport.abort()


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """Return a frame's bytes."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def most_streams(settings: Mapping[int, int]) -> int | None:
    """Return how many streams at once the server's settings allow; None where they name no limit."""
    return settings.get(_MOST_STREAMS)


def _literal(name: str, value: str) -> bytes:
    """Return a header that enters no table, its name and value as they are."""
    return b"\x00" + _text(name) + _text(value)


def _text(value: str) -> bytes:
    raw = value.encode("ascii")
    if len(raw) < 127:
        return bytes((len(raw),)) + raw
    size, out = len(raw) - 127, bytearray((127,))
    while size >= 128:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes((*out, size)) + raw
