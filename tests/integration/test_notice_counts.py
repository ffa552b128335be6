"""Whoever watches the server sees how telling channels goes; what a channel could not be told is said of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import URL

from release_passport_server.adapters.sql.notice_counts import SQLNoticeCounts
from release_passport_server.domain.errors import Unavailable
from release_passport_server.domain.notices import (
    Channel,
    Event,
    Notice,
    NoticeCounts,
    NoticeState,
    Position,
)
from release_passport_server.domain.record import FeedEvent, Page
from release_passport_server.ports.store import Transaction
from release_passport_server.services.announce import Announce
from release_passport_server.wire.messages import WireMessages
from release_passport_server.worker.notice_status import EVERY, NoticeStatus
from support.server import real_server
from support.store import START, TENANT, opened

CHANNEL, OFF, GONE = (f"01JQ000000000000000000000{n}" for n in range(3))
SUBJECT = f"tenants/{TENANT}/freezes/1"
HOUR = timedelta(hours=1)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty store, as the database library has it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'passport.db'}"
    given: str = request.getfixturevalue("database")
    return given


@pytest.fixture
def database(postgres_server: URL) -> Iterator[str]:
    """Give the URL of an empty database of the test's own."""
    name = f"passport_test_{uuid.uuid4().hex[:12]}"
    server = postgres_server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        yield postgres_server.set(database=name).render_as_string(hide_password=False)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def channel(channel_id: str, **times: object) -> Channel:
    everything = ("", "https://example.com/", "WEBHOOK", "", (), (), ())
    return Channel(channel_id, *everything, ("sealed",), "user:a", START, START, **times)  # type: ignore[arg-type]


def notice(number: int, state: NoticeState) -> Notice:
    event = Event(f"acme-1-{number}-0", "freeze.created", START, TENANT, SUBJECT, SUBJECT)
    return Notice(CHANNEL, number, 0, event, state=state)


def freeze_told(tx: Transaction) -> None:
    tx.emit(FeedEvent("CreateFreeze", SUBJECT, ("tenant",)))


def kept(tx: Transaction) -> None:
    """Put three channels, one of them switched off and one gone, and five messages."""
    for one in (channel(CHANNEL), channel(OFF, disable_time=START)):
        tx.put_act(one)
    tx.put_act(channel(GONE, disable_time=START, delete_time=START))
    states = (*[NoticeState.PENDING] * 2, *[NoticeState.DELIVERED] * 2, NoticeState.FAILED)
    tx.add_notices([notice(number, state) for number, state in enumerate(states, 1)])


async def test_messages_are_counted_by_state_and_channels_that_are_off(url: str) -> None:
    async with opened(url) as store:
        assert (await SQLNoticeCounts(store.aside).counts()).switched_off == 0
        await store.write(TENANT, kept)
        found = await SQLNoticeCounts(store.aside).counts()
    assert found == NoticeCounts(
        {NoticeState.PENDING: 2, NoticeState.DELIVERED: 2, NoticeState.FAILED: 1}, switched_off=1
    )


async def test_they_are_metrics(tmp_path: Path) -> None:
    async with real_server(tmp_path, worker={"enabled": False}) as server:
        await server.store.write("default", kept)
        async with httpx.AsyncClient() as client:
            text = (await client.get(f"http://127.0.0.1:{server.process.http_port}/metrics")).text
    shown = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("rp_noti"))
    assert shown == {
        'rp_notices{state="pending"}': "2.0",
        'rp_notices{state="delivered"}': "2.0",
        'rp_notices{state="failed"}': "1.0",
        "rp_notification_channels_off": "1.0",
    }


class Counting:
    """Counts as the test says."""

    def __init__(self) -> None:
        self.asked = 0

    async def counts(self) -> NoticeCounts:
        """Answer once; the store is away after that."""
        self.asked += 1
        if self.asked > 1:
            raise Unavailable("STORE_UNAVAILABLE", "away")
        return NoticeCounts({NoticeState.FAILED: 1}, 1)


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> object:
        """Return the time."""
        return self.time


async def test_the_store_is_asked_rarely_and_what_was_seen_last_stays() -> None:
    counting, clock = Counting(), Clock()
    status = NoticeStatus(counting, clock)  # type: ignore[arg-type]
    for _ in range(3):
        await status.refresh()
    assert counting.asked == 1
    clock.time += EVERY
    await status.refresh()
    assert (counting.asked, status.counts.switched_off) == (2, 1)


async def test_what_was_removed_before_it_could_be_told_is_said_and_the_rest_is_told(url: str) -> None:
    async with opened(url) as store:
        await store.write(TENANT, lambda tx: tx.put_act(channel(CHANNEL)))
        await store.write(TENANT, lambda tx: tx.put_position(CHANNEL, Position(0)))
        for _ in range(3):
            await store.write(TENANT, freeze_told)
        await store.trim_feed(TENANT, -HOUR)
        last = (await store.write(TENANT, freeze_told)).revision
        oldest = await store.read(TENANT, lambda reader: reader.feed_oldest())
        await Announce(store, WireMessages())(TENANT)
        position = await store.read(TENANT, lambda reader: reader.position(CHANNEL))
        told = await store.read(TENANT, lambda reader: reader.list_notices(CHANNEL, Page(10), None))
        assert oldest > 1
        assert position == Position(last, missed_until=oldest - 1)
        assert [one.revision for one in told.items] == [last, oldest]
        # It stays said, whatever is told after that.
        after = (await store.write(TENANT, freeze_told)).revision
        await Announce(store, WireMessages())(TENANT)
        assert await store.read(TENANT, lambda reader: reader.position(CHANNEL)) == Position(
            after, oldest - 1
        )
