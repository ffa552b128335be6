"""Connectors are read when their interval is over, and at once where their source tells of changes."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from release_passport_server.domain.connector import ConnectorName, next_poll
from release_passport_server.domain.errors import NotFound, Precondition
from release_passport_server.domain.job import Backoff, Claim
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.connector import CollectFailed, FollowingConnector
from release_passport_server.services.collect_evidence import CollectEvidence
from release_passport_server.worker.runner import Done

# What is read by the interval is never older than this, whoever read it last.
_JUST_NOW = timedelta(seconds=1)
# However often an object changes, it is read no more often than this; the last change is never the one left out.
_BREATH = 0.2


@dataclass(frozen=True, slots=True)
class Collector:
    """Reads one connector; a source that cannot be read is tried again as its health says."""

    collect: CollectEvidence
    clock: Clock
    chance: random.Random = field(default_factory=random.SystemRandom)

    async def __call__(self, claim: Claim) -> datetime | Done | None:
        """Return that the job was finished with the reading, or when to read next; None where nothing is to be read."""
        try:
            reading = await self.collect(ConnectorName(claim.tenant, claim.key), claim, newer_than=_JUST_NOW)
        except (NotFound, Precondition):
            return None
        if reading.finished:
            return Done.RECORDED
        if not reading.connector.is_polled:
            return None
        return next_poll(reading.connector, reading.health, self.clock.now(), self.chance)


@dataclass(frozen=True, slots=True)
class Follower:
    """Reads one connector whenever its source tells of a change, for as long as this process has the job."""

    collect: CollectEvidence
    clock: Clock
    backoff: Backoff = field(default_factory=lambda: Backoff(attempts=1 << 30))
    chance: random.Random = field(default_factory=random.SystemRandom)

    async def __call__(self, claim: Claim) -> datetime | None:
        """Return when to begin anew; None where nothing is to be followed any more."""
        name = ConnectorName(claim.tenant, claim.key)
        try:
            reading = await self.collect(name, newer_than=_JUST_NOW)
            connector = reading.connector
            kind = self.collect.reading.kind_of(connector.kind)
            if not connector.is_polled or not isinstance(kind, FollowingConnector):
                return None
            target = await self.collect.reading.target(claim.tenant, connector, None)
            # The source's generator is closed with this one, whatever ends it.
            async with aclosing(cast(Any, kind.changes(target))) as changes:
                async for _ in changes:
                    reading = await self.collect(name, newer_than=timedelta(0))
                    if reading.connector != connector:
                        return self.clock.now()
                    await asyncio.sleep(_BREATH)
        except (NotFound, Precondition):
            return None
        except CollectFailed:
            pass
        return self.clock.now() + (self.backoff.after(claim.attempts, self.chance) or self.backoff.longest)
