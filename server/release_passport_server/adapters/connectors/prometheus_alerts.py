"""Reads the alerts that a Prometheus itself says fire: the second source beside an Alertmanager.

An Alertmanager shows nothing of an alert that never reached it, or that somebody silenced; here the alert is where it
is made. An alert that always fires (Watchdog) has to be in the same answer, evaluated a moment ago: rules that are
evaluated no longer keep their last state for ever.
HTTP API: https://prometheus.io/docs/prometheus/latest/querying/api/#rules
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from release_passport_server.adapters.connectors.alertmanager import (
    COUNTS,
    AlertmanagerSettings,
    facts_of,
    labels_of,
)
from release_passport_server.adapters.connectors.reading import (
    broken,
    items,
    mapping,
    settings_of,
    source_of,
    time_of,
)
from release_passport_server.domain.connector import Observation
from release_passport_server.ports.connector import Collected, Probe, Source, Target

_RULES = "/api/v1/rules"


class PrometheusAlertsSettings(AlertmanagerSettings):
    """Which alerts count, and how old the state of their rules may be."""

    max_age_seconds: Annotated[float, Field(gt=0, le=86400)] = 120


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule as Prometheus gives it, and the alerts that it makes now."""

    said: Mapping[str, Any]
    alerts: Sequence[Mapping[str, Any]]


class PrometheusAlerts:
    """The kind `prometheus-alerts`."""

    kind = "prometheus-alerts"
    title = "Alerts that a Prometheus says fire, whatever an Alertmanager shows"
    evidence_kinds = ("incident_state",)
    has_endpoint = True

    def settings(self, given: Mapping[str, Any]) -> PrometheusAlertsSettings:
        """Return which alerts count; raise SettingsRefused."""
        return settings_of(PrometheusAlertsSettings, given)

    async def collect(self, target: Target) -> Collected:
        """Return the state of the alerts."""
        settings = target.settings
        rules = await _rules(source_of(target))
        if not any(_proves_life(target, one) for one in rules):
            facts = {"provider": self.kind, "watchdog_seen": False}
            text = (
                f"the alert {settings.watchdog} that always fires is not there, or is evaluated no more: nothing is "
                "known of the others"
            )
            return Collected((Observation("incident_state", facts, target.now),), (text,))
        ours = [
            {"labels": labels_of(one), "startsAt": one.get("activeAt"), "status": {"state": "active"}}
            for rule in rules
            for one in rule.alerts
            # What is in no known state counts as seen.
            if one.get("state") != "pending" and settings.labels.items() <= labels_of(one).items()
        ]
        facts = facts_of(self.kind, settings, ours)
        blind = sum(_may_be_ours(settings, one) and not _is_current(target, one) for one in rules)
        if not blind:
            return Collected((Observation("incident_state", facts, target.now),))
        # How many alerts there are is not known then: without the counts every rule that reads them holds.
        facts = {name: value for name, value in facts.items() if name not in COUNTS} | {"complete": False}
        text = f"{blind} of the rules that may make such alerts fail, or are evaluated no more"
        return Collected((Observation("incident_state", facts, target.now),), (text,))

    async def probe(self, target: Target) -> Probe:
        """Say whether the alert that always fires is seen, and how many others are."""
        collected = await self.collect(target)
        facts = collected.observations[0].facts
        seen = (f"{facts['open_count']} open alerts",) if "open_count" in facts else ()
        return Probe(seen, collected.problems, f"GET {source_of(target).place}{_RULES}")


async def _rules(source: Source) -> list[_Rule]:
    """Return the rules that make alerts; raise CollectFailed."""
    answer = await source.get(_RULES, {"type": "alert"})
    envelope = mapping(answer.value, source.place, "an object")
    if envelope.get("status") != "success":
        raise broken(source.place, "success")
    data = mapping(envelope.get("data"), source.place, "data")
    found = []
    for group in items(data.get("groups"), source.place, "groups"):
        for one in items(mapping(group, source.place, "groups").get("rules"), source.place, "rules"):
            rule = mapping(one, source.place, "rules")
            if rule.get("type") == "recording":
                continue
            alerts = items(rule.get("alerts"), source.place, "alerts")
            found.append(_Rule(rule, [mapping(alert, source.place, "alerts") for alert in alerts]))
    return found


def _proves_life(target: Target, rule: _Rule) -> bool:
    """Say whether this is the alert that always fires, and it does."""
    fires = any(one.get("state") == "firing" for one in rule.alerts)
    return fires and rule.said.get("name") == target.settings.watchdog and _is_current(target, rule)


def _is_current(target: Target, rule: _Rule) -> bool:
    evaluated = time_of(rule.said.get("lastEvaluation"))
    if evaluated is None or rule.said.get("health") != "ok":
        return False
    return target.now - evaluated <= timedelta(seconds=target.settings.max_age_seconds)


def _may_be_ours(settings: PrometheusAlertsSettings, rule: _Rule) -> bool:
    """Say whether a rule may make alerts that count: they have its labels, and those of their series."""
    labels = labels_of(rule.said)
    return all(labels.get(name, value) == value for name, value in settings.labels.items())
