"""Flagger and Argo Rollouts themselves, run against a real API server, and a shop that asks Release Passport."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml

from release_passport.v1 import (
    connector_pb2,
    connector_service_pb2,
    evidence_pb2,
    evidence_service_pb2,
    override_service_pb2,
    release_pb2,
    release_service_pb2,
)
from support.calls import Caller
from support.gates import OURS, GateCaller, image, registered
from support.proxy import Proxy, Way, standing_before
from support.real_kubernetes import Manifest, RealCluster, documents, free_port, programs
from support.server import RealServer, real_server
from support.shop import opened
from support.watching_shop import sampled, watched

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
ACCOUNT = "release-passport"
ARGO_DEFINITIONS = (
    "rollout-crd",
    "analysis-run-crd",
    "analysis-template-crd",
    "cluster-analysis-template-crd",
    "experiment-crd",
)

ARGO_CD_DEFINITIONS = ("application-crd", "appproject-crd")


def run_flagger(cluster: RealCluster, provider: str = "kubernetes") -> None:
    """Start Flagger for the namespace shop."""
    programs("flagger")
    cluster.run(
        "flagger",
        f"-kubeconfig={cluster.kubeconfig('flagger')}",
        f"-mesh-provider={provider}",
        "-namespace=shop",
        "-control-loop-interval=1s",
        # Its metric checks are not what is tried here: nobody answers.
        "-metrics-server=http://127.0.0.1:9",
        f"-port={free_port()}",
    )


def run_argo_rollouts(cluster: RealCluster) -> None:
    """Start Argo Rollouts for the namespace shop."""
    programs("rollouts-controller")
    cluster.run(
        "rollouts-controller",
        f"--kubeconfig={cluster.kubeconfig('rollouts-controller')}",
        "--namespace=shop",
        "--namespaced",
        "--leader-elect=false",
        f"--metricsport={free_port()}",
        f"--healthzPort={free_port()}",
    )


@dataclass(slots=True)
class RealShop:
    """A service in a real cluster, the server that it asks, and the server's folder of clusters."""

    cluster: RealCluster
    server: RealServer
    admin: Caller
    http: httpx.AsyncClient
    clusters: Path
    # What the controllers reach the server through.
    way: Proxy
    gates: list[GateCaller] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.way.listens}"

    async def away(self, *, refuses: float, is_silent: float) -> None:
        """Let the server be away from the controllers: so many seconds it refuses them, so many it says nothing."""
        for way, seconds in ((Way.REFUSE, refuses), (Way.SWALLOW, is_silent)):
            self.way.turn(way)
            await asyncio.sleep(seconds)
        # What was swallowed is answered by nobody any more.
        self.way.turn(Way.REFUSE)
        self.way.turn(Way.PASS)

    async def gate(self, **changes: Any) -> GateCaller:
        """Return a new gate for the cluster's object checkout."""
        made = await registered(self.admin, self.http, **changes)
        self.gates.append(made)
        return made

    def manifests(self, name: str, gate: GateCaller, version: str) -> list[Manifest]:
        """Return what a user gets who replaces in a file of deploy/ what it says is to be replaced."""
        replaced = {
            "https://flagger:PASSWORD@passport.example": self.url.replace(
                "//", f"//flagger:{gate.credential}@"
            ),
            "https://passport.example": self.url,
            "PASSWORD": gate.credential,
            "GATE": gate.gate_id,
            f"registry.example/checkout@sha256:{'ab' * 32}": image(version),
        }
        return documents(DEPLOY / name, replaced)

    async def connector(self, kind: str, **settings: Any) -> connector_pb2.Connector:
        """Return a connector that follows checkout, with the rights that its test says it lacks and nothing else."""
        wanted = connector_pb2.Connector(
            title=kind, kind=kind, service=OURS.service, environment=OURS.environment
        )
        wanted.interval.FromTimedelta(timedelta(seconds=5))
        wanted.settings.update({"cluster": "eu-1", "namespace": "shop", "name": "checkout", **settings})
        probe = connector_service_pb2.TestConnectorRequest(connector=wanted)
        said = await self.admin("TestConnector", probe)
        assert (said.ready, bool(said.missing)) == (False, True), said
        await self.cluster.apply(*(one for one in yaml.safe_load_all(said.grant) if one))
        said = await self.admin("TestConnector", probe)
        assert (said.ready, list(said.missing)) == (True, []), said
        made = connector_service_pb2.CreateConnectorRequest(connector=wanted)
        connector: connector_pb2.Connector = (await self.admin("CreateConnector", made)).connector
        return connector

    async def found(self, connector: connector_pb2.Connector, kind: str) -> list[evidence_pb2.Evidence]:
        """Return what a connector found of a kind, the newest first."""
        request = evidence_service_pb2.ListEvidenceRequest(kind=kind, source=connector.source)
        return list((await self.admin("ListEvidence", request)).evidence)

    async def until_found(
        self, connector: connector_pb2.Connector, kind: str, is_so: Callable[[evidence_pb2.Evidence], object]
    ) -> evidence_pb2.Evidence:
        """Return the newest evidence of a kind as soon as something holds of it."""
        found: list[evidence_pb2.Evidence] = []
        for _ in range(150):
            found = await self.found(connector, kind)
            if found and is_so(found[0]):
                return found[0]
            await asyncio.sleep(0.2)
        raise AssertionError(f"{kind} stays {found[:1]}")

    async def unreviewed(self, release: str) -> list[str]:
        """Return the reasons of what waits for a review of a release."""
        request = override_service_pb2.ListOverridesRequest(unreviewed=True)
        listed = await self.admin("ListOverrides", request)
        return [one.reason for one in listed.overrides if one.name.startswith(f"{release}/")]

    async def until_unreviewed(self, release: str) -> None:
        """Wait until something of a release waits for a review."""
        for _ in range(300):
            if await self.unreviewed(release):
                return
            await asyncio.sleep(0.2)
        raise AssertionError(f"nothing of {release} waits for a review")

    async def review(self, release: str) -> None:
        """Have what waits for a review of a release reviewed by a person."""
        listed = await self.admin("ListOverrides", override_service_pb2.ListOverridesRequest(unreviewed=True))
        for one in listed.overrides:
            if one.name.startswith(f"{release}/"):
                said = "looked at it with the people on call"
                review = override_service_pb2.ReviewOverrideRequest(name=one.name, review=said)
                await self.admin("ReviewOverride", review)

    async def attempts(self, release: str) -> list[str]:
        """Return what the rollouts of a release came to."""
        found = await self.admin("GetRelease", release_service_pb2.GetReleaseRequest(name=release))
        return [release_pb2.AttemptOutcome.Name(one.outcome) for one in found.release.attempts]

    async def until_ended(self, release: str, outcome: str) -> None:
        """Wait until the newest rollout of a release has come to this."""
        found: list[str] = []
        for _ in range(100):
            if (found := await self.attempts(release))[-1:] == [f"ATTEMPT_OUTCOME_{outcome}"]:
                return
            await asyncio.sleep(0.2)
        raise AssertionError(f"{release} stays {found}")

    async def open_attempt(self) -> str:
        """Return the one rollout that is open, empty where none is."""
        found = await self.server.store.read("default", lambda reader: reader.open_attempts())
        return found[0].name if found else ""


