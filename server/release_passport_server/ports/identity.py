"""What services need of those who vouch for others: issuers of tokens, and authorities of certificates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from release_passport_server.domain.identity import Claims, Source


@dataclass(frozen=True, slots=True)
class Vouched:
    """Claims that were proved, whose word they are, and until when they hold."""

    source: Source
    claims: Claims
    expire_time: datetime
    # What names this very credential, so that it can be blocked: the token's id, or the certificate's serial number.
    credential: str = ""


class TokenVerifier(Protocol):
    """Verifies tokens that others have issued."""

    def may_be_token(self, text: str) -> bool:
        """Say whether a text has the form of such a token."""
        ...

    async def verify(self, text: str) -> Vouched:
        """Return what the token proves; raise Unauthenticated, or Unavailable where that cannot be found out now."""
        ...


class CertificateReader(Protocol):
    """Reads client certificates whose chain the TLS handshake has verified."""

    def read(self, certificate: bytes) -> Vouched:
        """Return what a certificate, in PEM or DER, proves; raise Unauthenticated where it proves nothing."""
        ...
