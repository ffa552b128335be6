"""Keeps every tenant's log up to date: one job that comes back, in one process at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from release_passport_server.domain.access import PLATFORM
from release_passport_server.domain.errors import Conflict, PassportError
from release_passport_server.domain.job import Claim, Lease, LeaseLost, Timer
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.leases import Leases
from release_passport_server.ports.log import LogBacklog, LogBroken, LogGrowth, LogIdentity
from release_passport_server.ports.store import Store
from release_passport_server.worker.leases import while_held

logger = logging.getLogger(__name__)
T = TypeVar("T")

KIND = "log_integrate"
LEASE = "log"
EVERY = timedelta(seconds=2)
LOGS_AT_ONCE = 4
# So much of one log at a time, that the others get their turn.
MOST_BATCHES = 16


class Blocking(Protocol):
    """Runs what blocks beside the loop."""

    def __call__(self, act: Callable[[], T], /) -> Awaitable[T]: ...


@dataclass(slots=True)
class LogKeeper:
    """Integrates what the logs are behind.

    A log that contradicts itself is stopped in this process until it is started anew: a person has to look first.
    """

    backlog: LogBacklog
    growth: LogGrowth
    leases: Leases
    clock: Clock
    identity: Callable[[str], LogIdentity]
    blocking: Blocking
    holder: str
    lease: timedelta = timedelta(seconds=15)
    every: timedelta = EVERY
    # Leaves that were in no tree when the logs were last looked at, and why logs were stopped, by tenant.
    pending: int = 0
    stopped: dict[str, str] = field(default_factory=dict)

    async def schedule(self, store: Store) -> None:
        """Let the job be done from now on; there is one for all processes."""
        await store.write(PLATFORM, lambda tx: tx.schedule(Timer(KIND, "", tx.now)))

    async def __call__(self, _: Claim) -> datetime:
        """Bring the logs up to date, and return when to look again: whatever happens, the job goes on."""
        try:
            await self.sweep()
        except PassportError as error:
            logger.warning("the logs cannot be looked at", extra={"reason": error.reason})
        return self.clock.now() + self.every

    async def sweep(self) -> None:
        """Integrate what every log is behind."""
        behind = await self.blocking(lambda: self.backlog.behind(lambda tenant: self.identity(tenant).origin))
        self.pending = sum(behind.values())
        room = asyncio.Semaphore(LOGS_AT_ONCE)
        await asyncio.gather(*(self._bring(tenant, room) for tenant in behind if tenant not in self.stopped))

    async def _bring(self, tenant: str, room: asyncio.Semaphore) -> None:
        log = self.identity(tenant)

        async def work(lease: Lease) -> None:
            await self._integrate(log, lease)

        extra: dict[str, object] = {"tenant": tenant, "origin": log.origin}
        async with room:
            try:
                await while_held(self.leases, tenant, LEASE, self.holder, length=self.lease, work=work)
            except LogBroken as error:
                self.stopped[tenant] = str(error)
                why = extra | {"why": str(error)}
                logger.error("a log is stopped: look at it, then start the server anew", extra=why)  # noqa: TRY400
            except (LeaseLost, Conflict):
                logger.info("somebody else integrates the log", extra=extra)
            except PassportError as error:
                logger.warning("a log was not integrated", extra=extra | {"reason": error.reason})
            except Exception:
                logger.exception("integrating a log failed", extra=extra)

    async def _integrate(self, log: LogIdentity, lease: Lease) -> None:
        for _ in range(MOST_BATCHES):
            grown = await self.blocking(lambda: self.growth.integrate(log, lease.token, self.clock.now()))
            if grown is None:
                return
