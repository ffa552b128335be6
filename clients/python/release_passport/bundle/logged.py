"""The log of an exported passport: its checkpoint, and the checkpoints that were anchored before."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from release_passport.bundle.form import BundleInvalid, Document
from release_passport.log.audit import goes_on_as
from release_passport.log.checkpoint import Checkpoint, open_checkpoint
from release_passport.log.merkle import commitment, verify_consistency
from release_passport.log.note import VerifierKey
from release_passport.log.proof import verify_proof
from release_passport.signatures.key_set import PublishedKey, SeenCheckpoint

# A stolen key's checkpoints count for nothing; the log went on with another one.
_SOUND = ("ACTIVE", "RETIRED")


@dataclass(frozen=True, slots=True)
class TheLog:
    """A verified checkpoint, and older ones that it continues, with the time when somebody had them."""

    checkpoint: Checkpoint
    keys: tuple[VerifierKey, ...]
    published: tuple[SeenCheckpoint, ...]
    held: tuple[SeenCheckpoint, ...]

    def index_of(self, proof: str, salt: bytes, body: bytes) -> int:
        """Return where an entry stands; raise ProofInvalid or NoteInvalid where it does not stand in this tree."""
        index, checkpoint = verify_proof(proof, commitment(salt, body), self.checkpoint.origin, self.keys)
        if checkpoint != self.checkpoint:
            raise BundleInvalid("a proof leads to another checkpoint than that of the passport")
        return index


def opened_log(
    given: Document, keys: Sequence[PublishedKey], held: Sequence[SeenCheckpoint], *, believes_anchors: bool
) -> TheLog:
    """Return the log; raise NoteInvalid, ProofInvalid or BundleInvalid.

    The times of anchors are the service's word: they count only where a key that is still active sealed them.
    """
    origin = given["origin"]
    known = tuple(
        VerifierKey(origin, one.key.raw) for one in keys if one.purpose == "LOG" and one.state in _SOUND
    )
    checkpoint = open_checkpoint(given["checkpoint"], origin, known)
    anchors = []
    for one in given["anchors"]:
        older = _older(one["checkpoint"], origin, known)
        hashes = [base64.b64decode(text, validate=True) for text in one["hashes"]]
        verify_consistency(older.size, checkpoint.size, hashes, older.root, checkpoint.root)
        anchors.append(SeenCheckpoint(older, datetime.fromisoformat(one["time"])))
    kept = {seen.checkpoint: seen for seen in held}
    # What the reader kept counts if the tree is shown to continue it.
    proven = [
        SeenCheckpoint(one.checkpoint, kept[one.checkpoint].time) for one in anchors if one.checkpoint in kept
    ]
    own = [seen for seen in held if seen.checkpoint == checkpoint]
    return TheLog(checkpoint, known, tuple(anchors) if believes_anchors else (), (*proven, *own))


def _older(note: str, origin: str, known: tuple[VerifierKey, ...]) -> Checkpoint:
    """Return a checkpoint of the log, also under the name that it had before its store was restored."""
    name = note.partition("\n")[0]
    if not goes_on_as(name, origin):
        raise BundleInvalid(f"a checkpoint of {name} is none of {origin}")
    return open_checkpoint(note, name, [VerifierKey(name, one.public) for one in known])
