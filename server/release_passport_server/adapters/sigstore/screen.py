"""Turns away what no bundle is, before anything is read: linear in the size, and without building a single object."""

from __future__ import annotations

from release_passport_server.domain.attestation import AttestationFailure

MAX_BUNDLE_BYTES = 1024 * 1024
# A bundle has some thirty; what it carries is in base 64, where no bracket is.
MAX_PARTS = 1000


def screened(raw: bytes) -> tuple[AttestationFailure, str] | None:
    """Return why nobody should parse this, or None."""
    if len(raw) > MAX_BUNDLE_BYTES:
        return AttestationFailure.BUNDLE_TOO_LARGE, f"larger than {MAX_BUNDLE_BYTES} bytes"
    parts = raw.count(b"{") + raw.count(b"[")
    if parts > MAX_PARTS:
        return AttestationFailure.BUNDLE_TOO_LARGE, f"has more than {MAX_PARTS} objects and lists"
    return None
