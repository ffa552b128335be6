"""The transparency log of one tenant: where its leaves come from, and where its tiles and checkpoints go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LogIdentity:
    """A tenant's log: its origin is the name that its checkpoints carry.

    A log that goes on after a restore has a new origin and an epoch of its own; `first_leaf` is the number among all
    leaves of the tenant that stands at index 0 of its tree.
    """

    tenant: str
    origin: str
    first_leaf: int = 0


@dataclass(frozen=True, slots=True)
class LogLeaf:
    """One row of the audit table: its number among the tenant's leaves, its hash, and what the hash commits to."""

    number: int
    leaf: bytes
    salt: bytes | None
    body: bytes | None


class LogBroken(Exception):
    """The log contradicts itself or what was published: nothing is signed any more before a person has looked."""


class LeafSource(Protocol):
    """The audit table, in the order of its leaves."""

    def leaves(self, tenant: str, first: int, count: int) -> Sequence[LogLeaf]:
        """Return up to `count` committed leaves from a number on, without a gap."""
        ...


@dataclass(frozen=True, slots=True)
class Publication:
    """A new checkpoint, the sizes before and after it, and the fencing token of who made it.

    `obsolete` are the beginnings of paths that nobody needs any more once the checkpoint is there.
    """

    checkpoint: bytes
    before: int
    after: int
    token: int
    obsolete: tuple[str, ...] = ()


class TileStore(Protocol):
    """Where a log is kept, by the paths of the tlog-tiles layout."""

    def read(self, log: LogIdentity, path: str) -> bytes | None:
        """Return what stands at a path, None where there is nothing."""
        ...

    def publish(self, log: LogIdentity, content: Mapping[str, bytes], change: Publication) -> None:
        """Keep tiles and then the checkpoint, so that a checkpoint is never there before what it stands on.

        Raise Conflict where somebody with a greater fencing token has published, or the checkpoint that stands is
        not of the size that this one was made from.
        """
        ...


@dataclass(frozen=True, slots=True)
class AnchoredCheckpoint:
    """A checkpoint as it was signed, and when it was anchored."""

    note: bytes
    time: datetime


class CheckpointAnchor(Protocol):
    """A place outside the store that keeps checkpoints, so that a store that was rolled back is noticed."""

    def anchor(self, origin: str, checkpoint: bytes, now: datetime) -> None:
        """Keep a checkpoint, with the time, beside all that were anchored before."""
        ...

    def begin(self, origin: str, checkpoint: bytes, now: datetime) -> None:
        """Keep the checkpoint of a log that has no leaves yet."""
        ...

    def highest(self, origin: str) -> AnchoredCheckpoint | None:
        """Return the newest checkpoint that was anchored."""
        ...

    def anchored(self, origin: str) -> tuple[AnchoredCheckpoint, ...]:
        """Return what was anchored, oldest first, also under the names that the log had before a restore."""
        ...


class SetbackKind(StrEnum):
    """How a store differs from what was published out of it."""

    # It has less than was anchored: it was restored, rolled back, or its newest part was lost.
    BEHIND = "BEHIND"
    # It has as much, and something else.
    FORKED = "FORKED"
    # Its audit table has fewer rows than its own log.
    ROWS_MISSING = "ROWS_MISSING"
    # Nothing outside says what was published.
    NOT_ANCHORED = "NOT_ANCHORED"


@dataclass(frozen=True, slots=True)
class Setback:
    """A tenant's log of which the store has another state than the anchor: what it has, and what was anchored."""

    kind: SetbackKind
    tenant: str
    origin: str
    size: int
    anchored_origin: str
    anchored_size: int
    anchored_root: bytes
    anchor_time: datetime | None


class StoreRestores(Protocol):
    """Tells a store that was put back to an earlier state, and lets its logs go on. Its methods block."""

    def setbacks(self) -> tuple[Setback, ...]:
        """Return each log whose store is not what was anchored; raise LogBroken where an anchor cannot be read."""
        ...

    def next_epoch(self) -> int:
        """Return an epoch that was never handed out, neither by the store as it is nor as it was."""
        ...

    def begin(self, setbacks: tuple[Setback, ...], epoch: int, now: datetime) -> None:
        """Let the logs go on under the names of a new epoch, which all tenants are in from now on."""
        ...

    def adopt(self, setbacks: tuple[Setback, ...], now: datetime) -> None:
        """Anchor the logs of which nothing was anchored: the store is taken at its word."""
        ...


class TreeHead(Protocol):
    """What a log commits itself to."""

    @property
    def origin(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def root(self) -> bytes: ...


class SignedTreeHead(Protocol):
    """A checkpoint, and the signed note that says so."""

    @property
    def checkpoint(self) -> TreeHead: ...

    @property
    def note(self) -> str: ...


class LogBacklog(Protocol):
    """How far the logs are behind the audit table. Its method blocks."""

    def behind(self, origin_of: Callable[[str], str]) -> Mapping[str, int]:
        """Return how many leaves of each tenant are in no tree yet; a tenant without any is absent."""
        ...


class LogGrowth(Protocol):
    """Integrates one log at a time. Its method blocks."""

    def integrate(self, log: LogIdentity, token: int, now: datetime) -> TreeHead | None:
        """Return the new checkpoint after up to one batch of leaves, None where there were none.

        Raise LogBroken, Conflict or Unavailable; in each case nothing was published.
        """
        ...


@dataclass(frozen=True, slots=True)
class ContinuedAnchor:
    """A checkpoint that was anchored, and the proof that the newest tree continues it."""

    anchored: AnchoredCheckpoint
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ProofSet:
    """Proofs that lead to one checkpoint: the tlog-proof of each leaf, and what was anchored before."""

    note: str
    inclusions: tuple[str, ...]
    anchors: tuple[ContinuedAnchor, ...]


class LogReader(Protocol):
    """Answers questions about a log. Its methods block."""

    def checkpoint(self, log: LogIdentity) -> SignedTreeHead:
        """Return the checkpoint that stands; raise NotFound for a log without one."""
        ...

    def inclusion(self, log: LogIdentity, number: int) -> str:
        """Return the tlog-proof of one of the tenant's leaves; raise NotFound for one that is not in the tree."""
        ...

    def consistency(self, log: LogIdentity, older: int, newer: int) -> list[bytes]:
        """Return the proof that a tree size continues an older one; raise NotFound for sizes there were not."""
        ...

    def proofs(
        self, log: LogIdentity, numbers: Sequence[int], anchored: Sequence[AnchoredCheckpoint]
    ) -> ProofSet:
        """Return proofs to the checkpoint that stands; raise NotFound where a leaf is not in the tree yet."""
        ...

    def file(self, log: LogIdentity, path: str) -> bytes | None:
        """Return what stands at a path of the tlog-tiles layout, None where there is nothing."""
        ...

    def verifier_keys(self, origin: str) -> Sequence[str]:
        """Return the vkeys whose checkpoints of a log count."""
        ...
