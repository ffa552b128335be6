"""Private keys: made, written and read as PKCS #8, and what they sign with."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from release_passport.signatures.public_key import KeyInvalid, PublicKey, public_key
from release_passport_server.domain.signing_key import Algorithm

_ECDSA = ec.ECDSA(SHA256())


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key that signs, and its public half."""

    private: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    public: PublicKey

    @property
    def algorithm(self) -> Algorithm:
        """Return how the key signs."""
        return Algorithm(self.public.algorithm)

    def sign(self, message: bytes) -> bytes:
        """Return the signature over a message."""
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return self.private.sign(message)
        return self.private.sign(message, _ECDSA)

    def pem(self) -> bytes:
        """Return the key as it is written to its file, which alone protects it."""
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def new_private_key(algorithm: Algorithm) -> PrivateKey:
    """Return a new key."""
    if algorithm is Algorithm.ED25519:
        return _with_public(ed25519.Ed25519PrivateKey.generate())
    return _with_public(ec.generate_private_key(ec.SECP256R1()))


def load_private_key(pem: bytes) -> PrivateKey:
    """Return the key of a PEM text; raise KeyInvalid."""
    try:
        return _with_public(load_pem_private_key(pem, password=None))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if isinstance(error, KeyInvalid):
            raise
        raise KeyInvalid("must be one private key in PEM, PKCS #8, without a password") from error


def _with_public(key: object) -> PrivateKey:
    if isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        return PrivateKey(key, public_key(key.public_key()))
    raise KeyInvalid("must be an ECDSA P-256 or an Ed25519 key")
