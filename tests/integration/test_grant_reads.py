"""How often the store is asked who somebody is."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from release_passport_server.domain.errors import Unauthenticated
from release_passport_server.ports.store import Reader
from support.registry import Registry, registry, role

T = TypeVar("T")


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Registry]:
    async with registry(tmp_path) as made:
        yield made


def counted(there: Registry, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the questions to the store from now on."""
    asked: Counter[str] = Counter()
    read, tenant_of_token = there.store.read, there.store.tenant_of_token

    async def counting_read(tenant: str, act: Callable[[Reader], T]) -> T:
        asked["read"] += 1
        return await read(tenant, act)

    async def counting_tenant_of_token(token_id: str) -> str | None:
        asked["token"] += 1
        return await tenant_of_token(token_id)

    monkeypatch.setattr(there.store, "read", counting_read)
    monkeypatch.setattr(there.store, "tenant_of_token", counting_tenant_of_token)
    return asked


async def test_a_known_token_asks_the_store_once_a_second(
    there: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    await there.admin()
    asked = counted(there, monkeypatch)
    for _ in range(100):
        await there.admin()
    assert asked == {}
    there.later(seconds=1)
    await asyncio.gather(*(there.admin() for _ in range(100)))
    assert asked == {"read": 1}


async def test_a_clock_that_was_set_back_keeps_nothing_alive(
    there: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    await there.admin()
    asked = counted(there, monkeypatch)
    there.later(hours=-1)
    await there.admin()
    assert asked == {"read": 1}


async def test_a_change_of_rights_has_every_token_looked_up_again(
    there: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = await there.token("sa:ci", role("ci"))
    await there.authenticate.authenticate(secret)
    await there.token("sa:other")
    asked = counted(there, monkeypatch)
    await there.authenticate.authenticate(secret)
    assert asked == {"token": 1, "read": 1}


async def test_a_text_that_cannot_be_a_token_asks_nothing(
    there: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = counted(there, monkeypatch)
    with pytest.raises(Unauthenticated):
        await there.authenticate.authenticate("Bearer of nothing")
    assert asked == {}


async def test_an_unknown_token_asks_one_thing(there: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = counted(there, monkeypatch)
    unknown = "rp1_" + "0" * 26 + there.admin_secret[30:]
    with pytest.raises(Unauthenticated):
        await there.authenticate.authenticate(unknown)
    assert asked == {"token": 1}
