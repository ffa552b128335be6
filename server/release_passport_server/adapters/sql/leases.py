"""Leases by name: one statement decides who has it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, update
from sqlalchemy.dialects import postgresql, sqlite

from release_passport_server.adapters.sql.aside import Aside
from release_passport_server.adapters.sql.tables import leases
from release_passport_server.domain.job import Lease

_LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def held(lease: Lease) -> ColumnElement[bool]:
    """Return the condition that a lease was not given to anybody else."""
    c = leases.c
    return and_(
        c.tenant == lease.tenant,
        c.name == lease.name,
        c.holder == lease.holder,
        c.token == lease.token,
    )


class SQLLeases:
    """Leases in each tenant; see the port."""

    def __init__(self, aside: Aside) -> None:
        self._aside = aside

    async def acquire(self, tenant: str, name: str, holder: str, length: timedelta) -> Lease | None:
        """Return the lease with a token higher than all before; None where somebody has it."""

        def act(connection: Connection, now: datetime) -> Lease | None:
            dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
            row = {"holder": holder, "expire_time": now + length}
            taken = dialect.insert(leases).values(tenant=tenant, name=name, token=1, **row)
            taken = taken.on_conflict_do_update(
                index_elements=["tenant", "name"],
                set_=row | {"token": leases.c.token + 1},
                where=leases.c.expire_time <= now,
            ).returning(leases.c.token)
            token = connection.execute(taken).scalar()
            return None if token is None else Lease(tenant, name, holder, token, now + length)

        return await self._aside.write(act)

    async def renew(self, lease: Lease, length: timedelta) -> Lease | None:
        """Return the lease with a new end and the same token; None where it is somebody else's by now."""

        def act(connection: Connection, now: datetime) -> Lease | None:
            until = now + length
            renewed = update(leases).where(held(lease)).values(expire_time=until)
            if not connection.execute(renewed).rowcount:
                return None
            return Lease(lease.tenant, lease.name, lease.holder, lease.token, until)

        return await self._aside.write(act)

    async def release(self, lease: Lease) -> None:
        """Let go of a lease; nothing happens where it is somebody else's by now."""

        def act(connection: Connection, _: datetime) -> None:
            # The holder goes too, so that the lease is not held by whoever still remembers the token.
            free = {"expire_time": _LONG_AGO, "holder": ""}
            connection.execute(update(leases).where(held(lease)).values(**free))

        await self._aside.write(act)
