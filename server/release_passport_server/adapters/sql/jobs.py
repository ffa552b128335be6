"""Jobs and who runs them: claimed with SKIP LOCKED, so that no worker waits for another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.aside import Aside
from release_passport_server.adapters.sql.codec import Values
from release_passport_server.adapters.sql.tables import jobs, microseconds
from release_passport_server.domain.job import Backlog, Claim, DeadJob, LeaseLost, Timer
from release_passport_server.domain.record import Listed, Page
from release_passport_server.ports.store import Transaction

Write = Callable[[str, Callable[[Transaction], None]], Awaitable[object]]
MAX_ERROR = 1000
# Counting stops here: what matters is that it is many.
MAX_COUNTED = 10_000

_CLAIMED = (
    update(jobs)
    .where(
        jobs.c.tenant == bindparam("of_tenant"),
        jobs.c.kind == bindparam("of_kind"),
        jobs.c.key == bindparam("of_key"),
    )
    .values(
        holder=bindparam("to_holder"),
        available_time=bindparam("to_time"),
        token=jobs.c.token + 1,
        attempts=jobs.c.attempts + 1,
    )
)


def job_values(tenant: str, timer: Timer, now: datetime) -> Values:
    """Return the row of a job that was not there before; bulk.py says what becomes of one that was."""
    return {
        "tenant": tenant,
        "kind": timer.kind,
        "key": timer.key,
        "due_time": timer.due_time,
        "available_time": timer.due_time,
        "payload": timer.payload,
        "generation": 0,
        "attempts": 0,
        "holder": "",
        # Who held a job of this name that is gone by now had a lease: it had a lower token than this moment.
        "token": microseconds(now),
        "error": "",
        "dead_time": None,
        "place": timer.place or None,
        "open_time": timer.open_time,
        "rest_until": None,
    }


def held(claim: Claim) -> ColumnElement[bool]:
    """Return the condition that a job is still this claim's."""
    return and_(_named(claim.tenant, claim.kind, claim.key), _same(claim))


def finish(connection: Connection, claim: Claim, again: datetime | None) -> bool:
    """Remove a job, or let it be due again; one that was scheduled anew is let go of as it is."""
    c = jobs.c
    mine = held(claim)
    unchanged = and_(mine, c.generation == claim.generation)
    if again is None:
        done = connection.execute(delete(jobs).where(unchanged)).rowcount
    else:
        values = {"due_time": again, "available_time": again, "holder": "", "attempts": 0, "error": ""}
        done = connection.execute(update(jobs).where(unchanged).values(**values)).rowcount
    return bool(done) or _let_go(connection, claim)


def _let_go(connection: Connection, claim: Claim) -> bool:
    values = {"available_time": jobs.c.due_time, "holder": ""}
    return bool(connection.execute(update(jobs).where(held(claim)).values(**values)).rowcount)


def dead_jobs(connection: Connection, tenant: str, page: Page) -> Listed[DeadJob]:
    """Return a tenant's dead jobs by kind and key."""
    c = jobs.c
    kind, _, key = page.after.partition("/")
    behind = or_(c.kind > kind, and_(c.kind == kind, c.key > key))
    rows = select(jobs).where(c.tenant == tenant, c.dead_time.is_not(None), behind)
    found = [_dead(row) for row in connection.execute(rows.order_by(c.kind, c.key).limit(page.size + 1))]
    items = tuple(found[: page.size])
    return Listed(items, f"{items[-1].kind}/{items[-1].key}" if len(found) > page.size else "")


def is_dead(tenant: str, kind: str, key: str) -> ColumnElement[bool]:
    """Return the condition that a job is this one, and dead."""
    return and_(_named(tenant, kind, key), jobs.c.dead_time.is_not(None))


def revive(connection: Connection, tenant: str, kind: str, key: str, now: datetime) -> bool:
    """Let a dead job be tried again from now on; False where it is not dead."""
    values: Mapping[str, Any] = {"available_time": now, "dead_time": None, "attempts": 0}
    return bool(connection.execute(update(jobs).where(is_dead(tenant, kind, key)).values(**values)).rowcount)


