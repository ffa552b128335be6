"""Pages of every list, put together, are the list: with every filter, page size and way of finding rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count, product
from typing import Any

import pytest

from release_passport_server.adapters.sql import listing
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.access import Scope
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.record import DecisionRecord, Listed, Page
from release_passport_server.domain.release import Release
from release_passport_server.domain.verdict import Verdict
from release_passport_server.ports.store import (
    DecisionFilter,
    EvidenceFilter,
    Reader,
    ReleaseFilter,
    Transaction,
)
from support.store import START, TENANT, a_release, an_item, decision, put_item, put_release, workload

PLACES = list(product(("alpha", "alpha-2", "beta", "gamma"), ("prod", "test")))
SIZES = (1, 2, 3, 7, 100)
SCOPES = {
    "all": (Scope(),),
    "none": (),
    "one service": (Scope(("beta",)),),
    "services by glob": (Scope(("alpha*",)),),
    "environment by glob": (Scope(("*",), ("te?t",)),),
    "two": (Scope(("beta",), ("prod",)), Scope(("alpha",), ("test",))),
    "nowhere": (Scope(("delta",)),),
}


@pytest.fixture(params=[0, 1000], ids=["by places", "near first"])
def near(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Look through so many rows before places are."""
    monkeypatch.setattr(listing, "_NEAR", request.param)


async def paged(store: SQLStore, read: Callable[[Reader, Page], Listed[Any]], size: int) -> list[object]:
    """Return all of a list, page by page."""
    found: list[object] = []
    after = ""
    while True:
        page = Page(size, after)
        listed = await store.read(TENANT, lambda reader, page=page: read(reader, page))  # type: ignore[misc]
        assert len(listed.items) == size or not listed.next_after
        found += listed.items
        after = listed.next_after
        if not after:
            return found


def some_releases() -> list[Release]:
    """Return releases that take turns in their places, at different paces."""
    numbers = count()
    return [
        a_release(f"{next(numbers)}", service=service, environment=environment, content=f"image {turn % 3}")
        for turn in range(6)
        for place, (service, environment) in enumerate(PLACES)
        if turn % (place + 1) == 0
    ]


@pytest.mark.usefixtures("near")
@pytest.mark.parametrize("scopes", SCOPES.values(), ids=SCOPES)
async def test_pages_of_releases_are_all_releases(store: SQLStore, scopes: tuple[Scope, ...]) -> None:
    releases = some_releases()
    # Some come together, under one revision.
    for first in range(0, len(releases), 3):

        def act(tx: Transaction, first: int = first) -> None:
            for release in releases[first : first + 3]:
                put_release(tx, release)

        await store.write(TENANT, act)
    image = releases[0].identity.artifacts[0].digest
    for service, environment, artifact in product(("", "beta", "delta"), ("", "test"), ("", image)):
        wanted = ReleaseFilter(scopes, service, environment, artifact)
        expected = {
            release.name
            for release in releases
            if fits(wanted, release.identity.service, release.identity.environment)
            and (not artifact or artifact == release.identity.artifacts[0].digest)
        }
        for size in SIZES:
            found = await paged(store, lambda reader, page: reader.list_releases(wanted, page), size)  # noqa: B023
            assert in_order(found) == expected, (wanted, size)


@pytest.mark.usefixtures("near")
@pytest.mark.parametrize("scopes", SCOPES.values(), ids=SCOPES)
async def test_pages_of_decisions_are_all_decisions(store: SQLStore, scopes: tuple[Scope, ...]) -> None:
    recorded: list[DecisionRecord] = []
    for number, release in enumerate(some_releases()):
        verdict = Verdict.BLOCK if number % 5 == 0 else Verdict.ALLOW
        recorded.append(decision(release, verdict, START))

        def act(tx: Transaction, release: Release = release, record: DecisionRecord = recorded[-1]) -> None:
            put_release(tx, release)
            tx.put_decision(record)

        await store.write(TENANT, act)
    verdicts = (None, Verdict.BLOCK, Verdict.HOLD)
    for service, environment, verdict_wanted in product(("", "beta"), ("", "test"), verdicts):
        for release_name in ("", recorded[0].release):
            wanted = DecisionFilter(scopes, release_name, service, environment, verdict_wanted)
            expected = {
                record.name
                for record in recorded
                if fits(wanted, record.service, record.environment)
                and release_name in ("", record.release)
                and verdict_wanted in (None, record.effective_verdict)
            }
            for size in SIZES:
                found = await paged(store, lambda reader, page: reader.list_decisions(wanted, page), size)  # noqa: B023
                assert in_order(found) == expected, (wanted, size)


async def test_pages_of_evidence_are_all_evidence(store: SQLStore) -> None:
    items: list[EvidenceItem] = []
    for turn in range(12):
        some = [
            replace(
                an_item(turn, subject=workload(service), source=f"connector:{source}"), kind=kind, key="pager"
            )
            for number, (service, source, kind) in enumerate(
                product(("alpha", "beta"), ("a", "b"), ("incident_state",))
            )
            if turn % (number + 1) == 0
        ]
        items += some
        await store.write(TENANT, lambda tx: [put_item(tx, item) for item in some])  # noqa: B023
    for subjects, kind, source in product(
        ((), (workload("alpha"),), (workload("alpha"), workload("beta")), (workload("delta"),)),
        ("", "incident_state", "sbom"),
        ("", "connector:a", "connector:nobody"),
    ):
        wanted = EvidenceFilter(kind, source, subjects)
        expected = {
            item.name
            for item in items
            if (not subjects or item.subject in subjects)
            and kind in ("", item.kind)
            and source in ("", item.source)
        }
        for size in SIZES:
            found = await paged(store, lambda reader, page: reader.list_evidence(wanted, page), size)  # noqa: B023
            assert in_order(found) == expected, (wanted, size)


def fits(wanted: ReleaseFilter | DecisionFilter, service: str, environment: str) -> bool:
    """Say whether a place is one that the filter shows."""
    return (
        wanted.service in ("", service)
        and wanted.environment in ("", environment)
        and any(scope.covers(service, environment) for scope in wanted.scopes)
    )


def in_order(found: Sequence[object]) -> set[str]:
    """Return the names of what was found, once it is sure that these are in order, each once."""
    order = [(one.revision, one.name) for one in found]  # type: ignore[attr-defined]
    assert order == sorted(order, reverse=True)
    assert len(set(order)) == len(order)
    return {name for _, name in order}
