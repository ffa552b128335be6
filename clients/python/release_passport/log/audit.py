"""Compares the rows of an audit log with its tiles and its checkpoint, and names the first place that differs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from release_passport.log.checkpoint import Checkpoint
from release_passport.log.merkle import (
    HASH_BYTES,
    ProofInvalid,
    commitment,
    leaf_hash,
    verify_consistency,
)
from release_passport.log.tiles import (
    WIDTH,
    bundle_path,
    decode_bundle,
    subtree_root,
    tile_path,
    tile_width,
)
from release_passport.log.tree import Read, TileTree


class FaultCode(StrEnum):
    """What is wrong with a log."""

    ROW_MISSING = "ROW_MISSING"
    ROW_ALTERED = "ROW_ALTERED"
    LEAF_DIFFERS = "LEAF_DIFFERS"
    ENTRY_DIFFERS = "ENTRY_DIFFERS"
    TILE_MISSING = "TILE_MISSING"
    TILE_ALTERED = "TILE_ALTERED"
    ROOT_DIFFERS = "ROOT_DIFFERS"
    ROLLED_BACK = "ROLLED_BACK"
    FORKED = "FORKED"
    # What an entry speaks of is not there, is something else, or was done twice.
    RECORD_MISSING = "RECORD_MISSING"
    RECORD_ALTERED = "RECORD_ALTERED"
    PERMIT_USED_TWICE = "PERMIT_USED_TWICE"
    # A file without the proof that would show it.
    NOT_SHOWN = "NOT_SHOWN"


@dataclass(frozen=True, slots=True)
class Fault:
    """The first leaf that is concerned, and what is wrong there."""

    index: int
    code: FaultCode
    text: str


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One row of the audit log; salt and body are None once they were purged."""

    index: int
    leaf: bytes
    salt: bytes | None = None
    body: bytes | None = None


class _Found(Exception):
    """Carries a fault out of the place that finds it."""

    def __init__(self, index: int, code: FaultCode, text: str) -> None:
        super().__init__(text)
        self.fault = Fault(index, code, text)


def find_fault(
    rows: Iterable[AuditRow], read: Read, checkpoint: Checkpoint, *, first: int = 0
) -> Fault | None:
    """Return the first fault of a log, None where there is none.

    The rows come in order from the leaf `first`, a multiple of 256, on. Where they end inside the tree, the rest of
    it is taken as deleted; those past the checkpoint are compared with nothing but their own bodies. `read` returns
    the content of a path of the log.
    """
    return _Audit(read, checkpoint).run(iter(rows), first, checkpoint.size)


def find_fault_between(
    rows: Iterable[AuditRow], read: Read, checkpoint: Checkpoint, *, first: int, end: int
) -> Fault | None:
    """Return the first fault of the leaves from `first`, a multiple of 256, up to `end`; None where there is none."""
    return _Audit(read, checkpoint).run(iter(rows), first, min(end, checkpoint.size))


def find_fork(read: Read, current: Checkpoint, held: Checkpoint) -> Fault | None:
    """Return how a log contradicts a checkpoint that somebody held on to; None where it continues it.

    A log that goes on after a restore has a new name and the leaves that were saved: it continues what they were.
    """
    if not goes_on_as(held.origin, current.origin):
        text = f"the log is {current.origin} now, and {held.origin} was published before"
        return Fault(0, FaultCode.FORKED, text)
    if held.size > current.size:
        text = f"a checkpoint of {held.size} leaves was published, and now there are {current.size}"
        return Fault(current.size, FaultCode.ROLLED_BACK, text)
    try:
        proof = TileTree(read, current.size).consistency(held.size)
        verify_consistency(held.size, current.size, proof, held.root, current.root)
    except ProofInvalid as error:
        return Fault(0, FaultCode.FORKED, f"the log does not continue the checkpoint of {held.size}: {error}")
    return None


def goes_on_as(older: str, newer: str) -> bool:
    """Say whether a name is that of the same log, or of the one that goes on from it after a restore."""
    (stem, epoch), (stem_now, epoch_now) = _epoch(older), _epoch(newer)
    return older == newer or (stem == stem_now and epoch < epoch_now)


def _epoch(origin: str) -> tuple[str, int]:
    stem, _, last = origin.rpartition("/")
    return (stem, int(last)) if last.isascii() and last.isdecimal() and len(last) < 10 else (origin, 1)


