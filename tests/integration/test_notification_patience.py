"""A day of refusals: repeats further and further apart, then given up, and the channel with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio

from release_passport_server.adapters.http.notice_sender import retry_after
from release_passport_server.adapters.sql.jobs import SQLJobs
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.job import Claim
from release_passport_server.domain.notice_format import Message
from release_passport_server.domain.notices import (
    TELL,
    Answer,
    Channel,
    Event,
    Notice,
    NoticeState,
)
from release_passport_server.domain.record import Page
from release_passport_server.ports.http import HTTPResponse
from release_passport_server.ports.store import Transaction
from release_passport_server.services.announce import tell
from release_passport_server.services.tell_channel import ChannelMail, TellChannel
from support.store import START, TENANT, SetClock, opened

CHANNEL = "01JQ0000000000000000000000"
SUBJECT = "tenants/acme/freezes/1"


@dataclass
class Refusing:
    """A sender and a box of secrets that need no network: each answer is as the test says."""

    answer: Answer = field(default_factory=lambda: Answer(503, "the receiver answered 503"))
    sent: list[str] = field(default_factory=list)

    def check(self, _: str) -> str:
        return ""

    async def send(self, _: str, message: Message, __: Sequence[bytes]) -> Answer:
        self.sent.append(message.id)
        return self.answer

    def seal(self, _: bytes, __: str) -> str:
        return ""

    def open(self, _: str, __: str) -> bytes:
        return b""


@dataclass
class Clock:
    """The clock of the service, which is the store's."""

    set: SetClock

    def now(self) -> object:
        return self.set.time


@dataclass
class Told:
    """A channel with two notices of one subject, and who tells it."""

    store: SQLStore
    clock: SetClock
    receiver: Refusing
    tell: TellChannel

    async def claim(self) -> Claim:
        """Hold the job of the subject."""
        jobs = SQLJobs(self.store.aside, self.store.write)
        (claim,) = await jobs.claim([TELL], "one", most=1, lease=timedelta(days=30))
        return claim

    async def notices(self) -> list[Notice]:
        """Return the notices, oldest first."""
        listed = await self.store.read(TENANT, lambda tx: tx.list_notices(CHANNEL, Page(10), None))
        return list(reversed(listed.items))

    async def channel(self) -> Channel:
        """Return the channel."""
        found = await self.store.read(TENANT, lambda tx: tx.find_act(Channel, CHANNEL))
        assert found is not None
        return found


@pytest_asyncio.fixture
async def told(tmp_path: Path) -> AsyncIterator[Told]:
    clock, receiver = SetClock(), Refusing()
    async with opened(f"sqlite:///{tmp_path / 'passport.db'}", clock) as store:

        def put(tx: Transaction) -> None:
            everything = ("", "https://example.com/", "WEBHOOK", "", (), (), ())
            tx.put_act(Channel(CHANNEL, *everything, ("sealed",), "user:a", START, START))
            tx.forget_notices(CHANNEL, 0)
            tx.add_notices([Notice(CHANNEL, n, 0, event(n)) for n in (1, 2)])
            tx.schedule(tell(tx, CHANNEL, SUBJECT))

        await store.write(TENANT, put)
        mail = ChannelMail(receiver, receiver, Clock(clock))  # type: ignore[arg-type]
        yield Told(store, clock, receiver, TellChannel(store, mail, mail.clock))


def event(number: int) -> Event:
    return Event(f"acme-1-{number}-0", "freeze.created", START, TENANT, SUBJECT, SUBJECT)


async def test_a_message_is_tried_for_a_day_and_then_given_up_with_its_channel(told: Told) -> None:
    claim, times = await told.claim(), [START]
    while (again := await told.tell(claim)) is not None:
        told.clock.time = again
        times.append(again)
        if not (await told.channel()).is_told:
            break
    waits = [after - before for before, after in pairwise(times)]
    assert timedelta(seconds=0.5) <= waits[0] <= timedelta(seconds=1)
    assert max(waits) <= timedelta(hours=1)
    assert times[-1] - START == timedelta(days=1)
    assert len(set(waits)) > 10, "waits are not all the same"
    first, second = await told.notices()
    assert (first.state, second.state, second.attempts) == (NoticeState.FAILED, NoticeState.PENDING, 0)
    assert "nothing was taken for 24 hours" in (await told.channel()).disable_reason
    assert set(told.receiver.sent) == {"acme-1-1-0"}


async def test_a_receiver_that_asks_for_time_gets_it_but_no_more_than_a_day(told: Told) -> None:
    claim = await told.claim()
    told.receiver.answer = Answer(429, "busy", timedelta(hours=5))
    assert await told.tell(claim) == START + timedelta(hours=5)
    assert await told.tell(claim) == START + timedelta(hours=5), "before its time nothing is sent"
    assert len(told.receiver.sent) == 1
    told.clock.time = START + timedelta(hours=5)
    told.receiver.answer = Answer(429, "busy", timedelta(days=90))
    assert await told.tell(claim) == START + timedelta(days=1)


async def test_what_follows_a_message_that_was_given_up_is_told_where_others_are_taken(told: Told) -> None:
    claim = await told.claim()
    await told.tell(claim)
    taken = Notice(
        CHANNEL,
        9,
        0,
        Event("acme-1-9-0", "x", START, TENANT, "s", "s"),
        NoticeState.DELIVERED,
        end_time=START,
    )
    await told.store.write(TENANT, lambda tx: tx.add_notices([taken]))
    told.clock.time = START + timedelta(days=1)
    sent = len(told.receiver.sent)

    async def first_refused(_: str, message: Message, __: Sequence[bytes]) -> Answer:
        told.receiver.sent.append(message.id)
        return Answer(503, "no") if message.id == "acme-1-1-0" else Answer(204)

    told.receiver.send = first_refused  # type: ignore[method-assign]
    assert await told.tell(claim) is None
    assert told.receiver.sent[sent:] == ["acme-1-1-0", "acme-1-2-0"]
    assert (await told.channel()).is_told


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("120", timedelta(minutes=2)),
        ("Sun, 01 Nov 2026 12:00:30 GMT", timedelta(seconds=30)),
        ("Sun, 01 Nov 2020 12:00:30 GMT", timedelta(0)),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_how_long_to_wait_is_read_in_either_form(text: str, wait: timedelta | None) -> None:
    assert retry_after(HTTPResponse(503, {"retry-after": text}, b"", ""), START) == wait
