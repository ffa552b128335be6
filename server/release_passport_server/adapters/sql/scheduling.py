"""What a tenant's transaction does with jobs and leases, so that it happens with the rest of it or not at all."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, select

from release_passport_server.adapters.sql import jobs, leases, tables
from release_passport_server.adapters.sql.batch_state import Written
from release_passport_server.adapters.sql.reader import SQLReader
from release_passport_server.domain.evidence import Subject
from release_passport_server.domain.job import REEVALUATE, Claim, Lease, LeaseLost, Timer


class Scheduling(SQLReader):
    """Part of the transaction. No decision sees jobs: they take no revision and tell the feed nothing."""

    now: datetime
    _mine: Written

    def schedule(self, timer: Timer) -> None:
        """Let a job be done once it is due, instead of one of the same kind and key."""
        self._mine.pending.add(tables.jobs, [jobs.job_values(self.tenant, timer, self.now)])
        if timer.due_time <= self.now:
            self._mine.waking.add_due(timer.kind)

    def wake(self, subjects: Collection[Subject]) -> None:
        """Let the open questions that these are about be decided anew, as soon as this is committed."""
        self._mine.waking.add(self.tenant, subjects)

    def wake_some(self, keys: Collection[str]) -> None:
        """Let these open questions be decided anew, as soon as this is committed."""
        self._mine.waking.add_releases(self.tenant, keys)

    def open_questions(self) -> tuple[str, ...]:
        """Return the names of releases whose questions are open, those that were asked last first."""
        c = tables.jobs.c
        rows = select(c.key).where(c.tenant == self.tenant, c.kind == REEVALUATE)
        return tuple(self._database.execute(rows.order_by(c.open_time.desc().nulls_last(), c.key)).scalars())

    def unschedule(self, kind: str, key: str) -> None:
        """Let a job not be done; one that runs already is not stopped."""
        c = tables.jobs.c
        gone = delete(tables.jobs).where(c.tenant == self.tenant, c.kind == kind, c.key == key)
        self._changing().execute(gone)

    def revive_job(self, kind: str, key: str) -> bool:
        """Let a dead job be tried again from now on; False where it is not dead."""
        self._mine.waking.add_due(kind)
        return jobs.revive(self._changing(), self.tenant, kind, key, self.now)

    def discard_job(self, kind: str, key: str) -> bool:
        """Remove a dead job; False where it is not dead."""
        gone = delete(tables.jobs).where(jobs.is_dead(self.tenant, kind, key))
        return bool(self._changing().execute(gone).rowcount)

    def hold(self, held: Claim | Lease) -> None:
        """Raise LeaseLost unless a job or lease is still held; nobody can take it before the commit."""
        table, mine = (
            (tables.jobs, jobs.held(held)) if isinstance(held, Claim) else (tables.leases, leases.held(held))
        )
        rows = select(table.c.token).where(mine).with_for_update()
        if held.tenant != self.tenant or self._database.execute(rows).first() is None:
            raise LeaseLost(held)

    def finish_job(self, claim: Claim, again: datetime | None = None) -> None:
        """Finish a job together with what it has done; raise LeaseLost where it is somebody else's by now."""
        if claim.tenant != self.tenant or not jobs.finish(self._changing(), claim, again):
            raise LeaseLost(claim)

    def _changing(self) -> Connection:
        """Return the connection for a statement of this request alone, which has to be committed."""
        self._flush()
        self._in_savepoint()
        self._mine.pending.flushed = True
        return self._database

    def _flush(self) -> None:
        raise NotImplementedError

    def _in_savepoint(self) -> None:
        raise NotImplementedError
