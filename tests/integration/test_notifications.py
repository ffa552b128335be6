"""Channels are told of what happens: signed, at least once, in order for each subject, on both engines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from release_passport.v1 import notification_pb2 as pb
from release_passport.v1 import notification_service_pb2 as calls
from support.authority import Authority
from support.calls import Caller
from support.http_peer import Asked, reply
from support.receivers import TAKEN, Receiver, body, receiver_answer, receiving, verified
from support.requests import Names, request_for
from support.server import real_server
from support.story import Story

OURS = Names()


@dataclass
class Told:
    """A server, and who is told by it."""

    admin: Caller
    receiver: Receiver

    async def channel(self, path: str = "/hook", **settings: Any) -> tuple[pb.NotificationChannel, str]:
        """Make a channel; return it with its secret."""
        wanted = pb.NotificationChannel(url=self.receiver.peer.url(path), **settings)
        made = await self.admin(
            "CreateNotificationChannel", calls.CreateNotificationChannelRequest(channel=wanted)
        )
        return made.channel, made.secret

    async def freeze(self) -> str:
        """Make something happen; return the name of what it happened to."""
        made = await self.admin("CreateFreeze", request_for("CreateFreeze", OURS))
        return str(made.freeze.name)

    async def end(self, freeze: str) -> None:
        """Make something more happen to it."""
        request = request_for("EndFreeze", OURS)
        request.name = freeze  # type: ignore[attr-defined]
        await self.admin("EndFreeze", request)

    async def get(self, channel: pb.NotificationChannel) -> pb.NotificationChannel:
        """Return a channel as it is now."""
        request = calls.GetNotificationChannelRequest(name=channel.name)
        found: pb.NotificationChannel = (await self.admin("GetNotificationChannel", request)).channel
        return found

    async def deliveries(self, channel: pb.NotificationChannel) -> list[pb.NotificationDelivery]:
        """Return what the channel is told, the newest first."""
        request = calls.ListNotificationDeliveriesRequest(name=channel.name)
        return list((await self.admin("ListNotificationDeliveries", request)).deliveries)


@pytest.fixture
def engine() -> str:
    """Give the engine of the store; a test that has both says so."""
    return "sqlite"


@pytest_asyncio.fixture
async def told(request: pytest.FixtureRequest, tmp_path: Path, engine: str) -> AsyncIterator[Told]:
    url = f"sqlite:///{tmp_path / 'passport.db'}"
    if engine == "postgresql":
        url = request.getfixturevalue("own_postgres_url").replace("+psycopg", "", 1)
    authority = Authority()
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    async with receiving(tmp_path, authority) as receiver:
        settings = {
            "internal_origins": receiver.peer.url("").rstrip("/"),
            "ca_file": str(tmp_path / "ca.pem"),
            "timeout_seconds": 1,
        }
        async with real_server(tmp_path, notifications=settings, store={"url": url}) as running:
            yield Told(Caller(running, running.token), receiver)


async def test_what_happens_is_told_signed(told: Told) -> None:
    _, secret = await told.channel()
    freeze = await told.freeze()
    (asked,) = await told.receiver.until(lambda took: len(took) == 1)
    assert verified(asked, secret)
    assert (body(asked)["type"], body(asked)["data"]["subject"]) == ("freeze.created", freeze)
    assert body(asked)["data"]["principal"] == "user:admin"


async def test_what_a_channel_does_not_ask_for_it_is_not_told(told: Told) -> None:
    await told.channel(event_types=["freeze.ended"])
    freeze = await told.freeze()
    await told.end(freeze)
    took = await told.receiver.until(lambda took: len(took) == 1)
    assert [body(one)["type"] for one in took] == ["freeze.ended"]


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def test_a_subject_that_is_not_taken_holds_itself_alone(told: Told) -> None:
    def choose(asked: Asked) -> Any:
        subjects = [body(one)["data"]["subject"] for one in told.receiver.took]
        held = body(asked)["data"]["subject"] == subjects[0] and len(set(subjects)) == 1
        return reply(status=503, reason="Busy") if held else TAKEN

    receiver_answer(told.receiver, choose)
    await told.channel()
    first = await told.freeze()
    await told.receiver.until(lambda took: len(took) == 1)
    await told.end(first)
    second = await told.freeze()
    took = await told.receiver.until(lambda took: body(took[-1])["type"] == "freeze.ended")
    said = [(body(one)["data"]["subject"], body(one)["type"]) for one in took]
    other = said.index((second, "freeze.created"))
    assert set(said[:other]) == {(first, "freeze.created")}
    assert said[other + 1 :] == [(first, "freeze.created"), (first, "freeze.ended")]
    ids = [one.headers["webhook-id"] for one in took]
    assert len(set(ids)) == 3
    assert ids[0] == ids[-2]


async def test_a_decision_is_told_with_its_release_and_verdict(told: Told) -> None:
    await told.channel(event_types=["decision.*"], services=["checkout"], environments=["prod"])
    await told.channel("/elsewhere", event_types=["decision.*"], services=["billing"])
    story = Story(told.admin.server)
    await story.begin()
    decision = await story.decided("1.0.0", unpinned=None)
    (asked,) = await told.receiver.until(lambda took: len(took) == 1)
    said = body(asked)
    assert (said["type"], asked.target) == ("decision.changed", "/hook")
    assert said["data"]["subject"] == decision.name
    assert said["data"]["release"] == decision.release
    assert (said["data"]["version"], said["data"]["verdict"]) == ("1.0.0", "HOLD")
    assert said["data"]["reasons"]


async def test_a_receiver_that_is_gone_ends_the_channel_until_somebody_enables_it(told: Told) -> None:
    receiver_answer(told.receiver, lambda _: reply(status=410, reason="Gone"))
    channel, _ = await told.channel()
    await told.freeze()
    await told.receiver.until(lambda took: len(took) == 1)
    while (now := await told.get(channel)).state != pb.NOTIFICATION_CHANNEL_STATE_DISABLED:
        pass
    assert "410" in now.disable_reason
    (waits,) = await told.deliveries(channel)
    assert (waits.state, waits.last_status) == (pb.NOTIFICATION_DELIVERY_STATE_PENDING, 410)
    receiver_answer(told.receiver, lambda _: TAKEN)
    await told.admin("EnableNotificationChannel", calls.EnableNotificationChannelRequest(name=channel.name))
    first, second = await told.receiver.until(lambda took: len(took) == 2)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert (await told.get(channel)).state == pb.NOTIFICATION_CHANNEL_STATE_ENABLED


@pytest.mark.parametrize(
    ("answer", "failure", "status"),
    [
        (reply(status=500, reason="Broken"), "answered 500", 500),
        (reply(status=302, reason="Found", location="https://127.0.0.1:1/x"), "REDIRECT_REFUSED", 0),
        (reply(b"x" * 100_000), "TOO_LARGE", 0),
    ],
    ids=["5xx", "redirect", "huge"],
)
async def test_what_is_no_good_answer_is_listed_and_tried_again(
    told: Told, answer: Any, failure: str, status: int
) -> None:
    receiver_answer(told.receiver, lambda _: answer)
    channel, _ = await told.channel()
    await told.freeze()
    while not (found := await told.deliveries(channel)) or not found[0].attempts:
        pass
    assert failure in found[0].last_failure
    assert (found[0].last_status, found[0].HasField("next_time")) == (status, True)
    receiver_answer(told.receiver, lambda _: TAKEN)
    await told.receiver.until(lambda took: len(took) == 2)


async def test_a_receiver_that_never_ends_its_answer_is_left(told: Told) -> None:
    async def dribble(_: Asked, write: Any) -> None:
        await write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")

    receiver_answer(told.receiver, lambda _: dribble)
    channel, _ = await told.channel()
    await told.freeze()
    while not (found := await told.deliveries(channel)) or not found[0].attempts:
        pass
    assert "TIMED_OUT" in found[0].last_failure


async def test_both_secrets_sign_after_one_was_replaced(told: Told) -> None:
    channel, old = await told.channel()
    request = calls.UpdateNotificationChannelRequest(channel=channel, new_secret=True)
    changed = await told.admin("UpdateNotificationChannel", request)
    await told.freeze()
    (asked,) = await told.receiver.until(lambda took: len(took) == 1)
    assert changed.secret != old
    assert verified(asked, changed.secret)
    assert verified(asked, old)
    assert not verified(asked, "whsec_" + "A" * 44)
    assert old not in str(await told.get(channel))


async def test_secrets_are_sealed_in_the_store(told: Told, tmp_path: Path) -> None:
    _, secret = await told.channel()
    await told.freeze()
    await told.receiver.until(lambda took: len(took) == 1)
    assert not [name for name, content in contents(tmp_path).items() if secret[6:].encode() in content]


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files of the store, and of whatever lies beside it."""
    return {path.name: path.read_bytes() for path in folder.glob("passport.db*") if path.is_file()}


