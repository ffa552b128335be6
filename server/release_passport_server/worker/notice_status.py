"""How telling channels goes, for metrics: asked for rarely, however often somebody reads them."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from release_passport_server.domain.errors import PassportError
from release_passport_server.domain.notices import NoticeCounts
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.notices import NoticeCounting

logger = logging.getLogger(__name__)
EVERY = timedelta(seconds=10)


@dataclass(slots=True)
class NoticeStatus:
    """Looks at all channels, at most once in a while; what was seen last stays where the store is away."""

    notices: NoticeCounting
    clock: Clock
    every: timedelta = EVERY
    counts: NoticeCounts = field(default_factory=NoticeCounts)
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
                self.counts = await self.notices.counts()
            except PassportError as error:
                logger.warning("the notices cannot be counted", extra={"reason": error.reason})
