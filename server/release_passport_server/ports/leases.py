"""What the worker needs of the store. Times are the store's own, so that hosts need not agree."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from release_passport_server.domain.evidence import Subject
from release_passport_server.domain.job import Backlog, Claim, DeadJob, Lease, Timer
from release_passport_server.domain.record import Listed, Page


class Jobs(Protocol):
    """The jobs of every tenant. They are scheduled, held and finished in a tenant's transaction as well."""

    async def next_time(self, kinds: Collection[str]) -> timedelta | None:
        """Return in what time something can be claimed, zero or less where it can be now; None where nothing waits."""
        ...

    async def claim(
        self, kinds: Collection[str], holder: str, *, most: int, lease: timedelta
    ) -> tuple[Claim, ...]:
        """Return jobs that are due and that nobody holds, the longest due first, held from now on."""
        ...

    async def extend(self, claim: Claim, lease: timedelta) -> bool:
        """Hold a job for the lease from now on; False where it is somebody else's by now."""
        ...

    async def finish(self, claim: Claim, again: datetime | None = None) -> bool:
        """Remove a job, or let it be due again; False where it is somebody else's by now.

        One that was scheduled anew while it ran stays as it was scheduled.
        """
        ...

    async def fail(self, claim: Claim, error: str, retry: timedelta | None) -> bool:
        """Let a job be tried again after a time, or be dead; False where it is somebody else's by now."""
        ...

    async def give_back(self, claim: Claim) -> bool:
        """Let a job that was not finished be claimed at once, as if it had not been begun."""
        ...

    async def dead(self, tenant: str, page: Page) -> Listed[DeadJob]:
        """Return a tenant's dead jobs by kind and key."""
        ...

    async def revive(self, tenant: str, kind: str, key: str) -> bool:
        """Let a dead job be tried again from now on; False where it is not dead."""
        ...

    async def due(self, most: int) -> int:
        """Return how many jobs wait that are due; counting ends at `most`."""
        ...

    async def backlogs(self, kinds: Collection[str]) -> Mapping[str, Backlog]:
        """Return how much waits of each kind."""
        ...


class Scheduling(Protocol):
    """What a tenant's transaction does with jobs and leases: it happens with the rest of it or not at all."""

    def schedule(self, timer: Timer) -> None:
        """Let a job be done once it is due, instead of one of the same kind and key."""
        ...

    def wake(self, subjects: Collection[Subject]) -> None:
        """Let the open questions that these are about be decided anew, as soon as this is committed."""
        ...

    def wake_some(self, keys: Collection[str]) -> None:
        """Let these open questions be decided anew, as soon as this is committed."""
        ...

    def open_questions(self) -> tuple[str, ...]:
        """Return the names of releases whose questions are open, those that were asked last first."""
        ...

    def revive_job(self, kind: str, key: str) -> bool:
        """Let a dead job be tried again from now on; False where it is not dead."""
        ...

    def discard_job(self, kind: str, key: str) -> bool:
        """Remove a dead job; False where it is not dead."""
        ...

    def unschedule(self, kind: str, key: str) -> None:
        """Let a job not be done; one that runs already is not stopped."""
        ...

    def hold(self, held: Claim | Lease) -> None:
        """Raise LeaseLost unless a job or lease is still held; nobody can take it before the commit."""
        ...

    def finish_job(self, claim: Claim, again: datetime | None = None) -> None:
        """Finish a job together with what it has done; raise LeaseLost where it is somebody else's by now."""
        ...


class Leases(Protocol):
    """Leases by name, in each tenant."""

    async def acquire(self, tenant: str, name: str, holder: str, length: timedelta) -> Lease | None:
        """Return the lease with a token higher than all before; None where somebody has it, whoever it is."""
        ...

    async def renew(self, lease: Lease, length: timedelta) -> Lease | None:
        """Return the lease with a new end and the same token; None where it is somebody else's by now."""
        ...

    async def release(self, lease: Lease) -> None:
        """Let go of a lease; nothing happens where it is somebody else's by now."""
        ...
