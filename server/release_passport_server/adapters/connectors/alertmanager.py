"""Reads the alerts of an Alertmanager that carry the labels of the settings.

No alert is no proof of health: after it was cut off, an Alertmanager shows nothing while Prometheus says that alerts
fire. So an alert that always fires (Watchdog) has to be in the same answer; without it nothing is known. Alerts that a
silence or another alert hides are counted apart, with when the newest such silence was made.
API: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from release_passport_server.adapters.connectors.reading import (
    SettingsModel,
    items,
    mapping,
    settings_of,
    source_of,
    stamp,
    text_of,
    time_of,
)
from release_passport_server.domain.connector import Observation
from release_passport_server.ports.connector import Collected, Probe, Source, Target

_ALERTS, _SILENCES = "/api/v2/alerts", "/api/v2/silences"
_EVERY = {"active": "true", "silenced": "true", "inhibited": "true", "unprocessed": "true"}
_MOST_SHOWN = 100
_Label = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,127}$")]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Severity = Literal["SEV1", "SEV2", "SEV3", "SEV4", "SEV5", "UNCLASSIFIED"]
_USUAL: Mapping[str, Severity] = {
    "page": "SEV1",
    "critical": "SEV1",
    "error": "SEV2",
    "high": "SEV2",
    "warning": "SEV3",
    "info": "SEV5",
    "none": "SEV5",
}
_SEVERITIES = ("SEV1", "SEV2", "SEV3", "SEV4", "SEV5", "UNCLASSIFIED")
# The facts that say how many alerts there are.
COUNTS = frozenset({"open_count", *(name.lower() for name in _SEVERITIES)})


class AlertmanagerSettings(SettingsModel):
    """Which alerts count."""

    # An alert counts where it has all of these labels.
    labels: Annotated[dict[_Label, _Text], Field(min_length=1, max_length=20)]
    watchdog: _Text = "Watchdog"
    severity_label: _Label = "severity"
    service_label: _Label = "service"
    # What the values of the severity label mean, beside the usual ones.
    severities: Annotated[dict[_Text, Severity], Field(max_length=50, default_factory=dict)]


class Alertmanager:
    """The kind `alertmanager`."""

    kind = "alertmanager"
    title = "Alerts of an Alertmanager by their labels"
    evidence_kinds = ("incident_state",)
    has_endpoint = True

    def settings(self, given: Mapping[str, Any]) -> AlertmanagerSettings:
        """Return which alerts count; raise SettingsRefused."""
        return settings_of(AlertmanagerSettings, given)

    async def collect(self, target: Target) -> Collected:
        """Return the state of the alerts."""
        source, settings = source_of(target), target.settings
        answer = await source.get(_ALERTS, _EVERY)
        alerts = [mapping(one, source.place, "alerts") for one in items(answer.value, source.place, "a list")]
        alive = any(labels_of(one).get("alertname") == settings.watchdog and _is_told(one) for one in alerts)
        if not alive:
            facts = {"provider": "alertmanager", "watchdog_seen": False}
            text = f"the alert {settings.watchdog} that always fires is not there: nothing is known of the others"
            return Collected((Observation("incident_state", facts, target.now),), (text,))
        ours = [one for one in alerts if settings.labels.items() <= labels_of(one).items()]
        hidden = [one for one in ours if not _is_active(one)]
        silenced = await _newest_silence(source, hidden)
        facts = facts_of(self.kind, settings, [one for one in ours if _is_active(one)], len(hidden), silenced)
        return Collected((Observation("incident_state", facts, target.now),))

    async def probe(self, target: Target) -> Probe:
        """Say whether the alert that always fires is seen, and how many others are."""
        collected = await self.collect(target)
        facts = collected.observations[0].facts
        seen = (f"{facts['open_count']} open alerts",) if "open_count" in facts else ()
        place = source_of(target).place
        return Probe(seen, collected.problems, f"GET {place}{_ALERTS}\nGET {place}{_SILENCES}")


def facts_of(
    provider: str,
    settings: AlertmanagerSettings,
    alerts: Sequence[Mapping[str, Any]],
    hidden: int | None = None,
    silenced: datetime | None = None,
) -> dict[str, Any]:
    """Return the state of alerts that fire; how many are hidden where the source knows it."""
    severities = [_severity(settings, one) for one in alerts]
    facts: dict[str, Any] = {
        "provider": provider,
        "watchdog_seen": True,
        "open_count": str(len(alerts)),
        "open_incidents": [
            _incident(settings, one, severity)
            for one, severity in list(zip(alerts, severities, strict=True))[:_MOST_SHOWN]
        ],
        "complete": len(alerts) <= _MOST_SHOWN,
    }
    for name in _SEVERITIES:
        facts[name.lower()] = str(severities.count(name))
    if hidden is not None:
        facts["suppressed"] = str(hidden)
    if silenced is not None:
        facts["newest_silence_time"] = stamp(silenced)
    return facts


def _incident(settings: AlertmanagerSettings, alert: Mapping[str, Any], severity: str) -> dict[str, Any]:
    labels = labels_of(alert)
    opened = time_of(alert.get("startsAt"))
    facts = {
        "id": text_of(alert.get("fingerprint")),
        "title": text_of(labels.get("alertname")),
        "state": text_of(_status(alert).get("state")),
        "affected_service": text_of(labels.get(settings.service_label)),
        "uri": text_of(alert.get("generatorURL"), 1024),
        "severity": f"INCIDENT_SEVERITY_{severity}",
        "open_time": None if opened is None else stamp(opened),
    }
    return {name: value for name, value in facts.items() if value}


def _severity(settings: AlertmanagerSettings, alert: Mapping[str, Any]) -> str:
    said = text_of(labels_of(alert).get(settings.severity_label))
    return settings.severities.get(said) or _USUAL.get(said.lower(), "UNCLASSIFIED")


async def _newest_silence(source: Source, hidden: Iterable[Mapping[str, Any]]) -> datetime | None:
    """Return when the newest silence was made that hides one of these alerts."""
    ids = {one for alert in hidden for one in _texts(_status(alert).get("silencedBy"))}
    if not ids:
        return None
    answer = await source.get(_SILENCES)
    silences = [mapping(one, source.place, "silences") for one in items(answer.value, source.place, "a list")]
    times = [
        time
        for one in silences
        if text_of(one.get("id")) in ids
        and (time := time_of(one.get("updatedAt") or one.get("startsAt"))) is not None
    ]
    return max(times, default=None)


def labels_of(alert: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the labels of an alert, none where it has none."""
    found = alert.get("labels")
    return found if isinstance(found, Mapping) else {}


def _status(alert: Mapping[str, Any]) -> Mapping[str, Any]:
    found = alert.get("status")
    return found if isinstance(found, Mapping) else {}


def _is_active(alert: Mapping[str, Any]) -> bool:
    """Say whether an alert fires for everybody to see; what is in no known state counts as seen."""
    return _status(alert).get("state") != "suppressed"


def _is_told(alert: Mapping[str, Any]) -> bool:
    """Say whether an alert is in a state that proves that alerts arrive; one in no known state proves nothing."""
    return _status(alert).get("state") in ("active", "unprocessed")


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
