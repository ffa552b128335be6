"""Brings the leaves of the audit table into the tree, and signs what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from release_passport.log.checkpoint import Checkpoint
from release_passport.log.merkle import EMPTY_ROOT, ProofInvalid, commitment, leaf_hash
from release_passport.log.tree import Read, TileTree
from release_passport_server.adapters.tlog.checkpoints import Checkpoints, SignedCheckpoint
from release_passport_server.adapters.tlog.growth import Growth
from release_passport_server.ports.log import (
    CheckpointAnchor,
    LeafSource,
    LogBroken,
    LogIdentity,
    LogLeaf,
    Publication,
    TileStore,
)
from release_passport_server.ports.signing import Signer

BATCH = 4096


@dataclass(frozen=True, slots=True)
class Integrator:
    """Integrates one log at a time.

    Leaves are in the audit table before and after, in their order and for good: whatever a crash leaves undone is
    done again with the same result. Somebody else with a greater token, or another checkpoint than the one that was
    read, makes `publish` refuse.
    """

    source: LeafSource
    store: TileStore
    signer: Signer
    anchor: CheckpointAnchor
    batch: int = BATCH

    def integrate(self, log: LogIdentity, token: int, now: datetime) -> Checkpoint | None:
        """Return the new checkpoint after up to one batch of leaves, None where there were none.

        Raise LogBroken where tiles, leaves or anchors contradict each other, Conflict where another writer was
        faster, and Unavailable where no key can sign; in each case nothing was published.
        """
        checkpoints = Checkpoints(self.signer)
        standing = checkpoints.find(self.store, log)
        self._check_anchor(log, checkpoints, standing, now)
        size = standing.checkpoint.size if standing else 0
        leaves = self.source.leaves(log.tenant, log.first_leaf + size, self.batch)
        if not leaves:
            return None
        if standing is None:
            # From its first leaf on, a log without an anchor is one whose anchor was taken away.
            empty = checkpoints.sign(Checkpoint(log.origin, 0, EMPTY_ROOT), now).encode()
            self.anchor.begin(log.origin, empty, now)
        growth = _grown(self._read(log), standing, entries(leaves, log.first_leaf + size))
        checkpoint = Checkpoint(log.origin, growth.size, TileTree(growth.read, growth.size).root())
        note = checkpoints.sign(checkpoint, now).encode()
        change = Publication(note, size, growth.size, token, tuple(growth.obsolete))
        self.store.publish(log, growth.content, change)
        # An anchor that is ahead of the store means that the store was rolled back: so the store comes first.
        self.anchor.anchor(log.origin, note, now)
        return checkpoint

    def _read(self, log: LogIdentity) -> Read:
        def read(path: str) -> bytes | None:
            return self.store.read(log, path)

        return read

    def _check_anchor(
        self, log: LogIdentity, checkpoints: Checkpoints, standing: SignedCheckpoint | None, now: datetime
    ) -> None:
        """Refuse a store that is behind what was published; go on where only the anchor is behind."""
        anchored = self.anchor.highest(log.origin)
        held = None if anchored is None else checkpoints.opened(anchored.note, log.origin).checkpoint
        size = standing.checkpoint.size if standing else 0
        if held is not None and held.size > size:
            text = f"{log.origin}: a checkpoint of {held.size} leaves was anchored, and the store has {size}"
            raise LogBroken(f"{text}; it was restored or rolled back")
        if held is not None and standing is not None and held.size == size:
            if held.root != standing.checkpoint.root:
                raise LogBroken(f"{log.origin}: two checkpoints of {size} leaves have different roots")
        elif standing is not None:
            self.anchor.anchor(log.origin, standing.note.encode(), now)


def entries(leaves: Sequence[LogLeaf], first: int) -> list[bytes]:
    """Return what leaves commit to; raise LogBroken where one is missing or does not fit its row."""
    found = []
    for number, row in enumerate(leaves, first):
        if row.number != number:
            raise LogBroken(f"leaf {number} is missing from the audit log")
        if row.salt is None or row.body is None:
            raise LogBroken(f"leaf {number} was purged before it was in the tree")
        entry = commitment(row.salt, row.body)
        if leaf_hash(entry) != row.leaf:
            raise LogBroken(f"the body of leaf {number} is not the one that was logged")
        found.append(entry)
    return found


def _grown(
    read: Callable[[str], bytes | None], standing: SignedCheckpoint | None, new: list[bytes]
) -> Growth:
    """Return the tree with new entries, on tiles that lead to the root that was signed."""
    size, root = (standing.checkpoint.size, standing.checkpoint.root) if standing else (0, EMPTY_ROOT)
    try:
        if TileTree(read, size).root() != root:
            raise LogBroken(f"the tiles do not lead to the root of the checkpoint of {size} leaves")
        growth = Growth(read, size)
        growth.append(new)
    except ProofInvalid as error:
        raise LogBroken(str(error)) from error
    growth.finish()
    return growth
