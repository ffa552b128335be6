"""Signatures of leaf certificates and registered keys, each with the hash that belongs to its key.

The pairs of key and hash are those of Sigstore's algorithm registry.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from release_passport_server.adapters.sigstore.checks.refusal import Refused
from release_passport_server.domain.attestation import AttestationFailure as Failure

_BY_CURVE: dict[str, HashAlgorithm] = {"secp256r1": SHA256(), "secp384r1": SHA384(), "secp521r1": SHA512()}


def hash_of(key: object) -> HashAlgorithm | None:
    """Return the hash that belongs to a key, None where the key signs messages as they are; raise Refused."""
    if isinstance(key, Ed25519PublicKey):
        return None
    if isinstance(key, EllipticCurvePublicKey) and key.curve.name in _BY_CURVE:
        return _BY_CURVE[key.curve.name]
    if isinstance(key, RSAPublicKey) and 2048 <= key.key_size <= 4096:
        return SHA256()
    raise Refused(
        Failure.KEY_UNSUPPORTED, "the signer's key must be ECDSA on a NIST curve, Ed25519 or RSA of 2048 bits"
    )


def message_is_signed(key: object, signature: bytes, message: bytes) -> bool:
    """Say whether the key made the signature over the message; raise Refused for an odd key."""
    algorithm = hash_of(key)
    if algorithm is None:
        assert isinstance(key, Ed25519PublicKey)
        return _holds(lambda: key.verify(signature, message))
    return _signed(key, signature, message, algorithm)


def digest_is_signed(key: object, signature: bytes, digest: bytes, algorithm: str) -> bool:
    """Say whether the key made the signature over a message with this digest; raise Refused for an odd key."""
    belongs = hash_of(key)
    if belongs is None:
        raise Refused(
            Failure.KEY_UNSUPPORTED, "an Ed25519 signature needs the artifact itself, not its digest"
        )
    if belongs.name != algorithm or len(digest) != belongs.digest_size:
        return False
    return _signed(key, signature, digest, Prehashed(belongs))


def _signed(key: object, signature: bytes, data: bytes, algorithm: HashAlgorithm | Prehashed) -> bool:
    if isinstance(key, EllipticCurvePublicKey):
        return _holds(lambda: key.verify(signature, data, ECDSA(algorithm)))
    assert isinstance(key, RSAPublicKey)
    return _holds(lambda: key.verify(signature, data, PKCS1v15(), algorithm))


def _holds(verify: object) -> bool:
    try:
        verify()  # type: ignore[operator]
    except InvalidSignature:
        return False
    return True
