"""Signed envelopes: DSSE with a registered key, in-toto statements, and the facts that they state."""

from release_passport_server.adapters.dsse.envelope import (
    VerificationFailure,
    VerifiedEnvelope,
    verify_envelope,
)
from release_passport_server.adapters.dsse.verifier import DSSEVerifier

__all__ = ["DSSEVerifier", "VerificationFailure", "VerifiedEnvelope", "verify_envelope"]
