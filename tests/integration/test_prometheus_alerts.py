"""Alerts as a Prometheus itself has them: the second source beside an Alertmanager, recorded and real."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from release_passport.v1 import evidence_pb2
from release_passport_server.adapters.connectors.alertmanager import COUNTS
from release_passport_server.adapters.connectors.prometheus_alerts import PrometheusAlerts
from release_passport_server.ports.connector import Answer, Collected, Target
from support.connecting import connected
from support.data import sample
from support.debian_servers import prometheus

NOW = datetime(2026, 11, 22, 22, 37, 40, tzinfo=UTC)


class Recorded:
    """A Prometheus that gives one answer."""

    place = "https://prometheus.example"

    def __init__(self, *rules: Mapping[str, Any]) -> None:
        self.rules = rules
        self.asked: list[tuple[str, object]] = []

    async def get(
        self,
        path: str,
        parameters: Mapping[str, str | Sequence[str]] | None = None,
        *,
        allowed: Sequence[int] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        self.asked.append((path, parameters))
        return Answer({"status": "success", "data": {"groups": [{"rules": list(self.rules)}]}}, 200)


def recorded() -> dict[str, dict[str, Any]]:
    """Return the rules that a real Prometheus told of, by name."""
    path = sample("samples/prometheus/real_rules_alerting_200.json")
    groups = json.loads(path.read_text())["data"]["groups"]
    return {rule["name"]: rule for group in groups for rule in group["rules"]}


def read(*rules: Mapping[str, Any], now: datetime = NOW) -> Collected:
    kind, source = PrometheusAlerts(), Recorded(*rules)
    settings = kind.settings({"labels": {"service": "checkout"}})
    found = asyncio.run(kind.collect(Target("acme", "01", "checkout", "prod", settings, now, source)))
    assert source.asked == [("/api/v1/rules", {"type": "alert"})]
    return found


def test_what_fires_is_open_and_what_is_pending_or_of_others_is_not() -> None:
    found = read(*recorded().values())
    (state,) = found.observations
    assert (state.kind, found.problems) == ("incident_state", ())
    assert (state.facts["open_count"], state.facts["sev1"], state.facts["sev3"]) == ("2", "1", "1")
    titles = {one["title"] for one in state.facts["open_incidents"]}
    assert titles == {"CheckoutCanaryHighErrorRate", "CheckoutQueueSaturation"}
    assert (state.facts["complete"], state.facts["watchdog_seen"]) == (True, True)
    # Prometheus knows of no silence: whether one hides an alert is not said, and hides none here.
    assert "suppressed" not in state.facts


@pytest.mark.parametrize(
    "change",
    [
        {"health": "err"},
        {"lastEvaluation": "2026-11-22T22:30:00Z"},
        {"lastEvaluation": None},
        {"alerts": []},
        {"alerts": [{"labels": {}, "state": "pending"}]},
        {"alerts": [{"labels": {}, "state": "whatever"}]},
        {"name": "Other"},
    ],
)
def test_without_an_alert_that_is_seen_to_fire_nothing_is_known(change: dict[str, Any]) -> None:
    rules = recorded()
    found = read(*(rules | {"Watchdog": rules["Watchdog"] | change}).values())
    assert found.observations[0].facts == {"provider": "prometheus-alerts", "watchdog_seen": False}
    assert len(found.problems) == 1


def test_rules_that_are_evaluated_no_more_prove_no_health() -> None:
    found = read(*recorded().values(), now=NOW + timedelta(hours=1))
    assert found.observations[0].facts["watchdog_seen"] is False


@pytest.mark.parametrize(
    ("labels", "complete"),
    [({"service": "checkout"}, False), ({}, False), ({"service": "billing"}, True)],
)
def test_a_rule_that_fails_is_no_rule_that_is_silent(labels: dict[str, str], complete: bool) -> None:
    broken = {"name": "Broken", "type": "alerting", "alerts": [], "health": "err", "labels": labels}
    found = read(*recorded().values(), broken)
    assert found.observations[0].facts["complete"] is complete
    # A count of none would let a release go, although nobody knows how many there are.
    assert (COUNTS & found.observations[0].facts.keys()) == (COUNTS if complete else set())
    assert bool(found.problems) is not complete
    assert "Broken" not in str(found.problems)


def test_an_alert_in_no_known_state_is_seen_and_a_recording_rule_is_none() -> None:
    odd = {"labels": {"service": "checkout"}, "state": None, "activeAt": 7}
    rule = {"name": "Odd", "type": "alerting", "alerts": [odd], "health": "ok", "labels": {}}
    recording = {"name": "job:errors", "type": "recording", "health": "ok"}
    found = read(recorded()["Watchdog"], recording, rule | {"lastEvaluation": NOW.isoformat()})
    facts = found.observations[0].facts
    assert (facts["open_count"], facts["unclassified"], facts["complete"]) == ("1", "1", True)


async def test_a_real_prometheus_is_read(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    always = [("Watchdog", {"severity": "none"}), ("Errors", {"service": "checkout", "severity": "critical"})]
    made = [{"alert": name, "expr": "vector(1)", "labels": labels} for name, labels in always]
    rules.write_text(json.dumps({"groups": [{"name": "shop", "interval": "1s", "rules": made}]}))
    with prometheus(tmp_path, "127.0.0.1:9", rules) as url:
        (tmp_path / "server").mkdir()
        async with connected(tmp_path / "server", connectors={"internal_origins": url}) as shop:
            wanted = shop.wanted({"labels": {"service": "checkout"}}, kind="prometheus-alerts", endpoint=url)
            connector = await shop.made(wanted)

            async def state() -> evidence_pb2.IncidentState:
                await shop.aged(connector)
                (found,) = (await shop.collected(connector)).evidence
                return found.facts.incident_state

            await shop.collected(connector)
            async with asyncio.timeout(20):
                while not (facts := await state()).open_count:
                    pass
    assert (facts.open_count, facts.sev1, facts.complete, facts.watchdog_seen) == (1, 1, True, True)
    assert not facts.HasField("suppressed")
    assert facts.open_incidents[0].title == "Errors"
