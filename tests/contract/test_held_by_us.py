"""A workload that waits at a gate of ours is no illness of its application, and nothing else is overlooked with it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from release_passport_server.adapters.connectors.argo_application import applied, health_without, waiting_in
from release_passport_server.adapters.connectors.argo_cd import ArgoCD
from release_passport_server.domain.gate import HeldWorkload
from release_passport_server.ports.connector import Answer, Target

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64
HELD = HeldWorkload("argoproj.io", "Rollout", "shop", "checkout", frozenset({DIGEST}))
PATH = "/api/v1/applications/checkout"


def resource(group: str, kind: str, name: str, health: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"group": group, "kind": kind, "namespace": "shop", "name": name}
    return found | ({"health": {"status": health}} if health else {})


def application(health: str, image: str = f"r.example/checkout@{DIGEST}") -> dict[str, Any]:
    return {
        "metadata": {"name": "checkout"},
        "spec": {"project": "shop"},
        "status": {
            "sync": {"status": "Synced", "revision": "c" * 40},
            "health": {"status": health},
            "reconciledAt": "2026-11-24T02:59:50Z",
            "summary": {"images": [image, "r.example/sidecar:1"]},
            "resources": [
                resource("argoproj.io", "Rollout", "checkout"),
                resource("apps", "Deployment", "worker"),
                resource("", "ConfigMap", "settings"),
            ],
        },
    }


def tree(rollout: str, worker: str = "Healthy") -> dict[str, Any]:
    pod = resource("", "Pod", "checkout-1", "Degraded")
    nodes = [
        resource("argoproj.io", "Rollout", "checkout", rollout),
        resource("apps", "Deployment", "worker", worker),
        pod,
    ]
    return {"nodes": nodes}


class ArgoServer:
    """Argo CD with one application."""

    place = "https://argocd.example"

    def __init__(self, manifest: Mapping[str, Any], nodes: Mapping[str, Any] | None) -> None:
        self.answers: dict[str, Any] = {PATH: manifest, f"{PATH}/resource-tree": nodes}
        self.asked: list[tuple[str, Mapping[str, Any] | None]] = []

    async def get(
        self,
        path: str,
        parameters: Mapping[str, str | Sequence[str]] | None = None,
        *,
        allowed: Sequence[int] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        self.asked.append((path, parameters))
        found = self.answers[path]
        return Answer(found) if found is not None else Answer({"message": "no"}, 403)


def facts(server: ArgoServer, *held: HeldWorkload) -> Mapping[str, Any]:
    async def waiting() -> tuple[HeldWorkload, ...]:
        return held

    settings = ArgoCD().settings({"application": "checkout", "project": "shop"})
    target = Target("acme", "01", "checkout", "prod", settings, NOW, server, held=waiting)
    (found,) = asyncio.run(ArgoCD().collect(target)).observations
    return found.facts


@pytest.mark.parametrize("waits", ["Suspended", "Progressing", "Unknown"])
def test_a_workload_that_waits_at_our_gate_is_left_out(waits: str) -> None:
    server = ArgoServer(application(waits), tree(waits))
    said = facts(server, HELD)
    assert (said["health"], said["held_by_us"]) == ("HEALTH_STATE_HEALTHY", True)
    assert server.asked == [(PATH, {"project": "shop"}), (f"{PATH}/resource-tree", {"project": "shop"})]


@pytest.mark.parametrize(
    ("health", "nodes", "held"),
    [
        # Nothing waits at a gate of ours, or something else does, or with something else.
        ("Suspended", tree("Suspended"), ()),
        (
            "Suspended",
            tree("Suspended"),
            (HeldWorkload("flagger.app", "Canary", "shop", "checkout", HELD.digests),),
        ),
        ("Healthy", tree("Healthy"), (HELD,)),
        # It waits, and is ill all the same.
        ("Degraded", tree("Degraded"), (HELD,)),
        # What is told of the resources does not come to what is told of the application.
        ("Progressing", tree("Suspended"), (HELD,)),
        ("Suspended", {"nodes": []}, (HELD,)),
        ("Suspended", {"nodes": "?"}, (HELD,)),
        # The token may not see the tree.
        ("Suspended", None, (HELD,)),
    ],
)
def test_in_doubt_the_health_is_what_argo_cd_says(
    health: str, nodes: Any, held: tuple[HeldWorkload, ...]
) -> None:
    said = facts(ArgoServer(application(health), nodes), *held)
    assert (said["health"], "held_by_us" in said) == (f"HEALTH_STATE_{health.upper()}", False)


def test_what_else_is_not_healthy_stays() -> None:
    said = facts(ArgoServer(application("Progressing"), tree("Suspended", "Progressing")), HELD)
    assert (said["health"], said["held_by_us"]) == ("HEALTH_STATE_PROGRESSING", True)


def test_a_workload_that_waits_with_other_images_than_run_here_is_somebody_elses() -> None:
    said = facts(ArgoServer(application("Suspended", "r.example/checkout:1"), tree("Suspended")), HELD)
    assert (said["health"], "held_by_us" in said) == ("HEALTH_STATE_SUSPENDED", False)


def test_of_an_object_of_the_cluster_the_resources_tell_it_where_they_can() -> None:
    manifest = application("Suspended")
    waiting = waiting_in(manifest, (HELD,))
    assert health_without(manifest, waiting, manifest["status"]["resources"]) == ""
    manifest["status"]["resources"][0]["health"] = {"status": "Suspended"}
    left_out = health_without(manifest, waiting, manifest["status"]["resources"])
    (found,) = applied(manifest, NOW, left_out).observations
    assert (found.facts["health"], found.facts["held_by_us"]) == ("HEALTH_STATE_HEALTHY", True)
