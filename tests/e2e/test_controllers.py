"""The recommended flow with simulated controllers: held, let go as a canary, degraded, rolled back, all on record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from release_passport.v1 import audit_service_pb2, gate_service_pb2, release_pb2, release_service_pb2
from support.calls import Caller
from support.controllers import ArgoMetric, Flagger
from support.gates import CONFIRMING, Objects, created, image, registered, settled
from support.server import real_server
from support.shop import opened, released
from support.watching_shop import sampled, watched

pytestmark = pytest.mark.asyncio(loop_scope="module")

WIRED = (*CONFIRMING, "rollback", "post-rollout")


@dataclass
class Shop:
    """A service whose rollouts are watched."""

    admin: Caller
    http: httpx.AsyncClient
    objects: Objects

    async def attempt(self) -> str:
        """Return the one rollout that is open."""
        found = await self.admin.server.store.read("default", lambda reader: reader.open_attempts())
        return found[0].name if found else ""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    objects = Objects()
    async with real_server(tmp_path_factory.mktemp("controllers"), objects=objects) as running:
        admin = await opened(Caller(running, running.token))
        await watched(admin)
        base = f"http://127.0.0.1:{running.process.http_port}"
        async with httpx.AsyncClient(base_url=base) as http:
            yield Shop(admin, http, objects)


async def flagger_of(shop: Shop, version: str, **changes: Any) -> tuple[Flagger, str]:
    """Return a Canary at a new gate that is about to run a version, and the gate's name."""
    await settled(shop.admin)
    gate = await registered(shop.admin, shop.http, **changes)

    def show(phase: str, weight: int) -> None:
        shop.objects.canary(phase, webhooks=gate.webhooks(*WIRED), status={"canaryWeight": weight})

    async def ask(hook: str) -> int:
        return (await gate.flagger(hook)).status_code

    shop.objects.deployment(image(version))
    show("Succeeded", 0)
    return Flagger(ask, show, WIRED), gate.gate.name


async def test_flagger_waits_goes_on_and_rolls_back_what_degrades(shop: Shop) -> None:
    flagger, gate = await flagger_of(shop, "2.0.0", on_rollback="GATE_ON_ROLLBACK_EXECUTE")
    name = await created(shop.admin, "2.0.0")
    for _ in range(3):
        await flagger.tick()
    assert (flagger.phase, flagger.failed_checks) == ("Waiting", 0)
    await released(shop.admin, "2.0.0")
    await flagger.tick()
    assert flagger.phase == "Progressing"
    attempt = await shop.attempt()
    await flagger.tick()
    # Nothing has been measured yet: it waits, and nothing is undone.
    assert (flagger.phase, flagger.weight, flagger.failed_checks) == ("Progressing", 0, 0)
    await sampled(shop.admin, attempt, 0.001)
    await flagger.tick()
    await flagger.tick()
    assert (flagger.phase, flagger.weight) == ("Progressing", 20)
    await sampled(shop.admin, attempt, 0.2)
    await flagger.tick()
    assert (flagger.phase, flagger.weight, flagger.calls[-2][0]) == ("Failed", 0, "rollback")

    release = (await shop.admin("GetRelease", release_service_pb2.GetReleaseRequest(name=name))).release
    assert [one.outcome for one in release.attempts] == [release_pb2.ATTEMPT_OUTCOME_ROLLED_BACK]
    health = await shop.admin("GetGateHealth", gate_service_pb2.GetGateHealthRequest(name=gate))
    assert health.healthy, list(health.problems)
    stops = [one for one in health.answers if one.answer == "STOP"]
    assert [(one.hook, one.release) for one in stops] == [("rollback", name)]
    entries = await shop.admin("ListAuditEntries", audit_service_pb2.ListAuditEntriesRequest(page_size=1000))
    done = [one.action for one in entries.entries if one.principal == f"gate:{gate.rpartition('/')[2]}"]
    assert {"AnswerGate", "Evaluate", "StartRollout", "RollBack", "FinishRollout"} <= set(done)


async def test_without_the_opt_in_the_recommended_rollback_waits_for_people(shop: Shop) -> None:
    flagger, _ = await flagger_of(shop, "2.1.0")
    await released(shop.admin, "2.1.0")
    await flagger.tick()
    await sampled(shop.admin, await shop.attempt(), 0.5)
    for _ in range(5):
        await flagger.tick()
    assert (flagger.phase, flagger.weight, flagger.failed_checks) == ("Progressing", 0, 0)


