"""The keys of an issuer: how long they count, when they are asked for, and what is no key."""

from __future__ import annotations

import asyncio
from typing import Any

import jwt
import pytest

from release_passport_server.adapters.oidc.issuer import Issuer
from release_passport_server.adapters.oidc.keys import MAX_KEYS, IssuerKeys, KeysRefused, fetch_keys
from release_passport_server.domain.errors import Unavailable
from release_passport_server.domain.identity import Kind, Source
from release_passport_server.domain.outbound import OutboundError
from support.issuer import public_jwk, rsa_key
from support.issuer_web import OLD, URL, Hand, Web

ISSUER = Issuer(URL, "here", ("RS256",), Source("corp", Kind.PERSON, "{sub}", (), {}))
NEW = public_jwk(rsa_key(1), "new")


def made(web: Web, clock: Hand) -> IssuerKeys:
    return IssuerKeys(ISSUER, web, clock)


async def settled() -> None:
    """Let what runs beside the calls end."""
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    await asyncio.gather(*others)


async def test_keys_are_fetched_once_however_many_ask() -> None:
    web, clock = Web(), Hand()
    gate = asyncio.Event()
    web.wait = gate.wait
    keys = made(web, clock)
    asking = [asyncio.create_task(keys.find("old", "RS256")) for _ in range(20)]
    await asyncio.sleep(0)
    gate.set()
    assert all(await asyncio.gather(*asking))
    assert web.fetched == 1


async def test_who_gives_up_waiting_does_not_take_the_keys_from_the_others() -> None:
    web, clock = Web(), Hand()
    gate = asyncio.Event()
    web.wait = gate.wait
    keys = made(web, clock)
    first = asyncio.create_task(keys.find("old", "RS256"))
    second = asyncio.create_task(keys.find("old", "RS256"))
    await asyncio.sleep(0)
    first.cancel()
    gate.set()
    assert await second is not None


async def test_a_new_key_is_found_and_an_old_one_is_gone_after_the_issuer_has_changed_them() -> None:
    web, clock = Web(), Hand()
    keys = made(web, clock)
    assert await keys.find("old", "RS256") is not None
    web.keys = [NEW]
    clock.later(seconds=31)
    assert await keys.find("new", "RS256") is not None
    assert await keys.find("old", "RS256") is None


async def test_unknown_names_make_the_issuer_be_asked_every_30_seconds_at_most() -> None:
    web, clock = Web(), Hand()
    keys = made(web, clock)
    for number in range(50):
        assert await keys.find(f"unknown-{number}", "RS256") is None
    assert web.fetched == 1
    clock.later(seconds=30)
    await keys.find("unknown", "RS256")
    assert web.fetched == 2


async def test_keys_older_than_ten_minutes_are_renewed_beside_the_calls() -> None:
    web, clock = Web(), Hand()
    keys = made(web, clock)
    await keys.find("old", "RS256")
    gate = asyncio.Event()
    web.wait = gate.wait
    clock.later(minutes=10)
    assert await keys.find("old", "RS256") is not None
    assert web.fetched == 1
    gate.set()
    await settled()
    assert web.fetched == 2


async def test_an_issuer_that_fails_is_believed_for_an_hour_and_no_longer() -> None:
    web, clock = Web(), Hand()
    keys = made(web, clock)
    await keys.find("old", "RS256")
    web.down = True
    clock.later(minutes=59)
    assert await keys.find("old", "RS256") is not None
    await settled()
    clock.later(minutes=1)
    with pytest.raises(Unavailable) as refused:
        await keys.find("old", "RS256")
    assert refused.value.reason == "ISSUER_UNAVAILABLE"
    assert refused.value.retry_after
    web.down = False
    clock.later(seconds=5)
    assert await keys.find("old", "RS256") is not None


async def test_an_issuer_that_fails_is_not_asked_by_every_call() -> None:
    web, clock = Web(down=True), Hand()
    keys = made(web, clock)
    for _ in range(20):
        with pytest.raises(Unavailable):
            await keys.find("old", "RS256")
    assert len(web.asked) == 1


async def test_a_clock_that_was_set_back_keeps_no_keys_alive() -> None:
    web, clock = Web(), Hand()
    keys = made(web, clock)
    await keys.find("old", "RS256")
    web.down = True
    clock.later(hours=-2)
    with pytest.raises(Unavailable):
        await keys.find("old", "RS256")


@pytest.mark.parametrize(
    "changes",
    [
        {"use": "enc"},
        {"key_ops": ["encrypt"]},
        {"key_ops": "verify"},
        {"kty": "EC"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"alg": "RS512"},
        {"d": "AQAB"},
        {"n": "AQAB"},
        {"n": 7},
        {"n": None},
    ],
)
async def test_what_is_no_key_for_the_algorithm(changes: dict[str, object]) -> None:
    web = Web(keys=[{**OLD, **changes}])
    assert await made(web, Hand()).find("old", "RS256") is None


async def test_who_publishes_a_private_key_has_no_key() -> None:
    web = Web(keys=[{**jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key(), as_dict=True), "kid": "old"}])
    assert web.keys[0]["d"]
    assert await made(web, Hand()).find("old", "RS256") is None
    del web.keys[0]["d"]
    assert await made(web, Hand()).find("old", "RS256") is None


async def test_a_token_without_a_name_fits_a_single_key_alone() -> None:
    web = Web()
    assert await made(web, Hand()).find(None, "RS256") is not None
    web.keys.append(NEW)
    assert await made(web, Hand()).find(None, "RS256") is None


@pytest.mark.parametrize(
    "documents",
    [
        {f"{URL}/keys": {"keys": [OLD] * (MAX_KEYS + 1)}},
        {f"{URL}/keys": {"keys": {}}},
        {f"{URL}/keys": []},
        {f"{URL}/keys": {}},
        {
            f"{URL}/.well-known/openid-configuration": {
                "issuer": "https://other.test",
                "jwks_uri": f"{URL}/keys",
            }
        },
        {f"{URL}/.well-known/openid-configuration": {"issuer": URL}},
        {f"{URL}/.well-known/openid-configuration": {"issuer": URL, "jwks_uri": "https://other.test/keys"}},
        {f"{URL}/.well-known/openid-configuration": {"issuer": URL, "jwks_uri": "http://issuer.test/keys"}},
        {f"{URL}/.well-known/openid-configuration": {"issuer": URL, "jwks_uri": "file:///etc/passwd"}},
    ],
)
async def test_documents_that_are_refused(documents: dict[str, Any]) -> None:
    with pytest.raises((KeysRefused, OutboundError)):
        await fetch_keys(ISSUER, Web(documents=documents))
