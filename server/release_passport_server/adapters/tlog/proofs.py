"""Answers questions about a log out of its tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from release_passport.log.merkle import ProofInvalid, verify_consistency
from release_passport.log.proof import proof_text
from release_passport.log.tree import Read, TileTree
from release_passport_server.adapters.tlog.checkpoints import Checkpoints, SignedCheckpoint
from release_passport_server.domain.errors import NotFound
from release_passport_server.ports.log import (
    AnchoredCheckpoint,
    ContinuedAnchor,
    LogBroken,
    LogIdentity,
    ProofSet,
    TileStore,
)
from release_passport_server.ports.signing import Signer


@dataclass(frozen=True, slots=True)
class LogProofs:
    """Gives checkpoints and proofs."""

    store: TileStore
    signer: Signer

    def checkpoint(self, log: LogIdentity) -> SignedCheckpoint:
        """Return the checkpoint that stands; raise NotFound for a log without leaves."""
        found = Checkpoints(self.signer).find(self.store, log)
        if found is None:
            raise NotFound(
                "NOT_FOUND", f"the log {log.origin} has no checkpoint yet: ask again in a few seconds"
            )
        return found

    def inclusion(self, log: LogIdentity, number: int) -> str:
        """Return the tlog-proof of one of the tenant's leaves; raise NotFound for one that is not in the tree yet."""
        return self._inclusion(log, self.checkpoint(log), number)

    def proofs(
        self, log: LogIdentity, numbers: Sequence[int], anchored: Sequence[AnchoredCheckpoint]
    ) -> ProofSet:
        """Return proofs to the checkpoint that stands; raise NotFound where a leaf is not in the tree yet."""
        standing = self.checkpoint(log)
        inclusions = tuple(self._inclusion(log, standing, number) for number in numbers)
        continued = [self._continued(log, standing, one) for one in anchored]
        return ProofSet(standing.note, inclusions, tuple(one for one in continued if one is not None))

    def _continued(
        self, log: LogIdentity, standing: SignedCheckpoint, anchored: AnchoredCheckpoint
    ) -> ContinuedAnchor | None:
        """Return what leads from an anchor to the tree; None for one of leaves that a restore lost."""
        origin = anchored.note.decode().partition("\n")[0]
        older, newer = Checkpoints(self.signer).opened(anchored.note, origin).checkpoint, standing.checkpoint
        if origin != log.origin and older.size > newer.size:
            return None
        hashes = self.consistency(log, older.size, newer.size)
        try:
            verify_consistency(older.size, newer.size, hashes, older.root, newer.root)
        except ProofInvalid as error:
            if origin != log.origin:
                return None
            raise LogBroken(f"{log.origin} does not continue its anchor of {older.size}: {error}") from error
        return ContinuedAnchor(anchored, tuple(hashes))

    def _inclusion(self, log: LogIdentity, standing: SignedCheckpoint, number: int) -> str:
        size, index = standing.checkpoint.size, number - log.first_leaf
        if not 0 <= index < size:
            text = f"leaf {number} is not in the log {log.origin} of {size}: ask again in a few seconds"
            raise NotFound("NOT_FOUND", text)
        try:
            hashes = TileTree(self._read(log), size).inclusion(index)
        except ProofInvalid as error:
            raise LogBroken(f"{log.origin}: {error}") from error
        return proof_text(index, hashes, standing.note)

    def consistency(self, log: LogIdentity, older: int, newer: int) -> list[bytes]:
        """Return the proof that a tree size continues an older one; raise NotFound for sizes there were not."""
        size = self.checkpoint(log).checkpoint.size
        if not 0 <= older <= newer <= size:
            raise NotFound("NOT_FOUND", f"the log {log.origin} has {size} leaves: ask for sizes up to that")
        try:
            return TileTree(self._read(log), size).consistency(older, newer)
        except ProofInvalid as error:
            raise LogBroken(f"{log.origin}: {error}") from error

    def file(self, log: LogIdentity, path: str) -> bytes | None:
        """Return what stands at a path of the log, None where there is nothing."""
        return self.store.read(log, path)

    def verifier_keys(self, origin: str) -> list[str]:
        """Return the vkeys whose checkpoints of a log count."""
        return [str(key) for key in Checkpoints(self.signer).verifier_keys(origin)]

    def _read(self, log: LogIdentity) -> Read:
        def read(path: str) -> bytes | None:
            return self.store.read(log, path)

        return read
