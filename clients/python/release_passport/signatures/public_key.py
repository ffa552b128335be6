"""Public keys: ECDSA P-256 and Ed25519, named by their OpenSSH fingerprint."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

MAX_PEM_CHARS = 4096
P256 = "ecdsa-p256-sha256"
ED25519 = "ed25519"

_Key = EllipticCurvePublicKey | Ed25519PublicKey


class KeyInvalid(ValueError):
    """A key cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that may have signed something."""

    key_id: str
    algorithm: str
    pem: str
    key: _Key

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Say whether this key made the signature over the message."""
        try:
            if isinstance(self.key, Ed25519PublicKey):
                self.key.verify(signature, message)
            else:
                self.key.verify(signature, message, ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True

    @property
    def raw(self) -> bytes:
        """Return the 32 bytes of an Ed25519 key, which notes name it by; raise KeyInvalid for another one."""
        if not isinstance(self.key, Ed25519PublicKey):
            raise KeyInvalid("notes are signed with an Ed25519 key")
        return self.key.public_bytes_raw()


def public_key(key: object) -> PublicKey:
    """Return a key of the cryptography library under its id; raise KeyInvalid for one that is not supported."""
    if isinstance(key, Ed25519PublicKey):
        return PublicKey(fingerprint(key), ED25519, _pem(key), key)
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return PublicKey(fingerprint(key), P256, _pem(key), key)
    raise KeyInvalid("must be an ECDSA P-256 or an Ed25519 key")


def load_public_key(pem: str) -> PublicKey:
    """Return the key of a PEM text; raise KeyInvalid."""
    if len(pem) > MAX_PEM_CHARS or pem.count("-----BEGIN ") > 1:
        raise KeyInvalid(f"must be one public key in PEM of at most {MAX_PEM_CHARS} characters")
    try:
        return public_key(load_pem_public_key(pem.encode()))
    except (ValueError, UnsupportedAlgorithm) as error:
        if isinstance(error, KeyInvalid):
            raise
        raise KeyInvalid("must be a public key in PEM, from `-----BEGIN PUBLIC KEY-----` on") from error


def fingerprint(key: _Key) -> str:
    """Return the OpenSSH fingerprint of a key: the id that verifiers of DSSE envelopes compute themselves."""
    blob = base64.b64decode(key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1])
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _pem(key: _Key) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
