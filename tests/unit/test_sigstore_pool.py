"""The pool of verifying processes: bounded, and one that breaks takes nobody with it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_passport_server.adapters.sigstore.frames import FrameInvalid, length, pack, unpack
from release_passport_server.adapters.sigstore.pool import (
    Pool,
    PoolBusy,
    PoolSettings,
    WorkerCrashed,
    WorkerTimeout,
)

STAND_IN = "support.verifying_process"


@asynccontextmanager
async def pool(**settings: Any) -> AsyncIterator[Pool]:
    made = Pool(PoolSettings(**settings), module=STAND_IN)
    try:
        yield made
    finally:
        await made.close()


async def who(made: Pool) -> bytes:
    return (await made.submit([b"who"]))[0]


async def none_left(made: Pool) -> None:
    async with asyncio.timeout(30):
        while made.processes:  # noqa: ASYNC110 - the pool tells nobody when a process ends
            await asyncio.sleep(0.01)


async def test_messages_of_any_size_come_back() -> None:
    async with pool(workers=1) as made:
        for size in (0, 1, 70_000, 2_000_000):
            assert await made.submit([b"echo", b"x" * size]) == [b"echo", b"x" * size]


async def test_a_process_serves_one_bundle_after_another() -> None:
    async with pool(workers=1) as made:
        assert await who(made) == await who(made)


async def test_there_are_never_more_processes_than_allowed() -> None:
    async with pool(workers=2) as made:
        seen = await asyncio.gather(*(who(made) for _ in range(20)))
        assert len(set(seen)) <= 2


async def test_nothing_runs_before_it_is_needed() -> None:
    async with pool() as made:
        assert made.processes == ()


async def test_a_crash_fails_its_own_bundle_alone() -> None:
    async with pool(workers=2) as made:
        orders = [[b"echo", b"%d" % n] for n in range(10)]
        results = await asyncio.gather(
            *(made.submit(order) for order in orders[:5]),
            made.submit([b"crash"]),
            *(made.submit(order) for order in orders[5:]),
            return_exceptions=True,
        )
        crashed = results.pop(5)
        assert isinstance(crashed, WorkerCrashed)
        assert results == orders


async def test_what_takes_too_long_is_ended() -> None:
    async with pool(workers=1, timeout=0.2) as made:
        before = await who(made)
        with pytest.raises(WorkerTimeout):
            await made.submit([b"hang"])
        assert await who(made) != before


async def test_an_answer_that_is_none_ends_the_process() -> None:
    async with pool(workers=1) as made:
        before = await who(made)
        with pytest.raises(WorkerCrashed):
            await made.submit([b"rubbish"])
        assert await who(made) != before


async def test_a_process_that_does_not_begin_is_an_error_and_no_hang() -> None:
    async with pool(memory_bytes=1) as made:
        with pytest.raises(WorkerCrashed):
            await who(made)


async def test_a_process_is_replaced_after_its_share() -> None:
    async with pool(workers=1, bundles=2) as made:
        first, second, third = [await who(made) for _ in range(3)]
        assert first == second != third


async def test_a_process_that_ended_while_idle_is_replaced() -> None:
    async with pool(workers=1) as made:
        before = await who(made)
        os.kill(int(before), signal.SIGKILL)
        await none_left(made)
        assert await who(made) != before


async def test_an_idle_process_is_ended() -> None:
    async with pool(workers=1, idle=0.01) as made:
        await who(made)
        await none_left(made)


async def test_a_full_queue_refuses_at_once() -> None:
    async with pool(workers=1, queue=1) as made:
        await who(made)
        first, second = made.submit([b"hang"]), made.submit([b"echo"])
        with pytest.raises(PoolBusy):
            made.submit([b"echo"])
        await made.close()
        with pytest.raises(WorkerCrashed):
            await first
        assert second.cancelled()


async def test_a_closed_pool_takes_nothing() -> None:
    async with pool() as made:
        await made.close()
        with pytest.raises(PoolBusy):
            await who(made)


async def test_a_caller_that_goes_away_costs_no_process() -> None:
    async with pool(workers=1) as made:
        before = await who(made)
        made.submit([b"echo"]).cancel()
        made.submit([b"echo"])
        made.submit([b"echo"]).cancel()
        assert await who(made) == before


async def test_a_process_inherits_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSPORT_SERVER_SECRET", "hunter2")
    async with pool() as made:
        names = set((await made.submit([b"environment"]))[0].decode().split(","))
    # The interpreter sets the last one by itself where there is no locale.
    assert names <= {"PYTHONPATH", "LC_CTYPE"}


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_messages_are_packed_and_unpacked(parts: list[bytes]) -> None:
    message = pack(parts)
    assert length(message[:4]) == len(message) - 4
    assert unpack(message[4:]) == parts


@given(st.binary(max_size=60))
def test_a_message_that_is_none_is_refused(body: bytes) -> None:
    try:
        parts = unpack(body)
    except FrameInvalid:
        return
    assert pack(parts)[4:] == body


def test_a_message_has_a_limit() -> None:
    with pytest.raises(FrameInvalid):
        length(b"\xff\xff\xff\xff")
