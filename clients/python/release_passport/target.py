"""Where the server is, and how to talk to it without giving the token away."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

_ADDRESS = re.compile(
    r"(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?):(?P<port>[0-9]{1,5})"
)
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")


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

    def __post_init__(self) -> None:
        host, _ = host_and_port(self.server)
        if self.token and not _TOKEN.fullmatch(self.token):
            raise TargetInvalid("the token has characters that a token cannot have; give the token alone")
        if self.plaintext and not (is_loopback(host) or self.insecure_plaintext):
            raise TargetInvalid(
                f"plaintext to {host} would show the token to the network; use TLS, "
                "or --insecure-plaintext if you know that nobody listens"
            )


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