async def test_events_are_told_anew_from_a_position_under_their_ids(told: Told) -> None:
    channel, _ = await told.channel()
    await told.freeze()
    await told.freeze()
    before = await told.receiver.until(lambda took: len(took) == 2)
    request = calls.ReplayNotificationsRequest(name=channel.name, from_revision=channel.position + 1)
    await told.admin("ReplayNotifications", request)
    after = await told.receiver.until(lambda took: len(took) == 4)
    assert {one.headers["webhook-id"] for one in after[2:]} == {one.headers["webhook-id"] for one in before}


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def test_events_are_told_anew_from_a_time_on(told: Told) -> None:
    channel, _ = await told.channel()
    await told.freeze()
    (first,) = await told.receiver.until(lambda took: len(took) == 1)
    second = await told.freeze()
    await told.receiver.until(lambda took: len(took) == 2)
    (delivery,) = [one for one in await told.deliveries(channel) if one.subject == second]
    request = calls.ReplayNotificationsRequest(name=channel.name, from_time=delivery.event_time)
    await told.admin("ReplayNotifications", request)
    took = await told.receiver.until(lambda took: len(took) == 3)
    assert took[2].headers["webhook-id"] == took[1].headers["webhook-id"] != first.headers["webhook-id"]
    # From a time at which nothing had happened yet nothing is told.
    request.from_time.seconds += 3600
    await told.admin("ReplayNotifications", request)
    third = await told.freeze()
    took = await told.receiver.until(lambda took: len(took) == 4)
    assert body(took[3])["data"]["subject"] == third


