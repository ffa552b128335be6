"""A log's checkpoints: signed with the log's key under its origin, and verified before anything is built on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from release_passport.log.checkpoint import Checkpoint, open_checkpoint
from release_passport.log.note import NoteInvalid, VerifierKey, signed_note
from release_passport.log.tiles import CHECKPOINT
from release_passport.signatures.public_key import load_public_key
from release_passport_server.domain.signing_key import KeyState, Purpose
from release_passport_server.ports.log import LogBroken, LogIdentity, TileStore
from release_passport_server.ports.signing import Signer


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint, and the note that says so."""

    checkpoint: Checkpoint
    note: str


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Signs and reads checkpoints."""

    signer: Signer

    def sign(self, checkpoint: Checkpoint, now: datetime) -> str:
        """Return the note of a checkpoint."""
        signature = self.signer.sign(Purpose.LOG, checkpoint.text.encode(), now)
        return signed_note(checkpoint.text, self._named(checkpoint.origin)[signature.key_id], signature.value)

    def find(self, store: TileStore, log: LogIdentity) -> SignedCheckpoint | None:
        """Return the checkpoint that stands, None for a log that has none yet; raise LogBroken."""
        content = store.read(log, CHECKPOINT)
        return None if content is None else self.opened(content, log.origin)

    def opened(self, content: bytes, origin: str) -> SignedCheckpoint:
        """Return a checkpoint of this service's own log; raise LogBroken for any other content.

        The log goes on after its key was stolen, so here every key counts; outside, only those that are sound do.
        """
        try:
            note = content.decode()
            return SignedCheckpoint(open_checkpoint(note, origin, self._named(origin).values()), note)
        except (NoteInvalid, UnicodeDecodeError) as error:
            raise LogBroken(f"{origin}: {error}") from error

    def verifier_keys(self, origin: str) -> list[VerifierKey]:
        """Return the keys whose checkpoints of a log count, as notes name them."""
        stolen = {key.key_id for key in self.signer.public_keys() if key.state is KeyState.COMPROMISED}
        return [key for key_id, key in self._named(origin).items() if key_id not in stolen]

    def _named(self, origin: str) -> dict[str, VerifierKey]:
        return {
            key.key_id: VerifierKey(origin, _raw(key.public_key))
            for key in self.signer.public_keys()
            if key.purpose is Purpose.LOG
        }


@lru_cache(maxsize=256)
def _raw(pem: str) -> bytes:
    return load_public_key(pem).raw
