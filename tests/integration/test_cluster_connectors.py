"""Objects of a cluster become evidence as they change, each read by its name under just the rights that it takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from release_passport.v1 import connector_pb2, evidence_pb2
from release_passport.v1 import connector_service_pb2 as pb
from release_passport_server.domain.connector import CollectFailure
from support.connecting import Connected, connected
from support.fake_kubernetes import FakeKubernetes, Raw, Rule

DIGEST, OLD = "sha256:" + "a" * 64, "sha256:" + "b" * 64
READ = ("get", "list", "watch")


def template(digest: str) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "app", "image": f"shop@{digest}"}]}}


def rollout(**status: Any) -> dict[str, Any]:
    steps = [{"setWeight": 10}, {"analysis": {"templates": [{"templateName": "web"}]}}, {"setWeight": 50}]
    known = {"phase": "Progressing", "currentPodHash": "new", "stableRS": "old", "currentStepIndex": 1}
    known |= {"observedGeneration": "1", "replicas": 4, "updatedReplicas": 1, "readyReplicas": 4}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "checkout", "namespace": "shop", "generation": 1},
        "spec": {"replicas": 4, "strategy": {"canary": {"steps": steps}}, "template": template(DIGEST)},
        "status": known | status,
    }


def replica_set() -> dict[str, Any]:
    metadata = {"name": "checkout-old", "namespace": "shop"}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": metadata,
        "spec": {"template": template(OLD)},
    }


def analysis(phase: str) -> dict[str, Any]:
    metric = {"name": "web", "phase": phase, "successful": 1}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": {"name": "checkout-new-2-1", "namespace": "shop"},
        "spec": {},
        "status": {"phase": phase, "metricResults": [metric]},
    }


@pytest.fixture
def api() -> Iterator[FakeKubernetes]:
    with FakeKubernetes() as running:
        running.put(replica_set())
        running.put(analysis("Successful"))
        status = {"name": "checkout-new-2-1", "status": "Successful"}
        running.put(rollout(canary={"currentStepAnalysisRunStatus": status}))
        yield running


RIGHTS = (
    Rule(READ, ("rollouts",), ("checkout",), ("shop",)),
    Rule(("get",), ("analysisruns", "replicasets"), (), ("shop",)),
)


@pytest_asyncio.fixture
async def shop(api: FakeKubernetes, tmp_path: Path) -> AsyncIterator[Connected]:
    folder = api.folder(tmp_path, api.account("reader", *RIGHTS))
    async with connected(tmp_path, clusters={"folder": str(folder)}) as running:
        yield running


def wanted(shop: Connected, kind: str = "argo-rollouts", **more: Any) -> connector_pb2.Connector:
    settings = {"cluster": "eu-1", "namespace": "shop", "name": "checkout"}
    given: dict[str, Any] = {"kind": kind, "endpoint": "", "paused": True} | more
    return shop.wanted(settings | given.pop("settings", {}), **given)


async def weights(shop: Connected, connector: connector_pb2.Connector) -> list[int]:
    """Return the weights that were seen, the newest first."""
    found = await shop.evidence(connector, "rollout_status")
    return [one.facts.rollout_status.weight for one in found]


async def test_a_rollout_is_read_with_its_analysis_and_its_stable_images(shop: Connected) -> None:
    said = await shop.collected(await shop.made(wanted(shop)))
    facts = {one.kind: one.facts for one in said.evidence}
    status = facts["rollout_status"].rollout_status
    assert (status.object, status.weight, status.step) == ("eu-1/shop/Rollout/checkout", 25, 1)
    assert (list(status.canary_image_digests), list(status.stable_image_digests)) == ([DIGEST], [OLD])
    assert status.complete
    run = facts["analysis_result"].analysis_result
    assert (run.template, run.phase) == ("web", evidence_pb2.ANALYSIS_PHASE_SUCCESSFUL)
    assert facts["runtime_health"].runtime_health.desired_replicas == 4
    assert not said.connector.health.problems


async def test_a_change_is_evidence_long_before_the_interval_is_over(
    shop: Connected, api: FakeKubernetes
) -> None:
    connector = await shop.made(wanted(shop, paused=False, interval={"seconds": 3600}))
    async with asyncio.timeout(20):
        while not await weights(shop, connector):
            pass
        for ready in (2, 3, 4):
            api.status("Rollout", "shop", "checkout", updatedReplicas=ready)
            while (await weights(shop, connector))[0] != ready * 25:
                pass


def named(api_version: str, kind: str, spec: dict[str, Any], **status: Any) -> dict[str, Any]:
    metadata = {"name": "checkout", "namespace": "shop", "generation": 1}
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": metadata,
        "spec": spec,
        "status": {"observedGeneration": 1} | status,
    }


COMMIT = "c" * 40
DEPLOYMENT = named(
    "apps/v1",
    "Deployment",
    {"replicas": 2, "template": template(DIGEST), "selector": {"matchLabels": {"app": "checkout"}}},
    replicas=2,
    updatedReplicas=2,
    availableReplicas=2,
    readyReplicas=1,
)
PRIMARY = named("apps/v1", "Deployment", {"template": template(OLD)}) | {
    "metadata": {"name": "checkout-primary", "namespace": "shop"}
}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "checkout-1", "namespace": "shop", "labels": {"app": "checkout"}},
    "spec": {},
    "status": {
        "containerStatuses": [
            {
                "imageID": f"shop@{OLD}",
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "restartCount": 3,
            }
        ]
    },
}
CANARY = named(
    "flagger.app/v1beta1",
    "Canary",
    {"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout"}},
    phase="Progressing",
    canaryWeight=20,
)
SYNCED = {
    "sync": {"status": "Synced", "revision": COMMIT},
    "health": {"status": "Healthy"},
    "operationState": {"phase": "Succeeded", "syncResult": {"revision": COMMIT}},
    "reconciledAt": "2026-01-01T00:00:00Z",
}
APPLICATION = named("argoproj.io/v1alpha1", "Application", {"project": "shop"}, **SYNCED)
READY = [{"type": "Ready", "status": "True", "observedGeneration": 1}]
KUSTOMIZATION = named(
    "kustomize.toolkit.fluxcd.io/v1",
    "Kustomization",
    {},
    conditions=READY,
    lastAttemptedRevision=f"main@sha1:{COMMIT}",
    lastAppliedRevision=f"main@sha1:{COMMIT}",
)
RELEASE = named(
    "helm.toolkit.fluxcd.io/v2",
    "HelmRelease",
    {"chart": {"spec": {"sourceRef": {"kind": "GitRepository", "name": "checkout"}}}},
    conditions=READY,
    history=[{"status": "deployed", "chartVersion": "1.0.0"}],
)
REPOSITORY = named(
    "source.toolkit.fluxcd.io/v1", "GitRepository", {}, artifact={"revision": f"main@sha1:{COMMIT}"}
)
KINDS: list[tuple[str, dict[str, Any], list[dict[str, Any]], str, dict[str, Any]]] = [
    (
        "flagger",
        {},
        [CANARY, DEPLOYMENT, PRIMARY],
        "rollout_status",
        {"weight": 20, "canary_image_digests": [DIGEST], "stable_image_digests": [OLD], "complete": True},
    ),
    (
        "kubernetes-workload",
        {"pods": True},
        [DEPLOYMENT, POD],
        "runtime_health",
        {"ready_replicas": 1, "crash_looping_containers": 1, "image_digests": [OLD]},
    ),
    ("kubernetes-workload", {}, [DEPLOYMENT], "runtime_health", {"image_digests": [DIGEST]}),
    (
        "argo-cd-application",
        {},
        [APPLICATION],
        "gitops_sync",
        {"revision": COMMIT, "operation_revision": COMMIT},
    ),
    (
        "flux",
        {},
        [KUSTOMIZATION],
        "gitops_sync",
        {"sync_state": evidence_pb2.SYNC_STATE_SYNCED, "revision": COMMIT, "suspended": False},
    ),
    (
        "flux",
        {"object_kind": "HelmRelease"},
        [RELEASE, REPOSITORY],
        "gitops_sync",
        {"sync_state": evidence_pb2.SYNC_STATE_SYNCED, "operation_revision": COMMIT},
    ),
]


@pytest.mark.parametrize(
    ("kind", "settings", "objects", "gives", "expected"), KINDS, ids=[f"{one[0]} {one[1]}" for one in KINDS]
)
async def test_each_kind_reads_what_it_names_and_needs_no_more_than_it_says(
    tmp_path: Path,
    kind: str,
    settings: dict[str, Any],
    objects: list[dict[str, Any]],
    gives: str,
    expected: dict[str, Any],
) -> None:
    with FakeKubernetes() as api:
        for one in objects:
            api.put(one)
        nobody = api.folder(tmp_path / "nobody", api.account("nobody"))
        (tmp_path / "nobody").mkdir(exist_ok=True)
        async with connected(tmp_path / "nobody", clusters={"folder": str(nobody)}) as shop:
            probe = pb.TestConnectorRequest(connector=wanted(shop, kind, settings=settings))
            grant = (await shop.admin("TestConnector", probe)).grant
        rules = next(yaml.safe_load_all(grant))["rules"]
        # What the manifest grants is enough, because the account has just that.
        given = [
            Rule(tuple(one["verbs"]), tuple(one["resources"]), tuple(one.get("resourceNames", ())), ("shop",))
            for one in rules
        ]
        folder = api.folder(tmp_path, api.account("reader", *given))
        async with connected(tmp_path, clusters={"folder": str(folder)}) as shop:
            said = await shop.collected(await shop.made(wanted(shop, kind, settings=settings)))
    assert not said.connector.health.problems, said.connector.health
    facts = getattr(next(one.facts for one in said.evidence if one.kind == gives), gives)
    read = {name: getattr(facts, name) for name in expected}
    assert {name: list(one) if name.endswith("digests") else one for name, one in read.items()} == expected


async def test_an_object_that_is_gone_is_told_and_found_again(shop: Connected, api: FakeKubernetes) -> None:
    connector = await shop.made(wanted(shop))
    api.delete("Rollout", "shop", "checkout")
    assert (await shop.collected(connector)).connector.health.failure == "OBJECT_NOT_FOUND"
    api.put(rollout())
    await shop.aged(connector)
    assert (await shop.collected(connector)).evidence


@pytest.mark.parametrize(
    ("trouble", "failure"),
    [
        (Raw(401), CollectFailure.CREDENTIAL_REFUSED),
        (Raw(403), CollectFailure.ACCESS_MISSING),
        (Raw(409), CollectFailure.SOURCE_UNREACHABLE),
        (Raw(410), CollectFailure.SOURCE_FAILED),
        (Raw(429), CollectFailure.SOURCE_BUSY),
        (Raw(500), CollectFailure.SOURCE_UNREACHABLE),
        (Raw(200, b"internal-host-17"), CollectFailure.ANSWER_BROKEN),
        (Raw(200, b"[" * 100_000), CollectFailure.ANSWER_BROKEN),
        (Raw(200, b" " * 3_000_000), CollectFailure.ANSWER_TOO_LARGE),
        (Raw(200, b'{"kind": "Rollout", "metadata": {"name": "another"}}'), CollectFailure.ANSWER_BROKEN),
    ],
)
async def test_whatever_the_api_answers_is_a_failure_in_our_words(
    shop: Connected, api: FakeKubernetes, trouble: Raw, failure: CollectFailure
) -> None:
    connector = await shop.made(wanted(shop))
    api.trouble = lambda _: trouble
    said = await shop.collected(connector)
    assert (said.connector.health.failure, list(said.evidence)) == (failure, [])
    assert "internal-host-17" not in str(said)


async def test_what_is_not_granted_is_said_with_the_role_that_would_grant_it(
    api: FakeKubernetes, tmp_path: Path
) -> None:
    folder = api.folder(tmp_path, api.account("nobody"))
    async with connected(tmp_path, clusters={"folder": str(folder)}) as shop:
        said = await shop.admin("TestConnector", pb.TestConnectorRequest(connector=wanted(shop)))
    assert (said.ready, list(said.visible)) == (False, [])
    role, _ = yaml.safe_load_all(said.grant)
    rules = {rule["resources"][0]: rule for rule in role["rules"]}
    assert (role["metadata"]["namespace"], rules["rollouts"]["resourceNames"]) == ("shop", ["checkout"])
    assert sorted(rules["rollouts"]["verbs"]) == sorted(READ)
    assert rules["analysisruns"]["verbs"] == ["get"]
    # No other connector's role has this name, so that none is put in another's place.
    assert role["metadata"]["name"] == "release-passport-argo-rollouts-rollout-checkout"
    assert not any("*" in str(rule) for rule in role["rules"])


async def test_a_right_that_is_needed_later_is_missed_at_once(api: FakeKubernetes, tmp_path: Path) -> None:
    """A gate's own role reads the Rollout: it can neither be followed with it, nor its analyses read."""
    folder = api.folder(
        tmp_path, api.account("gate", Rule(("get",), ("rollouts",), ("checkout",), ("shop",)))
    )
    async with connected(tmp_path, clusters={"folder": str(folder)}) as shop:
        probe = pb.TestConnectorRequest(connector=wanted(shop))
        said = await shop.admin("TestConnector", probe)
        assert (said.ready, bool(said.visible)) == (False, True)
        lacking = [one.partition("grant ")[2] for one in said.missing]
        assert "list, watch on rollouts.argoproj.io/checkout in namespace shop" in lacking
        assert "get on analysisruns.argoproj.io in namespace shop" in lacking
        # Where the cluster does not say what is granted, what was read is all that is told.
        api.reviews = False
        said = await shop.admin("TestConnector", probe)
    assert said.visible
    assert not [one for one in said.missing if "lacks a right" in one]


