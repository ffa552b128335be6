"""Whatever a source answers, it is said in our words, holds nothing else up, and lets the evidence go stale."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import pytest_asyncio

from release_passport.v1 import connector_pb2
from release_passport.v1 import connector_service_pb2 as pb
from release_passport_server.adapters.connectors.source import ConnectorSources
from release_passport_server.adapters.http.client import GuardedClients
from release_passport_server.adapters.system.clock import SystemClock
from release_passport_server.domain.outbound import Origin
from support.connecting import QUERY, Connected, connected, vector
from support.http_peer import Asked, Write, reply

pytestmark = pytest.mark.asyncio(loop_scope="module")
SECRET = "internal-host-17"
JSON: dict[str, Any] = {"content_type": "application/json"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Connected]:
    async with connected(tmp_path_factory.mktemp("faults")) as shop:
        yield shop


@pytest.fixture
def shop(running: Connected) -> Connected:
    running.metrics.instead = None
    running.metrics.answers = {QUERY: vector("0.001")}
    return running


def answered(value: object) -> Callable[[Asked, Write], Any]:
    return reply(json.dumps(value).encode(), **JSON)


async def truncated(_: Asked, write: Write) -> None:
    await write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{")
    raise ConnectionError


async def dripping(_: Asked, write: Write) -> None:
    await write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n")
    while True:
        await write(b" ")
        await asyncio.sleep(0.2)


async def closing(_: Asked, write: Write) -> None:
    raise ConnectionError


def ahead(hours: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)


def success(result: object, kind: str = "vector") -> dict[str, object]:
    return {"status": "success", "data": {"resultType": kind, "result": result}}


CASES: list[tuple[str, Callable[[Asked, Write], Any], str]] = [
    ("401", reply(SECRET.encode(), status=401), "CREDENTIAL_REFUSED"),
    ("403", reply(SECRET.encode(), status=403), "ACCESS_MISSING"),
    ("404", reply(SECRET.encode(), status=404), "OBJECT_NOT_FOUND"),
    ("409", reply(SECRET.encode(), status=409), "SOURCE_FAILED"),
    ("410", reply(SECRET.encode(), status=410), "OBJECT_NOT_FOUND"),
    ("429", reply(SECRET.encode(), status=429, retry_after="9"), "SOURCE_BUSY"),
    ("500", reply(SECRET.encode(), status=500), "SOURCE_FAILED"),
    ("503", reply(SECRET.encode(), status=503), "SOURCE_BUSY"),
    ("a redirect", reply(status=302, location="http://169.254.169.254/"), "ADDRESS_REFUSED"),
    ("a truncated answer", truncated, "ANSWER_BROKEN"),
    ("a closed connection", closing, "ANSWER_BROKEN"),
    ("no JSON", reply(SECRET.encode(), **JSON), "ANSWER_BROKEN"),
    ("deep JSON", reply(b"[" * 200_000, **JSON), "ANSWER_BROKEN"),
    ("NaN", reply(b'{"status":"success","data":NaN}', **JSON), "ANSWER_BROKEN"),
    ("a list", answered([SECRET]), "ANSWER_BROKEN"),
    ("no data", answered({"status": "success"}), "ANSWER_BROKEN"),
    ("an unknown type", answered(success([], "tensor")), "ANSWER_BROKEN"),
    ("a number for a value", answered(success([{"value": [1, 0.5]}])), "ANSWER_BROKEN"),
    ("no number", answered(success([{"value": [1, SECRET]}])), "ANSWER_BROKEN"),
    ("a huge answer", reply(b" " * 5_000_000, **JSON), "ANSWER_TOO_LARGE"),
    ("another clock", reply(json.dumps(vector("1")).encode(), date=ahead(3), **JSON), "CLOCK_SKEWED"),
]


@pytest.mark.parametrize(("answer", "failure"), [one[1:] for one in CASES], ids=[one[0] for one in CASES])
async def test_an_answer_that_is_none_is_a_failure_in_our_words(
    shop: Connected, answer: Callable[[Asked, Write], Any], failure: str
) -> None:
    connector = await shop.made()
    shop.metrics.instead = answer
    said = await shop.collected(connector)
    assert (said.connector.health.failure, list(said.evidence)) == (failure, [])
    assert said.connector.health.message
    assert SECRET not in str(said)
    shop.metrics.instead = None
    await shop.aged(connector)
    assert (await shop.collected(connector)).connector.health.state == connector_pb2.CONNECTOR_STATE_HEALTHY


@pytest.mark.parametrize(
    "host",
    [
        *("169.254.169.254", "127.0.0.1", "10.0.0.1", "[::1]", "[fd00:ec2::254]", "[::ffff:169.254.169.254]"),
        *("[64:ff9b::a9fe:a9fe]", "localhost"),
    ],
)
async def test_an_address_inside_is_not_gone_to(shop: Connected, host: str) -> None:
    connector = await shop.made(endpoint=f"https://{host}:{shop.source.port}")
    before = len(shop.source.asked)
    health = (await shop.collected(connector)).connector.health
    assert health.failure == "ADDRESS_REFUSED"
    assert len(shop.source.asked) == before


async def test_a_source_that_drips_is_given_up(shop: Connected) -> None:
    connector = await shop.made()
    shop.metrics.instead = dripping
    said = await shop.collected(connector)
    assert said.connector.health.failure == "SOURCE_TIMED_OUT"


async def test_a_source_that_fails_again_and_again_is_left_alone_and_others_are_not(shop: Connected) -> None:
    connector, other = (
        await shop.made(),
        await shop.made(shop.wanted({"queries": [{"name": "x", "query": "y"}]})),
    )

    async def choose(asked: Asked, write: Write) -> None:
        own = "query=y" in asked.target
        await (answered(vector("1")) if own else reply(status=500))(asked, write)

    shop.metrics.instead = choose
    for _ in range(5):
        said = await shop.collected(connector)
        await shop.aged(connector)
    assert said.connector.health.state == connector_pb2.CONNECTOR_STATE_RESTING
    assert said.connector.health.failures == 5
    assert said.connector.health.HasField("rest_until")
    assert (await shop.collected(other)).connector.health.state == connector_pb2.CONNECTOR_STATE_HEALTHY


async def test_a_source_at_rest_is_not_asked(shop: Connected) -> None:
    connector = await shop.made()
    shop.metrics.instead = reply(status=503, retry_after="600")
    await shop.collected(connector)
    asked = len(shop.source.asked)
    said = await shop.collected(connector)
    assert (len(shop.source.asked), said.revision) == (asked, 0)
    assert said.connector.health.HasField("rest_until")


async def test_what_has_not_changed_is_not_sent_again_but_to_who_saw_it(shop: Connected) -> None:
    async def tagged(asked: Asked, write: Write) -> None:
        same = asked.headers.get("if-none-match") == '"1"'
        await (reply(status=304) if same else reply(b'{"a": 1}', etag='"1"', **JSON))(asked, write)

    shop.metrics.instead = tagged
    clients, origin = GuardedClients("test"), Origin.of(shop.endpoint, internal=True)
    sources = ConnectorSources(clients, SystemClock(), None, (origin,))
    try:
        mine, theirs = [await sources.open(tenant, shop.endpoint, "") for tenant in ("acme", "other")]
        before = len(shop.source.asked)
        values = [(await source.get("/x")).value for source in (mine, mine, theirs)]
    finally:
        await sources.close()
    assert values == [{"a": 1}] * 3
    conditions = [asked.headers.get("if-none-match") for asked in shop.source.asked[before:]]
    assert conditions == [None, '"1"', None]


async def test_what_was_changed_while_it_was_read_is_not_stored(shop: Connected) -> None:
    connector = await shop.made()
    begun, go = asyncio.Event(), asyncio.Event()

    async def waiting(asked: Asked, write: Write) -> None:
        begun.set()
        await go.wait()
        await answered(vector("0.9"))(asked, write)

    shop.metrics.instead = waiting
    reading = asyncio.create_task(shop.collected(connector))
    await begun.wait()
    changed = shop.wanted({"queries": [{"name": "other", "query": QUERY}]}, name=connector.name)
    changed.etag = connector.etag
    await shop.admin("UpdateConnector", pb.UpdateConnectorRequest(connector=changed))
    go.set()
    assert list((await reading).evidence) == []
    assert await shop.evidence(connector, "metric_sample") == []
