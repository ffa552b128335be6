"""How the server and the pool's processes talk: a message is a list of byte strings, each with its length before it.

No pickle: what comes back from a process that reads hostile input is data, and never code.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

_LENGTH = struct.Struct(">I")
HEAD = _LENGTH.size
# A bundle, its roots and keys; anything longer is a broken peer.
MAX_MESSAGE = 8 * 1024 * 1024


class FrameInvalid(ValueError):
    """The other side does not keep to the format."""


def pack(parts: Sequence[bytes]) -> bytes:
    """Return the message, its own length first."""
    body = b"".join(_LENGTH.pack(len(part)) + part for part in parts)
    return _LENGTH.pack(len(body)) + body


def length(head: bytes) -> int:
    """Return how many bytes follow the first four of a message; raise FrameInvalid."""
    (size,) = _LENGTH.unpack(head)
    if size > MAX_MESSAGE:
        raise FrameInvalid(f"a message of {size} bytes")
    return int(size)


def unpack(body: bytes) -> list[bytes]:
    """Return the parts of a message's body; raise FrameInvalid."""
    parts, place = [], 0
    while place < len(body):
        if place + HEAD > len(body):
            raise FrameInvalid("a part's length is cut short")
        (size,) = _LENGTH.unpack_from(body, place)
        place += HEAD
        if place + size > len(body):
            raise FrameInvalid("a part is cut short")
        parts.append(body[place : place + size])
        place += size
    return parts
