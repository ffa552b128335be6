"""What a gate answers while a rollout is watched: promotion, limits, rollback, and the samples for MetricTemplates."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import select, update

from release_passport.v1 import (
    decision_service_pb2,
    evidence_pb2,
    evidence_service_pb2,
    gate_service_pb2,
    policy_pb2,
    policy_service_pb2,
    watch_window_service_pb2,
)
from release_passport_server.adapters.sql import tables
from release_passport_server.domain.record import FeedEvent
from release_passport_server.domain.release import Latch
from release_passport_server.ports.store import Transaction
from release_passport_server.services import live_reading
from support.calls import Caller, somebody
from support.gates import CONFIRMING, GateCaller, Objects, image, registered, settled
from support.requests import ahead
from support.server import real_server
from support.shop import opened, released
from support.watching_shop import sampled, watched

pytestmark = pytest.mark.asyncio(loop_scope="module")
HOOKS = [*CONFIRMING, "rollback", "pre-rollout", "rollout", "prometheus"]


@pytest.fixture(autouse=True)
def each_question_reads_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_reading, "REMEMBERED_SECONDS", -1.0)


@dataclass
class Shop:
    """A service whose rollouts are watched for an hour."""

    admin: Caller
    http: httpx.AsyncClient
    objects: Objects

    async def begun(self, version: str, **changes: Any) -> tuple[GateCaller, str]:
        """Return a gate whose rollout of a version was let begin and looks good, and the attempt."""
        await settled(self.admin)
        await released(self.admin, version)
        gate = await registered(self.admin, self.http, **({"hooks": HOOKS} | changes))
        self.objects.deployment(image(version))
        self.objects.canary(webhooks=gate.webhooks(*CONFIRMING))
        assert (await gate.flagger("confirm-rollout")).status_code == 200
        (attempt,) = await self.admin.server.store.read("default", lambda reader: reader.open_attempts())
        self.objects.canary("Progressing", webhooks=gate.webhooks(*CONFIRMING), status={"canaryWeight": 10})
        await sampled(self.admin, attempt.name, 0.001)
        return gate, attempt.name


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    objects = Objects()
    async with real_server(tmp_path_factory.mktemp("promotion"), objects=objects) as running:
        admin = await opened(Caller(running, running.token))
        await watched(admin, window=timedelta(hours=1))
        base = f"http://127.0.0.1:{running.process.http_port}"
        async with httpx.AsyncClient(base_url=base) as http:
            yield Shop(admin, http, objects)


async def test_the_promotion_waits_for_the_watch_window_and_the_steps_do_not(shop: Shop) -> None:
    gate, _ = await shop.begun("4.0.0")
    assert (await gate.flagger("confirm-traffic-increase")).status_code == 200
    answer = await gate.flagger("confirm-promotion")
    assert (answer.status_code, "WINDOW_OPEN" in answer.text) == (403, True)


async def seen(shop: Shop, attempt: str, weight: int, ago: timedelta) -> None:
    """Let somebody have seen the rollout's weight a while ago."""
    facts = evidence_pb2.EvidenceFacts(rollout_status=evidence_pb2.RolloutStatus(object="o", weight=weight))
    item = evidence_pb2.EvidenceInput(
        subject=evidence_pb2.EvidenceSubject(attempt=attempt),
        facts=facts,
        observe_time=ahead(seconds=-ago.total_seconds()),
    )
    reading = await somebody(shop.admin, "sa:cluster", "connector")
    await reading("SubmitEvidence", evidence_service_pb2.SubmitEvidenceRequest(evidence=[item]))


def backdate(shop: Shop, attempt: str, ago: timedelta) -> None:
    """Let a rollout have begun a while ago."""
    c = tables.attempts.c
    with shop.admin.server.store._engine.begin() as connection:
        changed = update(tables.attempts).where(c.name == attempt).values(start_time=datetime.now(UTC) - ago)
        assert connection.execute(changed).rowcount == 1


