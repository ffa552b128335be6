"""The host of an issuer as a client sees it, and a clock that is set by hand."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from release_passport_server.domain.outbound import OutboundError, OutboundFailure, Reach
from release_passport_server.ports.http import HTTPRequest, HTTPResponse
from support.issuer import public_jwk, rsa_key

URL = "https://issuer.test"
OLD = public_jwk(rsa_key(0), "old")


@dataclass
class Web:
    """The issuer's host as a client sees it."""

    keys: list[dict[str, Any]] = field(default_factory=lambda: [OLD])
    documents: dict[str, Any] = field(default_factory=dict)
    asked: list[HTTPRequest] = field(default_factory=list)
    down: bool = False
    wait: Callable[[], Awaitable[object]] | None = None

    @asynccontextmanager
    async def open(self, reach: Reach, ca_file: Path | None = None) -> AsyncIterator[Web]:
        self.reach = reach
        yield self

    async def send(self, request: HTTPRequest) -> HTTPResponse:
        self.reach.find(request.url)
        self.asked.append(request)
        if self.wait is not None:
            await self.wait()
        if self.down:
            raise OutboundError(OutboundFailure.TIMED_OUT, "nobody answers")
        documents = {
            f"{URL}/.well-known/openid-configuration": {"issuer": URL, "jwks_uri": f"{URL}/keys"},
            f"{URL}/keys": {"keys": self.keys},
        }
        body = json.dumps((documents | self.documents).get(request.url, {})).encode()
        return HTTPResponse(200, {"content-type": "application/json"}, body, request.url)

    @property
    def fetched(self) -> int:
        """Return how often the keys were asked for."""
        return sum(one.url == f"{URL}/keys" for one in self.asked)


@dataclass
class Hand:
    """A clock that is set by hand."""

    time: datetime = datetime(2026, 3, 2, 10, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def later(self, **span: float) -> None:
        self.time += timedelta(**span)
