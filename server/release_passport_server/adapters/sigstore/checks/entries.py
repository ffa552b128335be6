"""What a log entry must say to be the entry of this very bundle: one function for each kind of entry.

Without this, somebody could put a true entry of another signature into a bundle (CVE-2022-36056). Formats:
sigstore/rekor, pkg/types/*/v*/…_schema.json, and sigstore/protobuf-specs, rekor/v2/*.proto.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from release_passport_server.adapters.sigstore.checks.bundle import Envelope, LogEntry, Message
from release_passport_server.adapters.sigstore.checks.refusal import Refused
from release_passport_server.domain.attestation import AttestationFailure as Failure
from release_passport_server.wire.intoto.reading import at, objects_at, text_at
from release_passport_server.wire.intoto.strict_json import JSON, JSONInvalid, parse

# One block, of a certificate or a public key.
_PEM = re.compile(rb"-----BEGIN [A-Z ]{1,40}-----([A-Za-z0-9+/=\s]+)-----END [A-Z ]{1,40}-----")
_ALGORITHMS = {"sha256": "SHA2_256", "sha384": "SHA2_384", "sha512": "SHA2_512"}


@dataclass(frozen=True, slots=True)
class Signed:
    """The signature that an entry has to be about."""

    content: Envelope | Message
    signature: bytes
    # Certificate or public key, in DER.
    der: bytes
    is_certificate: bool
    # Name of the hash that belongs to the signer's key, and the artifact's digest by it.
    algorithm: str
    digest: bytes


def check_entry(entry: LogEntry, signed: Signed) -> None:
    """Raise Refused unless the entry is that of this signature by this signer over this content."""
    fits = _KINDS.get((entry.kind, entry.version))
    if fits is None or (isinstance(signed.content, Message) and entry.kind != "hashedrekord"):
        text = f"entries of kind {entry.kind[:40]!a}, version {entry.version[:20]!a}, are not understood here"
        raise Refused(Failure.LOG_ENTRY_UNSUPPORTED, text)
    try:
        body = parse(entry.body)
    except JSONInvalid as error:
        raise _mismatch("it is not JSON") from error
    if (text_at(body, "kind"), text_at(body, "apiVersion")) != (entry.kind, entry.version):
        raise _mismatch("it is of another kind than the bundle says")
    fits(at(body, "spec"), signed)


def logged_digest(entry: LogEntry) -> tuple[str, bytes]:
    """Return algorithm and digest that an entry of a message's signature names; empty if it names none."""
    try:
        spec = at(parse(entry.body), "spec")
    except JSONInvalid:
        return "", b""
    old = text_at(spec, "data", "hash", "value"), text_at(spec, "data", "hash", "algorithm")
    if old[0] and old[1]:
        return old[1], _hex(old[0])
    new = text_at(spec, "hashedRekordV002", "data", "algorithm")
    name = next((name for name, long in _ALGORITHMS.items() if long == new), "")
    return name, _base64(at(spec, "hashedRekordV002", "data", "digest"))


def algorithm_named(name: str) -> str:
    """Return a hash as digests name it, "sha256", for Sigstore's name of it; empty for any other."""
    return next((short for short, long in _ALGORITHMS.items() if long == name), "")


def _hashedrekord_1(spec: JSON, signed: Signed) -> None:
    _same(text_at(spec, "data", "hash", "algorithm") == signed.algorithm, "another hash")
    _same(
        _hex(text_at(spec, "data", "hash", "value")) == _signed_digest(signed), "another artifact or payload"
    )
    _same(_base64(at(spec, "signature", "content")) == signed.signature, "another signature")
    _same(_pem_of(at(spec, "signature", "publicKey", "content")) == signed.der, "another signer")


def _hashedrekord_2(spec: JSON, signed: Signed) -> None:
    record = at(spec, "hashedRekordV002")
    _same(text_at(record, "data", "algorithm") == _ALGORITHMS.get(signed.algorithm), "another hash")
    _same(_base64(at(record, "data", "digest")) == _signed_digest(signed), "another artifact or payload")
    _same(_base64(at(record, "signature", "content")) == signed.signature, "another signature")
    _same(_verifier(at(record, "signature", "verifier"), signed), "another signer")