class _Audit:
    """One run over rows and tiles."""

    def __init__(self, read: Read, checkpoint: Checkpoint) -> None:
        self._read = read
        self._checkpoint = checkpoint
        self._size = checkpoint.size
        self._sound: set[tuple[int, int]] = set()
        self._newest: dict[int, tuple[int, bytes]] = {}

    def run(self, rows: Iterator[AuditRow], first: int, end: int) -> Fault | None:
        if first % WIDTH:
            raise ValueError(f"the first leaf must be a multiple of {WIDTH}")
        try:
            for index in range(first, end, WIDTH):
                wanted = min(WIDTH, end - index)
                self._compare(list(islice(rows, wanted)), index, wanted)
            for index, row in enumerate(rows, end):
                _fit(row, index)
            if TileTree(self._read, self._size).root() != self._checkpoint.root:
                raise _Found(0, FaultCode.ROOT_DIFFERS, "the tiles do not lead to the checkpoint's root")
        except _Found as found:
            return found.fault
        except ProofInvalid as error:
            return Fault(first, FaultCode.TILE_MISSING, str(error))
        return None

    def _compare(self, rows: list[AuditRow], first: int, wanted: int) -> None:
        """Compare the rows of one tile with the tile, its entries and the tiles above."""
        number = first // WIDTH
        tile, entries = self._tile(0, number), self._entries(number)
        for offset, row in enumerate(rows):
            index = first + offset
            entry = _fit(row, index)
            if tile[offset * HASH_BYTES : (offset + 1) * HASH_BYTES] != row.leaf:
                raise _Found(index, FaultCode.LEAF_DIFFERS, f"leaf {index} is another one in the tree")
            if leaf_hash(entries[offset]) != row.leaf if entry is None else entries[offset] != entry:
                raise _Found(index, FaultCode.ENTRY_DIFFERS, f"entry {index} is another one in its bundle")
        if len(rows) < wanted:
            index = first + len(rows)
            raise _Found(index, FaultCode.ROW_MISSING, f"the row of leaf {index} is not there any more")
        self._climb(number, tile)

    def _climb(self, number: int, tile: bytes) -> None:
        """Compare a whole tile with its hash in the tile above, and so on upwards."""
        level = 0
        while len(tile) == WIDTH * HASH_BYTES and (level, number) not in self._sound:
            above = self._tile(level + 1, number // WIDTH)
            at = number % WIDTH * HASH_BYTES
            if above[at : at + HASH_BYTES] != subtree_root(tile):
                text = f"{tile_path(level, number)} does not fit its hash in the tile above"
                raise _Found(number * WIDTH ** (level + 1), FaultCode.TILE_ALTERED, text)
            self._sound.add((level, number))
            level, number, tile = level + 1, number // WIDTH, above

    def _tile(self, level: int, number: int) -> bytes:
        newest = self._newest.get(level)
        if newest is None or newest[0] != number:
            width = tile_width(level, number, self._size)
            content = self._content(tile_path(level, number, width), number * WIDTH ** (level + 1))
            if len(content) != width * HASH_BYTES:
                path, first = tile_path(level, number, width), number * WIDTH ** (level + 1)
                raise _Found(first, FaultCode.TILE_ALTERED, f"{path} has another length")
            newest = self._newest[level] = (number, content)
        return newest[1]

    def _entries(self, number: int) -> list[bytes]:
        width = tile_width(0, number, self._size)
        path = bundle_path(number, width)
        try:
            entries = decode_bundle(self._content(path, number * WIDTH))
        except ValueError as error:
            raise _Found(number * WIDTH, FaultCode.ENTRY_DIFFERS, f"{path}: {error}") from error
        if len(entries) != width:
            text = f"{path} has {len(entries)} entries, not {width}"
            raise _Found(number * WIDTH, FaultCode.ENTRY_DIFFERS, text)
        return entries

    def _content(self, path: str, index: int) -> bytes:
        content = self._read(path)
        if content is None:
            raise _Found(index, FaultCode.TILE_MISSING, f"{path} is not there")
        return content


def _fit(row: AuditRow, index: int) -> bytes | None:
    """Return the entry that a row's body makes, None where the body was purged."""
    if row.index != index:
        raise _Found(index, FaultCode.ROW_MISSING, f"the row of leaf {index} is not there any more")
    if (row.body is None) is not (row.salt is None):
        raise _Found(index, FaultCode.ROW_ALTERED, f"the row of leaf {index} has a body without its salt")
    if row.body is None or row.salt is None:
        return None
    entry = commitment(row.salt, row.body)
    if leaf_hash(entry) != row.leaf:
        raise _Found(index, FaultCode.ROW_ALTERED, f"the body of leaf {index} is not the one that was logged")
    return entry
