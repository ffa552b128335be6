"""DSSE envelopes (secure-systems-lab/dsse, protocol 1.0): a payload with its type, and who signed both."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass

from release_passport.signatures.public_key import PublicKey

IN_TOTO = "application/vnd.in-toto+json"
MAX_ENVELOPE_BYTES = 4 * 1024 * 1024
MAX_SIGNATURES = 16


class EnvelopeInvalid(ValueError):
    """An envelope cannot be read, or no known key signed it; the message says which."""


@dataclass(frozen=True, slots=True)
class OpenedEnvelope:
    """A payload, byte for byte as the keys signed it."""

    payload_type: str
    payload: bytes
    keys: tuple[PublicKey, ...]


@dataclass(frozen=True, slots=True)
class _Signature:
    key_id: str
    value: bytes


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes that are signed: the pre-authentication encoding of type and payload."""
    name = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(name), name, len(payload), payload)


def envelope(payload_type: str, payload: bytes, key_id: str, signature: bytes) -> bytes:
    """Return an envelope with the signature that was made over the payload's encoding."""
    document = {
        "payloadType": payload_type,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": key_id, "sig": base64.b64encode(signature).decode()}],
    }
    return json.dumps(document, separators=(",", ":")).encode()


def open_envelope(raw: bytes, keys: Iterable[PublicKey], *, payload_type: str = IN_TOTO) -> OpenedEnvelope:
    """Return the payload that at least one of the keys signed; raise EnvelopeInvalid.

    A key id is a hint: a signature that names a known key must fit that key; one that names none is tried with each.
    """
    document = _document(raw)
    found_type = _text(document, "payloadType")
    if found_type != payload_type:
        raise EnvelopeInvalid(f"the payload is of the type {found_type[:80]!r}, not {payload_type}")
    payload = _decoded(_text(document, "payload"), "payload")
    message = pae(found_type, payload)
    known = {key.key_id: key for key in keys}
    signed: dict[str, PublicKey] = {}
    for signature in _signatures(document.get("signatures")):
        named = known.get(signature.key_id)
        if named is not None and not named.verifies(message, signature.value):
            raise EnvelopeInvalid(f"the signature of {named.key_id} does not fit the payload")
        tried = [named] if named is not None else ([] if signature.key_id else known.values())
        signed |= {key.key_id: key for key in tried if key.verifies(message, signature.value)}
    if not signed:
        raise EnvelopeInvalid("none of the keys that are trusted signed the envelope")
    return OpenedEnvelope(found_type, payload, tuple(signed.values()))


def _document(raw: bytes) -> dict[str, object]:
    if len(raw) > MAX_ENVELOPE_BYTES:
        raise EnvelopeInvalid(f"an envelope has at most {MAX_ENVELOPE_BYTES} bytes")
    try:
        document = json.loads(raw.decode("utf-8"), object_pairs_hook=_object)
    except EnvelopeInvalid:
        raise
    except (ValueError, RecursionError) as error:
        raise EnvelopeInvalid("an envelope is a JSON object in UTF-8") from error
    if not isinstance(document, dict):
        raise EnvelopeInvalid("an envelope is a JSON object")
    return document


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise EnvelopeInvalid("an object has the same key twice")
    return found


def _text(document: dict[str, object], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise EnvelopeInvalid(f"`{name}` must be a text")
    return value


def _signatures(value: object) -> list[_Signature]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_SIGNATURES:
        raise EnvelopeInvalid(f"`signatures` must be a list of 1 to {MAX_SIGNATURES} entries")
    found = []
    for entry in value:
        if not isinstance(entry, dict):
            raise EnvelopeInvalid("a signature must be an object")
        key_id = entry.get("keyid") or ""
        if not isinstance(key_id, str):
            raise EnvelopeInvalid("`keyid` must be a text")
        found.append(_Signature(key_id, _decoded(_text(entry, "sig"), "sig")))
    return found


def _decoded(text: str, name: str) -> bytes:
    # The specification permits both alphabets.
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise EnvelopeInvalid(f"`{name}` is not base 64") from error
