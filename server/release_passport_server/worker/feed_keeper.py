"""Keeps the feeds as long as streams may come back to them: one job that comes back, in one process at a time."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from release_passport_server.domain.access import PLATFORM
from release_passport_server.domain.errors import PassportError
from release_passport_server.domain.job import Claim, Timer
from release_passport_server.domain.record import Page
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.store import Store

logger = logging.getLogger(__name__)

TRIM_FEED = "trim_feed"
EVERY = timedelta(minutes=10)
_TENANTS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class FeedKeeper:
    """Removes from every feed what is older than the window."""

    store: Store
    clock: Clock
    window: timedelta

    async def schedule(self) -> None:
        """Let the job be done from now on; there is one for all processes."""
        await self.store.write(PLATFORM, lambda tx: tx.schedule(Timer(TRIM_FEED, "", tx.now)))

    async def __call__(self, _: Claim) -> datetime:
        """Trim the feeds, and return when to do so again: whatever happens, the job goes on."""
        try:
            await self._trim()
        except PassportError as error:
            logger.warning("the feeds were not trimmed", extra={"reason": error.reason})
        return self.clock.now() + EVERY

    async def _trim(self) -> None:
        after = ""
        while True:
            tenants = await self.store.list_tenants(Page(_TENANTS_AT_ONCE, after))
            for tenant in tenants.items:
                await self.store.trim_feed(tenant.tenant_id, self.window)
            after = tenants.next_after
            if not after:
                return
