"""The tail of the feed ends when it is told to, whatever else happens at that moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any

import pytest

from release_passport_server.domain.watch import FeedPart, Mark, Subscription, Watched
from release_passport_server.services.tail import Inbox, Tail

HEAD = Mark(0, 0, b"")


class QuietStore:
    """A store in which nothing was written but what it says that it was."""

    def __init__(self) -> None:
        self.decided: Callable[[Collection[str]], None] = lambda _: None
        self.reads = 0
        self.looks = 0

    async def read(self, tenant: str, act: Any) -> Mark | FeedPart:
        self.reads += 1
        return HEAD if self.reads == 1 else FeedPart((), {}, HEAD)

    async def revisions(self, tenants: Any) -> dict[str, int]:
        self.looks += 1
        return {}

    def on_decided(self, told: Callable[[Collection[str]], None]) -> None:
        self.decided = told


async def some_turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def followed() -> tuple[QuietStore, Tail]:
    """Return a tail that somebody listens to, and that has looked what there is."""
    store = QuietStore()
    tail = Tail(store)  # type: ignore[arg-type]
    await tail.join("default", Inbox(Watched((Subscription(release="r"),)), every=False))
    await some_turns()
    return store, tail


# A wait that ends passes through a few turns of the loop, and a cancellation may come in each of them.
@pytest.mark.parametrize("turns", range(8))
async def test_it_ends_though_something_is_committed_at_that_moment(turns: int) -> None:
    store, tail = await followed()
    store.decided({"default"})
    for _ in range(turns):
        await asyncio.sleep(0)
    async with asyncio.timeout(2):
        await tail.close()


async def test_what_this_process_decides_is_read_without_a_look_at_all_tenants() -> None:
    store, tail = await followed()
    assert (store.reads, store.looks) == (1, 1)
    store.decided({"another"})
    await some_turns()
    assert (store.reads, store.looks) == (1, 1)
    store.decided({"default", "another"})
    await some_turns()
    assert (store.reads, store.looks) == (2, 1)
    await tail.close()


async def test_who_waits_for_a_revision_has_it_looked_for_at_once() -> None:
    store, tail = await followed()
    waiting = asyncio.create_task(tail.reached("default", 7, 60.0))
    await some_turns()
    assert store.looks == 2
    waiting.cancel()
    await tail.close()
