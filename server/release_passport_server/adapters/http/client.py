"""The guarded client. It has no cookies, no proxies and no memory but its open connections.

Built on aiohttp, of which the conveniences are turned off: names are resolved, redirects followed and bodies unpacked
here, under limits.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urljoin

import aiohttp
from yarl import URL

from release_passport_server.adapters.http.body import read_body, read_lines, too_large
from release_passport_server.adapters.http.network import GuardedResolver, Resolve, resolve
from release_passport_server.domain.outbound import (
    Origin,
    OutboundError,
    OutboundFailure,
    Reach,
)
from release_passport_server.ports.http import HTTPRequest, HTTPResponse

MAX_CONNECTIONS = 10
IDLE_SECONDS = 15.0
# Sent as they are made here, or not at all.
_OURS = ("accept", "accept-encoding", "content-type", "user-agent")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class GuardedClients:
    """Opens guarded clients; see the port."""

    def __init__(self, user_agent: str, resolve: Resolve = resolve) -> None:
        self._user_agent = user_agent
        self._resolve = resolve

    @asynccontextmanager
    async def open(
        self, reach: Reach, ca_file: Path | None = None, *, connections: int = MAX_CONNECTIONS
    ) -> AsyncIterator[GuardedClient]:
        """Give a client that goes nowhere but there; raise OutboundError for authorities that cannot be read."""
        network = GuardedResolver(reach, self._resolve)
        connector = aiohttp.TCPConnector(
            limit=connections,
            keepalive_timeout=IDLE_SECONDS,
            ssl=_tls(ca_file),
            resolver=network,
            use_dns_cache=False,
            happy_eyeballs_delay=None,
        )
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=_OURS,
            timeout=aiohttp.ClientTimeout(),
        ) as session:
            yield GuardedClient(session, reach, network, self._user_agent)


class GuardedClient:
    """Calls one configured system; see the port."""

    def __init__(
        self, session: aiohttp.ClientSession, reach: Reach, network: GuardedResolver, user_agent: str
    ) -> None:
        self._session = session
        self._reach = reach
        self._network = network
        self._user_agent = user_agent

    async def send(self, request: HTTPRequest) -> HTTPResponse:
        """Return the answer, whatever its status; raise OutboundError where there is none that can be trusted."""
        origin = self._reach.find(request.url)
        try:
            async with asyncio.timeout(request.seconds):
                return await self._followed(request, origin)
        except TimeoutError as error:
            text = f"{origin} did not answer in full within {request.seconds:g} s"
            raise OutboundError(OutboundFailure.TIMED_OUT, text) from error

    @asynccontextmanager
    async def stream(self, request: HTTPRequest, idle_seconds: float) -> AsyncIterator[GuardedStream]:
        """Give the answer as it comes; raise OutboundError where there is none that can be trusted."""
        origin = self._reach.find(request.url)
        plain = replace(request, headers={**request.headers, "accept-encoding": "identity"})
        opened = self._asked(plain, origin, aiohttp.ClientTimeout(sock_read=idle_seconds))
        try:
            async with AsyncExitStack() as stack:
                async with asyncio.timeout(request.seconds):
                    response = await stack.enter_async_context(opened)
                yield GuardedStream(origin, response, request.max_bytes)
        except aiohttp.ClientError as error:
            raise _told(origin, error) from error
        except TimeoutError as error:
            text = f"{origin} did not answer within {request.seconds:g} s"
            raise OutboundError(OutboundFailure.TIMED_OUT, text) from error

    async def _followed(self, request: HTTPRequest, origin: Origin) -> HTTPResponse:
        """Send a request and go where it is redirected, as often as it may be."""
        for _ in range(request.max_redirects + 1):
            answer = await self._once(request, origin)
            location = answer.headers.get("location")
            if answer.status not in _REDIRECTS or not location:
                return answer
            request, origin = self._redirected(request, origin, location)
        text = f"{origin} redirects more often than {request.max_redirects} times"
        raise OutboundError(OutboundFailure.REDIRECT_REFUSED, text)

    def _redirected(self, request: HTTPRequest, here: Origin, location: str) -> tuple[HTTPRequest, Origin]:
        if request.method not in {"GET", "HEAD"}:
            text = (
                f"{here} redirects a {request.method}, which is not sent twice; configure its final address"
            )
            raise OutboundError(OutboundFailure.REDIRECT_REFUSED, text)
        target = urljoin(request.url, location).partition("#")[0]
        there = self._reach.find(target, redirected_from=request.url)
        if there.is_same(here):
            return replace(request, url=target), there
        # Another host learns nothing that was meant for this one.
        return replace(request, url=target, credential="", headers={}), there

    async def _once(self, request: HTTPRequest, origin: Origin) -> HTTPResponse:
        try:
            async with self._asked(request, origin) as response:
                headers = _merged(response)
                if response.status in _REDIRECTS and headers.get("location"):
                    return HTTPResponse(response.status, headers, b"", request.url)
                return await _answered(request, origin, response, headers)
        except aiohttp.ClientError as error:
            raise _told(origin, error) from error

    def _asked(
        self, request: HTTPRequest, origin: Origin, limits: aiohttp.ClientTimeout | None = None
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Return the answer to one request, of which only the head is read."""
        self._network.require(origin)
        return self._session.request(
            request.method,
            URL(request.url, encoded=True),
            headers=self._headers(request, origin),
            data=request.body or None,
            allow_redirects=False,
            timeout=limits,
        )

    def _headers(self, request: HTTPRequest, origin: Origin) -> Mapping[str, str]:
        given = {
            "host": origin.authority,
            "user-agent": self._user_agent,
            "accept": ", ".join(request.accept) or "*/*",
            "accept-encoding": "gzip",
            **{name.lower(): value for name, value in request.headers.items()},
        }
        if request.credential:
            given["authorization"] = request.credential
        if request.body or request.method in {"POST", "PUT", "PATCH"}:
            given["content-length"] = str(len(request.body))
        if not all(value.isascii() and value.isprintable() for value in given.values()):
            text = "a header has characters that none can have: check the configured credential"
            raise OutboundError(OutboundFailure.URL_REFUSED, text)
        return given