async def test_the_window_of_a_promotion_passes_by_the_time_of_exposure(shop: Shop) -> None:
    gate, attempt = await shop.begun("4.0.1")
    backdate(shop, attempt, timedelta(hours=3))
    shop.objects.canary("WaitingPromotion", webhooks=gate.webhooks(*CONFIRMING))
    # Nobody looks at exposure: the clock runs from the start.
    assert (await gate.flagger("confirm-promotion")).status_code == 200
    for weight, minutes, code in ((0, 170, 403), (10, 120, 200), (0, 90, 403), (10, 20, 403), (10, 45, 200)):
        await seen(shop, attempt, weight, timedelta(minutes=minutes))
        # Controllers ask again and again, and others may have asked about the release before.
        for _ in range(3):
            answer = await gate.flagger("confirm-promotion")
            told = (answer.status_code, "WINDOW_OPEN" in answer.text)
            assert told == (code, code == 403), (weight, minutes)
            await shop.admin(
                "Evaluate", decision_service_pb2.EvaluateRequest(release=attempt.rpartition("/attempts/")[0])
            )


async def test_the_promotion_waits_for_the_signal_of_a_required_rule(shop: Shop) -> None:
    need = policy_pb2.Need(kind="metric_sample", keys=["latency"], sources=["user:*"])
    rule = policy_pb2.Rule(
        rule_id="fast",
        title="Fast?",
        stages=["STAGE_WATCH"],
        needs=[need],
        when="attempt.number > 1",
        expect="evidence.metric_sample.value < 1.0",
    )
    spec = policy_pb2.PolicySpec(mode="POLICY_MODE_ENFORCE", rules=[rule])
    spec.watch.duration.FromTimedelta(timedelta(hours=1))
    spec.watch.required_rules.append("fast")
    wanted = policy_pb2.Policy(policy_id="fast", spec=spec)
    made = (await shop.admin("CreatePolicy", policy_service_pb2.CreatePolicyRequest(policy=wanted))).policy
    gate, attempt = await shop.begun("4.0.2")
    backdate(shop, attempt, timedelta(hours=3))
    assert (await gate.flagger("confirm-traffic-increase")).status_code == 200
    assert (await gate.flagger("confirm-promotion")).status_code == 403
    await shop.admin("DeletePolicy", policy_service_pb2.DeletePolicyRequest(name=made.name, etag=made.etag))
    assert (await gate.flagger("confirm-promotion")).status_code == 403
    name, reason = f"{attempt}/watchWindow", "nothing reports the latency of this service"
    shown = await shop.admin(
        "AdoptPolicies", watch_window_service_pb2.AdoptPoliciesRequest(name=name, validate_only=True)
    )
    adopted = watch_window_service_pb2.AdoptPoliciesRequest(name=name, reason=reason, etag=shown.etag)
    await shop.admin("AdoptPolicies", adopted)
    assert (await gate.flagger("confirm-promotion")).status_code == 200


async def answered_in(shop: Shop, attempt: str, seconds: float, ago: timedelta) -> None:
    """Let the rollout have answered so slowly a while ago."""
    facts = evidence_pb2.EvidenceFacts(metric_sample=evidence_pb2.MetricSample(name="latency", value=seconds))
    item = evidence_pb2.EvidenceInput(
        subject=evidence_pb2.EvidenceSubject(attempt=attempt),
        facts=facts,
        observe_time=ahead(seconds=-ago.total_seconds()),
    )
    await shop.admin("SubmitEvidence", evidence_service_pb2.SubmitEvidenceRequest(evidence=[item]))


