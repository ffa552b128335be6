"""What a tree gains in tiles and entry bundles when leaves are appended."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from release_passport.log.merkle import HASH_BYTES, leaf_hash
from release_passport.log.tiles import (
    HEIGHT,
    WIDTH,
    bundle_path,
    encode_bundle,
    subtree_root,
    tile_path,
    tile_width,
)
from release_passport.log.tree import Read, TileInvalid

_TILE_BYTES = WIDTH * HASH_BYTES


class Growth:
    """A tree that starts from tiles and grows in memory; `content` is what then has to be written."""

    def __init__(self, read: Read, size: int) -> None:
        self.size = size
        self.content: dict[str, bytes] = {}
        self.obsolete: list[str] = []
        self._below = read
        self._edges: dict[int, bytearray] = {}
        self._bundle = bytearray(self._start(0, bundle_path))

    def append(self, entries: Iterable[bytes]) -> None:
        """Add entries."""
        for entry in entries:
            self._bundle += encode_bundle([entry])
            self._push(0, leaf_hash(entry))
            self.size += 1
            if self.size % WIDTH == 0:
                path = bundle_path(self.size // WIDTH - 1)
                self.content[path] = bytes(self._bundle)
                self.obsolete.append(f"{path}.p/")
                self._bundle = bytearray()

    def finish(self) -> None:
        """Add the tiles at the right edge, which are not full."""
        width = self.size % WIDTH
        if width:
            self.content[bundle_path(self.size // WIDTH, width)] = bytes(self._bundle)
        for level, edge in self._edges.items():
            if edge:
                index = self.size >> HEIGHT * (level + 1)
                path = tile_path(level, index, len(edge) // HASH_BYTES)
                self.content[path] = bytes(edge)

    def read(self, path: str) -> bytes | None:
        """Return what stands at a path of the grown tree."""
        found = self.content.get(path)
        return self._below(path) if found is None else found

    def _push(self, level: int, found: bytes) -> None:
        """Add the hash of a leaf, or of a whole tile, to the tile at the edge of a level."""
        while True:
            edge = self._edge(level)
            edge += found
            if len(edge) < _TILE_BYTES:
                return
            index = self.size >> HEIGHT * (level + 1)
            self.content[tile_path(level, index)] = bytes(edge)
            self.obsolete.append(f"{tile_path(level, index)}.p/")
            self._edges[level] = bytearray()
            found, level = subtree_root(bytes(edge)), level + 1

    def _edge(self, level: int) -> bytearray:
        edge = self._edges.get(level)
        if edge is None:
            edge = self._edges[level] = bytearray(self._start(level, partial(tile_path, level)))
        return edge

    def _start(self, level: int, path_of: Callable[[int, int], str]) -> bytes:
        """Return what is there of the tile or bundle that the next leaf goes into."""
        index = self.size >> HEIGHT * (level + 1)
        width = tile_width(level, index, self.size)
        if width == 0:
            return b""
        path = path_of(index, width)
        content = self._below(path)
        if content is None:
            raise TileInvalid(f"there is no {path}")
        return content
