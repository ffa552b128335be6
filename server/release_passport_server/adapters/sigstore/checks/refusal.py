"""How a check says no."""

from __future__ import annotations

from release_passport_server.domain.attestation import AttestationFailure


class Refused(Exception):
    """Carries a failure out of the stage that found it; the text never quotes what was sent at length."""

    def __init__(self, failure: AttestationFailure, text: str) -> None:
        super().__init__(text)
        self.failure = failure
        self.text = text
