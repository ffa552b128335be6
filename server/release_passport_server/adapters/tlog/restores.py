"""Tells a store that was put back to an earlier state, and lets its logs go on under a new name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from release_passport.log.checkpoint import Checkpoint
from release_passport.log.merkle import EMPTY_ROOT, ProofInvalid, verify_consistency
from release_passport.log.tree import TileTree
from release_passport_server.adapters.tlog.anchor_file import AnchorFile
from release_passport_server.adapters.tlog.checkpoints import Checkpoints
from release_passport_server.adapters.tlog.log_names import FIRST_EPOCH, LogNames, parsed
from release_passport_server.ports.log import (
    AnchoredCheckpoint,
    LogBroken,
    LogIdentity,
    Setback,
    SetbackKind,
    TileStore,
)
from release_passport_server.ports.signing import Signer


class LogStore(TileStore, Protocol):
    """The tiles of every log, how many leaves were written, and what a restore changes in them."""

    def origins(self) -> Mapping[str, int]:
        """Return the names of the logs that were begun, with their sizes."""
        ...

    def written(self) -> Mapping[str, tuple[int, int]]:
        """Return how many leaves each tenant has written, and its epoch."""
        ...

    def continue_as(self, log: LogIdentity, new: LogIdentity, checkpoint: bytes) -> None:
        """Begin a log with all that is in another one."""
        ...

    def begin_epoch(self, epoch: int) -> None:
        """Set the epoch of every tenant."""
        ...


@dataclass(frozen=True, slots=True)
class Restores:
    """Compares the store with the checkpoints that were anchored outside it; its methods block."""

    store: LogStore
    signer: Signer
    anchor: AnchorFile
    name: str

    def setbacks(self) -> tuple[Setback, ...]:
        """Return each log whose store is not what was anchored; none where nothing was put back."""
        return tuple(self._found())

    def next_epoch(self) -> int:
        """Return an epoch that was never handed out, neither by the store as it is nor as it was."""
        written = [epoch for _, epoch in self.store.written().values()]
        known = [read[1] for one in self._origins() if (read := parsed(self.name, one)) is not None]
        return max([FIRST_EPOCH, *written, *known]) + 1

    def begin(self, setbacks: tuple[Setback, ...], epoch: int, now: datetime) -> None:
        """Let the logs go on under the names of a new epoch, which all tenants are in from now on."""
        names, checkpoints = LogNames(self.name), Checkpoints(self.signer)
        for one in setbacks:
            new = names.of(one.tenant, epoch)
            stored = self._stored(LogIdentity(one.tenant, one.origin))
            checkpoint = Checkpoint(new.origin, stored.size, stored.root)
            note = checkpoints.sign(checkpoint, now).encode()
            self.store.continue_as(LogIdentity(one.tenant, one.origin), new, note)
            self.anchor.anchor(new.origin, note, now)
        self.store.begin_epoch(epoch)

    def adopt(self, setbacks: tuple[Setback, ...], now: datetime) -> None:
        """Anchor the logs of which nothing was anchored: the store is taken at its word."""
        for one in setbacks:
            if one.kind is SetbackKind.NOT_ANCHORED:
                note = self.store.read(LogIdentity(one.tenant, one.origin), "checkpoint")
                if note is not None:
                    self.anchor.anchor(one.origin, note, now)

    def _origins(self) -> set[str]:
        return {*self.store.origins(), *self.anchor.origins()}

    def _found(self) -> Iterator[Setback]:
        names, written = LogNames.found(self.name, self._origins()), self.store.written()
        for tenant, epoch in sorted(names.epochs.items()):
            log = names.of(tenant, epoch)
            if (kind := self._setback(log, written.get(tenant, (0, 0))[0])) is None:
                continue
            # A store from before its last restore has the log of an older epoch only.
            begun = LogNames.found(self.name, self.store.origins())(tenant)
            anchored = self.anchor.highest(log.origin)
            held = None if anchored is None else self._opened(anchored, log.origin)
            yield Setback(
                kind=kind,
                tenant=tenant,
                origin=begun.origin,
                size=self._stored(begun).size,
                anchored_origin=log.origin,
                anchored_size=0 if held is None else held.size,
                anchored_root=EMPTY_ROOT if held is None else held.root,
                anchor_time=None if anchored is None else anchored.time,
            )

    def _setback(self, log: LogIdentity, written: int) -> SetbackKind | None:
        stored, anchored = self._stored(log), self.anchor.highest(log.origin)
        if written < stored.size:
            return SetbackKind.ROWS_MISSING
        if anchored is None:
            return SetbackKind.NOT_ANCHORED if stored.size else None
        held = self._opened(anchored, log.origin)
        if held.size > stored.size or log.origin not in self.store.origins():
            # The empty log is anchored before anything of it is stored.
            return SetbackKind.BEHIND if held.size or log != LogNames(self.name)(log.tenant) else None
        return None if self._continues(log, held, stored) else SetbackKind.FORKED

    def _continues(self, log: LogIdentity, held: Checkpoint, stored: Checkpoint) -> bool:
        try:
            proof = TileTree(lambda path: self.store.read(log, path), stored.size).consistency(held.size)
            verify_consistency(held.size, stored.size, proof, held.root, stored.root)
        except ProofInvalid:
            return False
        return True

    def _stored(self, log: LogIdentity) -> Checkpoint:
        found = Checkpoints(self.signer).find(self.store, log)
        return Checkpoint(log.origin, 0, EMPTY_ROOT) if found is None else found.checkpoint

    def _opened(self, anchored: AnchoredCheckpoint, origin: str) -> Checkpoint:
        try:
            return Checkpoints(self.signer).opened(anchored.note, origin).checkpoint
        except LogBroken as error:
            raise LogBroken(f"{error}: was a key folder put back that is older than the anchor?") from error
