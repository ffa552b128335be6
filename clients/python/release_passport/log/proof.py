"""Proofs as a file (c2sp.org/tlog-proof@v1): the index of an entry, its path, and the checkpoint it leads to."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from release_passport.log.checkpoint import Checkpoint, open_checkpoint
from release_passport.log.merkle import ProofInvalid, leaf_hash, verify_inclusion
from release_passport.log.note import VerifierKey

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PROOF_CHARS = 1_100_000

_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")
_EXTRA = "extra "
# A tree of 2^63 leaves has no longer path.
_MAX_HASHES = 63


@dataclass(frozen=True, slots=True)
class LogProof:
    """That the entry at an index is in the log; the checkpoint is the signed note."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str


def proof_text(index: int, hashes: Sequence[bytes], checkpoint: str) -> str:
    """Return the file."""
    lines = [HEADER, f"index {index}", *(base64.b64encode(one).decode() for one in hashes)]
    return "\n".join(lines) + "\n\n" + checkpoint


def parse_proof(text: str) -> LogProof:
    """Return what a file says, without verifying it; raise ProofInvalid."""
    head, gap, checkpoint = text[:MAX_PROOF_CHARS].partition("\n\n")
    lines = head.split("\n")
    if not gap or lines.pop(0) != HEADER:
        raise ProofInvalid(f"a proof begins with {HEADER} and holds a checkpoint after an empty line")
    if lines and lines[0].startswith(_EXTRA):
        lines.pop(0)
    index = _INDEX.fullmatch(lines.pop(0)) if lines else None
    if index is None:
        raise ProofInvalid("a proof names the index of its entry")
    if len(lines) > _MAX_HASHES:
        raise ProofInvalid(f"a proof has at most {_MAX_HASHES} hashes")
    try:
        hashes = tuple(base64.b64decode(line, validate=True) for line in lines)
    except (binascii.Error, ValueError) as error:
        raise ProofInvalid("a hash of the proof is not base 64") from error
    return LogProof(int(index[1]), hashes, checkpoint)


def verify_proof(text: str, entry: bytes, origin: str, keys: Iterable[VerifierKey]) -> tuple[int, Checkpoint]:
    """Return where an entry stands in the log, and the verified checkpoint; raise ProofInvalid or NoteInvalid."""
    proof = parse_proof(text)
    checkpoint = open_checkpoint(proof.checkpoint, origin, keys)
    verify_inclusion(proof.index, checkpoint.size, leaf_hash(entry), proof.hashes, checkpoint.root)
    return proof.index, checkpoint