async def test_the_promotion_waits_for_a_signal_since_the_exposure(shop: Shop) -> None:
    need = policy_pb2.Need(kind="metric_sample", keys=["latency"], sources=["user:*"])
    need.max_age.FromTimedelta(timedelta(hours=4))
    rule = policy_pb2.Rule(
        rule_id="fast",
        title="Fast?",
        stages=["STAGE_WATCH"],
        needs=[need],
        expect="evidence.metric_sample.value < 1.0",
        failures=2,
    )
    spec = policy_pb2.PolicySpec(mode="POLICY_MODE_ENFORCE", rules=[rule])
    spec.watch.duration.FromTimedelta(timedelta(hours=1))
    spec.watch.required_rules.append("fast")
    wanted = policy_pb2.Policy(policy_id="fast", spec=spec)
    made = (await shop.admin("CreatePolicy", policy_service_pb2.CreatePolicyRequest(policy=wanted))).policy
    gate, attempt = await shop.begun("4.0.3")
    backdate(shop, attempt, timedelta(hours=3))
    await seen(shop, attempt, 10, timedelta(hours=2))
    for seconds, minutes, code in ((0.5, 150, 403), (1.5, 100, 403), (0.5, 60, 200)):
        await answered_in(shop, attempt, seconds, timedelta(minutes=minutes))
        assert (await gate.flagger("confirm-traffic-increase")).status_code == 200
        assert (await gate.flagger("confirm-promotion")).status_code == code, minutes
    await shop.admin("DeletePolicy", policy_service_pb2.DeletePolicyRequest(name=made.name, etag=made.etag))


async def test_a_rollback_is_told_only_while_the_condemned_digests_are_in_the_canary(shop: Shop) -> None:
    gate, attempt = await shop.begun("4.1.0", on_rollback="GATE_ON_ROLLBACK_EXECUTE")
    assert (await gate.flagger("rollback")).status_code == 403
    await sampled(shop.admin, attempt, 0.5)
    for phase in ("Promoting", "Finalising", "Succeeded", "Failed", "Waiting"):
        shop.objects.canary(phase, webhooks=gate.webhooks(*CONFIRMING))
        assert (await gate.flagger("rollback")).status_code == 403, phase
    shop.objects.deployment(image("4.0.0"))
    shop.objects.canary("Progressing", webhooks=gate.webhooks(*CONFIRMING))
    assert (await gate.flagger("rollback")).status_code == 403
    shop.objects.deployment(image("4.1.0"))
    # While it waits for the promotion its status says that nothing is exposed.
    for phase in ("Progressing", "WaitingPromotion"):
        shop.objects.canary(phase, webhooks=gate.webhooks(*CONFIRMING))
        answer = await gate.flagger("rollback")
        assert (answer.status_code, answer.text.startswith("roll back:")) == (200, True), phase


async def test_what_many_rollouts_share_takes_few_of_them_back(shop: Shop) -> None:
    gate, attempt = await shop.begun("4.1.1", on_rollback="GATE_ON_ROLLBACK_EXECUTE")
    others = [attempt.replace("checkout", f"other-{number}") for number in range(3)]

    def latch(tx: Transaction) -> None:
        for name in others:
            tx.put_latch(name, Latch(f"l-{name}", "p", "r", "d", name, True, "EXPECTATION_FAILED", tx.now))
        tx.emit(FeedEvent("test", "", ()))

    await shop.admin.server.store.write("default", latch)
    await sampled(shop.admin, attempt, 0.5)
    answer = await gate.flagger("rollback")
    assert (answer.status_code, "ROLLBACK_BRAKE" in answer.text) == (403, True)
    # The verdict stands, nothing goes on, and people are told.
    assert (await gate.flagger("confirm-traffic-increase")).status_code == 403
    c = tables.feed.c
    with shop.admin.server.store._engine.connect() as connection:
        assert len(connection.execute(select(c.subject).where(c.type == "gate.braked")).all()) == 1

    def acknowledge(tx: Transaction) -> None:
        tx.clear_latches(others[0])
        tx.emit(FeedEvent("test", "", ()))

    await shop.admin.server.store.write("default", acknowledge)
    assert (await gate.flagger("rollback")).status_code == 200


