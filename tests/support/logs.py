"""A log under test: leaves in memory, tiles in a folder, a key, and a file for anchors."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from release_passport.log.audit import AuditRow
from release_passport.log.checkpoint import Checkpoint
from release_passport.log.merkle import commitment, leaf_hash
from release_passport.log.note import VerifierKey
from release_passport_server.adapters.tlog.anchor_file import AnchorFile
from release_passport_server.adapters.tlog.checkpoints import Checkpoints
from release_passport_server.adapters.tlog.folder import TileFolder
from release_passport_server.adapters.tlog.integrator import Integrator
from release_passport_server.adapters.tlog.proofs import LogProofs
from release_passport_server.ports.log import LogIdentity, LogLeaf
from support.attesting import MemorySigner
from support.builders import NOW

LOG = LogIdentity("acme", "passport.example/log/acme")


def leaf(number: int) -> LogLeaf:
    """Return a row of the audit table."""
    salt, body = hashlib.sha256(b"salt %d" % number).digest()[:16], b'{"act":%d}' % number
    return LogLeaf(number, leaf_hash(commitment(salt, body)), salt, body)


@dataclass
class Leaves:
    """An audit table in memory."""

    rows: list[LogLeaf] = field(default_factory=list)

    def grow(self, count: int) -> None:
        self.rows += [leaf(number) for number in range(len(self.rows), len(self.rows) + count)]

    def change(self, place: int, **fields: object) -> None:
        self.rows[place] = replace(self.rows[place], **fields)  # type: ignore[arg-type]

    def leaves(self, tenant: str, first: int, count: int) -> Sequence[LogLeaf]:
        return self.rows[first : first + count]

    def audit_rows(self) -> list[AuditRow]:
        return [AuditRow(row.number, row.leaf, row.salt, row.body) for row in self.rows]


class LogUnderTest:
    """Everything of one log."""

    def __init__(self, folder: Path) -> None:
        self.leaves = Leaves()
        self.signer = MemorySigner()
        self.tiles = TileFolder(folder / "tiles")
        self.anchor = AnchorFile(folder / "anchors")
        self.folder = folder / "tiles" / "passport.example%2Flog%2Facme"

    @property
    def integrator(self) -> Integrator:
        return Integrator(self.leaves, self.tiles, self.signer, self.anchor, batch=300)

    @property
    def proofs(self) -> LogProofs:
        return LogProofs(self.tiles, self.signer)

    @property
    def checkpoint(self) -> Checkpoint:
        return self.proofs.checkpoint(LOG).checkpoint

    @property
    def keys(self) -> list[VerifierKey]:
        return list(Checkpoints(self.signer).verifier_keys(LOG.origin))

    def grow(self, *counts: int, token: int = 1) -> Checkpoint:
        """Add leaves, and integrate all of them after each addition."""
        for count in counts:
            self.leaves.grow(count)
            while self.integrator.integrate(LOG, token, NOW) is not None:
                pass
        return self.checkpoint

    def read(self, path: str) -> bytes | None:
        return self.tiles.read(LOG, path)
