"""What came of verifying a signed envelope about an artifact."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from release_passport_server.domain.evidence import Verification


class AttestationFailure(StrEnum):
    """Why an envelope vouches for nothing, by the stage at which that was found."""

    ENVELOPE_MALFORMED = "ENVELOPE_MALFORMED"
    BUNDLE_UNSUPPORTED = "BUNDLE_UNSUPPORTED"
    PAYLOAD_TYPE = "PAYLOAD_TYPE"
    NO_TRUSTED_KEY = "NO_TRUSTED_KEY"
    SIGNATURE_INVALID = "SIGNATURE_INVALID"
    STATEMENT_MALFORMED = "STATEMENT_MALFORMED"
    SUBJECT_MISMATCH = "SUBJECT_MISMATCH"
    PREDICATE_UNSUPPORTED = "PREDICATE_UNSUPPORTED"
    KIND_MISMATCH = "KIND_MISMATCH"


@dataclass(frozen=True, slots=True)
class AttestationResult:
    """An envelope's facts with who signed them, or why it has none; `reason` is a code, a colon and a text."""

    state: Verification
    signer: str = ""
    reason: str = ""
    facts_kind: str = ""
    # The message of that kind; None unless the state is VERIFIED.
    facts: object = None
    # When the statement says that it was made, if it does.
    statement_time: datetime | None = None


def failed(failure: AttestationFailure, text: str, *, signer: str = "") -> AttestationResult:
    """Return the result of an envelope that vouches for nothing."""
    return AttestationResult(Verification.FAILED, signer=signer, reason=f"{failure}: {text}")
