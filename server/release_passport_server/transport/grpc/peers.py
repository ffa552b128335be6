"""Who is at the other end of a connection, by its TLS handshake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol


class Connected(Protocol):
    """A call's context, as far as its connection goes."""

    def auth_context(self) -> Mapping[str, Iterable[bytes]]: ...


def peer_certificate(context: Connected) -> bytes:
    """Return the client's certificate in PEM, which the handshake has verified; empty where it showed none."""
    known = context.auth_context()
    if list(known.get("transport_security_type", ())) != [b"ssl"]:
        return b""
    return next(iter(known.get("x509_pem_cert", ())), b"")
