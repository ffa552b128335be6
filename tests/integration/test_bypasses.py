"""What runs although no gate let it is found, told, and has to be looked at before the next release goes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from release_passport.v1 import (
    connector_pb2,
    decision_pb2,
    decision_service_pb2,
    override_service_pb2,
    policy_pb2,
    release_pb2,
    release_service_pb2,
    verdict_pb2,
)
from release_passport.v1.audit_service_pb2 import ListAuditEntriesRequest
from release_passport_server.domain import bypass
from support.connecting import Connected, connected
from support.fake_kubernetes import FakeKubernetes, Rule
from support.story import Story, manifests, rendered
from support.watch_policy import enforce

RIGHTS = Rule(("get", "list", "watch"), ("rollouts", "replicasets"), (), ("shop",))
REASON = "looked at it with the people on call"


def digest(letter: str) -> str:
    return "sha256:" + letter * 64


@dataclass
class Shop:
    """A shop whose rollouts a connector sees."""

    connected: Connected
    cluster: FakeKubernetes
    connector: connector_pb2.Connector
    seen: bool = False

    @property
    def story(self) -> Story:
        return self.connected.story

    async def runs(self, letter: str, *, weight: int = 20, **status: Any) -> list[dict[str, Any]]:
        """Let the controller expose an image; return what was found to be bypassed."""
        before = len(await self.told())
        template = {"spec": {"containers": [{"name": "app", "image": f"shop@{digest(letter)}"}]}}
        known = {
            "phase": "Progressing",
            "currentPodHash": letter,
            "stableRS": "old",
            "observedGeneration": "1",
        }
        known["canary"] = {"weights": {"canary": {"weight": weight}}}  # type: ignore[assignment]
        if self.seen:
            # Made anew, its generation is the one that the status is about.
            self.cluster.delete("Rollout", "shop", "checkout")
        self.seen = True
        self.cluster.put(
            {
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "Rollout",
                "metadata": {"name": "checkout", "namespace": "shop", "generation": 1},
                "spec": {"template": template},
                "status": known | status,
            }
        )
        await self.connected.aged(self.connector)
        await self.connected.collected(self.connector)
        return (await self.told())[before:]

    async def told(self) -> list[dict[str, Any]]:
        """Return what was found so far, the oldest first."""
        found = await self.connected.evidence(self.connector, bypass.BYPASS_KIND)
        return [dict(one.facts.custom.facts) for one in reversed(found)]

    async def decided(self, version: str, letter: str) -> decision_pb2.Decision:
        """Return the decision about a version that has an image."""
        artifact = release_pb2.Artifact(name="shop", digest=digest(letter))
        identity = release_pb2.ReleaseIdentity(
            service="checkout",
            environment="prod",
            version=version,
            artifacts=[artifact],
            manifest_digest=manifests(version),
        )
        request = decision_service_pb2.EvaluateRequest(identity=identity, evidence=[rendered(version, 0)])
        answer = await self.story.call("DecisionService", "Evaluate", request)
        return answer.decision  # type: ignore[no-any-return]

    async def overrides(self) -> list[Any]:
        """Return what waits for a review."""
        request = override_service_pb2.ListOverridesRequest(unreviewed=True)
        return list((await self.story.call("OverrideService", "ListOverrides", request)).overrides)


@pytest.fixture
def cluster() -> Iterator[FakeKubernetes]:
    with FakeKubernetes() as running:
        yield running


@pytest_asyncio.fixture
async def shop(tmp_path: Path, cluster: FakeKubernetes) -> AsyncIterator[Shop]:
    folder = cluster.folder(tmp_path, cluster.account("reader", RIGHTS))
    async with connected(tmp_path, clusters={"folder": str(folder)}) as running:
        wanted = running.wanted(kind="argo-rollouts", endpoint="")
        wanted.settings.Clear()
        wanted.settings.update({"cluster": "eu-1", "namespace": "shop", "name": "checkout"})
        made = Shop(running, cluster, await running.made(wanted))
        # What ran before anybody looked is where it begins.
        assert await made.runs("a") == []
        yield made


async def test_what_was_let_begin_is_no_bypass(shop: Shop) -> None:
    await shop.story.start(await shop.decided("1.0.0", "b"))
    assert await shop.runs("b") == []
    assert await shop.runs("b", weight=50) == []
    assert await shop.overrides() == []


async def test_what_runs_without_a_rollout_stands_until_somebody_has_reviewed_it(shop: Shop) -> None:
    decision = await shop.decided("1.0.0", "b")
    (found,) = await shop.runs("b")
    assert (found["how"], found["release"], found["object"]) == (
        "NOT_ADMITTED",
        decision.release,
        "eu-1/shop/Rollout/checkout",
    )
    # It is told once, however long it runs.
    assert await shop.runs("b", weight=50) == []
    (entry,) = await shop.overrides()
    assert (entry.name, entry.retrospective, list(entry.artifact_digests)) == (
        found["override"],
        True,
        [digest("b")],
    )
    assert "GATE_BYPASSED NOT_ADMITTED" in entry.reason
    request = release_service_pb2.GetPassportRequest(name=decision.release)
    passport = (await shop.story.call("ReleaseService", "GetPassport", request)).passport
    assert [one.name for one in passport.overrides] == [entry.name]
    held = await shop.decided("2.0.0", "c")
    assert held.effective_verdict == verdict_pb2.VERDICT_REQUIRE_APPROVAL
    assert "OVERRIDE_UNREVIEWED" in {one.reason for one in held.findings}
    review = override_service_pb2.ReviewOverrideRequest(name=entry.name, review=REASON)
    await shop.story.call("OverrideService", "ReviewOverride", review)
    assert (await shop.decided("2.0.0", "c")).effective_verdict == verdict_pb2.VERDICT_ALLOW
    audit = await shop.connected.admin("ListAuditEntries", ListAuditEntriesRequest())
    assert "DetectBypass" in {one.action for one in audit.entries}


async def test_what_was_held_for_long_is_found_all_the_same(shop: Shop) -> None:
    for _ in range(25):
        assert await shop.runs("b", weight=0) == []
    assert [one["digests"] for one in await shop.runs("b")] == [[digest("b")]]


async def test_images_of_no_release_are_told_too(shop: Shop) -> None:
    (found,) = await shop.runs("e")
    assert (found["how"], found["release"], found["override"]) == ("NO_RELEASE_FOR_DIGESTS", "", "")
    assert await shop.overrides() == []


async def test_what_takes_no_traffic_bypassed_nothing(shop: Shop) -> None:
    await shop.decided("1.0.0", "b")
    assert await shop.runs("b", weight=0) == []
    assert len(await shop.runs("b", weight=5)) == 1


async def test_what_was_taken_back_may_not_come_back_by_itself(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = await shop.story.start(await shop.decided("1.0.0", "b"))
    assert await shop.runs("b") == []
    await shop.story.finish(attempt.name, "ROLLED_BACK")
    # The first look is where it begins: what ran then has no release, and is told once it runs again.
    await shop.runs("a")
    monkeypatch.setattr(bypass, "GRACE", timedelta(0))
    (found,) = [one for one in await shop.runs("b") if one["digests"] == [digest("b")]]
    assert found["how"] == "NOT_ADMITTED"


async def test_going_back_to_what_passed_is_no_bypass(shop: Shop) -> None:
    attempt = await shop.story.start(await shop.decided("1.0.0", "b"))
    await shop.runs("b")
    await shop.story.finish(attempt.name, "PASSED")
    await shop.story.start(await shop.decided("2.0.0", "c"))
    assert await shop.runs("c") == []
    assert await shop.runs("b") == []


async def test_a_canary_that_skips_its_steps_is_told(shop: Shop) -> None:
    need = policy_pb2.Need(kind="manifest_render", sources=["user:*"])
    rule = policy_pb2.Rule(
        rule_id="pinned", needs=[need], expect="evidence.manifest_render.unpinned_images == 0"
    )
    await enforce(shop.story, "canary", rule, canary=policy_pb2.CanaryConstraints(max_weight=20))
    decision = await shop.decided("1.0.0", "b")
    assert decision.effective_verdict == verdict_pb2.VERDICT_ALLOW_WITH_CANARY
    await shop.story.start(decision)
    assert await shop.runs("b") == []
    (found,) = await shop.runs("b", promoteFull=True)
    assert found["how"] == "STEPS_SKIPPED"
    assert await shop.runs("b", promoteFull=True) == []


async def test_a_release_that_may_go_without_a_canary_may_skip_its_steps(shop: Shop) -> None:
    await shop.story.start(await shop.decided("1.0.0", "b"))
    assert await shop.runs("b", promoteFull=True) == []
