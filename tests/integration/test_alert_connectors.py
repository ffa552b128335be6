"""Alerts are read from a real Alertmanager and from recorded answers; applications from Argo CD's API as recorded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import yaml

from release_passport.v1 import connector_pb2, evidence_pb2
from release_passport.v1 import connector_service_pb2 as pb
from support.connecting import Connected, connected
from support.data import sample
from support.debian_servers import alertmanager
from support.http_peer import Asked, Write, reply

LABELS = {"labels": {"service": "checkout"}}
WATCHDOG = {"labels": {"alertname": "Watchdog"}, "status": {"state": "active"}, "fingerprint": "w"}


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Connected]:
    async with connected(tmp_path) as running:
        yield running


def serving(answers: dict[str, Any]) -> Callable[[Asked, Write], Any]:
    async def answer(asked: Asked, write: Write) -> None:
        body = json.dumps(answers[asked.target.partition("?")[0]]).encode()
        await reply(body, content_type="application/json")(asked, write)

    return answer


async def alerts(shop: Connected, answers: dict[str, Any], **settings: Any) -> pb.CollectNowResponse:
    shop.metrics.instead = serving(answers)
    return await shop.collected(await shop.made(shop.wanted(LABELS | settings, kind="alertmanager")))


def state(said: pb.CollectNowResponse) -> evidence_pb2.IncidentState:
    (found,) = said.evidence
    return found.facts.incident_state


async def test_alerts_that_fire_are_open_incidents(shop: Connected) -> None:
    path = sample("samples/alertmanager/real_alerts_filter_service_checkout_active_only_200.json")
    found = json.loads(path.read_text())
    other = {"labels": {"alertname": "Other", "service": "billing"}, "status": {"state": "active"}}
    facts = state(await alerts(shop, {"/api/v2/alerts": [WATCHDOG, *found, other]}))
    assert (facts.open_count, facts.sev1, facts.suppressed, facts.complete) == (1, 1, 0, True)
    assert facts.watchdog_seen
    assert facts.open_incidents[0].title == "CheckoutCanaryHighErrorRate"


async def test_without_the_alert_that_always_fires_nothing_is_known(shop: Connected) -> None:
    said = await alerts(shop, {"/api/v2/alerts": []})
    facts = state(said)
    assert not facts.watchdog_seen
    assert not any(facts.HasField(name) for name in ("complete", "open_count", "sev1", "suppressed"))
    assert said.connector.health.state == connector_pb2.CONNECTOR_STATE_DEGRADED


async def test_a_silence_hides_an_alert_and_not_that_it_does(shop: Connected) -> None:
    hidden = {
        "labels": {"alertname": "Errors", "service": "checkout", "severity": "critical"},
        "status": {"state": "suppressed", "silencedBy": ["s-1"], "inhibitedBy": []},
    }
    silences = [
        {"id": "s-1", "updatedAt": "2026-11-22T22:35:07.282Z"},
        {"id": "s-2", "updatedAt": "2026-11-23T22:35:07Z"},
    ]
    answers = {"/api/v2/alerts": [WATCHDOG, hidden], "/api/v2/silences": silences}
    facts = state(await alerts(shop, answers))
    assert (facts.open_count, facts.suppressed, facts.sev1) == (0, 1, 0)
    assert facts.newest_silence_time.ToDatetime(UTC).hour == 22


async def test_the_words_for_severities_are_the_settings(shop: Connected) -> None:
    def alert(severity: str) -> dict[str, Any]:
        return {"labels": {"service": "checkout", "severity": severity}, "status": {"state": "active"}}

    found = [WATCHDOG, alert("p0"), alert("warning"), alert("whatever")]
    facts = state(await alerts(shop, {"/api/v2/alerts": found}, severities={"p0": "SEV1"}))
    assert (facts.sev1, facts.sev3, facts.unclassified, facts.open_count) == (1, 1, 1, 3)


@pytest.mark.parametrize("value", [{}, "text", [1], [{"labels": 5, "status": 5}], [None]])
async def test_an_answer_of_another_form_is_no_evidence(shop: Connected, value: object) -> None:
    said = await alerts(shop, {"/api/v2/alerts": value})
    assert not any(one.facts.incident_state.HasField("open_count") for one in said.evidence)


async def test_a_real_alertmanager_is_read(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    times = {"startsAt": now.isoformat(), "endsAt": (now + timedelta(hours=1)).isoformat()}
    firing = [
        {"labels": {"alertname": "Watchdog"}, **times},
        {"labels": {"alertname": "Errors", "service": "checkout", "severity": "critical"}, **times},
    ]
    silence = {
        "matchers": [{"name": "alertname", "value": "Errors", "isRegex": False, "isEqual": True}],
        "createdBy": "sre",
        "comment": "release",
        **times,
    }
    with alertmanager(tmp_path) as url:
        (tmp_path / "server").mkdir()
        async with (
            connected(tmp_path / "server", connectors={"internal_origins": url}) as shop,
            httpx.AsyncClient(base_url=url, trust_env=False) as client,
        ):
            connector = await shop.made(shop.wanted(LABELS, kind="alertmanager", endpoint=url))

            async def read() -> evidence_pb2.IncidentState:
                await shop.aged(connector)
                return state(await shop.collected(connector))

            await shop.collected(connector)
            assert not (await read()).watchdog_seen
            assert (await client.post("/api/v2/alerts", json=firing)).status_code == 200
            async with asyncio.timeout(20):
                while not (facts := await read()).open_count:
                    pass
            assert (facts.open_count, facts.sev1, facts.suppressed) == (1, 1, 0)
            assert (await client.post("/api/v2/silences", json=silence)).status_code == 200
            async with asyncio.timeout(20):
                while not (facts := await read()).suppressed:
                    pass
            assert (facts.open_count, facts.sev1, facts.suppressed) == (0, 0, 1)
            assert abs(facts.newest_silence_time.ToDatetime(UTC) - datetime.now(UTC)) < timedelta(minutes=1)


def application() -> dict[str, Any]:
    path = sample("samples/derived/argocd_application_synced_degraded.yaml")
    found: dict[str, Any] = yaml.load(path.read_text(), yaml.BaseLoader)
    return found


async def test_an_application_is_read_of_its_project_and_never_refreshed(shop: Connected) -> None:
    manifest = application()
    settings = {"application": "checkout", "project": manifest["spec"]["project"]}
    shop.metrics.instead = serving({"/api/v1/applications/checkout": manifest})
    connector = await shop.made(shop.wanted(settings, kind="argo-cd"))
    (found,) = (await shop.collected(connector)).evidence
    facts = found.facts.gitops_sync
    assert (facts.sync_state, facts.health) == (
        evidence_pb2.SYNC_STATE_SYNCED,
        evidence_pb2.HEALTH_STATE_DEGRADED,
    )
    assert found.subject.source_revision == facts.revision == facts.operation_revision
    assert found.observe_time == facts.reconcile_time
    assert shop.source.asked[-1].target == f"/api/v1/applications/checkout?project={settings['project']}"


async def test_another_application_than_the_one_asked_for_is_no_evidence(shop: Connected) -> None:
    manifest = application()
    shop.metrics.instead = serving({"/api/v1/applications/checkout": manifest})
    settings = {"application": "checkout", "project": "another"}
    said = await shop.collected(await shop.made(shop.wanted(settings, kind="argo-cd")))
    assert said.connector.health.failure == "ANSWER_BROKEN"


async def test_the_policy_line_of_the_project_is_told(shop: Connected) -> None:
    manifest = application()
    shop.metrics.instead = serving({"/api/v1/applications/checkout": manifest})
    settings = {"application": "checkout", "project": manifest["spec"]["project"], "namespace": "apps"}
    request = pb.TestConnectorRequest(connector=shop.wanted(settings, kind="argo-cd"))
    said = await shop.admin("TestConnector", request)
    project = settings["project"]
    assert said.ready
    assert (
        said.grant == f"p, proj:{project}:release-passport, applications, get, {project}/apps/checkout, allow"
    )
