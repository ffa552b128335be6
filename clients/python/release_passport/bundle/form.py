"""The form of an exported passport: JSON in one form only, with a seal over every byte of it.

The form: keys in the order of their code points, no white space, texts as they are, one line. The schema is
proto/schema/passport-bundle-v1.schema.json.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

BUNDLE = "https://release-passport.dev/bundles/passport/v1"
SEAL_TYPE = "application/vnd.release-passport.seal.v1+json"
MAX_BUNDLE_BYTES = 16 * 1024 * 1024

Document = dict[str, Any]


class BundleInvalid(ValueError):
    """A file is not an exported passport; the message says why."""


def encoded(document: Mapping[str, Any]) -> bytes:
    """Return the one form of a document."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode() + b"\n"


def digest(content: bytes) -> str:
    """Return `sha256:` and the hex SHA-256 of the bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def seal_payload(unsealed: Document) -> bytes:
    """Return what is signed over a document without its seal."""
    return json.dumps({"bundleDigest": digest(encoded(unsealed))}, separators=(",", ":")).encode()


def sealed(unsealed: Document, envelope: bytes) -> bytes:
    """Return the file: the document with its seal, a DSSE envelope."""
    return encoded(unsealed | {"seal": json.loads(envelope)})


def parse_bundle(raw: bytes) -> Document:
    """Return the document of a file that is in the one form; raise BundleInvalid."""
    if len(raw) > MAX_BUNDLE_BYTES:
        raise BundleInvalid(f"a passport has at most {MAX_BUNDLE_BYTES} bytes")
    try:
        document = json.loads(raw.decode("utf-8"))
        in_form = isinstance(document, dict) and encoded(document) == raw
    except (ValueError, RecursionError) as error:
        raise BundleInvalid("the file is not JSON: it was cut or changed") from error
    if not in_form:
        raise BundleInvalid("the file is not in the form in which passports are exported: it was changed")
    if document.get("type") != BUNDLE:
        raise BundleInvalid(f"the file is not a passport of the type {BUNDLE}")
    return dict(document)
