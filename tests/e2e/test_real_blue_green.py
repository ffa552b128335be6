"""Both controllers themselves release blue-green behind a gate, as deploy/ wires it, with connectors that look on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from release_passport.v1 import connector_pb2
from release_passport_server.domain.bypass import BYPASS_KIND
from support.gates import GateCaller, created, image
from support.real_controllers import (
    ARGO_DEFINITIONS,
    RealShop,
    deployment,
    image_change,
    quicker,
    real_shop,
    run_argo_rollouts,
    run_flagger,
    sampling,
)
from support.real_kubernetes import Manifest, real_cluster
from support.shop import released

pytestmark = pytest.mark.asyncio(loop_scope="module")

GOOD = 0.001


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealShop]:
    folder = tmp_path_factory.mktemp("blue-green")
    async with (
        real_cluster(folder, ["flagger", *ARGO_DEFINITIONS]) as cluster,
        real_shop(cluster, folder, "flagger/rbac.yaml", window=timedelta(seconds=30)) as shop,
    ):
        run_flagger(cluster)
        yield shop


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def canary(shop: RealShop) -> GateCaller:
    """Return the gate of a Canary that goes by turns, whose first version runs."""
    made = await shop.gate()
    (wanted,) = shop.manifests("flagger/canary-blue-green.yaml", made, "1.0.0")
    await shop.cluster.apply(deployment("1.0.0"), quicker(wanted, iterations=2))
    await shop.cluster.until("Canary", "checkout", lambda one: phase(one) == "Initialized")
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def connector(shop: RealShop, canary: GateCaller) -> connector_pb2.Connector:
    return await shop.connector("flagger")


def phase(found: Manifest) -> str:
    return str(found.get("status", {}).get("phase", ""))


async def test_a_canary_by_turns_is_promoted_although_no_weight_is_ever_seen(
    shop: RealShop, canary: GateCaller, connector: connector_pb2.Connector
) -> None:
    name = await released(shop.admin, "2.0.0")
    await shop.cluster.patch("Deployment", "checkout", image_change("2.0.0"))
    async with sampling(shop, GOOD):
        await shop.cluster.until("Canary", "checkout", lambda one: phase(one) == "Succeeded")
    await shop.until_ended(name, "PASSED")
    assert not await shop.found(connector, BYPASS_KIND)


async def test_an_analysis_that_is_skipped_in_its_midst_is_found(
    shop: RealShop, canary: GateCaller, connector: connector_pb2.Connector
) -> None:
    name = await created(shop.admin, "2.1.0")
    await shop.cluster.patch("Deployment", "checkout", image_change("2.1.0"))
    await shop.cluster.until("Canary", "checkout", lambda one: phase(one) == "Waiting")
    await asyncio.sleep(11)
    webhooks = (await shop.cluster.get("Canary", "checkout"))["spec"]["analysis"]["webhooks"]
    # Somebody takes the gate away.
    await shop.cluster.patch("Canary", "checkout", {"spec": {"analysis": {"webhooks": []}}})
    await shop.cluster.until("Canary", "checkout", lambda one: phase(one) == "Succeeded")
    await shop.until_found(
        connector, BYPASS_KIND, lambda one: dict(one.facts.custom.facts)["release"] == name
    )
    assert len(await shop.unreviewed(name)) == 1
    # Until then the service's next release would have to be approved.
    await shop.review(name)
    await shop.cluster.patch("Canary", "checkout", {"spec": {"analysis": {"webhooks": webhooks}}})


async def test_a_rollout_is_switched_once_its_window_has_passed_and_not_before(shop: RealShop) -> None:
    run_argo_rollouts(shop.cluster)
    await shop.cluster.delete("Canary", "checkout")
    gate = await shop.gate(controller="GATE_CONTROLLER_ARGO_ROLLOUTS", object_name="storefront")
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "release-passport-gate", "namespace": "shop"},
        "stringData": {"token": gate.credential},
    }
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "release-passport-gate-checkout", "namespace": "shop"},
        "rules": [{"apiGroups": ["argoproj.io"], "resources": ["rollouts"], "verbs": ["get"]}],
    }
    templates = shop.manifests("argo-rollouts/analysis-templates.yaml", gate, "2.1.0")
    for template in templates:
        template["spec"]["metrics"][0]["interval"] = "2s"
    (rollout,) = shop.manifests("argo-rollouts/rollout-blue-green.yaml", gate, "2.1.0")
    rollout["metadata"]["name"] = "storefront"
    labels = {"app": "storefront"}
    rollout["spec"]["selector"] = {"matchLabels": labels}
    rollout["spec"]["template"]["metadata"]["labels"] = labels
    rollout["spec"]["strategy"]["blueGreen"] |= {"activeService": "active", "previewService": "preview"}
    services: list[Manifest] = [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {"selector": labels, "ports": [{"port": 80}]},
        }
        for name in ("active", "preview")
    ]
    await shop.cluster.apply(role, secret, *templates, *services, rollout)
    await shop.cluster.until("Rollout", "storefront", lambda one: phase(one) == "Healthy")
    name = await released(shop.admin, "3.0.0")
    template = {"spec": {"containers": [{"name": "app", "image": image("3.0.0")}]}}
    await shop.cluster.patch("Rollout", "storefront", {"spec": {"template": template}})
    await shop.cluster.until("Rollout", "storefront", previewed)
    await asyncio.sleep(8)
    assert previewed(await shop.cluster.get("Rollout", "storefront"))
    async with sampling(shop, GOOD):
        found = await shop.cluster.until("Rollout", "storefront", lambda one: not previewed(one))
    assert found["status"]["blueGreen"]["activeSelector"] == found["status"]["currentPodHash"]
    assert name


def previewed(rollout: Manifest) -> bool:
    """Say whether a new version stands beside the one that takes the traffic."""
    status = rollout["status"]
    return bool(status["blueGreen"].get("activeSelector") != status["currentPodHash"])