@pytest.mark.parametrize(
    ("given", "excess"),
    [
        ((), []),
        ((Rule(("patch",), ("rollouts/status",)),), ["patch on rollouts/status.argoproj.io/checkout"]),
        (
            (Rule(("*",), ("rollouts",)),),
            ["update, patch, delete on rollouts.argoproj.io/checkout"],
        ),
        # What it may do to another object is not this connector's to look at.
        ((Rule(("patch",), ("rollouts/status",), ("billing",)),), []),
    ],
)
async def test_a_token_that_may_go_past_the_gate_is_told(
    api: FakeKubernetes, tmp_path: Path, given: tuple[Rule, ...], excess: list[str]
) -> None:
    folder = api.folder(tmp_path, api.account("reader", *RIGHTS, *given))
    async with connected(tmp_path, clusters={"folder": str(folder)}) as shop:
        probe = pb.TestConnectorRequest(connector=wanted(shop))
        said = await shop.admin("TestConnector", probe)
        told = [one.partition("take away ")[2].partition(" in namespace")[0] for one in said.excess]
        # It sees all that it is for; that it may do more is another matter.
        assert (told, said.ready) == (excess, True)
        api.reviews = False
        assert not (await shop.admin("TestConnector", probe)).excess


async def test_what_helps_to_understand_the_rollout_may_be_missing(
    api: FakeKubernetes, tmp_path: Path
) -> None:
    folder = api.folder(tmp_path, api.account("reader", RIGHTS[0]))
    async with connected(tmp_path, clusters={"folder": str(folder)}) as shop:
        said = await shop.collected(await shop.made(wanted(shop)))
    status = next(one.facts.rollout_status for one in said.evidence if one.kind == "rollout_status")
    assert (status.weight, list(status.stable_image_digests), status.complete) == (25, [], False)
    assert {one.kind for one in said.evidence} == {"rollout_status", "runtime_health"}
    assert said.connector.health.state == connector_pb2.CONNECTOR_STATE_DEGRADED
    assert len(said.connector.health.problems) == 2


async def test_a_cluster_that_the_server_was_not_given_is_refused(shop: Connected) -> None:
    request = pb.TestConnectorRequest(connector=wanted(shop, settings={"cluster": "us-1"}))
    said = await shop.admin("TestConnector", request)
    assert (said.ready, said.failure) == (False, "SETTINGS_REFUSED")


async def test_nothing_is_listed_but_by_its_name(shop: Connected, api: FakeKubernetes) -> None:
    connector = await shop.made(wanted(shop, paused=False))
    async with asyncio.timeout(20):
        while not any(asked.verb == "watch" for asked in api.asked):
            await shop.now(connector)
    await shop.collected(connector)
    many = [asked for asked in api.asked if asked.verb in {"list", "watch"}]
    assert many
    assert all(asked.query["fieldSelector"] == "metadata.name=checkout" for asked in many)
