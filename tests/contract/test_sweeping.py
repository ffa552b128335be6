"""A change of many is gone through part by part, and only what it covers is woken. On both engines."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

import pytest
from sqlalchemy import Connection, select

from release_passport_server.adapters.sql import scheduling, tables
from release_passport_server.adapters.sql.jobs import SQLJobs
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.errors import Unavailable
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.job import REEVALUATE, Claim, Timer
from release_passport_server.ports.store import Transaction
from release_passport_server.services.reconsider import (
    RECONSIDER,
    reconsider_places,
    reconsider_tenant,
    reconsider_trust,
)
from release_passport_server.services.reverify import Reverify
from release_passport_server.worker import reevaluation
from release_passport_server.worker.reevaluation import Sweeper
from support.store import TENANT, a_release, put_release
from support.working import LEASE

LATER = timedelta(hours=1)
PLACES = [(service, place) for service in ("cart", "checkout", "search") for place in ("prod", "staging")]


class Examining:
    """Stands for what examines envelopes; is as busy as it is told to be."""

    def __init__(self, busy: int = 0) -> None:
        self.busy = busy
        self.seen: list[ReleaseName] = []

    async def __call__(self, release: ReleaseName) -> tuple[()]:
        if self.busy:
            self.busy -= 1
            raise Unavailable("OVERLOADED", "too many envelopes wait", retry_after=0.001)
        self.seen.append(release)
        return ()


@pytest.fixture
async def places(store: SQLStore, monkeypatch: pytest.MonkeyPatch) -> SQLStore:
    """Give a store with an open question in each place, gone through by twos."""
    monkeypatch.setattr(reevaluation, "PART", 2)

    def act(tx: Transaction) -> None:
        for service, environment in PLACES:
            release = a_release(service=service, environment=environment)
            put_release(tx, release)
            timer = Timer(
                REEVALUATE, release.name, tx.now + LATER, place=f"{service}/{environment}", open_time=tx.now
            )
            tx.schedule(timer)

    await store.write(TENANT, act)
    return store


async def swept(store: SQLStore, examining: Examining | None = None) -> list[tuple[str, str]]:
    """Run the sweeps that are scheduled; return the places whose questions are due."""
    jobs = SQLJobs(store.aside, store.write)
    sweeper = Sweeper(store, jobs, cast("Reverify", examining or Examining()))
    for claim in await jobs.claim({RECONSIDER}, "one", most=10, lease=LEASE):
        await sweeper(claim)
    c = tables.jobs.c

    def act(connection: Connection, now: object) -> list[str]:
        rows = select(c.key).where(c.kind == REEVALUATE, c.due_time < now + LATER / 2)  # type: ignore[operator]
        return list(connection.execute(rows).scalars())

    names = [ReleaseName.parse(key) for key in await store.aside.read(act)]
    return sorted((name.service, name.environment) for name in names)


async def test_a_tenant_is_gone_through_to_the_end(places: SQLStore) -> None:
    await places.write(TENANT, reconsider_tenant)
    assert await swept(places) == PLACES


@pytest.mark.parametrize(
    ("services", "environments", "expected"),
    [
        ((), ("prod",), [one for one in PLACES if one[1] == "prod"]),
        (("c*",), (), [one for one in PLACES if one[0] != "search"]),
        (("c*",), ("staging",), [("cart", "staging"), ("checkout", "staging")]),
        (("cart",), ("prod",), [("cart", "prod")]),
        (("none",), (), []),
    ],
)
async def test_only_the_places_of_a_change_are_decided_anew(
    places: SQLStore,
    services: tuple[str, ...],
    environments: tuple[str, ...],
    expected: list[tuple[str, str]],
) -> None:
    await places.write(TENANT, lambda tx: reconsider_places(tx, services, environments))
    assert await swept(places) == expected


async def test_equal_changes_that_wait_are_one(places: SQLStore) -> None:
    for _ in range(3):
        await places.write(TENANT, lambda tx: reconsider_places(tx, (), ("prod",)))
    await places.write(TENANT, reconsider_tenant)
    jobs = SQLJobs(places.aside, places.write)
    claims: tuple[Claim, ...] = await jobs.claim({RECONSIDER}, "one", most=10, lease=LEASE)
    assert len(claims) == 2


async def test_a_trust_change_examines_every_open_release_and_lets_submitters_go_first(
    places: SQLStore,
) -> None:
    examining = Examining(busy=3)
    await places.write(TENANT, reconsider_trust)
    assert await swept(places, examining) == PLACES
    assert sorted((name.service, name.environment) for name in examining.seen) == PLACES


async def test_what_was_asked_last_is_decided_anew_first(
    store: SQLStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reevaluation, "PART", 1)
    woken: list[str] = []

    def act(tx: Transaction) -> None:
        for number, minutes in enumerate((2, 5, 1, 4, 3)):
            release = a_release(version=f"1.{number}.0")
            put_release(tx, release)
            opened = tx.now - timedelta(minutes=minutes)
            tx.schedule(
                Timer(REEVALUATE, release.name, tx.now + LATER, place="checkout/prod", open_time=opened)
            )

    await store.write(TENANT, act)
    await store.write(TENANT, reconsider_tenant)
    wake = scheduling.Scheduling.wake_some

    def watched(tx: scheduling.Scheduling, keys: list[str]) -> None:
        woken.extend(ReleaseName.parse(key).version for key in keys)
        wake(tx, keys)

    monkeypatch.setattr(scheduling.Scheduling, "wake_some", watched)
    assert len(await swept(store)) == 5
    assert woken == ["1.2.0", "1.0.0", "1.4.0", "1.3.0", "1.1.0"]