async def test_a_healthy_canary_is_promoted_and_its_rollout_passed(shop: Shop) -> None:
    flagger, _ = await flagger_of(shop, "2.2.0")
    name = await released(shop.admin, "2.2.0")
    await flagger.tick()
    attempt = await shop.attempt()
    for _ in range(7):
        await sampled(shop.admin, attempt, 0.001)
        await flagger.tick()
        if flagger.phase == "Succeeded":
            break
    assert flagger.phase == "Succeeded", flagger.calls
    release = (await shop.admin("GetRelease", release_service_pb2.GetReleaseRequest(name=name))).release
    assert [one.outcome for one in release.attempts] == [release_pb2.ATTEMPT_OUTCOME_PASSED]


async def test_an_outage_of_the_cluster_or_of_ours_undoes_nothing(shop: Shop) -> None:
    flagger, _ = await flagger_of(shop, "2.3.0", on_rollback="GATE_ON_ROLLBACK_EXECUTE")
    await released(shop.admin, "2.3.0")
    await flagger.tick()
    await sampled(shop.admin, await shop.attempt(), 0.001)
    await flagger.tick()
    assert flagger.weight == 10
    shop.objects.error = ConnectionError("away")
    for _ in range(20):
        await flagger.tick()
    assert (flagger.phase, flagger.weight, flagger.failed_checks) == ("Progressing", 10, 0)
    shop.objects.error = None
    await sampled(shop.admin, await shop.attempt(), 0.001)
    await flagger.tick()
    assert flagger.weight == 20


async def test_argo_polls_while_held_and_goes_on_by_itself(shop: Shop) -> None:
    await settled(shop.admin)
    gate = await registered(shop.admin, shop.http, controller="GATE_CONTROLLER_ARGO_ROLLOUTS")
    shop.objects.rollout(image("3.0.0"))

    async def ask() -> tuple[int, str]:
        return 200, (await gate.argo())["verdict"]

    metric = ArgoMetric(ask)
    await metric.measure()
    await created(shop.admin, "3.0.0")
    await metric.measure()
    assert metric.phase == "Running"
    await released(shop.admin, "3.0.0")
    await metric.measure()
    assert (metric.phase, metric.measured) == ("Successful", ["Inconclusive", "Inconclusive", "Successful"])


async def test_argo_aborts_what_degrades_where_the_gate_executes(shop: Shop) -> None:
    await settled(shop.admin)
    made = {"controller": "GATE_CONTROLLER_ARGO_ROLLOUTS", "on_rollback": "GATE_ON_ROLLBACK_EXECUTE"}
    gate = await registered(shop.admin, shop.http, **made)
    shop.objects.rollout(image("3.1.0"))
    await released(shop.admin, "3.1.0")
    assert (await gate.argo())["verdict"] == "allow"
    attempt = await shop.attempt()
    shop.objects.rollout(image("3.1.0"), index=2)
    verdicts = []

    async def ask() -> tuple[int, str]:
        body = await gate.argo("background")
        verdicts.append(body)
        return 200, body["verdict"]

    metric = ArgoMetric(ask, success_limit=0)
    await sampled(shop.admin, attempt, 0.001)
    await metric.measure()
    await sampled(shop.admin, attempt, 0.3)
    await metric.measure()
    assert (metric.phase, metric.measured) == ("Failed", ["Successful", "Failed"])
    assert verdicts[-1]["effectiveVerdict"] == "ROLLBACK_RECOMMENDED"
    assert verdicts[-1]["decision"]
    assert len(verdicts[-1]["digests"]) == 1


async def test_a_skipped_gate_is_seen_by_the_background_metric(shop: Shop) -> None:
    await settled(shop.admin)
    gate = await registered(shop.admin, shop.http, controller="GATE_CONTROLLER_ARGO_ROLLOUTS")
    await released(shop.admin, "3.2.0")
    shop.objects.rollout(image("3.2.0"), index=3)
    body = await gate.argo("background")
    assert "GATE_SKIPPED" in body["reasons"]


@pytest.mark.parametrize("trouble", ["unreadable", "no credential", "unknown gate", "not JSON"])
async def test_whatever_happens_here_argo_gets_200_and_hold(shop: Shop, trouble: str) -> None:
    gate = await registered(shop.admin, shop.http, controller="GATE_CONTROLLER_ARGO_ROLLOUTS")
    shop.objects.rollout(image("3.0.0"))
    path, sent = f"/v1/argo-rollouts/{gate.gate_id}/verdict", {"authorization": f"Bearer {gate.credential}"}
    match trouble:
        case "unreadable":
            shop.objects.error = ConnectionError("away")
        case "no credential":
            sent = {}
        case "unknown gate":
            path = f"/v1/argo-rollouts/{'0' * 26}/verdict"
    content = b"{" if trouble == "not JSON" else b"{}"
    answer = await shop.http.post(path, content=content, headers=sent)
    shop.objects.error = None
    assert (answer.status_code, answer.json()["verdict"], answer.json()["decision"]) == (200, "hold", "")
