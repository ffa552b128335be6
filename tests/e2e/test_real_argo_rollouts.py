"""Argo Rollouts itself, on a real Kubernetes API server, asks at a gate that was made and wired as deploy/ says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from release_passport.v1 import connector_pb2, evidence_pb2, gate_service_pb2
from release_passport_server.domain.bypass import BYPASS_KIND
from support.gates import GateCaller, created, image
from support.real_controllers import ARGO_DEFINITIONS, RealShop, real_shop, run_argo_rollouts, sampling
from support.real_kubernetes import Manifest, real_cluster
from support.shop import released

pytestmark = pytest.mark.asyncio(loop_scope="module")

GOOD, BAD = 0.001, 0.5


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealShop]:
    folder = tmp_path_factory.mktemp("argo")
    async with real_cluster(folder, ARGO_DEFINITIONS) as cluster:
        run_argo_rollouts(cluster)
        async with real_shop(cluster, folder, "argo-rollouts/rbac.yaml") as shop:
            yield shop


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(shop: RealShop) -> GateCaller:
    """Return the gate of a canary Rollout whose first version runs; it was let in by nobody."""
    made = await shop.gate(controller="GATE_CONTROLLER_ARGO_ROLLOUTS", on_rollback="GATE_ON_ROLLBACK_EXECUTE")
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "release-passport-gate", "namespace": "shop"},
        "stringData": {"token": made.credential},
    }
    templates = shop.manifests("argo-rollouts/analysis-templates.yaml", made, "1.0.0")
    for template in templates:
        template["spec"]["metrics"][0]["interval"] = "2s"
    (rollout,) = shop.manifests("argo-rollouts/rollout-canary.yaml", made, "1.0.0")
    for step in rollout["spec"]["strategy"]["canary"]["steps"]:
        if "pause" in step:
            step["pause"]["duration"] = "4s"
    await shop.cluster.apply(secret, *templates, rollout)
    await shop.cluster.until("Rollout", "checkout", lambda one: phase(one) == "Healthy")
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def connector(shop: RealShop, gate: GateCaller) -> connector_pb2.Connector:
    """Return a connector that follows the Rollout."""
    return await shop.connector("argo-rollouts")


def phase(rollout: Manifest) -> str:
    return str(rollout.get("status", {}).get("phase", ""))


def step(rollout: Manifest) -> int:
    return int(rollout["status"].get("currentStepIndex", -1))


def new_pods(rollout: Manifest) -> int:
    return int(rollout["status"].get("updatedReplicas", 0))


async def deployed(shop: RealShop, version: str) -> None:
    """Change the image, and wait until the controller has seen it."""
    template = {"spec": {"containers": [{"name": "app", "image": image(version)}]}}
    before = (await shop.cluster.get("Rollout", "checkout"))["status"]["currentPodHash"]
    await shop.cluster.patch("Rollout", "checkout", {"spec": {"template": template}})
    await shop.cluster.until("Rollout", "checkout", lambda one: one["status"]["currentPodHash"] != before)


async def measured(shop: RealShop, kind: str = "canary") -> list[dict[str, Any]]:
    """Return what the gate answered in the analysis of the step that the Rollout is at."""
    status = (await shop.cluster.get("Rollout", "checkout"))["status"]["canary"]
    name = {"canary": "currentStepAnalysisRunStatus", "background": "currentBackgroundAnalysisRunStatus"}[
        kind
    ]
    run = await shop.cluster.get("AnalysisRun", status[name]["name"])
    return [
        json.loads(one["value"])
        for metric in run.get("status", {}).get("metricResults", [])
        for one in metric.get("measurements", [])
        if one.get("value")
    ]


async def test_the_first_version_is_asked_about_by_nobody(shop: RealShop, gate: GateCaller) -> None:
    rollout = await shop.cluster.get("Rollout", "checkout")
    assert rollout["status"]["stableRS"] == rollout["status"]["currentPodHash"]
    assert not await shop.cluster.items("AnalysisRun")


async def test_it_is_held_before_anything_is_exposed_and_goes_on_by_itself(
    shop: RealShop, gate: GateCaller
) -> None:
    await deployed(shop, "2.0.0")
    await asyncio.sleep(6)
    rollout = await shop.cluster.get("Rollout", "checkout")
    assert (step(rollout), new_pods(rollout), phase(rollout)) == (0, 0, "Progressing")
    said = (await measured(shop))[-1]
    assert (said["verdict"], said["reasons"]) == ("hold", ["NO_RELEASE_FOR_DIGESTS"])
    await released(shop.admin, "2.0.0")
    rollout = await shop.cluster.until("Rollout", "checkout", lambda one: step(one) == 3)
    # One pod of ten, and it waits for the first measurement.
    await asyncio.sleep(5)
    rollout = await shop.cluster.get("Rollout", "checkout")
    assert (step(rollout), new_pods(rollout)) == (3, 1)
    assert (await measured(shop))[-1]["verdict"] == "hold"
    async with sampling(shop, GOOD):
        await shop.cluster.until("Rollout", "checkout", lambda one: phase(one) == "Healthy")
    rollout = await shop.cluster.get("Rollout", "checkout")
    assert rollout["status"]["stableRS"] == rollout["status"]["currentPodHash"]
    health = await shop.admin("GetGateHealth", gate_service_pb2.GetGateHealthRequest(name=gate.gate.name))
    assert health.healthy, list(health.problems)


async def test_what_degrades_is_aborted_where_the_gate_executes(shop: RealShop, gate: GateCaller) -> None:
    await released(shop.admin, "2.1.0")
    await deployed(shop, "2.1.0")
    await shop.cluster.until("Rollout", "checkout", lambda one: step(one) == 3)
    async with sampling(shop, BAD):
        await shop.cluster.until("Rollout", "checkout", lambda one: one["status"].get("abort"))
    rollout = await shop.cluster.until("Rollout", "checkout", lambda one: phase(one) == "Degraded")
    assert "release-passport" in rollout["status"]["message"]


async def test_our_absence_stops_a_rollout_and_undoes_nothing(shop: RealShop, gate: GateCaller) -> None:
    await released(shop.admin, "2.1.1")
    await deployed(shop, "2.1.1")
    await shop.cluster.until("Rollout", "checkout", lambda one: step(one) == 3)
    # Five errors in a row would abort it, if the metrics did not say otherwise: after one it waits for ten seconds.
    await shop.away(refuses=65, is_silent=10)
    rollout = await shop.cluster.get("Rollout", "checkout")
    assert (step(rollout), new_pods(rollout), rollout["status"].get("abort")) == (3, 1, None)
    for kind in ("currentStepAnalysisRunStatus", "currentBackgroundAnalysisRunStatus"):
        run = await shop.cluster.get("AnalysisRun", rollout["status"]["canary"][kind]["name"])
        assert (run["status"]["phase"], run["status"]["metricResults"][0]["error"] > 4) == ("Running", True)
    async with sampling(shop, GOOD):
        await shop.cluster.until("Rollout", "checkout", lambda one: phase(one) == "Healthy")


async def test_an_allow_is_not_an_allow_for_what_is_put_in_its_place(
    shop: RealShop, gate: GateCaller
) -> None:
    await released(shop.admin, "2.2.0")
    await deployed(shop, "2.2.0")
    await shop.cluster.until("Rollout", "checkout", lambda one: step(one) == 3)
    await created(shop.admin, "2.3.0")
    await deployed(shop, "2.3.0")
    await asyncio.sleep(6)
    rollout = await shop.cluster.get("Rollout", "checkout")
    assert (step(rollout), new_pods(rollout)) == (0, 0)
    said = (await measured(shop))[-1]
    assert (said["verdict"], said["effectiveVerdict"]) == ("hold", "HOLD")
    await released(shop.admin, "2.3.0")
    async with sampling(shop, GOOD):
        await shop.cluster.until("Rollout", "checkout", lambda one: phase(one) == "Healthy")


async def test_a_connector_follows_it_with_the_role_that_its_test_names(
    shop: RealShop, gate: GateCaller, connector: connector_pb2.Connector
) -> None:
    rollout = await shop.cluster.get("Rollout", "checkout")
    found = await shop.until_found(connector, "rollout_status", lambda one: one.facts.rollout_status.complete)
    status = found.facts.rollout_status
    assert (status.phase, status.weight) == (evidence_pb2.ROLLOUT_PHASE_SUCCEEDED, 100)
    assert status.canary_revision == rollout["status"]["currentPodHash"]
    await released(shop.admin, "2.4.0")
    await deployed(shop, "2.4.0")
    async with sampling(shop, GOOD):
        found = await shop.until_found(
            connector, "rollout_status", lambda one: one.facts.rollout_status.weight == 10
        )
        assert found.facts.rollout_status.step in {1, 2, 3}
        await shop.cluster.until("Rollout", "checkout", lambda one: phase(one) == "Healthy")
    await shop.until_found(connector, "rollout_status", lambda one: one.facts.rollout_status.weight == 100)
    runs = await shop.found(connector, "analysis_result")
    assert runs
    assert not list(await shop.found(connector, BYPASS_KIND))


async def test_a_promotion_past_the_gate_is_found(
    shop: RealShop, gate: GateCaller, connector: connector_pb2.Connector
) -> None:
    name = await created(shop.admin, "2.5.0")
    await deployed(shop, "2.5.0")
    # What `kubectl argo rollouts promote --full` does.
    await shop.cluster.patch("Rollout", "checkout", {"status": {"promoteFull": True}}, "status")
    await shop.cluster.until("Rollout", "checkout", lambda one: phase(one) == "Healthy")
    await shop.until_found(
        connector, BYPASS_KIND, lambda one: dict(one.facts.custom.facts)["release"] == name
    )
    assert len(await shop.unreviewed(name)) == 1
