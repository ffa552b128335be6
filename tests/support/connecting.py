"""A shop whose metrics a connector reads, and a source that answers as a test says."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from release_passport.v1 import connector_pb2, evidence_pb2, evidence_service_pb2
from release_passport.v1 import connector_service_pb2 as pb
from release_passport_server.domain.connector import ConnectorHealth
from release_passport_server.domain.record import FeedEvent
from support.calls import Caller
from support.http_peer import Asked, Peer, Write, peer, reply
from support.server import RealServer, real_server
from support.story import Story

QUERY = "error_ratio"


def vector(*values: str) -> dict[str, Any]:
    """Return what Prometheus answers where a query gives these series."""
    result = [{"metric": {"n": str(index)}, "value": [1.0, one]} for index, one in enumerate(values)]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


@dataclass
class Metrics:
    """What a stand-in for Prometheus answers to each query."""

    answers: dict[str, Any] = field(default_factory=lambda: {QUERY: vector("0.001")})
    # Answers of the test's own, before all others.
    instead: Callable[[Asked, Write], Any] | None = None

    async def __call__(self, asked: Asked, write: Write) -> None:
        if self.instead is not None:
            await self.instead(asked, write)
            return
        query = parse_qs(urlsplit(asked.target).query).get("query", [""])[0]
        body = json.dumps(self.answers.get(query, vector())).encode()
        await reply(body, content_type="application/json")(asked, write)


@dataclass
class Connected:
    """A server, who keeps its connectors, and a source that they may read."""

    admin: Caller
    story: Story
    source: Peer
    metrics: Metrics
    folder: Path

    @property
    def server(self) -> RealServer:
        return self.admin.server

    @property
    def endpoint(self) -> str:
        return self.source.url("").rstrip("/")

    def wanted(self, settings: Mapping[str, Any] | None = None, **more: Any) -> connector_pb2.Connector:
        """Return a connector that reads the error ratio; it is paused, so that the test says when it reads."""
        given: dict[str, Any] = {
            "title": "metrics",
            "kind": "prometheus",
            "service": "checkout",
            "environment": "prod",
            "endpoint": self.endpoint,
            "paused": True,
        }
        made = connector_pb2.Connector(**(given | more))
        made.settings.update(settings or {"queries": [{"name": "errors", "query": QUERY}]})
        return made

    async def made(
        self, wanted: connector_pb2.Connector | None = None, **more: Any
    ) -> connector_pb2.Connector:
        """Make a connector."""
        request = pb.CreateConnectorRequest(connector=wanted or self.wanted(**more))
        connector: connector_pb2.Connector = (await self.admin("CreateConnector", request)).connector
        return connector

    async def collected(self, connector: connector_pb2.Connector) -> pb.CollectNowResponse:
        """Have a connector read now."""
        answer: pb.CollectNowResponse = await self.admin(
            "CollectNow", pb.CollectNowRequest(name=connector.name)
        )
        return answer

    async def now(self, connector: connector_pb2.Connector) -> connector_pb2.Connector:
        """Return a connector as it is now."""
        found = await self.admin("GetConnector", pb.GetConnectorRequest(name=connector.name))
        return found.connector  # type: ignore[no-any-return]

    async def evidence(self, connector: connector_pb2.Connector, kind: str) -> list[evidence_pb2.Evidence]:
        """Return what a connector has found of a kind, the newest first."""
        request = evidence_service_pb2.ListEvidenceRequest(kind=kind, source=connector.source)
        return list((await self.admin("ListEvidence", request)).evidence)

    async def aged(self, connector: connector_pb2.Connector) -> None:
        """Make the last reading of a connector older than what is still news."""

        def change(tx: Any) -> None:
            found = tx.find_act(ConnectorHealth, connector.name.rpartition("/")[2])
            earlier = tx.now - timedelta(hours=1)
            tx.put_connector_health(replace(found, attempt_time=earlier, rest_until=None))
            tx.emit(FeedEvent("test", connector.name, ("tenant",)))

        await self.server.store.write("default", change)


@asynccontextmanager
async def connected(folder: Path, url: str = "", **sections: Mapping[str, Any]) -> AsyncIterator[Connected]:
    """Give a shop with a service, on an embedded store unless told otherwise."""
    metrics = Metrics()
    async with peer(metrics) as source:
        origin = source.url("").rstrip("/")
        settings: dict[str, Any] = {
            "internal_origins": origin,
            "credentials_folder": str(folder / "credentials"),
            "timeout_seconds": 1,
        }
        given: dict[str, Any] = {
            "connectors": settings,
            **({"store": {"url": url}} if url else {}),
            **sections,
        }
        async with real_server(folder, **given) as running:
            story = Story(running)
            await story.begin()
            yield Connected(Caller(running, running.token), story, source, metrics, folder)