class SQLJobs:
    """The jobs of every tenant; see the port."""

    def __init__(self, aside: Aside, write: Write) -> None:
        self._aside = aside
        # The end of a job shares a commit with whatever else its tenant writes.
        self._write = write

    async def next_time(self, kinds: Collection[str]) -> timedelta | None:
        """Return in what time something can be claimed; None where nothing waits."""
        c = jobs.c

        def act(connection: Connection, now: datetime) -> timedelta | None:
            open_ = and_(c.available_time <= now, c.kind.in_(kinds))
            # What was put off while it ran, and whose worker did not come back, is open long before it is due.
            put_off = select(func.min(c.due_time)).where(open_).scalar_subquery()
            others = select(func.min(c.available_time)).where(c.available_time > now, c.kind.in_(kinds))
            times = connection.execute(select(put_off, others.scalar_subquery())).one()
            first = min((time for time in times if time is not None), default=None)
            return None if first is None else max(first - now, timedelta(0))

        return await self._aside.read(act)

    async def claim(
        self, kinds: Collection[str], holder: str, *, most: int, lease: timedelta
    ) -> tuple[Claim, ...]:
        """Return jobs that are due and that nobody holds; they are the holder's for the lease."""

        def act(connection: Connection, now: datetime) -> tuple[Claim, ...]:
            c = jobs.c
            rows = select(jobs).where(c.available_time <= now, c.due_time <= now, c.kind.in_(kinds))
            rows = rows.order_by(c.available_time, c.tenant, c.kind, c.key).limit(most)
            found = connection.execute(rows.with_for_update(skip_locked=True)).all()
            if found:
                connection.execute(_CLAIMED, [_claiming(row, holder, now + lease) for row in found])
            return tuple(_claim(row, holder) for row in found)

        return await self._aside.write(act)

    async def extend(self, claim: Claim, lease: timedelta) -> bool:
        """Hold a job for the lease from now on; False where it is somebody else's by now."""
        return await self._set(claim, lambda now: {"available_time": now + lease})

    async def finish(self, claim: Claim, again: datetime | None = None) -> bool:
        """Remove a job, or let it be due again; False where it is somebody else's by now."""
        try:
            await self._write(claim.tenant, lambda tx: tx.finish_job(claim, again))
        except LeaseLost:
            return False
        return True

    async def fail(self, claim: Claim, error: str, retry: timedelta | None) -> bool:
        """Let a job be tried again after a time, or be dead; False where it is somebody else's by now."""
        text = error.replace("\x00", "")[:MAX_ERROR]

        def act(connection: Connection, now: datetime) -> bool:
            values: Values = {"holder": "", "error": text, "available_time": None, "dead_time": now}
            if retry is not None:
                values |= {"available_time": now + retry, "dead_time": None}
            unchanged = and_(held(claim), jobs.c.generation == claim.generation)
            # A failure of what was asked for before says nothing about what is asked for now.
            done = connection.execute(update(jobs).where(unchanged).values(**values)).rowcount
            return bool(done) or _let_go(connection, claim)

        return await self._aside.write(act)

    async def give_back(self, claim: Claim) -> bool:
        """Let a job that was not finished be claimed at once, as if it had not been begun."""
        values = {"available_time": jobs.c.due_time, "holder": "", "attempts": jobs.c.attempts - 1}
        return await self._set(claim, lambda _: values)

    async def dead(self, tenant: str, page: Page) -> Listed[DeadJob]:
        """Return a tenant's dead jobs by kind and key."""
        return await self._aside.read(lambda connection, _: dead_jobs(connection, tenant, page))

    async def revive(self, tenant: str, kind: str, key: str) -> bool:
        """Let a dead job be tried again from now on; False where it is not dead."""

        def act(connection: Connection, now: datetime) -> bool:
            return revive(connection, tenant, kind, key, now)

        return await self._aside.write(act)

    async def due(self, most: int) -> int:
        """Return how many jobs wait that are due; counting ends at `most`."""
        return await self._aside.read(lambda connection, now: _count(connection, _waits(now), most))

    async def backlogs(self, kinds: Collection[str]) -> Mapping[str, Backlog]:
        """Return how much waits of each kind; counts end at 10,000."""

        def act(connection: Connection, now: datetime) -> Mapping[str, Backlog]:
            return {kind: _backlog(connection, now, jobs.c.kind == kind) for kind in kinds}

        return await self._aside.read(act)

    async def _set(self, claim: Claim, values: Callable[[datetime], Mapping[str, Any]]) -> bool:
        def act(connection: Connection, now: datetime) -> bool:
            changed = update(jobs).where(held(claim)).values(**values(now))
            return bool(connection.execute(changed).rowcount)

        return await self._aside.write(act)


def _named(tenant: str, kind: str, key: str) -> ColumnElement[bool]:
    c = jobs.c
    return and_(c.tenant == tenant, c.kind == kind, c.key == key)


def _same(claim: Claim) -> ColumnElement[bool]:
    return and_(jobs.c.holder == claim.holder, jobs.c.token == claim.token)


def _claiming(row: Row[Any], holder: str, until: datetime) -> Values:
    return {
        "of_tenant": row.tenant,
        "of_kind": row.kind,
        "of_key": row.key,
        "to_holder": holder,
        "to_time": until,
    }


def _claim(row: Row[Any], holder: str) -> Claim:
    return Claim(
        tenant=row.tenant,
        kind=row.kind,
        key=row.key,
        due_time=row.due_time,
        payload=bytes(row.payload),
        attempts=row.attempts + 1,
        generation=row.generation,
        holder=holder,
        token=row.token + 1,
    )


def _dead(row: Row[Any]) -> DeadJob:
    return DeadJob(row.tenant, row.kind, row.key, row.due_time, row.attempts, row.error, row.dead_time)


def _backlog(connection: Connection, now: datetime, of: ColumnElement[bool]) -> Backlog:
    c = jobs.c
    waits = and_(_waits(now), of)
    oldest = select(c.due_time).where(waits).order_by(c.available_time).limit(1)
    return Backlog(
        _count(connection, waits),
        connection.execute(oldest).scalar(),
        _count(connection, and_(c.available_time.is_(None), c.dead_time.is_not(None), of)),
    )


def _waits(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a job is due and that nobody holds it."""
    return and_(jobs.c.available_time <= now, jobs.c.due_time <= now)


def _count(connection: Connection, which: ColumnElement[bool], most: int = MAX_COUNTED) -> int:
    some = select(tables.jobs.c.tenant).where(which).limit(most).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one()
