"""Where the server may go by itself, and why a call that it made failed."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from release_passport_server.domain.errors import Unavailable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_DEFAULT_PORTS = {"https": 443, "http": 80}
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
# What the system's resolver would read as a number: 2130706433, 0x7f.1, 0177.0.0.1.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
# A client reads these differently from one library to the next.
_UNCLEAR = re.compile(r"[\x00-\x20\x7f-\U0010ffff\\]")

_PRIVATE = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)
# Clouds answer here with the machine's own credentials.
_METADATA = frozenset(map(ipaddress.ip_address, ("169.254.169.254", "100.100.100.200", "fd00:ec2::254")))
# Addresses that hold another one, whose last 32 bits it is.
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
# Tunnels and local translation: where such an address leads cannot be told from it.
_TUNNELS = tuple(map(ipaddress.ip_network, ("2002::/16", "2001::/23", "64:ff9b:1::/48", "::/96")))


class OutboundFailure(StrEnum):
    """Why a call came to nothing."""

    URL_REFUSED = "URL_REFUSED"
    HOST_REFUSED = "HOST_REFUSED"
    ADDRESS_REFUSED = "ADDRESS_REFUSED"
    REDIRECT_REFUSED = "REDIRECT_REFUSED"
    NAME_UNKNOWN = "NAME_UNKNOWN"
    CONNECT_FAILED = "CONNECT_FAILED"
    TLS_FAILED = "TLS_FAILED"
    TIMED_OUT = "TIMED_OUT"
    TOO_LARGE = "TOO_LARGE"
    PROTOCOL_BROKEN = "PROTOCOL_BROKEN"
    CONTENT_REFUSED = "CONTENT_REFUSED"
    ACCESS_REFUSED = "ACCESS_REFUSED"
    STATUS_UNEXPECTED = "STATUS_UNEXPECTED"


class OutboundError(Unavailable):
    """A call to another system failed; `failure` says how, the text says where and what to do."""

    def __init__(self, failure: OutboundFailure, message: str, *, status: int = 0) -> None:
        super().__init__("OUTBOUND_FAILED", f"{failure}: {message}", metadata={"failure": str(failure)})
        self.failure = failure
        self.status = status


class OriginInvalid(ValueError):
    """An address cannot be used; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A scheme, host and port that may be reached; `internal` lets its name lead to this network or machine."""

    scheme: str
    host: str
    port: int
    internal: bool = False

    @classmethod
    def of(cls, url: str, *, internal: bool = False) -> Origin:
        """Return the origin of a URL; raise OriginInvalid where readers could differ about it."""
        if _UNCLEAR.search(url):
            raise OriginInvalid("has spaces, control characters, a backslash or characters beyond ASCII")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise OriginInvalid(f"is no URL: {error}") from error
        if parts.scheme not in _DEFAULT_PORTS:
            raise OriginInvalid("does not begin with https:// or http://")
        if "@" in parts.netloc:
            raise OriginInvalid("has a user name or password in it; they are configured apart")
        if "[" in parts.netloc and ":" not in (parts.hostname or ""):
            raise OriginInvalid("has something other than an IPv6 address in brackets")
        if port == 0:
            raise OriginInvalid("has port 0")
        return cls(
            parts.scheme, checked_host(parts.hostname or ""), port or _DEFAULT_PORTS[parts.scheme], internal
        )

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        """Return host and port as a URL has them, without a port that goes without saying."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def is_same(self, other: Origin) -> bool:
        """Say whether both are one place, whatever may be reached there."""
        return (self.scheme, self.host, self.port) == (other.scheme, other.host, other.port)


@dataclass(frozen=True, slots=True)
class Reach:
    """Where one client may go: its origins, and by redirect also public hosts by https where that is allowed."""

    origins: tuple[Origin, ...]
    public_redirects: bool = False

    def find(self, url: str, *, redirected_from: str = "") -> Origin:
        """Return the origin to go to for a URL; raise OutboundError where the client may not."""
        try:
            asked = Origin.of(url)
        except OriginInvalid as error:
            raise OutboundError(OutboundFailure.URL_REFUSED, f"the URL {error}") from error
        if redirected_from and asked.scheme == "http" and Origin.of(redirected_from).scheme == "https":
            text = f"{Origin.of(redirected_from)} redirects away from https"
            raise OutboundError(OutboundFailure.REDIRECT_REFUSED, text)
        for origin in self.origins:
            if origin.is_same(asked):
                return origin
        if not redirected_from:
            text = f"{asked} is not among the hosts that this connection is configured for"
            raise OutboundError(OutboundFailure.HOST_REFUSED, text)
        if self.public_redirects and asked.scheme == "https" and asked.port == 443:
            return asked
        text = (
            f"{Origin.of(redirected_from)} redirects to {asked}, which this connection is not configured for"
        )
        raise OutboundError(OutboundFailure.REDIRECT_REFUSED, text)


def checked_host(host: str) -> str:
    """Return a host name or address as it is compared; raise OriginInvalid where libraries read it differently."""
    host = host.lower()
    if ":" in host:
        try:
            return str(ipaddress.IPv6Address(host.replace("%", " ")))
        except ValueError:
            raise OriginInvalid("has an IPv6 address that cannot be read, or one with a zone") from None
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        pass
    labels = host.split(".")
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise OriginInvalid("has no host name that can be used; write it in ASCII, without a dot at its end")
    if _NUMBER.fullmatch(labels[-1]):
        raise OriginInvalid("has an address written in another form than 192.0.2.1 or [2001:db8::1]")
    return host


def address_problem(address: Address, *, internal: bool) -> str | None:
    """Return why nothing may be sent to an address, or None."""
    address = _meant(address)
    if address in _METADATA:
        return "a cloud's metadata service"
    if address.is_unspecified or (address.version == 4 and int(address) >> 24 == 0):
        return "an address of no host"
    if address.is_multicast:
        return "a multicast address"
    if address.is_link_local:
        return "a link-local address"
    if address.is_loopback or _in(address, _PRIVATE):
        return None if internal else "an address of this machine or its network"
    if _in(address, _TUNNELS):
        return "an address that leads through a tunnel"
    return None if address.is_global else "an address that is not in use on the internet"


def refused(addresses: Sequence[str], *, internal: bool) -> tuple[str, str] | None:
    """Return the first address that nothing may be sent to, with why; one such makes all of a name suspect."""
    for text in addresses:
        try:
            problem = address_problem(ipaddress.ip_address(text), internal=internal)
        except ValueError:
            problem = "no address"
        if problem is not None:
            return text, problem
    return None


def _in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _meant(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _TRANSLATED:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
