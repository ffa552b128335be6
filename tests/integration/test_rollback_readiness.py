"""Whether there is a way back: from the record, a real registry and the cluster; what is not known is not ready."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest
import pytest_asyncio
import yaml

from release_passport.v1 import (
    connector_pb2,
    connector_service_pb2,
    decision_service_pb2,
    evidence_pb2,
    evidence_service_pb2,
    release_pb2,
)
from release_passport_server.domain.evidence import Verification
from release_passport_server.domain.record import Page
from release_passport_server.ports.store import EvidenceFilter
from support.connecting import Connected, connected
from support.fake_kubernetes import FakeKubernetes, Rule
from support.oci_registry import Pushed, debian_registry, digest_of, pushing
from support.story import manifests, rendered

SEEN = Rule(("get", "list"), ("deployments", "replicasets", "rollouts", "applications"), (), ("shop",))


@dataclass
class Shop:
    """A shop whose images are in a registry, and its cluster."""

    connected: Connected
    pushed: Pushed
    host: str
    cluster: FakeKubernetes

    async def image(self, version: str) -> str:
        """Push a version's image; return its digest."""
        return digest_of(await self.pushed.image(version))

    async def released(self, version: str, outcome: str = "", digest: str = "") -> str:
        """Register a version and, where it is said how, roll it out to its end; return the release's name."""
        story = self.connected.story
        artifact = release_pb2.Artifact(
            name=f"{self.host}/team/app", digest=digest or await self.image(version)
        )
        identity = release_pb2.ReleaseIdentity(
            service="checkout",
            environment="prod",
            version=version,
            artifacts=[artifact],
            manifest_digest=manifests(version),
        )
        request = decision_service_pb2.EvaluateRequest(identity=identity, evidence=[rendered(version, 0)])
        decision = (await story.call("DecisionService", "Evaluate", request)).decision
        if outcome:
            await story.finish((await story.start(decision)).name, outcome)
        return str(decision.release)

    async def readiness(self, release: str, **settings: Any) -> evidence_pb2.RollbackReadiness:
        """Return what a new connector says of the way back from a release."""
        said = await self.connected.collected(await self.made(**settings))
        return next(one.facts.rollback_readiness for one in said.evidence if one.subject.release == release)

    async def made(self, **settings: Any) -> connector_pb2.Connector:
        """Make a connector."""
        wanted = self.connected.wanted(kind="rollback-readiness", endpoint="")
        wanted.settings.Clear()
        wanted.settings.update(settings)
        return await self.connected.made(wanted)

    async def verified(self, digest: str) -> None:
        """Let an attestation of an image have been verified."""

        def act(tx: Any) -> None:
            (item,) = (one for one in tx.list_evidence(EvidenceFilter("provenance"), Page(50)).items)
            tx.put_verification(replace(item, verification=Verification.VERIFIED))

        submitted = evidence_pb2.EvidenceInput(
            subject=evidence_pb2.EvidenceSubject(artifact_digest=digest),
            facts=evidence_pb2.EvidenceFacts(provenance=evidence_pb2.Provenance(builder_id="ci")),
            bundle=b"{}",
        )
        submitted.observe_time.GetCurrentTime()
        request = evidence_service_pb2.SubmitEvidenceRequest(evidence=[submitted])
        await self.connected.story.call("EvidenceService", "SubmitEvidence", request)
        await self.connected.server.store.write("default", act)


@pytest.fixture
def cluster() -> Iterator[FakeKubernetes]:
    with FakeKubernetes() as running:
        yield running


@pytest_asyncio.fixture
async def shop(tmp_path: Path, cluster: FakeKubernetes) -> AsyncIterator[Shop]:
    folder = cluster.folder(tmp_path, cluster.account("reader", SEEN))
    with debian_registry(tmp_path) as url:
        host = url.removeprefix("http://")
        sections: dict[str, Any] = {
            "registries": {"hosts": url, "internal_hosts": host},
            "clusters": {"folder": str(folder)},
        }
        async with connected(tmp_path, **sections) as running, pushing(url) as pushed:
            yield Shop(running, pushed, host, cluster)


async def test_a_first_release_has_nothing_to_go_back_to(shop: Shop) -> None:
    release = await shop.released("1.0.0")
    facts = await shop.readiness(release)
    assert (facts.ready, facts.target_release, facts.complete) == (False, "", True)
    assert "nothing to go back to" in facts.blockers[0]


async def test_the_release_that_passed_last_is_the_way_back_as_long_as_its_image_is_there(shop: Shop) -> None:
    first = await shop.image("1.0.0")
    passed = await shop.released("1.0.0", "PASSED", first)
    await shop.released("1.5.0", "ROLLED_BACK")
    release = await shop.released("2.0.0")
    facts = await shop.readiness(release)
    assert (facts.target_release, facts.target_digest, facts.pullable) == (passed, first, True)
    assert facts.HasField("last_healthy_time")
    assert facts.HasField("last_exercised_time")
    # Nobody has said that its provenance was verified.
    assert not facts.HasField("ready")
    assert not facts.HasField("verified")
    await shop.verified(first)
    facts = await shop.readiness(release, migrations_reversible=True)
    assert (facts.ready, facts.verified, list(facts.blockers)) == (True, True, [])
    assert facts.migration_reversible
    deleted = await shop.pushed.client.delete(f"/v2/{shop.pushed.repository}/manifests/{first}")
    if deleted.status_code == 405:
        remove(shop, first)
    facts = await shop.readiness(release)
    assert (facts.ready, facts.pullable) == (False, False)
    assert "is gone from its registry" in facts.blockers[0]


