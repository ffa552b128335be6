"""Flagger itself, on a real Kubernetes API server, asks at a gate that was made and wired as deploy/flagger says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from release_passport.v1 import connector_pb2, gate_service_pb2, policy_service_pb2
from release_passport_server.domain.bypass import BYPASS_KIND
from support.gates import GateCaller, created
from support.real_controllers import (
    RealShop,
    deployment,
    image_change,
    ingress,
    quicker,
    real_shop,
    run_flagger,
    sampling,
)
from support.real_kubernetes import Manifest, real_cluster
from support.shop import released, shop_policy

pytestmark = pytest.mark.asyncio(loop_scope="module")

GOOD, BAD = 0.001, 0.5


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealShop]:
    folder = tmp_path_factory.mktemp("flagger")
    async with real_cluster(folder, ["flagger"]) as cluster:
        run_flagger(cluster)
        async with real_shop(cluster, folder, "flagger/rbac.yaml") as shop:
            yield shop


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(shop: RealShop) -> GateCaller:
    """Return the gate of a weighted Canary whose first version runs."""
    made = await shop.gate(on_rollback="GATE_ON_ROLLBACK_EXECUTE")
    (canary,) = shop.manifests("flagger/canary.yaml", made, "1.0.0")
    canary["spec"] |= {
        "provider": "nginx",
        "ingressRef": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "checkout"},
    }
    await shop.cluster.apply(deployment("1.0.0"), ingress(), quicker(canary, stepWeight=25, maxWeight=50))
    await shop.cluster.until("Canary", "checkout", lambda one: phase(one) == "Initialized")
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def connector(shop: RealShop, gate: GateCaller) -> connector_pb2.Connector:
    """Return a connector that follows the Canary."""
    return await shop.connector("flagger")


def phase(canary: Manifest) -> str:
    return str(canary.get("status", {}).get("phase", ""))


def weight(canary: Manifest) -> int:
    return int(canary["status"].get("canaryWeight", 0))


async def deployed(shop: RealShop, version: str) -> None:
    await shop.cluster.patch("Deployment", "checkout", image_change(version))


async def reached(shop: RealShop, wanted: str, least: int = 0) -> Manifest:
    """Wait until the Canary is in a phase with a weight."""
    return await shop.cluster.until(
        "Canary", "checkout", lambda one: phase(one) == wanted and weight(one) >= least
    )


async def answers(shop: RealShop, gate: GateCaller) -> Any:
    return await shop.admin("GetGateHealth", gate_service_pb2.GetGateHealthRequest(name=gate.gate.name))


async def test_it_waits_goes_on_step_by_step_and_rolls_back_what_degrades(
    shop: RealShop, gate: GateCaller, connector: connector_pb2.Connector
) -> None:
    await deployed(shop, "2.0.0")
    await reached(shop, "Waiting")
    name = await created(shop.admin, "2.0.0")
    await asyncio.sleep(11)
    assert phase(await shop.cluster.get("Canary", "checkout")) == "Waiting"
    await released(shop.admin, "2.0.0")
    await reached(shop, "Progressing")
    # Nothing is measured yet: it stays where it is, and no check counts as failed.
    await asyncio.sleep(21)
    canary = await shop.cluster.get("Canary", "checkout")
    assert (phase(canary), weight(canary), canary["status"].get("failedChecks", 0)) == ("Progressing", 0, 0)
    async with sampling(shop, GOOD):
        await reached(shop, "Progressing", 25)
    async with sampling(shop, BAD):
        await reached(shop, "Failed")
    ingresses = {one["metadata"]["name"]: one for one in await shop.cluster.items("Ingress")}
    shifted = ingresses["checkout-canary"]["metadata"]["annotations"]
    assert shifted["nginx.ingress.kubernetes.io/canary-weight"] == "0"
    await shop.until_ended(name, "ROLLED_BACK")
    health = await answers(shop, gate)
    assert health.healthy, list(health.problems)
    assert [(one.hook, one.release) for one in health.answers if one.answer == "STOP"] == [("rollback", name)]


async def test_an_allow_is_not_an_allow_for_what_is_put_in_its_place(
    shop: RealShop, gate: GateCaller
) -> None:
    name = await released(shop.admin, "2.1.0")
    await deployed(shop, "2.1.0")
    async with sampling(shop, GOOD):
        await reached(shop, "Progressing", 25)
    await created(shop.admin, "2.2.0")
    await deployed(shop, "2.2.0")
    # It starts anew without asking at confirm-rollout, and is held at the first step.
    await shop.cluster.until("Canary", "checkout", lambda one: weight(one) == 0)
    await asyncio.sleep(25)
    canary = await shop.cluster.get("Canary", "checkout")
    assert (phase(canary), weight(canary), canary["status"].get("failedChecks", 0)) == ("Progressing", 0, 0)
    after = await released(shop.admin, "2.2.0")
    # Until its controller looked, the new pods had the weight of the old ones: where a connector saw it, it is told.
    assert {"NOT_ADMITTED" in one for one in await shop.unreviewed(after)} <= {True}
    await shop.review(after)
    async with sampling(shop, GOOD):
        await reached(shop, "Succeeded")
    await shop.until_ended(after, "PASSED")
    assert await shop.attempts(name) != ["ATTEMPT_OUTCOME_PASSED"]
    primary = await shop.cluster.get("Deployment", "checkout-primary")
    target = await shop.cluster.get("Deployment", "checkout")
    images = [one["spec"]["template"]["spec"]["containers"][0]["image"] for one in (primary, target)]
    assert images[0] == images[1]


async def test_no_deploy_that_asked_counts_as_a_bypass(
    shop: RealShop, connector: connector_pb2.Connector
) -> None:
    assert await shop.found(connector, "rollout_status")
    found = await shop.found(connector, BYPASS_KIND)
    told = [str(dict(one.facts.custom.facts)["release"]) for one in found]
    assert {one.rpartition("/")[2] for one in told} <= {"2.2.0"}


async def test_reverting_to_what_was_promoted_last_asks_nobody(shop: RealShop, gate: GateCaller) -> None:
    await released(shop.admin, "2.3.0")
    await deployed(shop, "2.3.0")
    async with sampling(shop, GOOD):
        await reached(shop, "Progressing", 25)
    async with sampling(shop, BAD):
        await reached(shop, "Failed")
    asked = await _questions(shop, gate)
    await deployed(shop, "2.2.0")
    await asyncio.sleep(15)
    assert phase(await shop.cluster.get("Canary", "checkout")) == "Failed"
    assert await _questions(shop, gate) == asked


async def _questions(shop: RealShop, gate: GateCaller) -> int:
    """Return how many questions were answered; that a rollout is over is told, not asked, and comes a moment later."""
    return sum(one.hook != "post-rollout" for one in (await answers(shop, gate)).answers)


async def test_our_absence_stops_a_canary_and_undoes_nothing(shop: RealShop, gate: GateCaller) -> None:
    await released(shop.admin, "2.3.1")
    await deployed(shop, "2.3.1")
    async with sampling(shop, GOOD):
        await reached(shop, "Progressing", 25)
        before = weight(await shop.cluster.get("Canary", "checkout"))
        await shop.away(refuses=25, is_silent=25)
        canary = await shop.cluster.get("Canary", "checkout")
        assert (phase(canary), canary["status"].get("failedChecks", 0)) == ("Progressing", 0)
        # What it had asked before may have let it go one step on.
        assert before <= weight(canary) <= before + 25
        await reached(shop, "Succeeded")


async def test_a_canary_that_skips_its_analysis_waits_and_one_that_skips_it_later_is_found(
    shop: RealShop, gate: GateCaller, connector: connector_pb2.Connector
) -> None:
    limited = shop_policy()
    limited.policy_id = "a-few-first"
    limited.spec.canary.max_weight = 50
    await shop.admin("CreatePolicy", policy_service_pb2.CreatePolicyRequest(policy=limited))
    await shop.cluster.patch("Canary", "checkout", {"spec": {"skipAnalysis": True}})
    name = await released(shop.admin, "3.0.0")
    await deployed(shop, "3.0.0")
    await reached(shop, "Waiting")
    await asyncio.sleep(11)
    assert phase(await shop.cluster.get("Canary", "checkout")) == "Waiting"
    refused = [one for one in (await answers(shop, gate)).answers if one.release == name]
    assert {(one.hook, one.answer) for one in refused} == {("confirm-rollout", "SHUT")}, refused
    assert "CANARY_NOT_CONFIGURED" in set(refused[-1].reasons), refused
    # With its analysis it goes on; without it from now on, Flagger puts everything on it and asks nobody.
    await shop.cluster.patch("Canary", "checkout", {"spec": {"skipAnalysis": False}})
    await reached(shop, "Progressing")
    await shop.cluster.patch("Canary", "checkout", {"spec": {"skipAnalysis": True}})
    await reached(shop, "Succeeded")
    await shop.until_unreviewed(name)
