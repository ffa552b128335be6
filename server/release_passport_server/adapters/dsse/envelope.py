"""DSSE envelopes (secure-systems-lab/dsse, protocol 1.0) signed with a registered key."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from release_passport_server.adapters.dsse.keys import KeyInvalid, TrustedKey, load_key
from release_passport_server.domain.attestation import AttestationFailure
from release_passport_server.wire.intoto.strict_json import JSON, JSONInvalid, parse

MAX_ENVELOPE_BYTES = 1024 * 1024
MAX_SIGNATURES = 8
# A signature that names no key is tried with each: at 0.1 ms a try this bounds what one envelope can cost.
MAX_TRIES = 256
PAYLOAD_TYPE = "application/vnd.in-toto+json"

_BUNDLE_FIELDS = frozenset({"verificationMaterial", "dsseEnvelope", "messageSignature"})


@dataclass(frozen=True, slots=True)
class VerifiedEnvelope:
    """A payload, byte for byte as a registered key signed it."""

    payload: bytes
    key: TrustedKey


@dataclass(frozen=True, slots=True)
class VerificationFailure:
    """Why an envelope was not accepted."""

    reason: AttestationFailure
    text: str


class EnvelopeRefused(Exception):
    """Carries a failure out of the stage that found it."""

    def __init__(self, reason: AttestationFailure, text: str) -> None:
        super().__init__(text)
        self.failure = VerificationFailure(reason, text)


@dataclass(frozen=True, slots=True)
class _Signature:
    hint: str
    value: bytes


def verify_envelope(raw: bytes, keys: Sequence[str]) -> VerifiedEnvelope | VerificationFailure:
    """Return the payload that one of the keys (public, in PEM) signed as an in-toto statement, or why there is none."""
    try:
        envelope = _read(raw)
        payload_type = _text(envelope, "payloadType")
        payload = _decoded(_text(envelope, "payload"), "payload")
        signatures = _signatures(envelope.get("signatures"))
        if payload_type != PAYLOAD_TYPE:
            raise EnvelopeRefused(AttestationFailure.PAYLOAD_TYPE, f"must be {PAYLOAD_TYPE}")
        return VerifiedEnvelope(payload, _signing_key(pae(payload_type, payload), signatures, _usable(keys)))
    except EnvelopeRefused as refused:
        return refused.failure


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes that are signed: the pre-authentication encoding of type and payload."""
    name = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(name), name, len(payload), payload)


def _read(raw: bytes) -> dict[str, JSON]:
    if len(raw) > MAX_ENVELOPE_BYTES:
        raise _malformed(f"larger than {MAX_ENVELOPE_BYTES} bytes")
    try:
        envelope = parse(raw)
    except JSONInvalid as error:
        raise _malformed(str(error)) from error
    if not isinstance(envelope, dict):
        raise _malformed("not a JSON object")
    if _BUNDLE_FIELDS & envelope.keys():
        raise EnvelopeRefused(
            AttestationFailure.BUNDLE_UNSUPPORTED,
            "Sigstore bundles are not verified by this version; sign a DSSE envelope with a registered key",
        )
    return envelope


def _text(envelope: dict[str, JSON], name: str) -> str:
    value = envelope.get(name)
    if not isinstance(value, str) or not value:
        raise _malformed(f"`{name}` must be a text")
    return value


def _signatures(value: JSON | None) -> list[_Signature]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_SIGNATURES:
        raise _malformed(f"`signatures` must be a list of 1 to {MAX_SIGNATURES} entries")
    found = []
    for entry in value:
        if not isinstance(entry, dict):
            raise _malformed("a signature must be an object")
        hint = entry.get("keyid")
        if hint is not None and not isinstance(hint, str):
            raise _malformed("`keyid` must be a text")
        found.append(_Signature(hint or "", _decoded(_text(entry, "sig"), "sig")))
    return found


def _decoded(text: str, name: str) -> bytes:
    # The specification permits both alphabets.
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _malformed(f"`{name}` is not base 64") from error


def _usable(keys: Sequence[str]) -> list[TrustedKey]:
    """Return the keys that can verify; one that cannot is as good as absent."""
    usable = []
    for pem in keys:
        try:
            usable.append(load_key(pem))
        except KeyInvalid:
            continue
    return usable


def _signing_key(message: bytes, signatures: list[_Signature], keys: list[TrustedKey]) -> TrustedKey:
    """Return the first key that made one of the signatures. A key id is a hint: it narrows the search, no more."""
    hinted, tries = False, 0
    for signature in signatures:
        named = [key for key in keys if signature.hint in key.hints]
        hinted = hinted or bool(named)
        for key in named or keys:
            tries += 1
            if tries > MAX_TRIES:
                text = (
                    f"none of the first {MAX_TRIES} registered keys fits: name the key in `keyid` as sha256:…"
                )
                raise EnvelopeRefused(AttestationFailure.NO_TRUSTED_KEY, text)
            if key.verifies(message, signature.value):
                return key
    if hinted:
        raise EnvelopeRefused(
            AttestationFailure.SIGNATURE_INVALID,
            "the signature does not fit the payload and the key that it names",
        )
    raise EnvelopeRefused(
        AttestationFailure.NO_TRUSTED_KEY, "not signed by any of the public keys registered for the service"
    )


def _malformed(text: str) -> EnvelopeRefused:
    return EnvelopeRefused(AttestationFailure.ENVELOPE_MALFORMED, text)