@asynccontextmanager
async def real_shop(
    cluster: RealCluster, folder: Path, rights: str, *, window: timedelta = timedelta(0)
) -> AsyncIterator[RealShop]:
    """Serve Release Passport with the rights that a file of deploy/ grants, and nothing else."""
    await cluster.apply(*documents(DEPLOY / rights))
    clusters = folder / "clusters"
    cluster.give(clusters, "eu-1", await cluster.token_of(ACCOUNT, ACCOUNT))
    async with real_server(folder, clusters={"folder": str(clusters)}) as server:
        admin = await opened(Caller(server, server.token))
        await watched(admin, window=window)
        port = server.process.http_port
        with standing_before("127.0.0.1", port) as way:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
                yield RealShop(cluster, server, admin, http, clusters, way)


@asynccontextmanager
async def sampling(shop: RealShop, errors: float) -> AsyncIterator[None]:
    """Measure the error rate of the rollout that is open every second."""

    async def measure() -> None:
        while True:
            if attempt := await shop.open_attempt():
                await sampled(shop.admin, attempt, errors)
            await asyncio.sleep(1)

    measuring = asyncio.create_task(measure())
    try:
        yield
    finally:
        measuring.cancel()
        with suppress(asyncio.CancelledError):
            await measuring


def deployment(version: str, name: str = "checkout", **more: Any) -> Manifest:
    """Return a Deployment of a version of the shop's service."""
    labels = {"app": name}
    container: Manifest = {
        "name": "app",
        "image": image(version),
        "ports": [{"containerPort": 8080}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop", "labels": dict(labels)},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": dict(labels)},
            "template": {"metadata": {"labels": dict(labels)}, "spec": {"containers": [container]}},
            **more,
        },
    }


def ingress() -> Manifest:
    """Return the Ingress by which Flagger shifts the traffic of checkout where the provider is nginx."""
    path: Manifest = {
        "path": "/",
        "pathType": "Prefix",
        "backend": {"service": {"name": "checkout", "port": {"number": 80}}},
    }
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "checkout", "namespace": "shop"},
        "spec": {
            "ingressClassName": "nginx",
            "rules": [{"host": "checkout.example", "http": {"paths": [path]}}],
        },
    }


def quicker(canary: Manifest, **analysis: Any) -> Manifest:
    """Return a Canary that is looked at as often as Flagger allows."""
    found = copy.deepcopy(canary)
    found["spec"]["analysis"] |= {"interval": "10s", **analysis}
    for one in found["spec"]["analysis"]["webhooks"]:
        one["timeout"] = "5s"
    return found


def image_change(version: str) -> Manifest:
    """Return the change of a Deployment or Rollout that a deploy of a version makes."""
    container = {"name": "app", "image": image(version), "ports": [{"containerPort": 8080}]}
    return {"spec": {"template": {"spec": {"containers": [container]}}}}
