"""The keys that sign what leaves the service: their purpose, their state and how they are published."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from release_passport_server.domain.canonical import stamp


class Purpose(StrEnum):
    """What a key signs."""

    DECISION = "DECISION"
    LOG = "LOG"


class KeyState(StrEnum):
    """What a key's signatures are worth."""

    ACTIVE = "ACTIVE"
    RETIRED = "RETIRED"
    COMPROMISED = "COMPROMISED"


class Algorithm(StrEnum):
    """How a key signs; ECDSA signatures are DER over SHA-256."""

    P256 = "ecdsa-p256-sha256"
    ED25519 = "ed25519"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The public half of a key; its id is the OpenSSH fingerprint, its `public_key` PEM."""

    key_id: str
    purpose: Purpose
    algorithm: Algorithm
    public_key: str
    not_before: datetime
    state: KeyState = KeyState.ACTIVE
    not_after: datetime | None = None
    compromise_time: datetime | None = None

    def signs_at(self, now: datetime) -> bool:
        """Say whether the key may sign at this time."""
        begun = self.not_before <= now
        return self.state is KeyState.ACTIVE and begun and (self.not_after is None or now < self.not_after)

    def retired(self, now: datetime) -> SigningKey:
        """Return the key as it stands once another one has taken its place."""
        end = now if self.not_after is None else min(now, self.not_after)
        return replace(self, state=KeyState.RETIRED, not_after=end)

    def compromised(self, now: datetime, since: datetime) -> SigningKey:
        """Return the key as it stands once it is known that somebody else had it; what was known before stays."""
        first = since if self.compromise_time is None else min(since, self.compromise_time)
        end = now if self.not_after is None else min(now, self.not_after)
        return replace(self, state=KeyState.COMPROMISED, not_after=end, compromise_time=first)


def key_set_document(issuer: str, keys: Iterable[SigningKey]) -> dict[str, object]:
    """Return the JSON that is published below /.well-known/: every key there ever was, the newest first.

    Who verifies takes these keys from here or from a copy of it, never from the document that they verify.
    """
    ordered = sorted(keys, key=lambda key: (key.not_before, key.key_id), reverse=True)
    return {"issuer": issuer, "keys": [_published(key) for key in ordered]}


def _published(key: SigningKey) -> dict[str, object]:
    return {
        "keyId": key.key_id,
        "purpose": key.purpose.value,
        "algorithm": key.algorithm.value,
        "state": key.state.value,
        "notBefore": stamp(key.not_before),
        "notAfter": stamp(key.not_after),
        "compromiseTime": stamp(key.compromise_time),
        "publicKey": key.public_key,
    }
