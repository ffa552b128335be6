"""Connects to addresses that were checked: the name is resolved once, and what was checked is what is called."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import httpcore

from release_passport_server.domain.outbound import (
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


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Opens connections for one client; every one of them comes through here."""

    def __init__(self, reach: Reach, resolve: Resolve = resolve) -> None:
        self._internal = {(origin.host, origin.port) for origin in reach.origins if origin.internal}
        self._resolve = resolve
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to a checked address of a host; raise OutboundError where one of them is refused."""
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            text = f"the name {host} is not known here"
            raise OutboundError(OutboundFailure.NAME_UNKNOWN, text) from error
        problem = refused(addresses, internal=(checked_host(host), port) in self._internal)
        if problem is not None:
            text = f"{host} leads to {problem[0]}, {problem[1]}"
            raise OutboundError(OutboundFailure.ADDRESS_REFUSED, text)
        failed: Exception = httpcore.ConnectError("no address")
        for address in addresses[:MAX_TRIED]:
            try:
                return await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: no URL leads to a socket of this machine."""
        raise OutboundError(OutboundFailure.ADDRESS_REFUSED, "sockets of this machine are not called")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
