"""The least HTTP/2 that unary gRPC calls need, so that the load generator costs a fraction of what it measures.

Frames are those of RFC 9113, header blocks those of RFC 7541. The peer is told to keep no dynamic table, so that each
of its header blocks can be read by itself.
"""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import cast

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY, _WINDOW, _CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
_END_STREAM, _END_HEADERS, _ACK, _PADDED, _PRIORITY = 0x1, 0x4, 0x1, 0x8, 0x20
_LARGEST = 2**31 - 1
_MAX_FRAME = 16_384
_FIRST_WINDOW = 65_535
_RENEW = 2**29
# SETTINGS: no dynamic table, no push, wide windows, and binary metadata as it is (gRPC's own setting 0xfe03).
_OUR_SETTINGS = struct.pack(">HIHIHIHI", 1, 0, 2, 0, 4, _LARGEST, 0xFE03, 1)
_OK_TRAILER = b"\x0bgrpc-status\x010"
UNAVAILABLE = 14
INTERNAL = 13


@dataclass(slots=True)
class Exchange:
    """One unary call: what is sent, and what came back."""

    path: str
    request: bytes
    timeout_ms: int = 0
    intended: float = 0.0
    sent: float = 0.0
    done: float = 0.0
    status: int = -1
    trailers: dict[bytes, bytes] = field(default_factory=dict)
    answer: bytes = b""

    @property
    def ok(self) -> bool:
        """Say whether the call was answered with OK."""
        return self.status == 0

    @property
    def message(self) -> bytes:
        """Return the one message of the answer."""
        return self.answer[5:]

    @property
    def seconds(self) -> float:
        """Return how long the answer took, from the time at which the call was due."""
        return self.done - (self.intended or self.sent)