async def test_a_hold_is_no_failed_check_where_the_canary_waits_elsewhere(shop: Shop) -> None:
    gate, attempt = await shop.begun("4.2.0")
    await sampled(shop.admin, attempt, 0.5)
    for hook in ("rollout", "pre-rollout"):
        assert (await gate.flagger(hook)).status_code == 200
        assert (await gate.flagger("confirm-traffic-increase")).status_code == 403
    # Where it would go on to the next weight, or to everybody, without asking, nothing else holds it.
    for elsewhere in ("rollout",), ("rollout", "confirm-rollout"), CONFIRMING[:2], CONFIRMING[::2]:
        shop.objects.canary("Progressing", webhooks=gate.webhooks(*elsewhere))
        assert (await gate.flagger("rollout")).status_code == 403, elsewhere


async def test_a_counted_hook_where_one_failed_check_rolls_back_is_named(shop: Shop) -> None:
    gate, _ = await shop.begun("4.2.1")
    asks = gate.webhooks(*CONFIRMING, "rollout")

    async def problems() -> str:
        request = gate_service_pb2.GetGateHealthRequest(name=gate.gate.name)
        return " ".join((await shop.admin("GetGateHealth", request)).problems)

    for threshold, named in ((5, False), (1, True), (None, True), (10, False)):
        shop.objects.canary("Progressing", webhooks=asks, analysis={"threshold": threshold})
        assert (await gate.flagger("rollout")).status_code == 200
        assert ("rollout counts as a check" in await problems()) is named, threshold
        # Where it waits, nothing is counted.
        assert (await gate.flagger("confirm-traffic-increase")).status_code == 200
        assert "confirm" not in await problems()


@pytest.mark.parametrize(
    ("query", "sample"), [("vector(1)", "1"), ("vector( 1 )", "1"), ("release_passport_verdict{}", "1")]
)
async def test_a_metric_template_gets_a_sample_that_is_a_text(shop: Shop, query: str, sample: str) -> None:
    gate, _ = await shop.begun(f"4.3.{len(query)}")
    answer = await shop.http.get(
        gate.url("prometheus/api/v1/query"),
        params={"query": query},
        headers={"authorization": f"Bearer {gate.credential}"},
    )
    found = answer.json()
    assert (answer.status_code, found["status"]) == (200, "success")
    (one,) = found["data"]["result"]
    assert (found["data"]["resultType"], one["metric"], one["value"][1]) == ("vector", {}, sample)
    assert isinstance(one["value"][0], float)


async def test_what_stops_is_zero_and_what_is_not_known_is_no_sample(shop: Shop) -> None:
    gate, attempt = await shop.begun("4.4.0", on_rollback="GATE_ON_ROLLBACK_EXECUTE")

    async def sample(**headers: str) -> list[Any]:
        path = gate.url("prometheus/api/v1/query")
        sent = headers or {"authorization": f"Bearer {gate.credential}"}
        answer = await shop.http.get(path, params={"query": "x"}, headers=sent)
        return [one["value"][1] for one in answer.json()["data"]["result"]]

    assert await sample() == ["1"]
    await sampled(shop.admin, attempt, 0.5)
    assert await sample() == ["0"]
    shop.objects.deployment(image("unknown"))
    gate2, _ = await shop.begun("4.4.1")
    shop.objects.error = ConnectionError("away")
    path = gate2.url("prometheus/api/v1/query")
    sent = {"authorization": f"Bearer {gate2.credential}"}
    answer = await shop.http.get(path, params={"query": "x"}, headers=sent)
    shop.objects.error = None
    assert answer.json()["data"]["result"] == []
    assert await sample(authorization="Bearer wrong") == []


@pytest.mark.parametrize(
    ("asks", "vandal"),
    [
        (CONFIRMING, {"skipAnalysis": True}),
        # It would be promoted, or given more traffic, without asking anybody.
        (("confirm-rollout",), {}),
        (("confirm-rollout", "confirm-traffic-increase"), {}),
        (("confirm-rollout", "confirm-promotion"), {}),
    ],
)
async def test_a_canary_that_goes_on_without_asking_is_not_begun_as_one(
    shop: Shop, asks: tuple[str, ...], vandal: dict[str, Any]
) -> None:
    gate = await registered(shop.admin, shop.http, hooks=HOOKS)
    await settled(shop.admin)
    await released(shop.admin, "4.5.0")
    shop.objects.deployment(image("4.5.0"))
    shop.objects.canary(webhooks=gate.webhooks(*asks), **vandal)
    answer = await gate.flagger("confirm-rollout")
    assert (answer.status_code, "CANARY_NOT_CONFIGURED" in answer.text) == (403, True)
    shop.objects.canary(webhooks=gate.webhooks(*CONFIRMING))
    assert (await gate.flagger("confirm-rollout")).status_code == 200


