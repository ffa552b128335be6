"""How the jobs of all tenants are, for metrics: asked for rarely, however often somebody reads them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from release_passport_server.domain.errors import PassportError
from release_passport_server.domain.job import Backlog
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.leases import Jobs

logger = logging.getLogger(__name__)
EVERY = timedelta(seconds=10)


@dataclass(slots=True)
class JobStatus:
    """Looks at the jobs of these kinds, at most once in a while; what was seen last stays where the store is away."""

    jobs: Jobs
    kinds: Collection[str]
    clock: Clock
    every: timedelta = EVERY
    backlogs: Mapping[str, Backlog] = field(default_factory=dict)
    _looked: datetime | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def refresh(self) -> None:
        """Look again, if the last time is long enough ago."""
        async with self._turn:
            now = self.clock.now()
            if self._looked is not None and timedelta(0) <= now - self._looked < self.every:
                return
            self._looked = now
            try:
                self.backlogs = await self.jobs.backlogs(self.kinds)
            except PassportError as error:
                logger.warning("the jobs cannot be counted", extra={"reason": error.reason})

    def oldest_seconds(self, kind: str) -> float:
        """Return how long the oldest job of a kind has been due; 0 where none is."""
        found = self.backlogs.get(kind)
        if found is None or found.oldest_due_time is None:
            return 0.0
        return max(0.0, (self.clock.now() - found.oldest_due_time).total_seconds())
