"""Leases: one holder at a time, and a token that tells a former one. On both engines."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from release_passport_server.adapters.sql.aside import Aside
from release_passport_server.adapters.sql.leases import SQLLeases
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.job import Lease, LeaseLost
from release_passport_server.ports.store import Transaction
from support.store import SECOND, START, TENANT, SetClock, a_release, a_tenant, put_release

LENGTH = timedelta(seconds=30)


@pytest.fixture
def leases(store: SQLStore, clock: SetClock) -> SQLLeases:
    """Give leases at a time that the test moves, on either engine."""
    return SQLLeases(Aside(store._engine, store._readers, lambda _: clock()))


async def taken(leases: SQLLeases, holder: str = "one") -> Lease:
    lease = await leases.acquire(TENANT, "log", holder, LENGTH)
    assert lease is not None
    return lease


async def test_one_of_many_gets_it(leases: SQLLeases) -> None:
    tries = await asyncio.gather(*(leases.acquire(TENANT, "log", f"h{n}", LENGTH) for n in range(20)))
    (lease,) = filter(None, tries)
    assert (lease.token, lease.expire_time) == (1, START + LENGTH)


async def test_a_lease_that_ended_goes_to_another_with_a_higher_token(
    leases: SQLLeases, clock: SetClock
) -> None:
    first = await taken(leases)
    clock.time += LENGTH - SECOND
    assert await leases.acquire(TENANT, "log", "two", LENGTH) is None
    clock.time += SECOND
    second = await taken(leases, "two")
    assert second.token == first.token + 1
    assert await leases.renew(first, LENGTH) is None


async def test_who_asks_twice_is_not_given_it_twice(leases: SQLLeases) -> None:
    await taken(leases)
    assert await leases.acquire(TENANT, "log", "one", LENGTH) is None


async def test_a_renewed_lease_does_not_end(leases: SQLLeases, clock: SetClock) -> None:
    lease = await taken(leases)
    clock.time += LENGTH - SECOND
    renewed = await leases.renew(lease, LENGTH)
    assert renewed is not None
    assert (renewed.token, renewed.expire_time) == (lease.token, clock.time + LENGTH)
    clock.time += LENGTH - SECOND
    assert await leases.acquire(TENANT, "log", "two", LENGTH) is None


async def test_a_released_lease_is_free_and_not_held(leases: SQLLeases, store: SQLStore) -> None:
    lease = await taken(leases)
    await leases.release(lease)
    with pytest.raises(LeaseLost):
        await store.write(TENANT, lambda tx: tx.hold(lease))
    assert (await taken(leases)).token == lease.token + 1
    await leases.release(lease)
    assert await leases.acquire(TENANT, "log", "two", LENGTH) is None


async def test_names_and_tenants_do_not_stand_in_each_others_way(leases: SQLLeases, store: SQLStore) -> None:
    await store.write("globex", lambda tx: tx.put_tenant(a_tenant("globex")))
    lease = await taken(leases)
    assert await leases.acquire(TENANT, "other", "two", LENGTH) is not None
    assert await leases.acquire("globex", "log", "two", LENGTH) is not None
    with pytest.raises(LeaseLost):
        await store.write("globex", lambda tx: tx.hold(lease))


async def test_a_former_holders_write_is_refused(leases: SQLLeases, store: SQLStore, clock: SetClock) -> None:
    def write(tx: Transaction, lease: Lease, version: str) -> None:
        tx.hold(lease)
        put_release(tx, a_release(version))

    former = await taken(leases)
    clock.time += LENGTH
    # Nobody else has it: what is written now disturbs nobody.
    await store.write(TENANT, lambda tx: write(tx, former, "1.0.0"))
    present = await taken(leases, "two")
    with pytest.raises(LeaseLost):
        await store.write(TENANT, lambda tx: write(tx, former, "2.0.0"))
    await store.write(TENANT, lambda tx: write(tx, present, "3.0.0"))
    found = [
        await store.read(TENANT, lambda reader, v=v: reader.find_release("checkout", "prod", v) is not None)  # type: ignore[misc]
        for v in ("1.0.0", "2.0.0", "3.0.0")
    ]
    assert found == [True, False, True]
