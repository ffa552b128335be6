"""The second port: probes, metrics and JSON; what has no route is 404, and nothing redirects."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def http_app(routes: Sequence[BaseRoute], *, tls: bool, only_local_hosts: bool) -> ASGIApp:
    """Return the application with its security headers."""
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    headers = _HEADERS | ({"strict-transport-security": "max-age=31536000"} if tls else {})
    return _Headers(_LocalHosts(app) if only_local_hosts else app, headers)


class _Headers:
    """Puts the same headers on every answer."""

    def __init__(self, app: ASGIApp, headers: dict[str, str]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class _LocalHosts:
    """Refuses names that are not this machine's.

    A server that asks for no token must not answer a web page whose own name was pointed at loopback.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hosts = [value.decode("latin-1") for key, value in scope.get("headers", ()) if key == b"host"]
        if scope["type"] == "http" and not (len(hosts) == 1 and _is_local(hosts[0])):
            refusal = PlainTextResponse("in development mode only localhost is served\n", status_code=403)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_local(host: str) -> bool:
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    try:
        return name == "localhost" or ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
