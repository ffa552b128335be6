"""Objects of controllers as a cluster would give them, and gates that ask about them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from release_passport.v1 import gate_pb2, gate_service_pb2, release_service_pb2
from release_passport_server.domain.errors import NotFound
from release_passport_server.ports.workloads import ObjectRef
from support.calls import Caller
from support.requests import Names, identity
from support.shop import digest_of

OURS = Names()
CONFIRMING = ("confirm-rollout", "confirm-traffic-increase", "confirm-promotion")


@dataclass(slots=True)
class Objects:
    """A cluster that can be looked into and changed by a test."""

    held: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    reads: int = 0
    error: Exception | None = None

    def knows(self, tenant: str, cluster: str) -> bool:
        return cluster == "eu-1"

    async def get(self, tenant: str, wanted: ObjectRef) -> Mapping[str, Any]:
        self.reads += 1
        if self.error is not None:
            raise self.error
        found = self.held.get((wanted.kind, wanted.name))
        if found is None:
            raise NotFound("NOT_FOUND", f"there is no {wanted.kind} {wanted.name}")
        return copy.deepcopy(found)

    def deployment(self, *images: str, name: str = "checkout") -> None:
        """Put a Deployment whose template runs these images."""
        containers = [{"name": f"c{index}", "image": image} for index, image in enumerate(images)]
        self.held["Deployment", name] = {"spec": {"template": {"spec": {"containers": containers}}}}

    def canary(self, phase: str = "Succeeded", *, webhooks: list[dict[str, str]], **changes: Any) -> None:
        """Put a weighted Canary in this phase."""
        analysis = {"interval": "30s", "threshold": 5, "maxWeight": 50, "stepWeight": 10}
        analysis |= changes.pop("analysis", {})
        status = {"phase": phase, "canaryWeight": 0, "iterations": 0, "failedChecks": 0}
        status |= changes.pop("status", {})
        self.held["Canary", "checkout"] = {
            "metadata": {"name": "checkout", "uid": "u-1"},
            "spec": {
                "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout"},
                "analysis": analysis | {"webhooks": webhooks},
                **changes,
            },
            "status": status,
        }

    def rollout(self, *images: str, index: int = 0, **status: Any) -> None:
        """Put a canary Rollout at this step."""
        containers = [{"name": f"c{number}", "image": image} for number, image in enumerate(images)]
        steps = [{"analysis": {}}, {"setWeight": 10}, {"analysis": {}}, {"setWeight": 50}, {"analysis": {}}]
        self.held["Rollout", "checkout"] = {
            "metadata": {"name": "checkout", "uid": "u-2"},
            "spec": {
                # So many that each weight of the steps is a whole number of pods.
                "replicas": 10,
                "template": {"spec": {"containers": containers}},
                "strategy": {"canary": {"steps": steps}},
            },
            "status": {"currentStepIndex": index, "currentPodHash": "new", "stableRS": "old", **status},
        }


def image(version: str) -> str:
    """Return the image of a version of the shop's service."""
    return f"registry.example/shop/checkout@{digest_of(version)}"


@dataclass(slots=True)
class GateCaller:
    """A registered gate, asked as its controller would."""

    http: httpx.AsyncClient
    gate: gate_pb2.Gate
    credential: str

    @property
    def gate_id(self) -> str:
        return self.gate.name.rpartition("/")[2]

    def url(self, hook: str) -> str:
        """Return the path of a hook."""
        return f"/v1/flagger/{self.gate_id}/{hook}"

    def webhooks(self, *hooks: str) -> list[dict[str, str]]:
        """Return the webhooks of a Canary that is wired as recommended."""
        return [{"name": hook, "type": hook, "url": f"https://rp{self.url(hook)}"} for hook in hooks]

    async def flagger(self, hook: str, **changes: Any) -> httpx.Response:
        """Ask as a webhook of Flagger does."""
        body = {"name": "checkout", "namespace": "shop", "phase": "Succeeded", "checksum": "5d8b9c7f6d"}
        sent: dict[str, Any] = {"json": body | {"metadata": {}}, "auth": ("flagger", self.credential)}
        return await self.http.post(self.url(hook), **(sent | changes))

    async def argo(self, hook: str = "inline", **changes: Any) -> dict[str, Any]:
        """Ask as the web metric does, and return the body."""
        sent: dict[str, Any] = {"headers": {"authorization": f"Bearer {self.credential}"}}
        path = f"/v1/argo-rollouts/{self.gate_id}/verdict?hook={hook}"
        answer = await self.http.get(path, **(sent | changes))
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found


async def registered(admin: Caller, http: httpx.AsyncClient, **changes: Any) -> GateCaller:
    """Return a new gate of the shop's service."""
    wanted: dict[str, Any] = {
        "controller": "GATE_CONTROLLER_FLAGGER",
        "cluster": "eu-1",
        "namespace": "shop",
        "object_name": "checkout",
        "service": OURS.service,
        "environment": OURS.environment,
    }
    request = gate_service_pb2.CreateGateRequest(gate=gate_pb2.Gate(**(wanted | changes)))
    made = await admin("CreateGate", request)
    return GateCaller(http, made.gate, made.credential)


async def created(admin: Caller, version: str) -> str:
    """Return the name of a new release that nobody knows anything about yet."""
    given = identity(OURS)
    given.version, given.artifacts[0].digest = version, digest_of(version)
    made = await admin("CreateRelease", release_service_pb2.CreateReleaseRequest(identity=given))
    return str(made.release.name)


async def settled(admin: Caller) -> None:
    """End whatever rollouts are open."""
    open_ones = await admin.server.store.read("default", lambda reader: reader.open_attempts())
    for one in open_ones:
        asked = release_service_pb2.FinishRolloutRequest(attempt=one.name, outcome="ATTEMPT_OUTCOME_FAILED")
        await admin("FinishRollout", asked)
