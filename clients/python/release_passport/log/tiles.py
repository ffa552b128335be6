"""How a log is laid out in files (c2sp.org/tlog-tiles): tiles of 256 hashes, and bundles of 256 entries."""

from __future__ import annotations

import struct

from release_passport.log.merkle import HASH_BYTES, node_hash

WIDTH = 256
HEIGHT = 8
MAX_ENTRY_BYTES = 0xFFFF
CHECKPOINT = "checkpoint"


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """Return the path of a tile; one with fewer than 256 hashes is at the right edge, and has its own."""
    return f"tile/{level}/{_numbered(index, width)}"


def bundle_path(index: int, width: int = WIDTH) -> str:
    """Return the path of a bundle of entries."""
    return f"tile/entries/{_numbered(index, width)}"


def tile_width(level: int, index: int, size: int) -> int:
    """Return how many hashes a tile has in a tree of this size; 0 where it has no such tile."""
    return max(0, min(WIDTH, (size >> HEIGHT * level) - index * WIDTH))


def encode_bundle(entries: list[bytes]) -> bytes:
    """Return entries as a bundle: each after its length."""
    if any(len(entry) > MAX_ENTRY_BYTES for entry in entries):
        raise ValueError(f"an entry has at most {MAX_ENTRY_BYTES} bytes")
    return b"".join(struct.pack("!H", len(entry)) + entry for entry in entries)


def decode_bundle(bundle: bytes) -> list[bytes]:
    """Return the entries of a bundle; raise ValueError for one that is cut or has bytes left over."""
    entries, at = [], 0
    while at < len(bundle):
        if at + 2 > len(bundle):
            raise ValueError("the bundle of entries ends inside a length")
        (length,) = struct.unpack_from("!H", bundle, at)
        at += 2 + length
        if at > len(bundle):
            raise ValueError("the bundle of entries ends inside an entry")
        entries.append(bundle[at - length : at])
    return entries


def subtree_root(hashes: bytes) -> bytes:
    """Return the root of a complete subtree, out of its hashes at the lowest level one after the other."""
    level = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
    while len(level) > 1:
        level = [node_hash(level[at], level[at + 1]) for at in range(0, len(level), 2)]
    return level[0]


def _numbered(index: int, width: int) -> str:
    parts = [f"{index % 1000:03d}"]
    while index := index // 1000:
        parts.append(f"x{index % 1000:03d}")
    path = "/".join(reversed(parts))
    return path if width == WIDTH else f"{path}.p/{width}"
