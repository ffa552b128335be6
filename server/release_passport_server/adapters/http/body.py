"""Reads the body of an answer, never more of it than was allowed."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable, AsyncIterator

from release_passport_server.domain.outbound import OutboundError, OutboundFailure

_GZIP = 16 + zlib.MAX_WBITS


async def read_body(chunks: AsyncIterable[bytes], encoding: str, most: int) -> bytes:
    """Return the body, unpacked; raise OutboundError as soon as it is too large, packed or not."""
    if encoding not in {"", "identity", "gzip", "x-gzip"}:
        raise OutboundError(
            OutboundFailure.CONTENT_REFUSED, "the answer is packed in a way that was not asked for"
        )
    unpack = zlib.decompressobj(_GZIP) if "gzip" in encoding else None
    body, received = bytearray(), 0
    async for chunk in chunks:
        received += len(chunk)
        if received > most:
            raise too_large(most)
        body += chunk if unpack is None else _unpacked(unpack, chunk, most + 1 - len(body))
        if len(body) > most:
            raise too_large(most)
    if unpack is not None and received and not unpack.eof:
        raise OutboundError(OutboundFailure.PROTOCOL_BROKEN, "the packed answer ends too early")
    return bytes(body)


async def read_lines(chunks: AsyncIterable[bytes], most: int) -> AsyncIterator[bytes]:
    """Yield each line without its end, empty ones not; raise OutboundError as soon as one is too long.

    What stands after the last end of a line is no line: the stream was broken off in its midst.
    """
    rest = bytearray()
    async for chunk in chunks:
        looked_at = len(rest)
        rest += chunk
        while (end := rest.find(b"\n", looked_at)) >= 0:
            line = bytes(rest[:end]).strip()
            del rest[: end + 1]
            looked_at = 0
            if line:
                yield line
        if len(rest) > most:
            raise too_large(most)


def too_large(most: int) -> OutboundError:
    """Return the error for an answer above its limit."""
    return OutboundError(OutboundFailure.TOO_LARGE, f"the answer is larger than {most} bytes")


def _unpacked(unpack: zlib._Decompress, chunk: bytes, room: int) -> bytes:
    try:
        # No more is unpacked than there is room for, whatever the chunk holds.
        found = unpack.decompress(chunk, room)
    except zlib.error as error:
        raise OutboundError(
            OutboundFailure.PROTOCOL_BROKEN, "the packed answer cannot be unpacked"
        ) from error
    if unpack.unused_data:
        raise OutboundError(OutboundFailure.PROTOCOL_BROKEN, "something follows the packed answer")
    return found
