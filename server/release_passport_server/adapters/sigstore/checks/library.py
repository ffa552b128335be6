"""All that is used of sigstore-python's private parts, in one place: see server/adr/0015.

Its own verifier gives one error for everything, keeps to windows of validity only in part, and knows neither keys nor
older log entries; so its steps are taken one by one here. The version is pinned, and a test holds this file to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import Certificate
from cryptography.x509.certificate_transparency import LogEntryType, SignedCertificateTimestamp
from sigstore._internal.merkle import verify_merkle_inclusion
from sigstore._internal.rekor.checkpoint import SignedCheckpoint
from sigstore._internal.sct import _pack_digitally_signed
from sigstore._internal.trust import CertificateAuthority, Key, Keyring
from sigstore._utils import KeyID, key_id
from sigstore.errors import Error, VerificationError
from sigstore_models.common.v1 import PublicKey
from sigstore_models.trustroot.v1 import TrustedRoot

from release_passport_server.adapters.sigstore.checks.bundle import InclusionProof

VERSION = "4.5.1"

__all__ = [
    "VERSION",
    "CertificateAuthority",
    "Error",
    "Key",
    "Keyring",
    "PublicKey",
    "TrustedRoot",
    "VerificationError",
    "checkpoint_is_good",
    "inclusion_is_good",
    "key_verifies",
    "one_key",
    "sct_is_good",
]


@dataclass(frozen=True, slots=True)
class _Inner:
    inclusion_proof: InclusionProof
    canonicalized_body: bytes


@dataclass(frozen=True, slots=True)
class _Entry:
    """A log entry with the names by which the library reads it."""

    _inner: _Inner


def one_key(public_key: PublicKey) -> Keyring:
    """Return a ring with this key alone, so that the library tries no other."""
    return Keyring([public_key])


def key_verifies(key: Key, signature: bytes, data: bytes) -> bool:
    """Say whether the key made the signature."""
    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def sct_is_good(
    sct: SignedCertificateTimestamp, certificate: Certificate, issuer: Certificate, key: Key
) -> bool:
    """Say whether a log signed this certificate of this issuer (RFC 6962, section 3.2)."""
    if sct.entry_type is not LogEntryType.PRE_CERTIFICATE or not isinstance(
        sct.signature_hash_algorithm, SHA256
    ):
        return False
    issuer_id = _issuer_id(issuer)
    if issuer_id is None:
        return False
    try:
        signed = _pack_digitally_signed(sct, certificate, issuer_id)
    except (VerificationError, ValueError):
        return False
    return key_verifies(key, sct.signature, signed)


@lru_cache(maxsize=256)
def _issuer_id(issuer: Certificate) -> KeyID | None:
    """Return the digest of an authority's key, None for a kind of key that no authority has."""
    key = issuer.public_key()
    return key_id(key) if isinstance(key, EllipticCurvePublicKey | RSAPublicKey) else None


def inclusion_is_good(proof: InclusionProof, body: bytes) -> bool:
    """Say whether the proof leads from the entry to its root hash (RFC 6962, section 2.1.1)."""
    if proof.log_index >= proof.tree_size or any(len(one) != 32 for one in (*proof.hashes, proof.root_hash)):
        return False
    try:
        verify_merkle_inclusion(cast("Any", _Entry(_Inner(proof, body))))
    except VerificationError:
        return False
    return True


def checkpoint_is_good(proof: InclusionProof, ring: Keyring, key_id: bytes) -> bool:
    """Say whether the log signed the very tree that the proof is about."""
    try:
        signed = SignedCheckpoint.from_text(proof.checkpoint)
        signed.signed_note.verify(cast("Any", ring), KeyID(key_id))
    except (VerificationError, ValueError):
        return False
    tree = signed.checkpoint
    return bool(tree.log_hash == proof.root_hash.hex() and tree.log_size == proof.tree_size)
