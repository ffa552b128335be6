"""What the transport needs to know about who asks."""

from __future__ import annotations

from typing import Protocol

from release_passport_server.domain.access import Principal


class Authenticator(Protocol):
    """Turns a credential into a principal."""

    async def authenticate(self, bearer: str | None, certificate: bytes = b"") -> Principal:
        """Return whose credential it is; raise Unauthenticated for none, or one that is not valid.

        The certificate, PEM or DER, is the client's of a TLS handshake that has verified it; never one from a header.
        """
        ...
