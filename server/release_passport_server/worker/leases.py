"""Works only as long as it is held: renews while work goes on, and stops the work where it is somebody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

from release_passport_server.domain.errors import Unavailable
from release_passport_server.domain.job import Claim, Lease, LeaseLost
from release_passport_server.ports.leases import Leases

T = TypeVar("T")
# A lease is renewed this often before it would end, so that one failure is not yet a loss.
RENEWALS = 3


async def while_held(
    leases: Leases,
    tenant: str,
    name: str,
    holder: str,
    *,
    length: timedelta,
    work: Callable[[Lease], Coroutine[Any, Any, T]],
) -> T | None:
    """Return what the work returns; None without doing it where somebody else has the lease. Raise LeaseLost."""
    lease = await leases.acquire(tenant, name, holder, length)
    if lease is None:
        return None

    async def renew() -> bool:
        return await leases.renew(lease, length) is not None

    try:
        return await kept(work(lease), lease, length, renew)
    finally:
        with suppress(Unavailable):
            await leases.release(lease)


async def kept(
    work: Coroutine[Any, Any, T], held: Claim | Lease, length: timedelta, renew: Callable[[], Awaitable[bool]]
) -> T:
    """Return what the work returns; stop it and raise LeaseLost where what it needs to hold is gone."""
    task = asyncio.create_task(work)
    interval = length.total_seconds() / RENEWALS
    failures = 0
    try:
        while not (await asyncio.wait({task}, timeout=interval))[0]:
            try:
                gone, failures = not await renew(), 0
            except Unavailable:
                # Whether it is gone cannot be known; once it would have ended it must be taken for gone.
                failures += 1
                gone = failures >= RENEWALS
            if gone and not task.done():
                raise LeaseLost(held)
        return await task
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
        if not task.cancelled():
            # Work that failed on being stopped has nobody else who would look at its error.
            task.exception()
