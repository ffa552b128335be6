"""Evidence from the command line is typed by the contract, and what does not fit is refused before it is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from release_passport.v1 import access_service_pb2, evidence_pb2, evidence_service_pb2
from support.cli_fixtures import connected, fake, passport
from support.command_line import CommandLine
from support.decisions import DIGEST, RELEASE
from support.fake_server import FakeServer

__all__ = ["connected", "fake", "passport"]

SUBMIT = ("evidence", "submit")
SOURCE = ("--subject-source", "4f6c2a90")


@pytest.fixture
def line(connected: CommandLine, fake: FakeServer) -> CommandLine:
    fake.reply("SubmitEvidence", evidence_service_pb2.SubmitEvidenceResponse())
    fake.reply("WhoAmI", access_service_pb2.WhoAmIResponse(tenant="acme"))
    return connected


def sent(fake: FakeServer) -> list[evidence_pb2.EvidenceInput]:
    return [item for request in fake.asked("SubmitEvidence") for item in request.evidence]


def test_facts_have_the_types_of_the_contract(line: CommandLine, fake: FakeServer) -> None:
    facts = ("suite=unit", "passed=812", "failed=0", "coverage_percent=81.5", "complete=true")
    more = ("failed_cases=a", "failed_cases=b", "finish_time=2026-03-02T10:00:00Z")
    result = line(*SUBMIT, "test_result", *SOURCE, *(f"--fact={fact}" for fact in (*facts, *more)))
    assert result.code == 0
    (item,) = sent(fake)
    wanted = evidence_pb2.TestResult(
        suite="unit", passed=812, failed=0, coverage_percent=81.5, complete=True, failed_cases=["a", "b"]
    )
    wanted.finish_time.FromJsonString("2026-03-02T10:00:00Z")
    assert item.facts.test_result == wanted
    assert item.subject.source_revision == "4f6c2a90"


def test_the_time_of_observation_is_now_if_not_given(line: CommandLine, fake: FakeServer) -> None:
    before = datetime.now(UTC)
    line(*SUBMIT, "test_result", *SOURCE, "--fact", "suite=unit")
    line(
        *SUBMIT, "test_result", *SOURCE, "--fact", "suite=unit", "--observe-time", "2026-03-02T11:00:00+01:00"
    )
    first, second = sent(fake)
    assert before <= first.observe_time.ToDatetime(tzinfo=UTC) <= datetime.now(UTC)
    assert second.observe_time.ToJsonString() == "2026-03-02T10:00:00Z"


def test_enums_have_short_names_and_lists_may_be_spelled_out(line: CommandLine, fake: FakeServer) -> None:
    conditions = '[{type: Ready, status: "True"}, {type: Synced}]'
    facts = (
        "application=checkout",
        "health=healthy",
        "sync_state=SYNC_STATE_SYNCED",
        f"conditions={conditions}",
    )
    arguments = (*SUBMIT, "gitops_sync", "--subject-manifest", DIGEST, *(f"--fact={fact}" for fact in facts))
    assert line(*arguments).code == 0
    found = sent(fake)[0].facts.gitops_sync
    assert (found.health, found.sync_state) == (
        evidence_pb2.HEALTH_STATE_HEALTHY,
        evidence_pb2.SYNC_STATE_SYNCED,
    )
    assert [condition.type for condition in found.conditions] == ["Ready", "Synced"]


@pytest.mark.parametrize(
    ("flag", "value", "subject"),
    [
        ("artifact", DIGEST, evidence_pb2.EvidenceSubject(artifact_digest=DIGEST)),
        ("artifact", f"ghcr.io/acme/checkout@{DIGEST}", evidence_pb2.EvidenceSubject(artifact_digest=DIGEST)),
        ("manifest", DIGEST, evidence_pb2.EvidenceSubject(manifest_digest=DIGEST)),
        ("release", "checkout/prod/1.4.2", evidence_pb2.EvidenceSubject(release=RELEASE)),
        ("attempt", "checkout/prod/1.4.2/3", evidence_pb2.EvidenceSubject(attempt=f"{RELEASE}/attempts/3")),
        (
            "workload",
            "checkout/prod",
            evidence_pb2.EvidenceSubject(
                workload=evidence_pb2.ServiceEnvironment(service="checkout", environment="prod")
            ),
        ),
    ],
)
def test_each_subject_has_its_flag(
    line: CommandLine, fake: FakeServer, flag: str, value: str, subject: evidence_pb2.EvidenceSubject
) -> None:
    assert line(*SUBMIT, "policy_report", f"--subject-{flag}", value, "--fact", "engine=kyverno").code == 0
    assert sent(fake)[0].subject == subject


def test_custom_kinds_keep_their_facts(line: CommandLine, fake: FakeServer) -> None:
    facts = ("--fact", "p99=12.5", "--fact", "ok=true", "--fact", "tool.name=k6")
    assert line(*SUBMIT, "custom:acme.example/load-test", *SOURCE, *facts).code == 0
    found = sent(fake)[0].facts.custom
    assert (found.kind, dict(found.facts.fields["tool"].struct_value)) == (
        "acme.example/load-test",
        {"name": "k6"},
    )
    assert (found.facts["p99"], found.facts["ok"]) == (12.5, True)


def test_a_bundle_is_sent_byte_for_byte(line: CommandLine, fake: FakeServer, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.json"
    bundle.write_bytes(b'{"a":1}\r\n\xff')
    assert line(*SUBMIT, "provenance", "--subject-artifact", DIGEST, "--bundle", str(bundle)).code == 0
    assert sent(fake)[0].bundle == bundle.read_bytes()
    assert sent(fake)[0].facts.WhichOneof("facts") == "provenance"


def test_a_file_may_be_snake_or_camel_case_yaml_or_json(
    line: CommandLine, fake: FakeServer, tmp_path: Path
) -> None:
    snake, camel = tmp_path / "a.yaml", tmp_path / "b.json"
    snake.write_text(
        "- subject: {source_revision: 4f6c2a90}\n  facts: {test_result: {suite: unit, passed: 3}}\n"
        "  observe_time: 2026-03-02T10:00:00Z\n  external_id: run-1\n"
    )
    camel.write_text(
        '[{"subject": {"sourceRevision": "4f6c2a90"}, "facts": {"testResult": {"suite": "unit", "passed": "3"}},\n'
        ' "observeTime": "2026-03-02T10:00:00Z", "externalId": "run-1"}]'
    )
    assert line(*SUBMIT, "-f", str(snake)).code == 0
    assert line(*SUBMIT, "-f", str(camel)).code == 0
    first, second = sent(fake)
    assert first == second


def test_many_items_go_in_batches_of_a_hundred(line: CommandLine, fake: FakeServer, tmp_path: Path) -> None:
    item = "- {subject: {source_revision: 4f6c2a90}, facts: {test_result: {suite: unit}}}\n"
    path = tmp_path / "items.yaml"
    path.write_text(item * 250)
    assert line(*SUBMIT, "-f", str(path), "--request-id", "r").code == 0
    requests = fake.asked("SubmitEvidence")
    assert [len(request.evidence) for request in requests] == [100, 100, 50]
    assert [request.request_id for request in requests] == ["r-0", "r-1", "r-2"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("test_result", *SOURCE, "--fact", "pased=1"), "did you mean 'passed'"),
        (("test_result", *SOURCE, "--fact", "passed=many"), "whole number"),
        (("test_result", *SOURCE, "--fact", "passed=1", "--fact", "passed=2"), "twice"),
        (("test_result", *SOURCE, "--fact", "passed"), "KEY=VALUE"),
        (("test_result", *SOURCE, "--fact", "coverage_percent=nan"), "not a number"),
        (("test_result", *SOURCE, "--fact", "complete=yes"), "true nor false"),
        (("gitops_sync", *SOURCE, "--fact", "health=FINE"), "HEALTHY"),
        (("gitops_sync", *SOURCE, "--fact", "health=UNSPECIFIED"), "HEALTHY"),
        (("no_such_kind", *SOURCE), "test_result"),
        (("custom", *SOURCE), "custom:DOMAIN/NAME"),
        (("test_result",), "--subject-artifact"),
        (("test_result", *SOURCE, "--subject-manifest", DIGEST), "--subject-artifact"),
        (("test_result", "--subject-workload", "checkout"), "SERVICE/ENVIRONMENT"),
        (("test_result", *SOURCE, "--observe-time", "yesterday"), "2026-03-02T10:00:00Z"),
        ((), "KIND"),
    ],
)
def test_what_does_not_fit_is_refused_before_it_is_sent(
    line: CommandLine, fake: FakeServer, arguments: tuple[str, ...], said: str
) -> None:
    result = line(*SUBMIT, *arguments)
    assert result.code == 2
    assert said in result.err
    assert fake.asked("SubmitEvidence") == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("- {subject: {source_revision: a}, fact: {}}", "1:35: 'fact' is not a field"),
        ("- {facts: {test_result: {}, sbom: {}}}", "exactly one"),
        ("- {observe_time: 2026-13-02T10:00:00Z}", "is not a time"),
        ("- &a {external_id: x}\n- *a", "anchors"),
        ("- {external_id: a, external_id: b}", "twice"),
        ("[" * 100, "nested"),
        ("- {bundle: '***'}", "base64"),
        ("[]", "no items"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(
    line: CommandLine, fake: FakeServer, tmp_path: Path, content: str, said: str
) -> None:
    path = tmp_path / "items.yaml"
    path.write_text(content)
    result = line(*SUBMIT, "-f", str(path))
    assert result.code == 2
    assert said in result.err
    assert fake.asked("SubmitEvidence") == []
