"""People are told: every act is delivered, signed, again where it was not taken, and never twice under two ids."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from release_passport.v1 import freeze_service_pb2
from release_passport_server.adapters.http.client import GuardedClients
from release_passport_server.adapters.http.webhook import SecretInvalid, SignedWebhook, secret_of, signature
from release_passport_server.bootstrap import build, open_store
from release_passport_server.config import SettingsInvalid
from release_passport_server.domain.outbound import OutboundError
from support.calls import Caller
from support.http_peer import Asked, Peer, Write, peer, reply
from support.people_requests import REASON
from support.requests import Names, request_for
from support.server import free_ports, real_server
from support.store import START

SECRET = b"a key of twenty-four bytes and more"
WHSEC = "whsec_" + base64.b64encode(SECRET).decode()
OURS = Names()


@dataclass
class Told:
    """A server, and who is told by it."""

    admin: Caller
    receiver: Peer

    async def message(self, kind: str) -> Asked:
        """Return the first message of a type that was delivered."""
        async with asyncio.timeout(20):
            while True:
                for asked in self.receiver.asked:
                    if json.loads(asked.body)["type"] == kind:
                        return asked
                await asyncio.sleep(0.01)


@pytest_asyncio.fixture
async def told(tmp_path: Path) -> AsyncIterator[Told]:
    (tmp_path / "secret").write_text(WHSEC + "\n")
    async with peer(reply(status=204, reason="No Content")) as receiver:
        webhook = {"url": receiver.url("/hook"), "secret_file": str(tmp_path / "secret"), "internal": True}
        async with real_server(tmp_path, webhook=webhook) as running:
            yield Told(Caller(running, running.token), receiver)


def test_signatures_are_those_of_standard_webhooks() -> None:
    # The example of https://github.com/standard-webhooks/standard-webhooks.
    key = secret_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "text", ["", "secret", "whsec_", "whsec_***", "whsec_" + base64.b64encode(b"short").decode()]
)
def test_a_secret_that_cannot_sign_is_refused(text: str) -> None:
    with pytest.raises(SecretInvalid):
        secret_of(text)


async def test_an_act_is_told_signed_and_with_what_it_says(told: Told) -> None:
    made = (await told.admin("CreateFreeze", request_for("CreateFreeze", OURS))).freeze
    asked = await told.message("freeze.created")
    assert (asked.method, asked.target) == ("POST", "/hook")
    assert asked.headers["webhook-signature"] == signature(
        SECRET, asked.headers["webhook-id"], asked.headers["webhook-timestamp"], asked.body
    )
    data = json.loads(asked.body)["data"]
    assert data == {
        "tenant": "default",
        "subject": made.name,
        "principal": "user:admin",
        "title": made.title,
        "reason": REASON,
    }


async def test_what_was_not_taken_is_delivered_again_under_the_same_id(told: Told) -> None:
    took = reply(status=204, reason="No Content")
    answers = [
        reply(status=503, reason="Service Unavailable"),
        reply(status=302, location="/elsewhere"),
        took,
    ]

    third = asyncio.Event()

    async def answer(asked: Asked, write: Write) -> None:
        await answers.pop(0)(asked, write)
        if not answers:
            third.set()

    told.receiver.answer = answer
    await told.admin("CreateFreeze", request_for("CreateFreeze", OURS))
    async with asyncio.timeout(30):
        await third.wait()
    assert len({asked.headers["webhook-id"] for asked in told.receiver.asked}) == 1
    assert {asked.target for asked in told.receiver.asked} == {"/hook"}


async def test_an_act_that_is_refused_is_not_told(told: Told) -> None:
    wrong = request_for("CreateFreeze", OURS)
    assert isinstance(wrong, freeze_service_pb2.CreateFreezeRequest)
    wrong.freeze.time_zone = "Mars/Olympus"
    await told.admin.refused("CreateFreeze", wrong)
    made = (await told.admin("CreateFreeze", request_for("CreateFreeze", OURS))).freeze
    await told.message("freeze.created")
    assert [json.loads(asked.body)["data"]["subject"] for asked in told.receiver.asked] == [made.name]


async def test_a_private_address_is_not_gone_to_unless_somebody_said_so() -> None:
    async with peer(reply(status=204, reason="No Content")) as receiver:
        webhook = SignedWebhook(GuardedClients("test"), receiver.url(), SECRET)
        with pytest.raises(OutboundError):
            await webhook.deliver("id", START, b"{}")
        assert receiver.asked == []


@pytest.mark.parametrize(
    ("url", "secret"),
    [("ftp://example.com/", WHSEC), ("https://u:p@example.com/", WHSEC), ("https://a.example/", "x")],
)
async def test_a_server_does_not_start_with_a_webhook_that_cannot_work(
    tmp_path: Path, url: str, secret: str
) -> None:
    (tmp_path / "secret").write_text(secret)
    embedded = {
        "store": {"url": f"sqlite:///{tmp_path / 'passport.db'}"},
        "signing": {"key_folder": str(tmp_path / "keys")},
        "webhook": {"url": url, "secret_file": str(tmp_path / "secret")},
    }

    async def started() -> None:
        settings = free_ports(**embedded)
        store = open_store(settings)
        try:
            store.migrate()
            await build(store, settings)
        finally:
            await store.close()

    with pytest.raises((SettingsInvalid, ValueError)):
        await started()
