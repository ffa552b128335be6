"""However many streams come back, the feed is read once for all of them, and none is told less for it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from release_passport_server.domain.errors import OutOfRange, Precondition, Unavailable
from release_passport_server.domain.watch import DecisionChange, FeedPart, Happening, Mark
from release_passport_server.services.backlog import RUN, Backlog

STREAMS = 50


class Feed:
    """A feed in which every revision is a change; readings of it wait for `open`."""

    def __init__(self, head: int) -> None:
        self.head, self.oldest, self.epoch, self.part = head, 1, 1, 1000
        self.read_from: list[int] = []
        self.failure: Exception | None = None
        self.asked, self.open = asyncio.Event(), asyncio.Event()
        self.open.set()
        self.readings = 0

    def mark(self, revision: int) -> Mark:
        return Mark(self.epoch, revision, b"%d" % revision)

    async def read(self, tenant: str, act: Any) -> Any:
        self.readings += 1
        # As the store does: what is there when the reading begins is what it sees.
        try:
            found = self.failure or act(self)
        except Exception as error:  # noqa: BLE001  It is raised below.
            found = error
        self.asked.set()
        await self.open.wait()
        # Longer than it takes all who wait for a reading to ask for the next one.
        for _ in range(STREAMS):
            await asyncio.sleep(0)
        if isinstance(found, Exception):
            raise found
        return found

    def feed_oldest(self) -> int:
        return self.oldest

    def feed_head(self) -> Mark:
        return self.mark(self.head)

    def feed_mark(self, revision: int) -> Mark | None:
        return self.mark(revision) if self.oldest <= revision <= self.head else None

    def feed_after(self, revision: int, most: int) -> FeedPart:
        self.read_from.append(revision)
        found = range(revision + 1, min(self.head, revision + self.part) + 1)
        changes = tuple(DecisionChange(Happening.CHANGED, one, 0, "r", "s", "e", b"") for one in found)
        return FeedPart(changes, {one: self.mark(one) for one in found}, self.mark(max([revision, *found])))


async def caught_up(backlog: Backlog, mark: Mark) -> list[int]:
    """Return the revisions behind a mark, as a stream reads them."""
    told: list[int] = []
    while (part := await backlog.after("default", mark)).end != mark:
        told += [change.revision for change in part.changes]
        mark = part.end
    return told


def of(feed: Feed) -> Backlog:
    return Backlog(feed)  # type: ignore[arg-type]


async def test_streams_that_come_back_together_are_told_all_and_read_little() -> None:
    feed = Feed(5 * RUN)
    feed.part = RUN // 2
    backlog = of(feed)
    begins = [1 + number * 7 % (2 * RUN) for number in range(STREAMS)]
    with backlog.used():
        told = await asyncio.gather(*(caught_up(backlog, feed.mark(begin)) for begin in begins))
    assert [one[:1] + one[-1:] for one in told] == [[begin + 1, feed.head] for begin in begins]
    assert all(one == list(range(one[0], one[-1] + 1)) for one in told)
    assert len(feed.read_from) < STREAMS


async def test_who_asks_while_others_read_is_told_what_was_written_before_it_asked() -> None:
    feed = Feed(10)
    backlog = of(feed)
    feed.open.clear()
    with backlog.used():
        early = asyncio.create_task(backlog.after("default", feed.mark(5)))
        await feed.asked.wait()
        feed.head = 11
        late = asyncio.create_task(backlog.after("default", feed.mark(5)))
        await asyncio.sleep(0)
        feed.open.set()
        ends = [(await part).end.revision for part in (early, late)]
    assert ends == [10, 11]


async def test_a_stream_that_is_gone_while_it_reads_for_all_leaves_them_nothing_unread() -> None:
    feed = Feed(10)
    backlog = of(feed)
    feed.open.clear()
    with backlog.used():
        first, second = (asyncio.create_task(caught_up(backlog, feed.mark(5))) for _ in range(2))
        await feed.asked.wait()
        first.cancel()
        feed.open.set()
        assert await second == [6, 7, 8, 9, 10]


async def test_a_store_that_is_away_fails_those_who_wait_and_nobody_after() -> None:
    feed = Feed(10)
    backlog = of(feed)
    with backlog.used():
        assert await caught_up(backlog, feed.mark(5)) == [6, 7, 8, 9, 10]
        feed.failure = Unavailable("STORE_UNAVAILABLE", "the store is away")
        waiting = (backlog.after("default", feed.mark(5)) for _ in range(STREAMS))
        failed = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(one, Unavailable) for one in failed)
        feed.failure, feed.head = None, 11
        assert await caught_up(backlog, feed.mark(9)) == [10, 11]


async def test_what_was_held_of_another_history_is_not_told() -> None:
    feed = Feed(10)
    backlog = of(feed)
    with backlog.used():
        gone = (await backlog.after("default", feed.mark(5))).end
        # Another took its place, which has other revisions behind the fifth.
        feed.head, before, feed.epoch = 7, feed.mark(5), 2
        with pytest.raises(Precondition, match="another history"):
            await backlog.after("default", gone)
        with pytest.raises(Precondition, match="another history"):
            await backlog.after("default", before)
        assert await caught_up(backlog, feed.mark(5)) == [6, 7]


async def test_what_is_not_kept_any_more_is_said_to_be_so() -> None:
    feed = Feed(10)
    feed.oldest = 6
    backlog = of(feed)
    with backlog.used(), pytest.raises(OutOfRange, match="older than what is kept"):
        await backlog.after("default", feed.mark(5))


async def test_nothing_is_held_once_nobody_is_behind() -> None:
    feed = Feed(10)
    backlog = of(feed)
    for _ in range(2):
        with backlog.used():
            await caught_up(backlog, feed.mark(5))
    # Each time what is there, and then that nothing follows.
    assert feed.read_from == [5, 10, 5, 10]


async def test_marks_of_many_who_come_back_are_looked_at_together_and_each_is_told_of_its_own() -> None:
    feed = Feed(10)
    feed.oldest = 3
    backlog = of(feed)
    other = Mark(1, 7, b"of another history")
    marks = [feed.mark(5), feed.mark(2), other, feed.mark(11)] * STREAMS
    found = await asyncio.gather(
        *(backlog.require_same("default", mark) for mark in marks), return_exceptions=True
    )
    kinds = [type(None), OutOfRange, Precondition, Precondition]
    assert [type(one) for one in found] == kinds * STREAMS
    assert feed.readings == 1


async def test_who_goes_away_while_marks_are_looked_at_takes_nothing_from_the_others() -> None:
    feed = Feed(10)
    backlog = of(feed)
    feed.open.clear()
    first, second = (asyncio.create_task(backlog.require_same("default", feed.mark(5))) for _ in range(2))
    await feed.asked.wait()
    # It is asked for after the look has begun: a later one answers.
    later = asyncio.create_task(backlog.require_same("default", feed.mark(5)))
    first.cancel()
    feed.open.set()
    await second
    await later
    assert feed.readings == 2


async def test_a_store_that_is_away_fails_all_whose_marks_are_looked_at() -> None:
    feed = Feed(10)
    feed.failure = Unavailable("STORE_UNAVAILABLE", "the store is away")
    backlog = of(feed)
    waiting = (backlog.require_same("default", feed.mark(5)) for _ in range(STREAMS))
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(one) for one in found} == {Unavailable}