async def test_a_blue_green_canary_that_asks_before_its_promotion_is_begun(shop: Shop) -> None:
    gate = await registered(shop.admin, shop.http, hooks=HOOKS)
    await settled(shop.admin)
    await released(shop.admin, "4.6.0")
    shop.objects.deployment(image("4.6.0"))
    for asks, code in (("confirm-rollout",), 403), (("confirm-rollout", "confirm-promotion"), 200):
        blue_green = {"stepWeight": None, "maxWeight": None, "iterations": 10}
        shop.objects.canary(webhooks=gate.webhooks(*asks), analysis=blue_green)
        assert (await gate.flagger("confirm-rollout")).status_code == code, asks


async def test_a_blue_green_promotion_that_was_let_go_stays_so_and_is_rolled_back_where_it_fails(
    shop: Shop,
) -> None:
    gate = await registered(shop.admin, shop.http, hooks=HOOKS, on_rollback="GATE_ON_ROLLBACK_EXECUTE")
    await settled(shop.admin)
    await released(shop.admin, "4.8.0")
    shop.objects.deployment(image("4.8.0"))
    asks = gate.webhooks("confirm-rollout", "confirm-promotion", "rollback")
    blue_green = {"stepWeight": None, "maxWeight": None, "iterations": 10}
    shop.objects.canary(webhooks=asks, analysis=blue_green)
    assert (await gate.flagger("confirm-rollout")).status_code == 200
    (attempt,) = await shop.admin.server.store.read("default", lambda reader: reader.open_attempts())
    shop.objects.canary("Progressing", webhooks=asks, analysis=blue_green)
    await sampled(shop.admin, attempt.name, 0.001)
    assert (await gate.flagger("confirm-promotion")).status_code == 403
    backdate(shop, attempt.name, timedelta(hours=3))
    assert (await gate.flagger("confirm-promotion")).status_code == 200
    # All traffic has moved when it asks again: to refuse now would park it on what was not promoted.
    await sampled(shop.admin, attempt.name, 0.5)
    answer = await gate.flagger("confirm-promotion")
    assert (answer.status_code, (await gate.flagger("rollback")).status_code) == (200, 200)


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [
        (
            [{"analysis": {}}, {"setWeight": 10}, {"analysis": {}}, {"setWeight": 50}, {"analysis": {}}],
            "allow",
        ),
        ([{"analysis": {}}, {"setWeight": 10}, {"setWeight": 50}, {"analysis": {}}], "hold"),
        ([{"analysis": {}}, {"setWeight": 10}, {"analysis": {}}, {"setWeight": 50}, {"pause": {}}], "hold"),
        ([{"analysis": {}}, {"setWeight": 10}, {"pause": {}}], "hold"),
    ],
)
async def test_a_rollout_that_goes_on_without_an_analysis_is_not_begun_as_a_canary(
    shop: Shop, steps: list[dict[str, Any]], verdict: str
) -> None:
    gate = await registered(shop.admin, shop.http, controller="GATE_CONTROLLER_ARGO_ROLLOUTS")
    await settled(shop.admin)
    await released(shop.admin, "4.7.0")
    shop.objects.rollout(image("4.7.0"))
    shop.objects.held["Rollout", "checkout"]["spec"]["strategy"]["canary"]["steps"] = steps
    body = await gate.argo()
    assert (body["verdict"], "CANARY_NOT_CONFIGURED" in body["reasons"]) == (verdict, verdict == "hold")
