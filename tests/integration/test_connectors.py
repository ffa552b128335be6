"""Connectors read by themselves: what they find is evidence under their own name, and how they are is to be seen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from release_passport.v1 import connector_pb2, decision_service_pb2, evidence_pb2, policy_pb2, verdict_pb2
from release_passport.v1 import connector_service_pb2 as pb
from release_passport.v1.audit_service_pb2 import ListAuditEntriesRequest
from support.calls import somebody
from support.connecting import QUERY, Connected, connected, vector
from support.debian_servers import prometheus
from support.http_peer import Asked, Write, reply
from support.watch_policy import enforce

HEALTHY = connector_pb2.CONNECTOR_STATE_HEALTHY
DEGRADED = connector_pb2.CONNECTOR_STATE_DEGRADED


@pytest.fixture
def engine() -> str:
    """Give the engine of the store; a test that has both says so."""
    return "sqlite"


@pytest_asyncio.fixture
async def shop(request: pytest.FixtureRequest, tmp_path: Path, engine: str) -> AsyncIterator[Connected]:
    url = ""
    if engine == "postgresql":
        url = request.getfixturevalue("postgres_url").replace("+psycopg", "", 1)
    async with connected(tmp_path, url) as running:
        yield running


both_engines = pytest.mark.parametrize(
    "engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)


async def watching(shop: Connected, source: str) -> str:
    """Enforce a rule over the error ratio that a connector reads; return the rollout that is watched by it."""
    need = policy_pb2.Need(kind="metric_sample", keys=["errors"], sources=[source])
    rule = policy_pb2.Rule(
        rule_id="errors",
        title="Few errors?",
        stages=[verdict_pb2.STAGE_WATCH],
        needs=[need],
        expect="evidence.metric_sample.value < 0.1",
        on_fail=verdict_pb2.VERDICT_ROLLBACK_RECOMMENDED,
        failures=1,
        message="'too many errors'",
        next_action="Roll back.",
    )
    await enforce(shop.story, "errors", rule)
    decision = await shop.story.decided("1.0.0")
    return str((await shop.story.start(decision)).name)


async def standing(shop: Connected, verdict: int) -> None:
    """Wait until a decision of this verdict was made by itself."""
    async with asyncio.timeout(20):
        while True:
            listed = await shop.admin("ListDecisions", decision_service_pb2.ListDecisionsRequest())
            if listed.decisions[0].effective_verdict == verdict:
                return
            await asyncio.sleep(0.02)


@both_engines
async def test_what_a_connector_finds_turns_the_verdict_of_the_rollout_by_itself(shop: Connected) -> None:
    connector = await shop.made(paused=False, interval={"seconds": 5})
    attempt = await watching(shop, connector.source)
    collected = await shop.collected(connector)
    found = (await shop.evidence(connector, "metric_sample"))[0]
    assert collected.connector.health.state == HEALTHY
    assert found.facts.metric_sample == evidence_pb2.MetricSample(
        name="errors", query_id="errors", value=0.001, end_time=found.facts.metric_sample.end_time
    )
    shop.metrics.answers[QUERY] = vector("0.5")
    # Nobody asks: the interval is over, the connector reads, and what depends on it is decided anew.
    await standing(shop, verdict_pb2.VERDICT_ROLLBACK_RECOMMENDED)
    newest = (await shop.evidence(connector, "metric_sample"))[0]
    assert (newest.subject.attempt, newest.facts.metric_sample.value) == (attempt, 0.5)


async def test_what_a_source_does_not_say_any_more_goes_stale_and_holds(shop: Connected) -> None:
    connector = await shop.made()
    need = policy_pb2.Need(kind="metric_sample", keys=["errors"], sources=[connector.source])
    need.max_age.FromSeconds(3)
    rule = policy_pb2.Rule(rule_id="errors", needs=[need], expect="evidence.metric_sample.value < 0.1")
    await enforce(shop.story, "errors", rule)
    await shop.collected(connector)
    assert (await shop.story.decided("1.0.0")).effective_verdict == verdict_pb2.VERDICT_ALLOW
    shop.metrics.instead = reply(b"", status=503)
    await shop.aged(connector)
    assert (await shop.collected(connector)).connector.health.failure == "SOURCE_BUSY"
    # Nobody asks, and nothing is said any more: its time alone makes it old.
    await standing(shop, verdict_pb2.VERDICT_HOLD)
    held = await shop.story.decided("1.0.0")
    assert "EVIDENCE_STALE" in {one.reason for one in held.findings}
    # Whoever asks why is told which connector brings nothing, and what to do about it.
    asked = decision_service_pb2.ExplainDecisionRequest(name=held.name)
    explained = await shop.admin("ExplainDecision", asked)
    (step,) = [step for step in explained.steps if step.topic == "connector"]
    assert step.subject in connector.name
    assert "SOURCE_BUSY" in step.text
    assert f"passport connector test {step.subject}" in step.text


async def test_a_real_prometheus_is_read(shop: Connected, tmp_path: Path) -> None:
    async def exposed(_: Asked, write: Write) -> None:
        text = b'requests_total{code="200"} 900\nrequests_total{code="500"} 100\n'
        await reply(text, content_type="text/plain; version=0.0.4")(_, write)

    shop.metrics.instead = exposed
    queries: list[dict[str, Any]] = [
        {
            "name": "errors",
            "query": 'sum(requests_total{code="500"}) / sum(requests_total)',
            "samples_query": "sum(requests_total)",
            "min_samples": 500,
            "time_query": "max(timestamp(requests_total))",
            "baseline_query": "vector(0.09)",
            "window_seconds": 60,
        },
        {"name": "few", "query": "vector(1)", "samples_query": "sum(requests_total)", "min_samples": 5000},
        {"name": "old", "query": "vector(1)", "time_query": "vector(1000)"},
        {"name": "none", "query": "sum(nobody_counts_this)"},
        {"name": "many", "query": "requests_total"},
        {"name": "nan", "query": "vector(0) / vector(0)"},
        {"name": "range", "query": "requests_total[1m]"},
        {"name": "wrong", "query": "sum(("},
    ]
    with prometheus(tmp_path, f"127.0.0.1:{shop.source.port}") as url:
        (tmp_path / "other").mkdir()
        async with connected(tmp_path / "other", connectors={"internal_origins": url}) as other:
            connector = await other.made(other.wanted({"queries": queries}, endpoint=url))
            async with asyncio.timeout(30):
                while True:
                    await other.collected(connector)
                    newest = await other.evidence(connector, "metric_sample")
                    by_name: dict[str, evidence_pb2.MetricSample] = {}
                    for one in newest:
                        by_name.setdefault(one.key, one.facts.metric_sample)
                    if by_name.get("errors") is not None and by_name["errors"].HasField("value"):
                        break
                    await asyncio.sleep(1)
            health = (await other.now(connector)).health
    errors = by_name["errors"]
    assert (errors.value, errors.samples, errors.baseline_value) == (0.1, 1000, 0.09)
    assert errors.window.seconds == 60
    assert [name for name, one in sorted(by_name.items()) if one.no_data] == [
        *("few", "many", "nan", "none", "old", "range", "wrong")
    ]
    assert not any(one.HasField("value") for name, one in by_name.items() if name != "errors")
    assert health.state == DEGRADED
    assert sorted(one.partition(":")[0] for one in health.problems) == sorted(set(by_name) - {"errors"})


async def test_what_could_never_be_read_is_refused_with_every_field(shop: Connected) -> None:
    wanted = shop.wanted({"queries": [{"name": "Bad Name", "query": ""}], "other": 1}, credential="absent")
    refused = await shop.admin.refused("CreateConnector", pb.CreateConnectorRequest(connector=wanted))
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "INVALID_FIELDS")
    assert sorted(refused.fields) == [
        "connector.credential",
        "connector.settings.other",
        "connector.settings.queries.0.name",
        "connector.settings.queries.0.query",
    ]


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("http://127.0.0.1:9", "https://"),
        ("https://user:secret@example.com", "user name or password"),
        ("https://example.com/?query=up", "query or a fragment"),
        ("https://2130706433/", "another form"),
        ("https://0x7f.1/", "another form"),
        ("", "required"),
    ],
)
async def test_an_address_that_is_never_gone_to_is_refused(
    shop: Connected, endpoint: str, words: str
) -> None:
    request = pb.CreateConnectorRequest(connector=shop.wanted(endpoint=endpoint))
    refused = await shop.admin.refused("CreateConnector", request)
    assert refused.fields == ("connector.endpoint",)
    assert words in refused.descriptions[0]
    assert "secret" not in refused.message + "".join(refused.descriptions)


async def test_an_unknown_kind_is_refused_with_those_that_there_are(shop: Connected) -> None:
    request = pb.CreateConnectorRequest(connector=shop.wanted(kind="pigeon"))
    refused = await shop.admin.refused("CreateConnector", request)
    assert refused.fields == ("connector.kind",)
    assert "prometheus" in refused.descriptions[0]


async def test_a_credential_goes_to_its_own_origins_alone_and_is_never_shown(shop: Connected) -> None:
    folder = shop.folder / "credentials" / "default" / "metrics"
    folder.mkdir(parents=True)
    (folder / "origins").write_text("https://elsewhere.example")
    (folder / "token").write_text("t0p-secret\n")
    wanted = shop.wanted(credential="metrics")
    refused = await shop.admin.refused("CreateConnector", pb.CreateConnectorRequest(connector=wanted))
    assert refused.fields == ("connector.credential",)
    (folder / "origins").write_text(shop.endpoint)
    connector = await shop.made(wanted)
    assert (await shop.collected(connector)).connector.health.state == HEALTHY
    assert shop.source.asked[-1].headers["authorization"] == "Bearer t0p-secret"
    audit = await shop.admin("ListAuditEntries", ListAuditEntriesRequest())
    assert "t0p-secret" not in str(await shop.now(connector)) + str(audit)


async def test_a_credential_of_another_tenant_is_none(shop: Connected) -> None:
    folder = shop.folder / "credentials" / "other" / "metrics"
    folder.mkdir(parents=True)
    (folder / "origins").write_text(shop.endpoint)
    (folder / "token").write_text("theirs")
    request = pb.CreateConnectorRequest(connector=shop.wanted(credential="metrics"))
    assert (await shop.admin.refused("CreateConnector", request)).fields == ("connector.credential",)


async def test_what_is_not_there_any_more_was_never_changed_unseen(shop: Connected) -> None:
    connector = await shop.made()
    changed = shop.wanted({"queries": [{"name": "other", "query": QUERY}]}, name=connector.name)
    changed.etag = '"old"'
    refused = await shop.admin.refused("UpdateConnector", pb.UpdateConnectorRequest(connector=changed))
    assert refused.reason == "ETAG_MISMATCH"
    changed.etag = connector.etag
    await shop.admin("UpdateConnector", pb.UpdateConnectorRequest(connector=changed))
    await shop.collected(connector)
    assert [one.key for one in await shop.evidence(connector, "metric_sample")] == ["other"]
    changed.etag = (await shop.now(connector)).etag
    changed.service = "billing"
    refused = await shop.admin.refused("UpdateConnector", pb.UpdateConnectorRequest(connector=changed))
    assert refused.fields == ("connector.service",)
    await shop.admin("DeleteConnector", pb.DeleteConnectorRequest(name=connector.name))
    refused = await shop.admin.refused("CollectNow", pb.CollectNowRequest(name=connector.name))
    assert refused.reason == "ALREADY_ENDED"


async def test_readings_that_come_close_together_are_one(shop: Connected) -> None:
    connector = await shop.made()
    answers = await asyncio.gather(*(shop.collected(connector) for _ in range(20)))
    assert len(shop.source.asked) == 1
    assert {one.connector.health.state for one in answers} == {HEALTHY}
    assert len(await shop.evidence(connector, "metric_sample")) == 1


async def test_whoever_keeps_connectors_of_one_place_sees_no_others(shop: Connected) -> None:
    connector = await shop.made()
    reader = await somebody(shop.admin, "user:rita", "viewer")
    assert (await reader("GetConnector", pb.GetConnectorRequest(name=connector.name))).connector
    refused = await reader.refused("CollectNow", pb.CollectNowRequest(name=connector.name))
    assert refused.code == "PERMISSION_DENIED"
    assert shop.source.asked == []


async def test_how_a_connector_is_is_evidence_when_it_changes(shop: Connected) -> None:
    connector = await shop.made()
    kind = "custom:release-passport.dev/connector-health"
    await shop.collected(connector)
    shop.metrics.instead = reply(b"no", status=500)
    for _ in range(2):
        # Each reading stands alone: the one before is made old.
        await shop.aged(connector)
        await shop.collected(connector)
    states = [one.facts.custom.facts["state"] for one in await shop.evidence(connector, kind)]
    assert states == ["FAILING", "HEALTHY"]


async def test_a_connector_says_what_it_can_see_before_it_is_made(shop: Connected) -> None:
    wanted = shop.wanted({"queries": [{"name": "errors", "query": QUERY}, {"name": "gone", "query": "gone"}]})
    said = await shop.admin("TestConnector", pb.TestConnectorRequest(connector=wanted))
    assert (list(said.visible), said.ready) == (["errors has a value"], False)
    assert said.missing[0].startswith("gone: has no series")
    assert said.grant == f"GET {shop.endpoint}/api/v1/query"
    listed = await shop.admin("ListConnectors", pb.ListConnectorsRequest())
    assert list(listed.connectors) == []
