"""The addresses of connectors: guarded, bounded, with credentials that only the server's operator can put there.

A credential is a folder `{tenant}/{name}` of small files: `origins` (where it may be sent, one address a line), `token`
or `username` and `password`, and `ca.crt` where the system's authorities are not those of the source. Nobody who makes
a connector can have it sent elsewhere. Files are read for each reading, because they are rotated.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from release_passport_server.domain.connector import LONGEST_REST, CollectFailure
from release_passport_server.domain.errors import Violation
from release_passport_server.domain.ids import is_slug
from release_passport_server.domain.outbound import (
    Origin,
    OriginInvalid,
    OutboundError,
    OutboundFailure,
    Reach,
)
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.connector import Answer, CollectFailed
from release_passport_server.ports.http import HTTPClient, HTTPClients, HTTPRequest, HTTPResponse

MAX_BYTES = 4 * 1024 * 1024
# A source whose clock differs by more is not believed about the time of anything.
MAX_SKEW = timedelta(seconds=60)
# So much of what was answered is kept in this process, to ask whether it has changed; and no more of one answer.
KEPT_BYTES = 32 * 1024 * 1024
MOST_KEPT = 256 * 1024

_FAILURES = {
    OutboundFailure.URL_REFUSED: CollectFailure.ADDRESS_REFUSED,
    OutboundFailure.HOST_REFUSED: CollectFailure.ADDRESS_REFUSED,
    OutboundFailure.ADDRESS_REFUSED: CollectFailure.ADDRESS_REFUSED,
    OutboundFailure.REDIRECT_REFUSED: CollectFailure.ADDRESS_REFUSED,
    OutboundFailure.TIMED_OUT: CollectFailure.SOURCE_TIMED_OUT,
    OutboundFailure.TOO_LARGE: CollectFailure.ANSWER_TOO_LARGE,
    OutboundFailure.PROTOCOL_BROKEN: CollectFailure.ANSWER_BROKEN,
    OutboundFailure.CONTENT_REFUSED: CollectFailure.ANSWER_BROKEN,
}
_STATUSES = {
    401: (CollectFailure.CREDENTIAL_REFUSED, "does not take the credential: renew it"),
    403: (CollectFailure.ACCESS_MISSING, "does not let the credential read this: grant it the right to"),
    404: (CollectFailure.OBJECT_NOT_FOUND, "has nothing there: check the endpoint's path"),
    410: (CollectFailure.OBJECT_NOT_FOUND, "has nothing there any more: check the endpoint's path"),
    429: (CollectFailure.SOURCE_BUSY, "is asked too often: poll it less often"),
    503: (CollectFailure.SOURCE_BUSY, "is too busy to answer"),
}


@dataclass(frozen=True, slots=True)
class _Secret:
    """What goes with a request, and whose certificates are believed."""

    header: str = field(default="", repr=False)
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class _KeptAnswer:
    """A whole answer with the mark by which its source knows it."""

    tag: str
    body: bytes = field(repr=False)


@dataclass(slots=True)
class _Kept:
    """The answers that were read last, as many as there is room for."""

    size: int = 0
    answers: OrderedDict[object, _KeptAnswer] = field(default_factory=OrderedDict)

    def find(self, key: object) -> _KeptAnswer | None:
        found = self.answers.get(key)
        if found is not None:
            self.answers.move_to_end(key)
        return found

    def keep(self, key: object, answer: _KeptAnswer) -> None:
        before = self.answers.pop(key, None)
        self.size -= 0 if before is None else len(before.body)
        if len(answer.body) > MOST_KEPT:
            return
        self.answers[key] = answer
        self.size += len(answer.body)
        while self.size > KEPT_BYTES:
            _, oldest = self.answers.popitem(last=False)
            self.size -= len(oldest.body)


@dataclass(slots=True)
class ConnectorSources:
    """Opens addresses; see the port. Connectors of one address share its connections."""

    clients: HTTPClients
    clock: Clock
    folder: Path | None = None
    # Whose names may lead to private addresses, and which may be spoken to without TLS.
    internal: tuple[Origin, ...] = ()
    seconds: float = 10.0
    _clients: dict[tuple[Origin, Path | None], HTTPClient] = field(default_factory=dict)
    _kept: _Kept = field(default_factory=_Kept)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    def problem(self, tenant: str, endpoint: str, credential: str) -> Violation | None:
        """Return why an address cannot be used with a credential, or None."""
        try:
            origin = self._origin(endpoint)
        except OriginInvalid as error:
            return Violation("endpoint", str(error))
        try:
            self._secret(tenant, origin, credential)
        except CollectFailed as error:
            return Violation("credential", error.text)
        return None

    async def open(self, tenant: str, endpoint: str, credential: str) -> ConnectorSource:
        """Return the address, ready to be read; raise CollectFailed."""
        try:
            origin = self._origin(endpoint)
        except OriginInvalid as error:
            raise CollectFailed(CollectFailure.ADDRESS_REFUSED, f"the endpoint {error}") from error
        secret = self._secret(tenant, origin, credential)
        client = await self._client(origin, secret.ca_file)
        # Whoever reads with another credential may see something else.
        reader = sha256(f"{tenant}\0{secret.header}".encode()).hexdigest()
        return ConnectorSource(
            client, endpoint.rstrip("/"), secret.header, self.seconds, self.clock, self._kept, reader
        )

    async def close(self) -> None:
        """Close every connection."""
        self._clients.clear()
        await self._stack.aclose()

    def _origin(self, endpoint: str) -> Origin:
        """Return where an endpoint leads; raise OriginInvalid where it may not be used."""
        origin = Origin.of(endpoint)
        parts = urlsplit(endpoint)
        if parts.query or parts.fragment:
            raise OriginInvalid("has a query or a fragment: the connector adds its own")
        for known in self.internal:
            if known.is_same(origin):
                return known
        if origin.scheme == "http":
            raise OriginInvalid(
                "is not https://; the server's setting connectors.internal_origins allows others"
            )
        return origin

    async def _client(self, origin: Origin, ca_file: Path | None) -> HTTPClient:
        known = self._clients.get((origin, ca_file))
        if known is not None:
            return known
        async with self._opening:
            known = self._clients.get((origin, ca_file))
            if known is None:
                try:
                    known = await self._stack.enter_async_context(
                        self.clients.open(Reach((origin,)), ca_file)
                    )
                except OutboundError as error:
                    text = f"the credential's ca.crt for {origin} cannot be read"
                    raise CollectFailed(CollectFailure.CREDENTIAL_MISSING, text) from error
                self._clients[origin, ca_file] = known
        return known

    def _secret(self, tenant: str, origin: Origin, credential: str) -> _Secret:
        if not credential:
            return _Secret()
        missing = CollectFailed(
            CollectFailure.CREDENTIAL_MISSING,
            f"there is no credential {credential[:64]!r} for {origin}: the server's operator puts it into "
            "connectors.credentials_folder",
        )
        if self.folder is None or not is_slug(credential) or not is_slug(tenant):
            raise missing
        folder = self.folder / tenant / credential
        try:
            origins = _read(folder / "origins").split()
            if not any(Origin.of(one).is_same(origin) for one in origins):
                raise missing
            token, user = _read(folder / "token"), _read(folder / "username")
            password = _read(folder / "password")
        except (OSError, UnicodeError, OriginInvalid) as error:
            raise missing from error
        authority = folder / "ca.crt"
        header = f"Bearer {token}" if token else ""
        if user and not token:
            header = "Basic " + b64encode(f"{user}:{password}".encode()).decode()
        return _Secret(header, authority if authority.is_file() else None)


@dataclass(slots=True)
class ConnectorSource:
    """One address with its credential; see the port."""

    client: HTTPClient
    endpoint: str
    credential: str = field(repr=False)
    seconds: float
    clock: Clock
    kept: _Kept = field(repr=False)
    reader: str = field(repr=False)

    @property
    def place(self) -> str:
        """Return where it is, for people."""
        return self.endpoint

    async def get(
        self,
        path: str,
        parameters: Mapping[str, str | Sequence[str]] | None = None,
        *,
        allowed: Sequence[int] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the JSON below the address."""
        url = self.endpoint + path + (f"?{urlencode(parameters, doseq=True)}" if parameters else "")
        key = (self.reader, url, tuple(sorted((headers or {}).items())))
        kept = self.kept.find(key)
        condition = {} if kept is None else {"if-none-match": kept.tag}
        request = HTTPRequest(
            url,
            headers={**(headers or {}), **condition},
            credential=self.credential,
            max_bytes=MAX_BYTES,
            seconds=self.seconds,
            max_redirects=0,
        )
        try:
            answer = await self.client.send(request)
        except OutboundError as error:
            failure = _FAILURES.get(error.failure, CollectFailure.SOURCE_UNREACHABLE)
            _, _, text = error.message.partition(": ")
            raise CollectFailed(failure, text) from error
        unchanged = answer.status == 304 and kept is not None
        if not unchanged and answer.status != 200 and answer.status not in allowed:
            raise self._refused(answer)
        time = self._time(answer)
        if kept is not None and unchanged:
            return Answer(self._json(kept.body), 200, time)
        found = Answer(self._json(answer.body), answer.status, time)
        tag = answer.headers.get("etag", "")
        if tag and answer.status == 200 and tag.isascii() and len(tag) <= 256:
            self.kept.keep(key, _KeptAnswer(tag, answer.body))
        return found

    def _json(self, body: bytes) -> object:
        try:
            return json.loads(body, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            text = f"{self.place} answered with what is no JSON: check the endpoint"
            raise CollectFailed(CollectFailure.ANSWER_BROKEN, text) from error

    def _time(self, answer: HTTPResponse) -> datetime | None:
        """Return the source's time where it tells it; raise CollectFailed where it is far from this host's."""
        try:
            told = parsedate_to_datetime(answer.headers["date"])
        except (KeyError, ValueError, TypeError):
            return None
        if told.tzinfo is None:
            told = told.replace(tzinfo=UTC)
        apart = told - self.clock.now()
        if abs(apart) > MAX_SKEW:
            how = "ahead of" if apart > timedelta(0) else "behind"
            text = f"the clock of {self.place} is {abs(apart).total_seconds():.0f} s {how} this server's: set both"
            raise CollectFailed(CollectFailure.CLOCK_SKEWED, text)
        return told

    def _refused(self, answer: HTTPResponse) -> CollectFailed:
        status = answer.status
        after = None
        if status in {429, 503}:
            given = answer.headers.get("retry-after", "")
            after = min(timedelta(seconds=int(given[:6])), LONGEST_REST) if given.isdecimal() else None
        if 300 <= status < 400:
            text = f"{self.place} redirects: configure its final address"
            return CollectFailed(CollectFailure.ADDRESS_REFUSED, text)
        failure, what = _STATUSES.get(status, (CollectFailure.SOURCE_FAILED, "cannot answer"))
        if status in {400, 422}:
            failure, what = CollectFailure.QUERY_REFUSED, "refuses the question: check the settings"
        return CollectFailed(failure, f"{self.place} {what} (status {status})", after=after)


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


def _read(path: Path) -> str:
    """Return what a small file holds, nothing where there is none."""
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""
