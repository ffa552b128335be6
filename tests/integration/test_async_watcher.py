"""The watcher for programs that await, against a server over TLS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from release_passport import AsyncClient, PassportAPIError, Target
from release_passport.async_watching import AsyncWatcher
from release_passport.v1 import decision_service_pb2, release_service_pb2
from release_passport.watching import News, Update
from support.certificates import Certificates
from support.server import RealServer, real_server

pytestmark = pytest.mark.asyncio(loop_scope="module")
ALL = decision_service_pb2.WatchDecisionRequest()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[RealServer, Target]]:
    folder = tmp_path_factory.mktemp("served")
    files = Certificates.make(folder)
    tls = {"tls_certificate": files.server_certificate, "tls_key": files.server_key}
    async with real_server(folder, grpc=tls, worker={"enabled": False}) as server:
        address = f"localhost:{server.process.grpc_port}"
        yield server, Target(address, token=server.token, ca_certificates=files.authority.read_bytes())


async def test_it_hears_what_stands_and_what_changes_until_it_is_closed(
    served: tuple[RealServer, Target],
) -> None:
    async with AsyncClient(served[1]) as client:
        watcher = AsyncWatcher(client, ALL, lambda: datetime.now(UTC))
        heard = [update.news async for update in _closing(watcher)]
    assert heard == [News.SYNCED]


async def _closing(watcher: AsyncWatcher) -> AsyncIterator[Update]:
    async for update in watcher:
        yield update
        # The stream says nothing for now: the close has to reach it while it is waited for.
        asyncio.get_running_loop().call_later(0.05, watcher.close)


async def test_a_wrong_token_ends_it(served: tuple[RealServer, Target]) -> None:
    target = Target(served[1].server, token="rp1_wrong", ca_certificates=served[1].ca_certificates)
    async with AsyncClient(target) as client:
        watcher = AsyncWatcher(client, ALL, lambda: datetime.now(UTC))
        with pytest.raises(PassportAPIError) as raised:
            await anext(aiter(watcher))
    assert raised.value.code == "UNAUTHENTICATED"


async def test_a_task_that_is_cancelled_leaves_its_call(served: tuple[RealServer, Target]) -> None:
    async with AsyncClient(served[1]) as client:
        updates = aiter(AsyncWatcher(client, ALL, lambda: datetime.now(UTC)))
        assert (await anext(updates)).news is News.SYNCED
        reading = asyncio.ensure_future(anext(updates))
        asyncio.get_running_loop().call_later(0.05, reading.cancel)
        with pytest.raises(asyncio.CancelledError):
            await reading
        with pytest.raises(PassportAPIError) as raised:
            await client.get_release(release_service_pb2.GetReleaseRequest(name="tenants/default/services/a"))
    assert raised.value.code == "INVALID_ARGUMENT"