def remove(shop: Shop, digest: str) -> None:
    """Remove an image from the folder of a registry that deletes nothing by itself."""
    folder = shop.connected.folder / "registry" / "docker/registry/v2/repositories" / shop.pushed.repository
    rmtree(folder / "_manifests/revisions/sha256" / digest.removeprefix("sha256:"))


async def test_a_registry_that_is_not_read_leaves_it_open(shop: Shop) -> None:
    shop.host = "registry.example.com"
    await shop.released("1.0.0", "PASSED")
    release = await shop.released("2.0.0")
    facts = await shop.readiness(release)
    assert not facts.HasField("ready")
    assert not facts.HasField("pullable")


def replicas(number: int, digest: str, uid: str = "d-1") -> dict[str, Any]:
    owner = {"uid": uid, "controller": True, "kind": "Deployment", "name": "checkout"}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"checkout-{number}-{uid}",
            "namespace": "shop",
            "labels": {"app": "checkout"},
            "annotations": {"deployment.kubernetes.io/revision": str(number)},
            "ownerReferences": [owner],
        },
        "spec": {"template": {"spec": {"containers": [{"name": "app", "image": f"x@{digest}"}]}}},
    }


def deployment(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "checkout", "namespace": "shop", "uid": "d-1"},
        "spec": {"selector": {"matchLabels": {"app": "checkout"}}} | spec,
    }


WORKLOAD = {"cluster": "eu-1", "namespace": "shop", "name": "checkout"}
OTHER = "sha256:" + "e" * 64


async def test_the_revision_is_found_by_its_number_and_not_by_its_age(shop: Shop) -> None:
    first = await shop.image("1.0.0")
    await shop.released("1.0.0", "PASSED", first)
    release = await shop.released("2.0.0")
    await shop.verified(first)
    shop.cluster.put(deployment())
    for one in (replicas(9, first), replicas(10, OTHER), replicas(7, OTHER), replicas(11, first, "another")):
        shop.cluster.put(one)
    facts = await shop.readiness(release, workload=WORKLOAD)
    assert (facts.ready, facts.target_revision) == (True, "9")
    shop.cluster.put(deployment(paused=True))
    facts = await shop.readiness(release, workload=WORKLOAD)
    assert (facts.ready, list(facts.blockers)) == (False, ["the workload is paused: an undo is refused"])


async def test_a_revision_that_was_pruned_stands_in_the_way(shop: Shop) -> None:
    first = await shop.image("1.0.0")
    await shop.released("1.0.0", "PASSED", first)
    release = await shop.released("2.0.0")
    shop.cluster.put(deployment())
    shop.cluster.put(replicas(10, OTHER))
    facts = await shop.readiness(release, workload=WORKLOAD)
    assert (facts.ready, facts.target_revision) == (False, "")
    assert "keeps no revision" in facts.blockers[0]


async def test_who_would_undo_an_undo_is_told(shop: Shop) -> None:
    await shop.released("1.0.0", "PASSED")
    release = await shop.released("2.0.0")
    application = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "checkout", "namespace": "shop"},
        "spec": {"syncPolicy": {"automated": {"selfHeal": True}}},
    }
    shop.cluster.put(application)
    gitops = WORKLOAD | {"object_kind": "Application"}
    assert (await shop.readiness(release, gitops=gitops)).gitops_reverts
    application["spec"] = {}
    shop.cluster.put(application)
    facts = await shop.readiness(release, gitops=gitops)
    assert (facts.HasField("gitops_reverts"), facts.gitops_reverts) == (True, False)


@pytest.mark.parametrize(("kind", "verb"), [("Deployment", "list"), ("Rollout", "get")])
async def test_what_may_not_be_read_is_said_with_the_role_that_would_grant_it(
    shop: Shop, cluster: FakeKubernetes, tmp_path: Path, kind: str, verb: str
) -> None:
    (tmp_path / "eu-1" / "token").write_text(cluster.account("nobody"))
    wanted = shop.connected.wanted(kind="rollback-readiness", endpoint="")
    wanted.settings.Clear()
    wanted.settings.update({"workload": WORKLOAD | {"object_kind": kind}})
    probe = connector_service_pb2.TestConnectorRequest(connector=wanted)
    said = await shop.connected.admin("TestConnector", probe)
    assert not said.ready
    role, _ = yaml.safe_load_all(said.grant)
    rules = {rule["resources"][0]: rule for rule in role["rules"]}
    assert rules[f"{kind.lower()}s"]["resourceNames"] == ["checkout"]
    assert rules["replicasets"]["verbs"] == [verb]
