"""Whatever a source answers, a connector over HTTP gives evidence, says what is missing or fails by a known kind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from release_passport_server.adapters.connectors.alertmanager import Alertmanager
from release_passport_server.adapters.connectors.argo_cd import ArgoCD
from release_passport_server.adapters.connectors.prometheus import Prometheus
from release_passport_server.adapters.connectors.prometheus_alerts import PrometheusAlerts
from release_passport_server.domain.connector import CollectFailure
from release_passport_server.ports.connector import Answer, Collected, CollectFailed, Connector, Target
from support.data import sample

NOW = datetime(2026, 11, 22, 22, 38, tzinfo=UTC)
SECRET = "what-the-source-said"
COMMIT = "a" * 40
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "prometheus": {"queries": [{"name": "error-ratio", "query": "up"}]},
    "alertmanager": {"labels": {"service": "checkout"}},
    "prometheus-alerts": {"labels": {"service": "checkout"}},
    "argo-cd": {"application": "checkout", "project": "shop"},
}
WATCHDOG = {"labels": {"alertname": "Watchdog"}, "status": {"state": "active"}}
APPLICATION = {"metadata": {"name": "checkout"}, "spec": {"project": "shop"}}


class Answering:
    """A source that answers with what it is given, by path."""

    place = "https://source.example"

    def __init__(self, value: Any, status: int = 200, **others: Any) -> None:
        self.value, self.status, self.others = value, status, others

    async def get(
        self,
        path: str,
        parameters: Mapping[str, str | Sequence[str]] | None = None,
        *,
        allowed: Sequence[int] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        return Answer(self.others.get(path.rpartition("/")[2], self.value), self.status)


def read(kind: Connector, source: Answering) -> Collected:
    settings = kind.settings(SETTINGS[kind.kind])
    target = Target("acme", "01", "checkout", "prod", settings, NOW, source)
    return asyncio.run(kind.collect(target))


@pytest.mark.parametrize(
    ("name", "status", "problem"),
    [
        ("real_query_scalar_200", 200, ""),
        ("real_query_vector_one_flagger_online_probe_200", 200, ""),
        ("real_query_vector_error_ratio_canary_only_200", 200, ""),
        ("real_query_vector_empty_no_such_series_200", 200, "has no series"),
        ("real_query_vector_stale_time_in_past_200", 200, "has no series"),
        ("real_query_vector_error_ratio_two_workloads_200", 200, "more than one series"),
        ("real_query_vector_inf_200", 200, "is not a finite number"),
        ("real_query_matrix_range_selector_in_instant_query_200", 200, "is a range"),
        ("real_query_range_matrix_error_ratio_200", 200, "is a range"),
        ("real_query_string_200", 200, "is a text"),
        ("real_query_error_parse_400", 400, "is refused"),
        ("real_query_error_missing_param_400", 400, "is refused"),
        ("real_query_error_execution_many_to_many_422", 422, "is refused"),
    ],
)
def test_a_recorded_answer_of_prometheus_is_a_value_or_no_data(name: str, status: int, problem: str) -> None:
    reply = json.loads(sample(f"samples/prometheus/{name}.json").read_text())
    collected = read(Prometheus(), Answering(reply, status))
    (found,) = collected.observations
    assert ("value" in found.facts, found.facts.get("no_data", False)) == (not problem, bool(problem))
    assert [problem in one for one in collected.problems] == [True] * bool(problem)
    assert found.facts["end_time"] == "2026-11-22T22:38:00Z"


def vector(value: Any, **beside: Any) -> dict[str, Any]:
    data = {"resultType": "vector", "result": [{"metric": {}, "value": value}]}
    return {"status": "success", "data": data, **beside}


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (vector([1, "NaN"]), "is not a finite number"),
        (vector([1, "-Inf"]), "is not a finite number"),
        (vector([1, "0"], warnings=[SECRET]), "partial"),
        ({"status": "error", "error": SECRET}, "is refused"),
    ],
)
def test_what_is_no_whole_number_of_prometheus_is_no_data(reply: Any, problem: str) -> None:
    collected = read(Prometheus(), Answering(reply))
    assert "value" not in collected.observations[0].facts
    assert problem in collected.problems[0]
    assert SECRET not in repr(collected)


def rules(*given: Any) -> dict[str, Any]:
    """Return an answer of Prometheus about rules."""
    return {"status": "success", "data": {"groups": [{"name": "shop", "rules": list(given)}]}}


HOSTILE: list[Any] = [None, True, 7, SECRET, [SECRET], [[SECRET]], {SECRET: SECRET}, {"status": SECRET}]
BROKEN = [
    *((Prometheus(), Answering(value)) for value in (None, 7, SECRET, [SECRET])),
    *((Prometheus(), Answering({"status": "success", "data": data})) for data in HOSTILE),
    *((Prometheus(), Answering(vector(value))) for value in (None, 7, SECRET, [1], [1, 2], [1, SECRET])),
    *((Alertmanager(), Answering(value)) for value in (None, 7, SECRET, [SECRET], {SECRET: 1})),
    *((Alertmanager(), Answering([WATCHDOG, value])) for value in (None, 7, SECRET, [SECRET])),
    *((PrometheusAlerts(), Answering(value)) for value in (None, 7, SECRET, [SECRET], {"status": SECRET})),
    *((PrometheusAlerts(), Answering({"status": "success", "data": data})) for data in HOSTILE),
    *((PrometheusAlerts(), Answering(rules(value))) for value in (None, 7, SECRET, {SECRET: 1})),
    *((PrometheusAlerts(), Answering(rules({"alerts": value}))) for value in (None, 7, SECRET, [SECRET])),
    *((ArgoCD(), Answering(value)) for value in HOSTILE),
    # Somebody else's application is not the one that was asked for.
    (ArgoCD(), Answering({**APPLICATION, "spec": {"project": SECRET}})),
    (ArgoCD(), Answering({**APPLICATION, "metadata": {"name": SECRET}})),
]


@pytest.mark.parametrize(("kind", "source"), BROKEN)
def test_an_answer_that_is_not_in_its_form_fails_and_is_not_repeated(
    kind: Connector, source: Answering
) -> None:
    with pytest.raises(CollectFailed) as failed:
        read(kind, source)
    assert failed.value.failure is CollectFailure.ANSWER_BROKEN
    assert SECRET not in str(failed.value)


@pytest.mark.parametrize("status", [None, 7, {}, {"state": "suppressed"}, {"state": "new"}, {"state": []}])
def test_a_watchdog_that_is_not_seen_to_fire_proves_nothing(status: Any) -> None:
    (found,) = read(Alertmanager(), Answering([{**WATCHDOG, "status": status}])).observations
    assert found.facts == {"provider": "alertmanager", "watchdog_seen": False}


@pytest.mark.parametrize("odd", [None, 7, "", [], ["x"], {"a": 1}, "0001-01-01T00:00:00+23:59"])
def test_odd_parts_of_an_alert_do_not_hide_it(odd: Any) -> None:
    ours = {"labels": {"service": "checkout", "severity": odd}, "status": odd, "startsAt": odd}
    hidden = {"labels": {"service": "checkout"}, "status": {"state": "suppressed", "silencedBy": ["s"]}}
    silences = [{"id": odd, "updatedAt": odd}, {"id": "s", "updatedAt": odd}]
    collected = read(Alertmanager(), Answering([WATCHDOG, ours, hidden], silences=silences))
    (found,) = collected.observations
    assert (found.facts["open_count"], found.facts["suppressed"]) == ("1", "1")
    assert "newest_silence_time" not in found.facts


@pytest.mark.parametrize("odd", [None, 7, "", [], [[]], {"a": 1}, "0001-01-01T00:00:00+23:59"])
def test_odd_parts_of_an_application_are_not_known(odd: Any) -> None:
    status = {"sync": {"status": odd, "revision": odd, "revisions": odd}, "reconciledAt": odd}
    assert not read(ArgoCD(), Answering({**APPLICATION, "status": status})).observations
    status = {
        "sync": {"status": odd, "revision": COMMIT},
        "health": odd,
        "operationState": odd,
        "conditions": odd,
        "summary": {"images": odd},
        "reconciledAt": "2026-11-22T22:37:00Z",
    }
    (found,) = read(ArgoCD(), Answering({**APPLICATION, "status": status})).observations
    assert {"sync_state", "health", "operation_state"} & set(found.facts) == set()
