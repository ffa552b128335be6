"""Lists of what lies in scopes: the query gives what the scopes cover, in full pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.access import Scope
from release_passport_server.domain.acts import Exemption, Override
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.record import Listed, Page
from release_passport_server.ports.store import Reader, Transaction
from support.store import TENANT

NOW = datetime(2026, 9, 1, tzinfo=UTC)

T = TypeVar("T", Exemption, Override)

PLACES = [
    (service, environment)
    for service in ("checkout", "checkout-api", "billing", "prod")
    for environment in ("prod", "prod-eu", "dev", "checkout")
]
SCOPES = [
    (),
    (Scope(),),
    (Scope(("checkout",), ("prod",)),),
    (Scope(("check*",), ("*",)),),
    (Scope(("*",), ("prod?eu", "dev")),),
    (Scope(("billing",), ("prod",)), Scope(("checkout",), ("dev", "checkout"))),
    (Scope(("CHECKOUT", "bill_ng", "%"), ("*",)),),
    (Scope(tuple(f"s-{number}" for number in range(60)), ("*",)), Scope(("prod",), ("*",))),
    (Scope((), ("*",)),),
]


def release(number: int, place: tuple[str, str]) -> str:
    return str(ReleaseName(TENANT, *place, f"1.{number}.0"))


def exemption(number: int, place: tuple[str, str]) -> Exemption:
    name, of = f"x/freezeExemptions/01H{number:03}", release(number, place)
    end = NOW + timedelta(hours=1)
    return Exemption(name, "f", of, "sha256:0", "because", "T-1", "user:ada", NOW, end)


def override(number: int, place: tuple[str, str]) -> Override:
    name, of = f"x/overrides/01H{number:03}", release(number, place)
    end = NOW + timedelta(hours=1)
    return Override(name, *place, of, "sha256:0", (), "user:ada", "T-1", "because", "d", NOW, end)


async def pages(
    store: SQLStore, kind: type[T], size: int, scopes: tuple[Scope, ...]
) -> list[tuple[str, str]]:
    found: list[ReleaseName] = []
    page = Page(size)

    def read(reader: Reader) -> Listed[T]:
        return reader.list_acts(kind, page, scopes=scopes)

    while True:
        listed = await store.read(TENANT, read)
        found += [ReleaseName.parse(one.release) for one in listed.items]
        if not listed.next_after:
            return [(one.service, one.environment) for one in found]
        assert len(listed.items) == size
        page = Page(size, listed.next_after)


@pytest.mark.parametrize("scopes", SCOPES, ids=str)
@pytest.mark.parametrize("size", [1, 2, 50])
async def test_a_list_holds_what_the_scopes_cover_and_its_pages_are_full(
    store: SQLStore, scopes: tuple[Scope, ...], size: int
) -> None:
    def fill(tx: Transaction) -> None:
        for number, place in enumerate(PLACES):
            tx.put_act(exemption(number, place))
            tx.put_act(override(number, place))
            tx.put_act(replace(override(number, place), name=f"x/overrides/02H{number:03}"))

    await store.write(TENANT, fill)
    wanted = [place for place in PLACES if any(scope.covers(*place) for scope in scopes)]
    for found, times in (
        (await pages(store, Exemption, size, scopes), 1),
        (await pages(store, Override, size, scopes), 2),
    ):
        assert sorted(found) == sorted(wanted * times)