async def test_cloud_events_are_told_in_both_modes(told: Told) -> None:
    await told.channel("/structured", format=pb.NOTIFICATION_FORMAT_CLOUDEVENTS_STRUCTURED)
    await told.channel("/binary", format=pb.NOTIFICATION_FORMAT_CLOUDEVENTS_BINARY)
    freeze = await told.freeze()
    took = {one.target: one for one in await told.receiver.until(lambda took: len(took) == 2)}
    whole, parts = took["/structured"], took["/binary"]
    event = body(whole)
    assert whole.headers["content-type"] == "application/cloudevents+json"
    assert (event["specversion"], event["type"], event["subject"]) == (
        "1.0",
        "dev.release-passport.freeze.created",
        freeze,
    )
    assert event["id"] == whole.headers["webhook-id"] == parts.headers["ce-id"]
    assert {parts.headers[f"ce-{name}"] == event[name] for name in ("source", "type", "time")} == {True}
    assert body(parts) == event["data"]


async def test_a_template_fills_a_chat_in_and_cannot_be_broken_out_of(told: Told) -> None:
    text = '{"text": "{{type}}: {{reason|slack}}", "blocks": [{"type": "x", "n": 1}]}'
    await told.channel(format=pb.NOTIFICATION_FORMAT_TEMPLATE, template=text)
    request = request_for("CreateFreeze", OURS)
    request.freeze.reason = 'because "of" <!channel> {{secret}} & more'  # type: ignore[attr-defined]
    await told.admin("CreateFreeze", request)
    (asked,) = await told.receiver.until(lambda took: len(took) == 1)
    assert body(asked) == {
        "text": 'freeze.created: because "of" &lt;!channel&gt; {{secret}} &amp; more',
        "blocks": [{"type": "x", "n": 1}],
    }


