"""What is known of a signature that is good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from release_passport_server.domain.attestation import SignerClaims


@dataclass(frozen=True, slots=True)
class Proven:
    """What is proven about a signature when all its stages are passed."""

    claims: SignerClaims
    # Digests of what was signed, where that was an artifact and not a statement.
    subjects: frozenset[str]
    method: str
    sign_time: datetime | None
    log_index: int | None
    root: str
