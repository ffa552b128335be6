"""Connectors follow the objects of a real Kubernetes API server, through its death and through what it forgets."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
import yaml

from release_passport.v1 import connector_pb2, connector_service_pb2
from release_passport_server.services.live_reading import REMEMBERED_SECONDS
from support.real_controllers import RealShop, deployment, image_change, real_shop, sampling
from support.real_kubernetes import RealCluster, real_cluster
from support.shop import digest_of, released

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealShop]:
    folder = tmp_path_factory.mktemp("connectors")
    async with (
        real_cluster(folder, ["flagger"]) as cluster,
        real_shop(cluster, folder, "flagger/rbac.yaml") as shop,
    ):
        await cluster.apply(deployment("1.0.0"))
        await cluster.until("Deployment", "checkout", lambda one: ready(one) == 2)
        yield shop


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workload(shop: RealShop) -> connector_pb2.Connector:
    """Return a connector that follows the Deployment and its pods."""
    return await shop.connector("kubernetes-workload", object_kind="Deployment", pods=True)


def ready(found: dict[str, Any]) -> int:
    return int(found.get("status", {}).get("readyReplicas", 0))


def runs(version: str) -> Any:
    """Return whether evidence says that all that runs is of a version."""

    def say(one: Any) -> bool:
        health = one.facts.runtime_health
        return list(health.image_digests) == [digest_of(version)] and health.updated_replicas == 2

    return say


async def state(shop: RealShop, connector: connector_pb2.Connector) -> connector_pb2.ConnectorHealth:
    found = await shop.admin("GetConnector", connector_service_pb2.GetConnectorRequest(name=connector.name))
    return found.connector.health  # type: ignore[no-any-return]


async def deployed(cluster: RealCluster, version: str) -> None:
    await cluster.patch("Deployment", "checkout", image_change(version))


async def test_a_deployment_is_followed_to_its_pods(
    shop: RealShop, workload: connector_pb2.Connector
) -> None:
    await shop.until_found(workload, "runtime_health", runs("1.0.0"))
    await deployed(shop.cluster, "1.1.0")
    await shop.until_found(workload, "runtime_health", runs("1.1.0"))
    status = (await shop.found(workload, "rollout_status"))[0].facts.rollout_status
    assert (list(status.canary_image_digests), status.canary_revision) == ([digest_of("1.1.0")], "2")


async def test_the_way_back_is_read_with_the_role_that_its_test_names(shop: RealShop) -> None:
    place = {"cluster": "eu-1", "namespace": "shop", "name": "checkout"}
    wanted = connector_pb2.Connector(
        title="way back", kind="rollback-readiness", service="checkout", environment="prod"
    )
    wanted.settings.update({"workload": place})
    request = connector_service_pb2.TestConnectorRequest(connector=wanted)
    said = await shop.admin("TestConnector", request)
    assert (said.ready, bool(said.missing)) == (False, True)
    await shop.cluster.apply(*(one for one in yaml.safe_load_all(said.grant) if one))
    said = await shop.admin("TestConnector", request)
    assert (said.ready, list(said.missing)) == (True, [])


async def test_a_token_that_ends_is_told_and_a_new_one_is_taken(
    shop: RealShop, workload: connector_pb2.Connector
) -> None:
    token = shop.clusters / "eu-1" / "token"
    good = token.read_text()
    token.write_text("expired")
    request = connector_service_pb2.CollectNowRequest(name=workload.name)
    for _ in range(50):
        await shop.admin("CollectNow", request)
        if (await state(shop, workload)).failure:
            break
        await asyncio.sleep(0.2)
    assert (await state(shop, workload)).failure == "CREDENTIAL_REFUSED"
    token.write_text(good)
    await deployed(shop.cluster, "1.3.0")
    await shop.until_found(workload, "runtime_health", runs("1.3.0"))


async def test_an_api_server_that_dies_is_told_and_followed_again(
    shop: RealShop, workload: connector_pb2.Connector
) -> None:
    cluster = shop.cluster
    await shop.until_found(workload, "runtime_health", lambda one: True)
    cluster.end("kube-apiserver", kill=True)
    for _ in range(150):
        if (health := await state(shop, workload)).failure:
            break
        await asyncio.sleep(0.2)
    assert health.failure == "SOURCE_UNREACHABLE", health
    # What happened meanwhile is forgotten before anybody can hear of it.
    await forgotten(cluster)
    cluster.start_api_server()
    await cluster.await_api_server()
    await deployed(cluster, "1.2.0")
    await shop.until_found(workload, "runtime_health", runs("1.2.0"))
    assert (await state(shop, workload)).state == connector_pb2.CONNECTOR_STATE_HEALTHY


async def test_a_gate_waits_while_the_api_server_is_away_and_opens_again(shop: RealShop) -> None:
    cluster = shop.cluster
    gate = await shop.gate()
    (canary,) = shop.manifests("flagger/canary.yaml", gate, "1.2.1")
    await cluster.apply(canary)
    await deployed(cluster, "1.2.1")
    await released(shop.admin, "1.2.1")
    answer = await gate.flagger("confirm-rollout")
    assert answer.status_code == 200, answer.text
    cluster.end("kube-apiserver", kill=True)
    await asyncio.sleep(REMEMBERED_SECONDS)
    answer = await gate.flagger("confirm-rollout")
    assert (answer.status_code, "WORKLOAD_UNREADABLE" in answer.text) == (403, True)
    cluster.start_api_server()
    await cluster.await_api_server()
    # Its rollout was let begin, and is watched.
    async with sampling(shop, 0.001):
        for _ in range(50):
            if (answer := await gate.flagger("confirm-rollout")).status_code == 200:
                break
            await asyncio.sleep(0.2)
    assert answer.status_code == 200, answer.text
    await cluster.delete("Canary", "checkout")


async def forgotten(cluster: RealCluster) -> None:
    """Have etcd go on for some revisions and forget all before the last."""
    async with httpx.AsyncClient(base_url=cluster.etcd) as etcd:
        key, value = (base64.b64encode(one).decode() for one in (b"/elsewhere", b"x"))
        for _ in range(5):
            answer = await etcd.post("/v3/kv/put", json={"key": key, "value": value})
        revision = answer.json()["header"]["revision"]
        answer = await etcd.post("/v3/kv/compaction", json={"revision": revision, "physical": True})
        answer.raise_for_status()