@pytest.mark.parametrize(
    "template",
    [
        "",
        "no json",
        "[]",
        '{"t": "{{secret}}"}',
        '{"t": "{{type.x}}"}',
        '{"{{type}}": 1}',
        '{"t": "{{type|x}}"}',
    ],
)
async def test_a_template_that_does_not_fit_is_refused(told: Told, template: str) -> None:
    wanted = pb.NotificationChannel(
        url="https://example.com/", format=pb.NOTIFICATION_FORMAT_TEMPLATE, template=template
    )
    refused = await told.admin.refused(
        "CreateNotificationChannel", calls.CreateNotificationChannelRequest(channel=wanted)
    )
    assert refused.fields == ("channel.template",)


@pytest.mark.parametrize(
    "url", ["http://example.com/", "https://u:p@example.com/", "ftp://a/", "https://0x7f.1/"]
)
async def test_an_address_that_is_never_gone_to_is_refused(told: Told, url: str) -> None:
    request = calls.CreateNotificationChannelRequest(channel=pb.NotificationChannel(url=url))
    assert (await told.admin.refused("CreateNotificationChannel", request)).fields == ("channel.url",)


async def test_an_address_of_this_machine_is_not_gone_to_unless_the_operator_said_so(told: Told) -> None:
    async def unheard(_: Asked, __: Any) -> None:
        raise AssertionError

    wanted = pb.NotificationChannel(url=f"https://127.0.0.1:{told.receiver.peer.port + 1}/")
    made = await told.admin(
        "CreateNotificationChannel", calls.CreateNotificationChannelRequest(channel=wanted)
    )
    tried = await told.admin(
        "TestNotificationChannel", calls.TestNotificationChannelRequest(name=made.channel.name)
    )
    assert (tried.delivered, "ADDRESS_REFUSED" in tried.failure) == (False, True)


async def test_a_channel_is_tried_out(told: Told) -> None:
    channel, secret = await told.channel()
    tried = await told.admin(
        "TestNotificationChannel", calls.TestNotificationChannelRequest(name=channel.name)
    )
    assert (tried.delivered, tried.status) == (True, 204)
    (asked,) = told.receiver.took
    assert (body(asked)["type"], verified(asked, secret)) == ("channel.test", True)


async def test_a_certificate_of_somebody_else_is_not_told_anything(told: Told, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    async with receiving(tmp_path / "other", Authority("Another")) as other:
        (tmp_path / "second").mkdir()
        settings = {
            "internal_origins": other.peer.url("").rstrip("/"),
            "ca_file": str(tmp_path / "ca.pem"),
        }
        async with real_server(tmp_path / "second", notifications=settings) as running:
            there = Told(Caller(running, running.token), other)
            channel, _ = await there.channel()
            tried = await there.admin(
                "TestNotificationChannel", calls.TestNotificationChannelRequest(name=channel.name)
            )
    assert (tried.delivered, "TLS_FAILED" in tried.failure, other.took) == (False, True, [])


async def test_a_deleted_channel_is_told_nothing_more(told: Told) -> None:
    first, _ = await told.channel("/first")
    await told.channel("/second")
    await told.admin("DeleteNotificationChannel", calls.DeleteNotificationChannelRequest(name=first.name))
    await told.freeze()
    took = await told.receiver.until(lambda took: len(took) == 1)
    assert [one.target for one in took] == ["/second"]