class GuardedStream:
    """An answer that goes on; see the port."""

    def __init__(self, origin: Origin, response: aiohttp.ClientResponse, max_line: int) -> None:
        self._origin = origin
        self._response = response
        self._max_line = max_line
        self.status = response.status
        self.headers = _merged(response)

    async def lines(self) -> AsyncIterator[bytes]:
        """Yield each line without its end; raise OutboundError where one is too long, or the stream breaks."""
        if self.headers.get("content-encoding", "identity").strip().lower() != "identity":
            text = f"{self._origin} packed a stream, which was not asked for"
            raise OutboundError(OutboundFailure.CONTENT_REFUSED, text)
        try:
            async for line in read_lines(_chunks(self._response), self._max_line):
                yield line
        except aiohttp.ClientError as error:
            raise _told(self._origin, error) from error


async def _answered(
    request: HTTPRequest, origin: Origin, response: aiohttp.ClientResponse, headers: Mapping[str, str]
) -> HTTPResponse:
    length = headers.get("content-length", "")
    if request.method != "HEAD" and length.isdecimal() and int(length) > request.max_bytes:
        raise too_large(request.max_bytes)
    encoding = headers.get("content-encoding", "").strip().lower()
    body = await read_body(_chunks(response), encoding, request.max_bytes)
    answer = HTTPResponse(response.status, headers, body, request.url)
    if request.accept and 200 <= response.status < 300 and body and answer.media_type not in request.accept:
        kind = answer.media_type[:80] or "no type"
        text = f"{origin} answered with {kind!r} where {request.accept[0]!r} was asked for"
        raise OutboundError(OutboundFailure.CONTENT_REFUSED, text)
    return answer


async def _chunks(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.content.iter_any():
            yield chunk
    except RuntimeError as error:
        # The client was closed a moment ago, and the connection does not know why yet.
        raise aiohttp.ClientConnectionError from error


def _merged(response: aiohttp.ClientResponse) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for raw_name, raw_value in response.raw_headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _told(origin: Origin, error: aiohttp.ClientError) -> OutboundError:
    cause = _tls_error(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        text = f"{origin}: its certificate is not accepted: {cause.verify_message}"
        return OutboundError(OutboundFailure.TLS_FAILED, text)
    if cause is not None or _broken_off(error):
        return OutboundError(
            OutboundFailure.TLS_FAILED, f"{origin}: no secure connection could be agreed upon"
        )
    match error:
        case aiohttp.ServerTimeoutError():
            return OutboundError(OutboundFailure.TIMED_OUT, f"{origin} did not answer in time")
        case aiohttp.ClientConnectorError():
            return OutboundError(OutboundFailure.CONNECT_FAILED, f"{origin} cannot be connected to")
        case aiohttp.InvalidURL():
            return OutboundError(OutboundFailure.URL_REFUSED, f"the request to {origin} is not valid HTTP")
        case _:
            return OutboundError(
                OutboundFailure.PROTOCOL_BROKEN, f"{origin} broke the answer off, or it is not HTTP"
            )


def _broken_off(error: aiohttp.ClientError) -> bool:
    """Say whether a connection was there and ended while it was to be made secure."""
    return isinstance(error, aiohttp.ClientConnectorError) and isinstance(
        error.os_error, ConnectionResetError
    )


def _tls_error(error: BaseException) -> ssl.SSLError | None:
    """Return the failed handshake behind an error, which the libraries in between wrap in their own."""
    # aiohttp's own count as such, and say less.
    found = error.__cause__ or error.__context__
    while found is not None and not isinstance(found, ssl.SSLError):
        found = found.__cause__ or found.__context__
    return found


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        text = f"{ca_file}: no certificates can be read from it"
        raise OutboundError(OutboundFailure.TLS_FAILED, text) from error
