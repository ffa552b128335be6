"""Puts documents into DSSE envelopes, and takes this service's own out of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from release_passport.signatures.envelope import EnvelopeInvalid, envelope, open_envelope, pae
from release_passport.signatures.public_key import PublicKey, load_public_key
from release_passport_server.domain.errors import Denied
from release_passport_server.domain.signing_key import KeyState, Purpose
from release_passport_server.ports.signing import Signer


@dataclass(frozen=True, slots=True)
class DSSESealer:
    """Seals with the active decision key."""

    signer: Signer

    def seal(self, payload_type: str, payload: bytes, now: datetime) -> bytes:
        """Return the envelope of a payload."""
        signature = self.signer.sign(Purpose.DECISION, pae(payload_type, payload), now)
        return envelope(payload_type, payload, signature.key_id, signature.value)

    def open(self, envelope: bytes, payload_type: str) -> bytes:
        """Return the payload of an envelope of this service; a key that was compromised vouches for nothing."""
        keys = [
            _public(key.public_key)
            for key in self.signer.public_keys()
            if key.purpose is Purpose.DECISION and key.state is not KeyState.COMPROMISED
        ]
        try:
            return open_envelope(envelope, keys, payload_type=payload_type).payload
        except EnvelopeInvalid as error:
            raise Denied("ENVELOPE_INVALID", f"the envelope is not one of this service: {error}") from error


@lru_cache(maxsize=1024)
def _public(pem: str) -> PublicKey:
    return load_public_key(pem)
