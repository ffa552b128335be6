"""The tail of the feed ends when it is told to, whatever else happens at that moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from release_passport_server.domain.watch import Mark, Subscription, Watched
from release_passport_server.services.tail import Inbox, Tail


class QuietStore:
    """A store in which nothing was written but what it says that it was."""

    def __init__(self) -> None:
        self.committed: Callable[[], None] = lambda: None

    async def read(self, tenant: str, act: Any) -> Mark:
        return Mark(0, 0, b"")

    async def revisions(self, tenants: Any) -> dict[str, int]:
        return {}

    def on_commit(self, told: Callable[[], None]) -> None:
        self.committed = told


# A wait that ends passes through a few turns of the loop, and a cancellation may come in each of them.
@pytest.mark.parametrize("turns", range(8))
async def test_it_ends_though_something_is_committed_at_that_moment(turns: int) -> None:
    store = QuietStore()
    tail = Tail(store)  # type: ignore[arg-type]
    await tail.join("default", Inbox(Watched((Subscription(release="r"),)), every=False))
    for _ in range(20):
        await asyncio.sleep(0)
    store.committed()
    for _ in range(turns):
        await asyncio.sleep(0)
    async with asyncio.timeout(2):
        await tail.close()
