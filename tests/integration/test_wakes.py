"""A webhook of another system has its connector read at once; what the webhook says is not believed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio

from release_passport.v1 import connector_pb2
from release_passport.v1 import connector_service_pb2 as pb
from support.calls import somebody
from support.connecting import Connected, connected
from support.http_peer import reply

HOUR = {"seconds": 3600}
DEADLINE = 15.0
ALERT: dict[str, Any] = {
    "version": "4",
    "status": "firing",
    "receiver": "release-passport",
    "alerts": [{"status": "resolved", "labels": {"alertname": "TooManyErrors", "service": "checkout"}}],
}


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Connected]:
    async with connected(tmp_path) as running:
        yield running


async def told(
    shop: Connected, token: str | None, connector: connector_pb2.Connector, **body: Any
) -> httpx.Response:
    """Return the answer to a webhook."""
    base = f"http://127.0.0.1:{shop.server.process.http_port}"
    tenant, name = connector.name.split("/")[1], connector.name.split("/")[3]
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(base_url=base, headers=headers) as http:
        return await http.post(f"/v1/ingest/{tenant}/{name}", **(body or {"json": ALERT}))


async def read(shop: Connected, times: int) -> None:
    """Wait until the source was asked so often."""
    async with asyncio.timeout(DEADLINE):
        while True:
            if len(shop.source.asked) >= times:
                return
            await asyncio.sleep(0.02)


async def hourly(shop: Connected) -> connector_pb2.Connector:
    """Return a connector that was read, and is not read by itself for an hour."""
    connector = await shop.made(paused=False, interval=HOUR)
    await read(shop, 1)
    return connector


async def test_a_webhook_has_what_changed_read_long_before_the_interval_is_over(shop: Connected) -> None:
    connector = await hourly(shop)
    alertmanager = await somebody(shop.admin, "sa:alertmanager", "viewer")
    answer = await told(shop, alertmanager.token, connector)
    assert (answer.status_code, answer.content) == (202, b"")
    await read(shop, 2)
    # Nothing of what was sent is kept: all evidence is what the source said itself.
    assert len(await shop.evidence(connector, "incident_state")) == 0
    assert len(await shop.evidence(connector, "metric_sample")) >= 1


async def test_many_webhooks_are_few_readings(shop: Connected) -> None:
    connector = await hourly(shop)
    await asyncio.gather(*(told(shop, shop.server.token, connector) for _ in range(30)))
    await read(shop, 2)
    # Within a second of a reading there is no other one.
    assert len(shop.source.asked) <= 3


async def test_what_a_webhook_sends_is_not_even_read(shop: Connected) -> None:
    connector = await hourly(shop)
    for body in ({"content": b"x" * 1_000_000}, {"content": b""}, {"content": b"{"}):
        assert (await told(shop, shop.server.token, connector, **body)).status_code == 202


async def test_who_may_not_read_there_wakes_nothing(shop: Connected) -> None:
    connector = await hourly(shop)
    elsewhere = await somebody(shop.admin, "sa:other", "viewer", services=("billing",))
    refusals = [await told(shop, token, connector) for token in ("", "rp1_wrong", elsewhere.token)]
    assert [one.status_code for one in refusals] == [401, 401, 404]
    unknown = connector_pb2.Connector(name=connector.name[:-1] + ("0" if connector.name[-1] != "0" else "1"))
    assert (await told(shop, shop.server.token, unknown)).status_code == 404
    strange = connector_pb2.Connector(name="tenants/default/connectors/nobody")
    assert (await told(shop, shop.server.token, strange)).status_code == 400
    assert len(shop.source.asked) == 1


async def test_who_is_paused_or_rests_is_left_alone(shop: Connected) -> None:
    paused = await shop.made()
    answer = await shop.admin("WakeConnector", pb.WakeConnectorRequest(name=paused.name))
    assert not answer.HasField("due_time")
    shop.metrics.instead = reply(b"", status=503)
    failing = await shop.made(paused=False, interval=HOUR)
    async with asyncio.timeout(DEADLINE):
        while True:
            health = (await shop.now(failing)).health
            if health.failure == "SOURCE_BUSY":
                break
    answer = await shop.admin("WakeConnector", pb.WakeConnectorRequest(name=failing.name))
    assert answer.due_time.ToNanoseconds() >= health.attempt_time.ToNanoseconds() + 1_000_000_000
