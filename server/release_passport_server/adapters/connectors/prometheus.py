"""Reads metrics of a Prometheus, or of what speaks its API: Thanos, Mimir, VictoriaMetrics.

Only the queries that the connector's settings hold are asked, each at a time that is said. What is no number of one
series is no data: no series, several, NaN, infinity, a range, an answer with warnings, an old sample, too few points.
HTTP API: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from release_passport_server.adapters.connectors.reading import (
    SettingsModel,
    broken,
    items,
    mapping,
    settings_of,
    source_of,
    stamp,
)
from release_passport_server.domain.connector import Observation
from release_passport_server.ports.connector import Collected, Probe, Source, Target

_QUERY = "/api/v1/query"
_Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,127}$")]
_Query = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
_Tenant = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{0,150}$")]


class Asked(SettingsModel):
    """One metric: a query that gives one number, and what says how much it stands on."""

    # What the evidence is called.
    name: _Id
    query: _Query
    unit: Annotated[str, StringConstraints(max_length=64)] = ""
    # The same metric of the stable revision.
    baseline_query: _Query | None = None
    # How many data points the value stands on; a metric with fewer than `min_samples` has no data.
    samples_query: _Query | None = None
    min_samples: Annotated[int, Field(ge=0)] = 0
    # Gives the time of the newest sample, such as max(timestamp(up)); older than this is no data.
    time_query: _Query | None = None
    max_age_seconds: Annotated[float, Field(gt=0, le=86400)] = 120
    # Length of time that the query is about, such as 300 for [5m].
    window_seconds: Annotated[int, Field(ge=0, le=86400 * 31)] = 0


class PrometheusSettings(SettingsModel):
    """What is asked."""

    queries: Annotated[tuple[Asked, ...], Field(min_length=1, max_length=50)]
    # X-Scope-OrgID, where several tenants share one Mimir, Cortex or Loki.
    org_id: _Tenant = ""


@dataclass(frozen=True, slots=True)
class _Value:
    """The number that a query gave, or why it gave none."""

    number: float | None
    problem: str = ""
    partial: bool = False


class Prometheus:
    """The kind `prometheus`."""

    kind = "prometheus"
    title = "Metrics by registered queries of a Prometheus or of what speaks its API"
    evidence_kinds = ("metric_sample",)
    has_endpoint = True

    def settings(self, given: Mapping[str, Any]) -> PrometheusSettings:
        """Return the queries; raise SettingsRefused."""
        return settings_of(PrometheusSettings, given)

    async def collect(self, target: Target) -> Collected:
        """Return one metric sample for each query."""
        found, problems = [], []
        for asked in target.settings.queries:
            facts, problem = await _sample(target, asked)
            found.append(Observation("metric_sample", facts, target.now))
            if problem:
                problems.append(f"{asked.name}: {problem}")
        return Collected(tuple(found), tuple(problems))

    async def probe(self, target: Target) -> Probe:
        """Say which queries give a number now."""
        collected = await self.collect(target)
        named = [str(one.facts["name"]) for one in collected.observations if "value" in one.facts]
        visible = tuple(f"{name} has a value" for name in named)
        return Probe(visible, collected.problems, f"GET {source_of(target).place}{_QUERY}")


async def _sample(target: Target, asked: Asked) -> tuple[dict[str, Any], str]:
    """Return the facts of one metric, and what is missing of it."""
    facts: dict[str, Any] = {"name": asked.name, "query_id": asked.name, "end_time": stamp(target.now)}
    if asked.unit:
        facts["unit"] = asked.unit
    if asked.window_seconds:
        facts["window"] = f"{asked.window_seconds}s"
        facts["start_time"] = stamp(target.now - timedelta(seconds=asked.window_seconds))
    value = await _value(target, asked.query)
    problem, partial = value.problem, value.partial
    if asked.samples_query is not None:
        samples = await _value(target, asked.samples_query)
        partial = partial or samples.partial
        if samples.number is None or samples.number < 0:
            problem = problem or "the samples are not known"
        else:
            facts["samples"] = str(min(int(samples.number), 2**62))
            if samples.number < asked.min_samples:
                problem = problem or f"stands on fewer samples than {asked.min_samples}"
    if not problem and asked.time_query is not None:
        problem = _age_problem(await _value(target, asked.time_query), target.now, asked)
    if not problem and asked.baseline_query is not None:
        baseline = await _value(target, asked.baseline_query)
        partial = partial or baseline.partial
        if baseline.number is None:
            problem = f"the baseline {baseline.problem}"
        else:
            facts["baseline_value"] = baseline.number
    if partial:
        facts["partial"] = True
        problem = problem or "the answer says that it is partial"
    if problem:
        facts.pop("baseline_value", None)
        return {**facts, "no_data": True}, problem
    return {**facts, "value": value.number}, ""


def _age_problem(newest: _Value, now: datetime, asked: Asked) -> str:
    if newest.number is None:
        return f"the time of its newest sample {newest.problem}"
    age = now.timestamp() - newest.number
    if age > asked.max_age_seconds:
        return f"its newest sample is older than {asked.max_age_seconds:g} s"
    return "its newest sample is of the future" if age < -asked.max_age_seconds else ""


async def _value(target: Target, query: str) -> _Value:
    """Return what a query gives at the time of the reading."""
    source = source_of(target)
    given = {"query": query, "time": f"{target.now.astimezone(UTC).timestamp():.3f}"}
    org = target.settings.org_id
    headers = {"X-Scope-OrgID": org} if org else None
    # 400: it cannot be read; 422: it cannot be computed. The others are asked all the same.
    answer = await source.get(_QUERY, given, allowed=(400, 422), headers=headers)
    envelope = mapping(answer.value, source.place, "an object")
    if answer.status != 200 or envelope.get("status") != "success":
        return _Value(None, "is refused: check the query")
    data = mapping(envelope.get("data"), source.place, "data")
    partial = bool(envelope.get("warnings"))
    number, problem = _number(data, source)
    return _Value(number, problem, partial)


def _number(data: Mapping[str, Any], source: Source) -> tuple[float | None, str]:
    result = items(data.get("result"), source.place, "a result")
    match data.get("resultType"):
        case "scalar":
            sample = result
        case "vector":
            if len(result) != 1:
                what = (
                    "no series: no data is not zero" if not result else "more than one series: aggregate it"
                )
                return None, f"has {what}"
            sample = items(mapping(result[0], source.place, "a series").get("value"), source.place, "a value")
        case "matrix":
            return None, "is a range: ask for one value, such as rate(…[5m])"
        case "string":
            return None, "is a text"
        case _:
            raise broken(source.place, "a known type of result")
    if len(sample) != 2 or not isinstance(sample[1], str):
        raise broken(source.place, "a value in its form")
    try:
        number = float(sample[1])
    except ValueError:
        raise broken(source.place, "a number") from None
    return (number, "") if math.isfinite(number) else (None, "is not a finite number")
