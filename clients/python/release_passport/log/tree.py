"""A tree read out of tiles: its roots and proofs, without any leaf being read that they do not need."""

from __future__ import annotations

from collections.abc import Callable

from release_passport.log.merkle import EMPTY_ROOT, HASH_BYTES, ProofInvalid, node_hash
from release_passport.log.tiles import HEIGHT, WIDTH, subtree_root, tile_path, tile_width

Read = Callable[[str], bytes | None]


class TileInvalid(ProofInvalid):
    """A tile is missing or has another length; the message names it."""


class TileTree:
    """The tree of one size; `read` returns the content of a path, None where there is nothing."""

    def __init__(self, read: Read, size: int) -> None:
        self.size = size
        self._read = read
        self._tiles: dict[tuple[int, int], bytes] = {}

    def root(self, size: int | None = None) -> bytes:
        """Return the root of the tree, or of its first leaves."""
        wanted = self.size if size is None else size
        self._check(0, wanted)
        return self._range(0, wanted) if wanted else EMPTY_ROOT

    def leaf(self, index: int) -> bytes:
        """Return the hash of a leaf."""
        self._check(index, index + 1)
        return self._node(0, index)

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Return the proof that a leaf stands at an index of the tree, or of its first leaves (RFC 6962, 2.1.1)."""
        low, high = 0, self.size if size is None else size
        self._check(index, index + 1)
        self._check(index + 1, high)
        proof = []
        while high - low > 1:
            split = low + _largest_power_below(high - low)
            if index < split:
                proof.append(self._range(split, high))
                high = split
            else:
                proof.append(self._range(low, split))
                low = split
        return proof[::-1]

    def consistency(self, older: int, newer: int | None = None) -> list[bytes]:
        """Return the proof that the tree begins with the tree of an older size (RFC 6962, 2.1.2)."""
        low, high = 0, self.size if newer is None else newer
        self._check(older, high)
        if older in (0, high):
            return []
        whole, proof = True, []
        while older != high:
            split = low + _largest_power_below(high - low)
            if older <= split:
                proof.append(self._range(split, high))
                high = split
            else:
                proof.append(self._range(low, split))
                low, whole = split, False
        return ([] if whole else [self._range(low, high)]) + proof[::-1]

    def _range(self, low: int, high: int) -> bytes:
        """Return the root over the leaves from low to high, as RFC 6962 splits them."""
        count = high - low
        if count & (count - 1) == 0:
            return self._node(count.bit_length() - 1, low // count)
        split = low + _largest_power_below(count)
        return node_hash(self._range(low, split), self._range(split, high))

    def _node(self, level: int, index: int) -> bytes:
        """Return the root of the complete subtree of 2^level leaves with this number."""
        tile_level, above = divmod(level, HEIGHT)
        first = index << above
        tile = self._tile(tile_level, first // WIDTH)
        at = first % WIDTH * HASH_BYTES
        hashes = tile[at : at + (HASH_BYTES << above)]
        return subtree_root(hashes)

    def _tile(self, level: int, index: int) -> bytes:
        found = self._tiles.get((level, index))
        if found is None:
            width = tile_width(level, index, self.size)
            path = tile_path(level, index, width)
            content = self._read(path)
            if content is None and width < WIDTH:
                # A tile that has become whole takes the place of its beginnings.
                whole = self._read(tile_path(level, index))
                content = None if whole is None else whole[: width * HASH_BYTES]
            if content is None:
                raise TileInvalid(f"there is no {path}")
            if len(content) != width * HASH_BYTES:
                raise TileInvalid(f"{path} has {len(content)} bytes, not {width * HASH_BYTES}")
            found = self._tiles[level, index] = content
        return found

    def _check(self, low: int, high: int) -> None:
        if not 0 <= low <= high <= self.size:
            raise ProofInvalid(f"a tree of {self.size} leaves has none from {low} to {high}")


def _largest_power_below(count: int) -> int:
    return 1 << (count - 1).bit_length() - 1
