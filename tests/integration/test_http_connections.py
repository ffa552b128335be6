"""The one client that calls others asks over few connections, and nobody waits for one beyond their deadline."""

from __future__ import annotations

import asyncio

import pytest

from release_passport_server.adapters.http.client import MAX_CONNECTIONS, GuardedClients
from release_passport_server.domain.outbound import Origin, OutboundError, OutboundFailure, Reach
from release_passport_server.ports.http import HTTPRequest
from support.http_peer import Asked, Write, peer, reply


async def test_as_many_are_asked_at_once_as_there_are_connections_and_who_waits_has_a_deadline() -> None:
    answer, arrived, said = asyncio.Event(), asyncio.Semaphore(0), reply(b"{}")

    async def answers(asked: Asked, write: Write) -> None:
        arrived.release()
        await answer.wait()
        await said(asked, write)

    async with peer(answers) as it:
        reach = Reach((Origin.of(it.url(), internal=True),))
        async with GuardedClients("release-passport/test").open(reach) as client:
            first = [asyncio.create_task(client.send(HTTPRequest(it.url()))) for _ in range(MAX_CONNECTIONS)]
            for _ in first:
                await arrived.acquire()
            with pytest.raises(OutboundError) as late:
                await client.send(HTTPRequest(it.url(), seconds=0.3))
            assert late.value.failure is OutboundFailure.TIMED_OUT
            more = [asyncio.create_task(client.send(HTTPRequest(it.url()))) for _ in range(20)]
            assert len(it.asked) == MAX_CONNECTIONS
            answer.set()
            found = await asyncio.gather(*first, *more)
    assert [one.status for one in found] == [200] * (MAX_CONNECTIONS + 20)
