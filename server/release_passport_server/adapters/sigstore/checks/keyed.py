"""Bundles that name a long-lived key: the key must be registered, and a log entry that is there must be good."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from release_passport_server.adapters.sigstore.checks.bundle import Bundle
from release_passport_server.adapters.sigstore.checks.content import check_content
from release_passport_server.adapters.sigstore.checks.log import (
    check_inclusion,
    check_window,
    known_log,
    method_of,
    one_entry,
)
from release_passport_server.adapters.sigstore.checks.proven import Proven
from release_passport_server.adapters.sigstore.checks.refusal import Refused
from release_passport_server.adapters.sigstore.checks.roots import Root
from release_passport_server.adapters.sigstore.checks.times import promised_time, stamped_times
from release_passport_server.domain.attestation import AttestationFailure as Failure
from release_passport_server.domain.attestation import SignerClaims

MAX_TRIES = 256
_METHOD = "sigstore-bundle+key"


@dataclass(frozen=True, slots=True)
class RegisteredKey:
    """A public key, and the names by which a bundle can point at it."""

    key_id: str
    hints: frozenset[str]
    public: object


def verify_keyed(bundle: Bundle, keys: Sequence[str], root: Root | None) -> Proven:
    """Return which of the keys (public, in PEM) signed; raise Refused.

    Without a root a log entry is not looked at, and proves nothing: the key's word is as good as in a bare envelope.
    """
    entry = one_entry(bundle) if bundle.entries and root is not None else None
    key, subjects = _signing_key(bundle, keys)
    claims = SignerClaims(key_id=key.key_id)
    if entry is None or root is None:
        return Proven(claims, subjects, _METHOD, None, None, "")
    log = known_log(entry, root)
    promised, stamped = promised_time(entry, log), stamped_times(bundle, root)
    times: list[datetime] = [*([promised] if promised else []), *stamped]
    check_window(log, times)
    check_inclusion(bundle, entry, log, promised=promised is not None)
    check_content(bundle, entry, key.public, None)
    if not times and log.window.end is not None:
        # Nobody says when it was logged, so the log's key may not have counted any more: the entry proves nothing.
        return Proven(claims, subjects, _METHOD, None, None, "")
    method = f"{_METHOD}+{method_of(entry, stamped=bool(stamped))}"
    return Proven(claims, subjects, method, min(times, default=None), entry.log_index, root.sha256)


def _signing_key(bundle: Bundle, keys: Sequence[str]) -> tuple[RegisteredKey, frozenset[str]]:
    """Return the key that made the signature. A hint narrows the search, and proves nothing."""
    usable = [key for pem in keys if (key := load_key(pem)) is not None]
    named = [key for key in usable if bundle.key_hint in key.hints]
    for key in (named or usable)[:MAX_TRIES]:
        try:
            return key, check_content(bundle, None, key.public, None)
        except Refused:
            continue
    if named:
        raise Refused(
            Failure.SIGNATURE_INVALID, "the signature does not fit what is signed and the key that it names"
        )
    raise Refused(Failure.NO_TRUSTED_KEY, "not signed by any of the registered public keys")


@lru_cache(maxsize=4096)
def load_key(pem: str) -> RegisteredKey | None:
    """Return the key of a PEM text, None for one that cannot be used."""
    try:
        public = load_pem_public_key(pem.encode())
        ssh = base64.b64decode(public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1])
    except (ValueError, UnsupportedAlgorithm):
        return None
    digest = hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    key_id = f"sha256:{digest.hexdigest()}"
    fingerprint = "SHA256:" + base64.b64encode(hashlib.sha256(ssh).digest()).decode().rstrip("=")
    spki = base64.b64encode(digest.digest()).decode()
    return RegisteredKey(key_id, frozenset({key_id, digest.hexdigest(), spki, fingerprint}), public)
