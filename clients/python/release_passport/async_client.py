"""The Python client for programs that await: the RPCs of `Client`, each of which returns an awaitable."""

from __future__ import annotations

from release_passport.async_connection import AsyncConnection
from release_passport.client import Client
from release_passport.connection import Connection


class AsyncClient(AsyncConnection):
    """A connection to one server; `await client.evaluate(request)`. Its types stand in async_client.pyi."""


# Each RPC's method asks `self.call` or `self.stream`, so it is what the connection makes of it.
for _kind in Client.__mro__:
    if _kind not in (Connection, *Connection.__mro__):
        for _name, _rpc in vars(_kind).items():
            if not _name.startswith("_"):
                setattr(AsyncClient, _name, _rpc)