def _dsse_1(spec: JSON, signed: Signed) -> None:
    # The envelope's own hash is over JSON as it was sent to the log, which a bundle does not keep.
    _same(text_at(spec, "payloadHash", "algorithm") == "sha256", "another hash")
    _same(_hex(text_at(spec, "payloadHash", "value")) == _payload_hash(signed), "another payload")
    signature = _only(spec, "signatures")
    _same(_base64(at(signature, "signature")) == signed.signature, "another signature")
    _same(_pem_of(at(signature, "verifier")) == signed.der, "another signer")


def _dsse_2(spec: JSON, signed: Signed) -> None:
    record = at(spec, "dsseV002")
    _same(text_at(record, "payloadHash", "algorithm") == "SHA2_256", "another hash")
    _same(_base64(at(record, "payloadHash", "digest")) == _payload_hash(signed), "another payload")
    signature = _only(record, "signatures")
    _same(_base64(at(signature, "content")) == signed.signature, "another signature")
    _same(_verifier(at(signature, "verifier"), signed), "another signer")


def _intoto_2(spec: JSON, signed: Signed) -> None:
    assert isinstance(signed.content, Envelope)
    content = at(spec, "content")
    _same(text_at(content, "payloadHash", "algorithm") == "sha256", "another hash")
    _same(_hex(text_at(content, "payloadHash", "value")) == _payload_hash(signed), "another payload")
    _same(
        text_at(content, "envelope", "payloadType") == signed.content.payload_type, "another type of payload"
    )
    signature = _only(at(content, "envelope"), "signatures")
    # This kind keeps signature and signer in base 64 twice over, the signer once.
    _same(_base64(_ascii(_base64(at(signature, "sig")))) == signed.signature, "another signature")
    _same(_pem_of(at(signature, "publicKey")) == signed.der, "another signer")


_KINDS: dict[tuple[str, str], Callable[[JSON, Signed], None]] = {
    ("hashedrekord", "0.0.1"): _hashedrekord_1,
    ("hashedrekord", "0.0.2"): _hashedrekord_2,
    ("dsse", "0.0.1"): _dsse_1,
    ("dsse", "0.0.2"): _dsse_2,
    ("intoto", "0.0.2"): _intoto_2,
}


def _signed_digest(signed: Signed) -> bytes:
    """Return the digest of what the key signed: an artifact, or an envelope's pre-authentication encoding."""
    # An Ed25519 key has no hash of its own: it cannot have made such an entry.
    _same(signed.algorithm in _ALGORITHMS, "another kind of key")
    if isinstance(signed.content, Envelope):
        return hashlib.new(signed.algorithm, signed.content.pae()).digest()
    return signed.digest


def _payload_hash(signed: Signed) -> bytes:
    assert isinstance(signed.content, Envelope)
    return hashlib.sha256(signed.content.payload).digest()


def _only(value: JSON, name: str) -> JSON:
    """Return the one signature that is listed."""
    listed = objects_at(value, name)
    if listed is None or len(listed) != 1:
        raise _mismatch("it has not one signature")
    return listed[0]


def _verifier(verifier: JSON, signed: Signed) -> bool:
    if signed.is_certificate:
        return _base64(at(verifier, "x509Certificate", "rawBytes")) == signed.der
    return _base64(at(verifier, "publicKey", "rawBytes")) == signed.der


def _pem_of(value: JSON) -> bytes:
    """Return the DER inside base 64 of PEM, however its lines are broken."""
    found = _PEM.fullmatch(_base64(value).strip())
    return b"" if found is None else _base64(_ascii(b"".join(found[1].split())))


def _base64(value: JSON) -> bytes:
    if not isinstance(value, str):
        return b""
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _hex(text: str | None) -> bytes:
    try:
        return bytes.fromhex(text or "")
    except ValueError:
        return b""


def _ascii(value: bytes) -> str:
    return value.decode("ascii", "replace")


def _same(holds: bool, what: str) -> None:
    if not holds:
        raise _mismatch(f"it is about {what}")


def _mismatch(text: str) -> Refused:
    return Refused(Failure.LOG_ENTRY_MISMATCH, f"the log entry does not belong to this bundle: {text}")
