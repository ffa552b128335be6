"""Envelopes as cosign 2 stores them, with certificate, log entry and time in annotations: made into bundles.

The keys and shapes are cosign's (`pkg/oci/static`, `pkg/cosign/bundle`); the bundle is of version 0.1, which is the
one that a log's promise without an inclusion proof suffices for.
"""

from __future__ import annotations

import binascii
import json
import ssl
from base64 import b64decode, b64encode
from collections.abc import Mapping

from release_passport_server.wire.intoto.strict_json import JSON, JSONInvalid, parse

CERTIFICATE = "dev.sigstore.cosign/certificate"
LOG_ENTRY = "dev.sigstore.cosign/bundle"
TIMESTAMP = "dev.sigstore.cosign/rfc3161timestamp"
_BUNDLE_WITH_PROMISE = "application/vnd.dev.sigstore.bundle+json;version=0.1"
_BUNDLE_WITHOUT = "application/vnd.dev.sigstore.bundle.v0.3+json"


def bundle_of(envelope: bytes, annotations: Mapping[str, str]) -> bytes | None:
    """Return a Sigstore bundle of an envelope and its annotations; None where they do not make one."""
    try:
        given = {key: annotations.get(key, "") for key in (CERTIFICATE, LOG_ENTRY, TIMESTAMP)}
        if not (given[LOG_ENTRY] or given[TIMESTAMP]):
            # Without a signed time it is an envelope and no more, verified by key.
            return None
        made = _bundle(_object(parse(envelope)), given)
    except (JSONInvalid, KeyError, TypeError, ValueError, binascii.Error):
        return None
    return json.dumps(made, separators=(",", ":")).encode()


def _bundle(envelope: Mapping[str, JSON], given: Mapping[str, str]) -> JSON:
    promised = bool(given[LOG_ENTRY])
    material: dict[str, JSON] = {}
    if not given[CERTIFICATE]:
        material["publicKey"] = {"hint": ""}
    elif promised:
        material["x509CertificateChain"] = {"certificates": [{"rawBytes": _der(given[CERTIFICATE])}]}
    else:
        material["certificate"] = {"rawBytes": _der(given[CERTIFICATE])}
    material["tlogEntries"] = [_log_entry(_object(parse(given[LOG_ENTRY].encode())))] if promised else []
    if given[TIMESTAMP]:
        signed = _object(parse(given[TIMESTAMP].encode()))["SignedRFC3161Timestamp"]
        material["timestampVerificationData"] = {"rfc3161Timestamps": [{"signedTimestamp": _base64(signed)}]}
    return {
        "mediaType": _BUNDLE_WITH_PROMISE if promised else _BUNDLE_WITHOUT,
        "verificationMaterial": material,
        "dsseEnvelope": _envelope(envelope),
    }


def _envelope(envelope: Mapping[str, JSON]) -> JSON:
    signatures = envelope["signatures"]
    if not isinstance(signatures, list) or not signatures:
        raise TypeError("no list of signatures")
    signed: list[JSON] = [
        {"sig": _base64(each["sig"]), "keyid": _text(each.get("keyid") or "")}
        for each in map(_object, signatures)
    ]
    return {
        "payload": _base64(envelope["payload"]),
        "payloadType": _text(envelope["payloadType"]),
        "signatures": signed,
    }


def _log_entry(entry: Mapping[str, JSON]) -> JSON:
    payload = _object(entry["Payload"])
    body = _base64(payload["body"])
    logged = _object(parse(b64decode(body)))
    return {
        "logIndex": str(_number(payload["logIndex"])),
        "logId": {"keyId": b64encode(bytes.fromhex(_text(payload["logID"]))).decode()},
        "kindVersion": {"kind": _text(logged["kind"]), "version": _text(logged["apiVersion"])},
        "integratedTime": str(_number(payload["integratedTime"])),
        "inclusionPromise": {"signedEntryTimestamp": _base64(entry["SignedEntryTimestamp"])},
        "canonicalizedBody": body,
    }


def _der(pem: str) -> str:
    return b64encode(ssl.PEM_cert_to_DER_cert(pem.strip())).decode()


def _base64(value: JSON) -> str:
    text = _text(value)
    b64decode(text, validate=True)
    return text


def _object(value: JSON) -> dict[str, JSON]:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def _text(value: JSON) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _number(value: JSON) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError("not a number")
    return value
