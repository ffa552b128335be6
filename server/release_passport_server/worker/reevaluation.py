"""Open questions are decided anew when their time comes or something changes: one by one, or many in parts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from release_passport_server.domain.errors import NotFound, Unavailable
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.job import Claim
from release_passport_server.domain.reevaluation import asked_time
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.leases import Jobs
from release_passport_server.ports.store import Store
from release_passport_server.services.reconsider import Sweep
from release_passport_server.services.reevaluate import QuestionClosed, Reevaluate, TenantSuspended
from release_passport_server.services.reverify import Reverify

# A suspended tenant's questions wait.
SUSPENDED = timedelta(minutes=10)
# Whoever decides without being asked rests for so many times as long, the longer the busier the store is: the two
# that do so at once take a quarter of what there is at most.
REST_FACTOR = 7
MOST_REST = 1.0
# So many releases are woken at once.
PART = 100
# The next part waits until no more than so many jobs are due, so that the questions of others get their turn.
MOST_DUE = 100
PAUSE = timedelta(milliseconds=100)
MOST_PAUSES = 300


@dataclass(frozen=True, slots=True)
class Reevaluator:
    """Decides one release anew; what changed outcome is recorded, with the timer of what is to be decided next."""

    reevaluate: Reevaluate
    clock: Clock

    async def __call__(self, claim: Claim) -> datetime | None:
        """Return when to look again; None where the question is closed."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            _, again = await self.reevaluate(ReleaseName.parse(claim.key), asked_time(claim.payload))
        except TenantSuspended:
            return self.clock.now() + SUSPENDED
        except (QuestionClosed, NotFound):
            return None
        await asyncio.sleep(min(MOST_REST, (loop.time() - begun) * REST_FACTOR))
        return again


@dataclass(slots=True)
class Sweeper:
    """Goes through a tenant's open questions part by part, those first that were asked last.

    A change of many is never one transaction.
    """

    store: Store
    jobs: Jobs
    reverify: Reverify

    async def __call__(self, claim: Claim) -> None:
        """Wake what the sweep covers, then examine anew what it says; a part more than once does no harm."""
        sweep = Sweep.parse(claim.payload)
        # What is opened meanwhile is decided with what was changed.
        found = (await self.store.write(claim.tenant, lambda tx: tx.open_questions())).value
        names = [name for name in found if sweep.covers(name)]
        for first in range(0, len(names), PART):
            part = names[first : first + PART]
            await self.store.write(claim.tenant, lambda tx, part=part: tx.wake_some(part))  # type: ignore[misc]
            await self._until_few_are_due()
        for name in found if sweep.verify else ():
            await self._verified(ReleaseName.parse(name))

    async def _until_few_are_due(self) -> None:
        for _ in range(MOST_PAUSES):
            if await self.jobs.due(MOST_DUE + 1) <= MOST_DUE:
                return
            await asyncio.sleep(PAUSE.total_seconds())

    async def _verified(self, release: ReleaseName) -> None:
        for pauses in range(MOST_PAUSES):
            try:
                await self.reverify(release)
            except Unavailable as error:
                # Who submits goes first.
                if pauses == MOST_PAUSES - 1:
                    raise
                await asyncio.sleep(error.retry_after or PAUSE.total_seconds())
            else:
                return
