"""That the signer's key signed the content, and that the log entry is about this signature."""

from __future__ import annotations

from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from release_passport_server.adapters.sigstore.checks.bundle import Bundle, Envelope, LogEntry
from release_passport_server.adapters.sigstore.checks.entries import (
    Signed,
    algorithm_named,
    check_entry,
    logged_digest,
)
from release_passport_server.adapters.sigstore.checks.refusal import Refused
from release_passport_server.adapters.sigstore.checks.signatures import (
    digest_is_signed,
    hash_of,
    message_is_signed,
)
from release_passport_server.domain.attestation import AttestationFailure as Failure


def check_content(
    bundle: Bundle, entry: LogEntry | None, key: object, certificate: x509.Certificate | None
) -> frozenset[str]:
    """Return the digests of what was signed, empty for a statement; raise Refused unless key and entry fit it."""
    belongs = hash_of(key)
    algorithm = "" if belongs is None else belongs.name
    digest = b""
    if isinstance(bundle.content, Envelope):
        good = message_is_signed(key, bundle.signature, bundle.content.pae())
    else:
        named, digest = algorithm_named(bundle.content.algorithm), bundle.content.digest
        if not digest and entry is not None:
            named, digest = logged_digest(entry)
        good = digest_is_signed(key, bundle.signature, digest, named)
    if not good:
        raise Refused(
            Failure.SIGNATURE_INVALID, "the signature does not fit what is signed and the signer's key"
        )
    if entry is not None:
        der = _der(key if certificate is None else certificate)
        is_certificate = certificate is not None
        check_entry(entry, Signed(bundle.content, bundle.signature, der, is_certificate, algorithm, digest))
    return frozenset({f"{algorithm}:{digest.hex()}"}) if digest else frozenset()


def _der(signer: object) -> bytes:
    if isinstance(signer, x509.Certificate):
        return signer.public_bytes(Encoding.DER)
    return cast("PublicKeyTypes", signer).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
