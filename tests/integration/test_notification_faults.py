"""The worker is killed between a delivery and its mark: it is told again under its id, never lost, on both engines."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from release_passport.v1 import notification_pb2 as pb
from release_passport.v1 import notification_service_pb2 as calls
from support.authority import Authority
from support.calls import Caller
from support.crashing import Killable, killable
from support.http_peer import Asked
from support.receivers import TAKEN, Receiver, body, receiver_answer, receiving, verified
from support.requests import Names, request_for
from support.server import RealServer

OURS = Names()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'passport.db'}"
    given: str = request.getfixturevalue("postgres_url")
    return given.replace("+psycopg", "", 1)


async def called(server: Killable, method: str, request: Any) -> Any:
    """Call a method as the server's admin."""
    async with server.story() as story:
        running: RealServer = story.server
        return await Caller(running, server.token)(method, request)


async def test_a_message_whose_mark_was_lost_comes_again_and_the_next_after_it(
    tmp_path: Path, url: str
) -> None:
    authority = Authority()
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(authority.pem)
    async with receiving(tmp_path, authority) as receiver:
        variables = {
            "PASSPORT_SERVER_STORE_URL": url,
            "PASSPORT_SERVER_NOTIFICATIONS_INTERNAL_ORIGINS": receiver.peer.url("").rstrip("/"),
            "PASSPORT_SERVER_NOTIFICATIONS_CA_FILE": str(ca_file),
            "PASSPORT_SERVER_WORKER_LEASE_SECONDS": "2",
        }
        async with killable(tmp_path, **variables) as server:
            await killed_in_delivery(server, receiver)


async def killed_in_delivery(server: Killable, receiver: Receiver) -> None:
    arrived = asyncio.Event()

    async def never(_: Asked, __: Any) -> None:
        arrived.set()
        await asyncio.Event().wait()

    receiver_answer(receiver, lambda _: never)
    wanted = pb.NotificationChannel(url=receiver.peer.url("/hook"), event_types=["freeze.*"])
    request = calls.CreateNotificationChannelRequest(channel=wanted)
    secret = (await called(server, "CreateNotificationChannel", request)).secret
    freeze = (await called(server, "CreateFreeze", request_for("CreateFreeze", OURS))).freeze.name
    ending = request_for("EndFreeze", OURS)
    ending.name = freeze  # type: ignore[attr-defined]
    await called(server, "EndFreeze", ending)
    async with asyncio.timeout(20):
        # The receiver has the message; that it has it is written nowhere.
        await arrived.wait()
    await server.kill()
    receiver_answer(receiver, lambda _: TAKEN)
    await server.start()
    took = await receiver.until(lambda took: len(took) >= 3)
    assert [body(one)["type"] for one in took] == ["freeze.created", "freeze.created", "freeze.ended"]
    assert took[0].headers["webhook-id"] == took[1].headers["webhook-id"]
    assert took[0].body == took[1].body
    assert all(verified(one, secret) for one in took)
