"""Who signs: keys in a file, or a key management service behind the same two methods."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from release_passport_server.domain.signing_key import Purpose, SigningKey


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature, and the id of the key that made it."""

    key_id: str
    value: bytes


class Signer(Protocol):
    """Signs with the active key of a purpose; the private halves never leave it."""

    def sign(self, purpose: Purpose, message: bytes, now: datetime) -> Signature:
        """Return the signature over a message; raise Unavailable where no key can sign now.

        Ed25519 signs the message itself, ECDSA P-256 its SHA-256, as DER.
        """
        ...

    def public_keys(self) -> tuple[SigningKey, ...]:
        """Return the public half of every key there is and was."""
        ...


class Sealer(Protocol):
    """Makes signed documents."""

    def seal(self, payload_type: str, payload: bytes, now: datetime) -> bytes:
        """Return the DSSE envelope of a payload, signed by the active decision key; raise Unavailable."""
        ...

    def open(self, envelope: bytes, payload_type: str) -> bytes:
        """Return the payload of an envelope that an active key of this service signed; raise Denied."""
        ...
