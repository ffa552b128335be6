"""Objects of a cluster, read over HTTP: one by name, and whatever else is answered is no object."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from release_passport_server.adapters.http.client import GuardedClients
from release_passport_server.adapters.kubernetes.objects import KubernetesObjects
from release_passport_server.domain.errors import Denied, NotFound, PassportError, Unavailable
from release_passport_server.ports.workloads import ObjectRef
from support.http_peer import Peer, peer, reply

pytestmark = pytest.mark.asyncio
WANTED = ObjectRef("eu-1", "flagger.app/v1beta1", "Canary", "shop", "checkout")
CANARY = {"kind": "Canary", "metadata": {"name": "checkout", "namespace": "shop"}, "spec": {}}


def answer_of(value: object, status: int = 200) -> object:
    return reply(json.dumps(value).encode(), status, content_type="application/json")


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[tuple[Peer, KubernetesObjects]]:
    async with peer(answer_of(CANARY)) as running:  # type: ignore[arg-type]
        folder = tmp_path / "eu-1"
        folder.mkdir()
        (folder / "server").write_text(running.url("") + "\n")
        (folder / "token").write_text("t0ken\n")
        objects = KubernetesObjects(tmp_path, GuardedClients("test"))
        yield running, objects
        await objects.close()


async def test_one_object_is_asked_for_by_name_with_the_token(
    cluster: tuple[Peer, KubernetesObjects],
) -> None:
    running, objects = cluster
    assert (await objects.get("default", WANTED))["metadata"]["name"] == "checkout"
    (asked,) = running.asked
    assert asked.target == "/apis/flagger.app/v1beta1/namespaces/shop/canaries/checkout"
    assert asked.headers["authorization"] == "Bearer t0ken"


async def test_a_rotated_token_counts_from_the_next_read_on(
    cluster: tuple[Peer, KubernetesObjects], tmp_path: Path
) -> None:
    running, objects = cluster
    await objects.get("default", WANTED)
    (tmp_path / "eu-1" / "token").write_text("other")
    await objects.get("default", WANTED)
    assert [one.headers["authorization"] for one in running.asked] == ["Bearer t0ken", "Bearer other"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, NotFound), (401, Denied), (403, Denied), (410, Unavailable), (500, Unavailable)],
)
async def test_what_is_refused_is_no_object(
    cluster: tuple[Peer, KubernetesObjects], status: int, kind: type[PassportError]
) -> None:
    running, objects = cluster
    running.answer = answer_of({"message": "hush-hush"}, status)  # type: ignore[assignment]
    with pytest.raises(kind) as caught:
        await objects.get("default", WANTED)
    assert "hush-hush" not in caught.value.message


@pytest.mark.parametrize(
    "found",
    [
        None,
        [],
        {},
        "x",
        {"kind": "CanaryList", "items": []},
        CANARY | {"kind": "Secret"},
        CANARY | {"metadata": {"name": "billing"}},
        CANARY | {"metadata": []},
    ],
    ids=range(8),
)
async def test_another_answer_than_the_object_is_refused(
    cluster: tuple[Peer, KubernetesObjects], found: object
) -> None:
    running, objects = cluster
    running.answer = answer_of(found)  # type: ignore[assignment]
    with pytest.raises(Unavailable):
        await objects.get("default", WANTED)


@pytest.mark.parametrize(
    "wanted",
    [
        replace(WANTED, kind="Secret", api_version="v1"),
        replace(WANTED, kind="Secret", api_version="apps/v1"),
        replace(WANTED, api_version="v1"),
        replace(WANTED, name=""),
        replace(WANTED, name=".."),
        replace(WANTED, cluster="../eu-1"),
        replace(WANTED, cluster="us-1"),
    ],
    ids=range(7),
)
async def test_nothing_else_is_ever_asked_for(
    cluster: tuple[Peer, KubernetesObjects], wanted: ObjectRef
) -> None:
    running, objects = cluster
    with pytest.raises((Denied, NotFound)):
        await objects.get("default", wanted)
    assert running.asked == []


async def test_a_name_cannot_lead_elsewhere(cluster: tuple[Peer, KubernetesObjects]) -> None:
    running, objects = cluster
    with pytest.raises(Unavailable):
        await objects.get("default", replace(WANTED, name="../secrets/x?y#z"))
    assert running.asked[0].target.endswith("/canaries/..%2Fsecrets%2Fx%3Fy%23z")


async def test_a_cluster_of_other_tenants_is_as_absent_as_none(
    cluster: tuple[Peer, KubernetesObjects], tmp_path: Path
) -> None:
    running, objects = cluster
    (tmp_path / "eu-1" / "tenants").write_text("acme\n")
    with pytest.raises(NotFound):
        await objects.get("default", WANTED)
    assert running.asked == []
    await objects.get("acme", WANTED)
