"""Public keys of signers: P-256 and Ed25519, named by the digest of their public key info."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

MAX_PEM_CHARS = 4096

_PublicKey = EllipticCurvePublicKey | Ed25519PublicKey


class KeyInvalid(ValueError):
    """A public key cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key that may sign, with the names under which an envelope can point at it."""

    key_id: str
    hints: frozenset[str]
    public: _PublicKey

    @property
    def signer(self) -> str:
        """Return the signer as evidence names it."""
        return f"key:{self.key_id}"

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Say whether this key made the signature over the message."""
        try:
            if isinstance(self.public, Ed25519PublicKey):
                self.public.verify(signature, message)
            else:
                self.public.verify(signature, message, ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True


@lru_cache(maxsize=4096)
def load_key(pem: str) -> TrustedKey:
    """Return the key of a PEM text; raise KeyInvalid."""
    public = _load(pem)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    digest = hashlib.sha256(der).hexdigest()
    key_id = f"sha256:{digest}"
    return TrustedKey(key_id, frozenset({key_id, digest, _ssh_fingerprint(public)}), public)


def _load(pem: str) -> _PublicKey:
    if len(pem) > MAX_PEM_CHARS or pem.count("-----BEGIN ") > 1:
        raise KeyInvalid(f"must be one public key in PEM of at most {MAX_PEM_CHARS} characters")
    try:
        public = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyInvalid("must be a public key in PEM, from `-----BEGIN PUBLIC KEY-----` on") from error
    if isinstance(public, Ed25519PublicKey):
        return public
    if isinstance(public, EllipticCurvePublicKey) and isinstance(public.curve, SECP256R1):
        return public
    raise KeyInvalid("must be an ECDSA P-256 or an Ed25519 key")


def _ssh_fingerprint(public: _PublicKey) -> str:
    blob = base64.b64decode(public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1])
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