class Connection(asyncio.Protocol):
    """One connection; `ended` is called with each exchange that is over."""

    def __init__(self, authority: str, metadata: Sequence[tuple[str, str]]) -> None:
        self._constant = (
            (":authority", authority),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            ("user-agent", "passport-bench"),
            *metadata,
        )
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._next_stream = 1
        self._window = _FIRST_WINDOW
        self._stream_window = _FIRST_WINDOW
        self._received = 0
        self._indexed = False
        self._waiting: deque[tuple[Exchange, Callable[[Exchange], None]]] = deque()
        self._open: dict[int, tuple[Exchange, Callable[[Exchange], None], bytearray]] = {}
        self._draining = False
        self.settled = asyncio.get_running_loop().create_future()

    @property
    def lost(self) -> bool:
        """Say whether the connection takes no more calls."""
        return self._transport is None or self._draining

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        window = struct.pack(">I", _LARGEST - _FIRST_WINDOW)
        self._transport.write(
            _PREFACE + _frame(_SETTINGS, 0, 0, _OUR_SETTINGS) + _frame(_WINDOW, 0, 0, window)
        )

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if not self.settled.done():
            self.settled.set_result(None)
        left = [(exchange, ended) for exchange, ended, _ in self._open.values()] + list(self._waiting)
        self._open.clear()
        self._waiting.clear()
        for exchange, ended in left:
            _end(exchange, ended, UNAVAILABLE, {b"grpc-message": b"the connection was lost"})

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def send(self, exchange: Exchange, ended: Callable[[Exchange], None]) -> None:
        """Send a call as soon as the peer's window lets it."""
        if self.lost:
            exchange.sent = perf_counter()
            gone = {b"grpc-message": b"there is no connection"}
            # Later, because who is told sends the next call from there.
            asyncio.get_running_loop().call_soon(_end, exchange, ended, UNAVAILABLE, gone)
            return
        self._waiting.append((exchange, ended))
        self._flush()

    def _flush(self) -> None:
        out = bytearray()
        while self._waiting:
            exchange, ended = self._waiting[0]
            size = len(exchange.request) + 5
            if size > self._stream_window:
                raise ValueError(f"a request of {size} bytes is larger than this client sends")
            if size > self._window:
                break
            self._waiting.popleft()
            self._window -= size
            stream, self._next_stream = self._next_stream, self._next_stream + 2
            self._open[stream] = (exchange, ended, bytearray())
            out += _frame(_HEADERS, _END_HEADERS, stream, self._header_block(exchange))
            body = b"\x00" + struct.pack(">I", size - 5) + exchange.request
            for start in range(0, size, _MAX_FRAME):
                part = body[start : start + _MAX_FRAME]
                out += _frame(_DATA, _END_STREAM if start + _MAX_FRAME >= size else 0, stream, part)
            exchange.sent = perf_counter()
        if out and self._transport is not None:
            self._transport.write(bytes(out))

    def _header_block(self, exchange: Exchange) -> bytes:
        # :method POST and :scheme http are in the static table; the path is sent without indexing.
        block = b"\x83\x86" + _literal(b"\x04", exchange.path)
        if exchange.timeout_ms:
            block += _named("grpc-timeout", f"{exchange.timeout_ms}m", 0x00)
        if self._indexed:
            # What was put into the peer's table first has the highest index.
            return block + bytes(0x80 | (61 + len(self._constant) - at) for at in range(len(self._constant)))
        self._indexed = True
        return block + b"".join(_named(name, value, 0x40) for name, value in self._constant)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        at, end = 0, len(buffer)
        while end - at >= 9:
            size = buffer[at] << 16 | buffer[at + 1] << 8 | buffer[at + 2]
            if end - at < 9 + size:
                break
            stream = int.from_bytes(buffer[at + 5 : at + 9], "big") & _LARGEST
            self._framed(buffer[at + 3], buffer[at + 4], stream, bytes(buffer[at + 9 : at + 9 + size]))
            at += 9 + size
        del buffer[:at]
        if self._received > _RENEW and self._transport is not None:
            self._transport.write(_frame(_WINDOW, 0, 0, struct.pack(">I", self._received)))
            self._received = 0
        if self._waiting:
            self._flush()

    def _framed(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == _DATA:
            self._received += len(payload)
            if stream in self._open:
                self._open[stream][2].extend(payload)
            if flags & _END_STREAM:
                self._ended(stream, INTERNAL, {b"grpc-message": b"the answer has no trailers"})
        elif kind == _HEADERS:
            if not flags & _END_HEADERS or flags & (_PADDED | _PRIORITY):
                raise ValueError("the peer splits or pads headers, which this client does not read")
            if flags & _END_STREAM:
                self._trailed(stream, payload)
        elif kind == _RESET:
            code = struct.unpack(">I", payload)[0]
            self._ended(stream, UNAVAILABLE, {b"grpc-message": b"the stream was reset: %d" % code})
        else:
            self._about_connection(kind, flags, stream, payload)

    def _about_connection(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if self._transport is None:
            return
        if kind == _SETTINGS and not flags & _ACK:
            for name, value in struct.iter_unpack(">HI", payload):
                if name == 4:
                    self._stream_window = value
            self._transport.write(_frame(_SETTINGS, _ACK, 0, b""))
            if not self.settled.done():
                self.settled.set_result(None)
        elif kind == _PING and not flags & _ACK:
            self._transport.write(_frame(_PING, _ACK, 0, payload))
        elif kind == _WINDOW and stream == 0:
            self._window += struct.unpack(">I", payload)[0]
        elif kind == _GOAWAY:
            self._draining = True

    def _trailed(self, stream: int, block: bytes) -> None:
        if _OK_TRAILER in block:
            self._ended(stream, 0, {})
            return
        headers = read_headers(block)
        status = headers.get(b"grpc-status", b"")
        self._ended(stream, int(status) if status.isdigit() else INTERNAL, headers)

    def _ended(self, stream: int, status: int, trailers: dict[bytes, bytes]) -> None:
        entry = self._open.pop(stream, None)
        if entry is not None:
            exchange, ended, answer = entry
            exchange.answer = bytes(answer)
            _end(exchange, ended, status, trailers)


async def connect(
    host: str, port: int, metadata: Sequence[tuple[str, str]], *, seconds: float = 10
) -> Connection:
    """Return a connection on which the peer has said its settings."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(seconds):
        _, connection = await loop.create_connection(
            lambda: Connection(f"{host}:{port}", metadata), host, port
        )
        await connection.settled
    return connection


def read_headers(block: bytes) -> dict[bytes, bytes]:
    """Return the literal headers of a block that refers to no dynamic table; coded values are left out."""
    headers: dict[bytes, bytes] = {}
    at = 0
    while at < len(block):
        first = block[at]
        if first & 0x80:
            _, at = _integer(block, at, 7)
        elif first & 0xE0 == 0x20:
            _, at = _integer(block, at, 5)
        else:
            index, at = _integer(block, at, 6 if first & 0x40 else 4)
            name: bytes | None = b"%d" % index
            if index == 0:
                name, at = _text(block, at)
            value, at = _text(block, at)
            if name is not None and value is not None:
                headers[name] = value
    return headers


def _end(
    exchange: Exchange, ended: Callable[[Exchange], None], status: int, trailers: Mapping[bytes, bytes]
) -> None:
    exchange.done = perf_counter()
    exchange.status = status
    exchange.trailers = dict(trailers)
    ended(exchange)


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def _literal(prefix: bytes, value: str) -> bytes:
    raw = value.encode("ascii")
    return prefix + _length(len(raw)) + raw


def _named(name: str, value: str, prefix: int) -> bytes:
    return _literal(_literal(bytes((prefix,)), name), value)


def _length(size: int) -> bytes:
    if size < 127:
        return bytes((size,))
    out, size = bytearray((127,)), size - 127
    while size >= 128:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    out.append(size)
    return bytes(out)


def _integer(block: bytes, at: int, bits: int) -> tuple[int, int]:
    most = (1 << bits) - 1
    value, at, shift = block[at] & most, at + 1, 0
    if value < most:
        return value, at
    while True:
        byte = block[at]
        value, at, shift = value + ((byte & 0x7F) << shift), at + 1, shift + 7
        if not byte & 0x80:
            return value, at


def _text(block: bytes, at: int) -> tuple[bytes | None, int]:
    coded = block[at] & 0x80
    size, at = _integer(block, at, 7)
    return (None if coded else block[at : at + size]), at + size
