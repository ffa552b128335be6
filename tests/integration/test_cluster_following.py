"""One object of a cluster, followed through streams that end, break, and lose their history."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from release_passport_server.adapters.http.client import GuardedClients
from release_passport_server.adapters.kubernetes.following import Patience
from release_passport_server.adapters.kubernetes.objects import KubernetesObjects
from release_passport_server.ports.cluster import ClusterFailure, ObjectRef, Sighting
from support.fake_kubernetes import FakeKubernetes, Raw, Rule

pytestmark = pytest.mark.asyncio
WANTED = ObjectRef("eu-1", "flagger.app/v1beta1", "Canary", "shop", "checkout")
RIGHTS = Rule(("get", "list", "watch"), ("canaries",), ("checkout",), ("shop",))


def canary(name: str = "checkout") -> dict[str, Any]:
    return {
        "apiVersion": "flagger.app/v1beta1",
        "kind": "Canary",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {},
        "status": {"phase": "Initialized"},
    }


@pytest.fixture
def api() -> Iterator[FakeKubernetes]:
    with FakeKubernetes() as running:
        running.put(canary())
        yield running


async def immediately(_: float) -> None:
    await asyncio.sleep(0)


@pytest.fixture
async def objects(api: FakeKubernetes, tmp_path: Path) -> AsyncIterator[KubernetesObjects]:
    folder = api.folder(tmp_path, api.account("reader", RIGHTS))
    made = KubernetesObjects(folder, GuardedClients("test"), Patience(sleep=immediately))
    yield made
    await made.close()


async def until(found: AsyncIterator[Sighting], phase: str) -> Sighting:
    async with asyncio.timeout(10):
        async for one in found:
            if one.object is not None and one.object["status"]["phase"] == phase:
                return one
    raise AssertionError("the stream ended")


async def failure(found: AsyncIterator[Sighting]) -> ClusterFailure:
    async with asyncio.timeout(10):
        async for one in found:
            if one.error is not None:
                return one.error.failure
    raise AssertionError("the stream ended")


async def watched(api: FakeKubernetes) -> None:
    async with asyncio.timeout(10):
        while api.watches != 1:  # noqa: ASYNC110 - the other side is a thread of its own
            await asyncio.sleep(0.005)


async def test_only_the_named_object_is_listed_and_watched(
    api: FakeKubernetes, objects: KubernetesObjects
) -> None:
    api.put(canary("basket"))
    async with aclosing(objects.follow("default", WANTED)) as found:  # type: ignore[type-var]
        await until(found, "Initialized")
        later = asyncio.ensure_future(until(found, "Progressing"))
        await watched(api)
        api.status("Canary", "shop", "basket", phase="Failed")
        api.status("Canary", "shop", "checkout", phase="Progressing")
        seen = await later
    assert seen.object is not None
    assert seen.object["metadata"]["name"] == "checkout"
    assert {one.query["fieldSelector"] for one in api.asked} == {"metadata.name=checkout"}
    assert [one.verb for one in api.asked] == ["list", "watch"]


@pytest.mark.parametrize("trouble", ["end", "cut"])
@pytest.mark.parametrize("forgotten", [False, True])
@pytest.mark.parametrize("as_status", [False, True])
async def test_what_changed_while_no_stream_was_open_is_seen(
    api: FakeKubernetes, objects: KubernetesObjects, trouble: str, forgotten: bool, as_status: bool
) -> None:
    api.gone_as_status = as_status
    async with aclosing(objects.follow("default", WANTED)) as found:  # type: ignore[type-var]
        await until(found, "Initialized")
        later = asyncio.ensure_future(until(found, "Failed"))
        await watched(api)
        api.trouble = lambda asked: Raw(503) if asked.verb == "watch" else None
        getattr(api, trouble)()
        api.status("Canary", "shop", "checkout", phase="Failed")
        if forgotten:
            api.compact()
        api.trouble = lambda asked: None
        await later


async def test_what_may_not_be_read_or_is_not_there_is_told_and_seen_when_it_can_be(
    api: FakeKubernetes, objects: KubernetesObjects, tmp_path: Path
) -> None:
    token = api.account("reader")
    async with aclosing(objects.follow("default", WANTED)) as found:  # type: ignore[type-var]
        assert await failure(found) is ClusterFailure.ACCESS_MISSING
        api.expire(token)
        while await failure(found) is not ClusterFailure.CREDENTIAL_REFUSED:
            pass
        api.folder(tmp_path, api.account("other", RIGHTS))
        await until(found, "Initialized")


@pytest.mark.parametrize(
    "line",
    [
        b"not json\n",
        b'{"type":"MODIFIED","object":{"kind":"Canary","metadata":{"name":"other","resourceVersion":"9"}}}\n',
        b'{"type":"MODIFIED","object":[]}\n',
        b'{"type":"SOMETHING","object":{"metadata":{"resourceVersion":"9"}}}\n',
    ],
)
async def test_a_line_that_is_no_event_of_the_object_is_a_failure_and_the_object_is_read_on(
    api: FakeKubernetes, objects: KubernetesObjects, line: bytes
) -> None:
    async with aclosing(objects.follow("default", WANTED)) as found:  # type: ignore[type-var]
        await until(found, "Initialized")
        later = asyncio.ensure_future(failure(found))
        await watched(api)
        api.send(line)
        assert await later is ClusterFailure.ANSWER_BROKEN
        api.status("Canary", "shop", "checkout", phase="Succeeded")
        await until(found, "Succeeded")
