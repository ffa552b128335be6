"""Takes events up out of the feed for the channels of each tenant: a job that any worker runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from release_passport_server.domain.job import Claim
from release_passport_server.ports.clock import Clock
from release_passport_server.services.announce import Announce

# How often a tenant's feed is looked at: people are told, who need no milliseconds.
EVERY = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Announcer:
    """Takes up what there is; the job goes on as long as the tenant has channels that are told."""

    announce: Announce
    clock: Clock

    async def __call__(self, claim: Claim) -> datetime | None:
        """Return when to look again, or None where nobody is told of anything."""
        more = await self.announce(claim.tenant)
        if more is None:
            return None
        return self.clock.now() if more else self.clock.now() + EVERY
