"""Where the server is, and how to talk to it without giving the token away."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field

_ADDRESS = re.compile(
    r"(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?):(?P<port>[0-9]{1,5})"
)
_TOKEN = re.compile(r"[\x21-\x7e]{1,8192}")


class TargetInvalid(ValueError):
    """The server's address or the way to it is refused; the text says what to change."""


@dataclass(frozen=True, slots=True)
class Target:
    """A server: its address, and what it takes to trust it and to be trusted by it."""

    server: str
    token: str = field(default="", repr=False)
    ca_certificates: bytes | None = field(default=None, repr=False)
    plaintext: bool = False
    insecure_plaintext: bool = False
    # Gives the token of each call, in place of `token`, where tokens end before the work does.
    fresh_token: Callable[[], str] | None = field(default=None, repr=False)
    # A client certificate with its chain, and its key, in PEM.
    certificate: bytes | None = field(default=None, repr=False)
    certificate_key: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        host, _ = host_and_port(self.server)
        _require_token(self.token)
        if (self.certificate is None) != (self.certificate_key is None):
            raise TargetInvalid("a client certificate and its key are given together or not at all")
        if self.plaintext and self.certificate is not None:
            raise TargetInvalid("a client certificate needs TLS; leave out plaintext, or the certificate")
        if self.plaintext and not (is_loopback(host) or self.insecure_plaintext):
            raise TargetInvalid(
                f"plaintext to {host} would show the token to the network; use TLS, "
                "or --insecure-plaintext if you know that nobody listens"
            )

    def token_now(self) -> str:
        """Return the token to show, empty for none; TargetInvalid for one that cannot be sent."""
        if self.fresh_token is None:
            return self.token
        token = self.fresh_token()
        _require_token(token)
        return token


def _require_token(token: str) -> None:
    if token and not _TOKEN.fullmatch(token):
        raise TargetInvalid("the token has characters that a token cannot have; give the token alone")


def host_and_port(server: str) -> tuple[str, int]:
    """Return host and port of an address; TargetInvalid says how to write one."""
    match = _ADDRESS.fullmatch(server)
    if match is None or not 0 < int(match["port"]) < 65536:
        raise TargetInvalid(
            f"{server[:80]!r} is not an address; write it as host:port, such as passport.example.com:443"
        )
    return match["host"].strip("[]"), int(match["port"])


def split_scheme(server: str) -> tuple[str, bool | None]:
    """Return the address without its scheme, and whether the scheme asks for plaintext (None: there is none)."""
    for scheme, plaintext in (("http://", True), ("https://", False)):
        if server.startswith(scheme):
            return server.removeprefix(scheme).rstrip("/"), plaintext
    return server, None


def is_loopback(host: str) -> bool:
    """Say whether the host can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
