"""Addresses that were checked: a name is resolved once for a connection, and what was checked is what is called."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence

from aiohttp.abc import AbstractResolver, ResolveResult

from release_passport_server.domain.outbound import (
    Origin,
    OutboundError,
    OutboundFailure,
    Reach,
    checked_host,
    refused,
)

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
# Of a name with many addresses no more are tried.
MAX_TRIED = 3


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host, as the system's resolver orders them; raise OSError where it has none."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedResolver(AbstractResolver):
    """Says where the connections of one client go; hosts that are addresses themselves are asked about by `require`."""

    def __init__(self, reach: Reach, resolve: Resolve = resolve) -> None:
        self._internal = {(origin.host, origin.port) for origin in reach.origins if origin.internal}
        self._resolve = resolve

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the checked addresses of a host; raise OutboundError where one of them is refused."""
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            text = f"the name {host} is not known here"
            raise OutboundError(OutboundFailure.NAME_UNKNOWN, text) from error
        self._check(host, port, addresses)
        return [_found(host, address, port) for address in addresses[:MAX_TRIED]]

    def require(self, origin: Origin) -> None:
        """Raise OutboundError where the host is an address to which nothing may be sent: nobody resolves it."""
        try:
            ipaddress.ip_address(origin.host)
        except ValueError:
            return
        self._check(origin.host, origin.port, (origin.host,))

    async def close(self) -> None:
        """Do nothing: nothing is open."""

    def _check(self, host: str, port: int, addresses: Sequence[str]) -> None:
        problem = refused(addresses, internal=(checked_host(host), port) in self._internal)
        if problem is not None:
            text = f"{host} leads to {problem[0]}, {problem[1]}"
            raise OutboundError(OutboundFailure.ADDRESS_REFUSED, text)


def _found(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return {
        "hostname": host,
        "host": address,
        "port": port,
        "family": family,
        "proto": 0,
        "flags": socket.AI_NUMERICHOST,
    }
