"""The exit codes of `passport gate` are frozen: every verdict, output form and error has its own, and no error is 0."""

from __future__ import annotations

import grpc
import pytest

from release_passport.cli.options import DECISION
from release_passport.v1 import decision_service_pb2, verdict_pb2
from support.cli_fixtures import connected, fake, passport
from support.command_line import CommandLine
from support.decisions import RELEASE, evaluated
from support.fake_server import FakeServer, Refusal

__all__ = ["connected", "fake", "passport"]

ALLOW = verdict_pb2.VERDICT_ALLOW
CANARY = verdict_pb2.VERDICT_ALLOW_WITH_CANARY
CODES = {
    ALLOW: 0,
    CANARY: 14,
    verdict_pb2.VERDICT_REQUIRE_APPROVAL: 10,
    verdict_pb2.VERDICT_HOLD: 11,
    verdict_pb2.VERDICT_BLOCK: 12,
    verdict_pb2.VERDICT_ROLLBACK_RECOMMENDED: 13,
    verdict_pb2.VERDICT_UNSPECIFIED: 11,
    99: 11,
}
STATUSES = {
    grpc.StatusCode.INVALID_ARGUMENT: 2,
    grpc.StatusCode.OUT_OF_RANGE: 2,
    grpc.StatusCode.UNAUTHENTICATED: 4,
    grpc.StatusCode.PERMISSION_DENIED: 4,
    grpc.StatusCode.UNAVAILABLE: 5,
    grpc.StatusCode.DEADLINE_EXCEEDED: 5,
    grpc.StatusCode.CANCELLED: 5,
    grpc.StatusCode.NOT_FOUND: 1,
    grpc.StatusCode.ALREADY_EXISTS: 1,
    grpc.StatusCode.FAILED_PRECONDITION: 1,
    grpc.StatusCode.ABORTED: 1,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 1,
    grpc.StatusCode.INTERNAL: 1,
    grpc.StatusCode.UNKNOWN: 1,
    grpc.StatusCode.UNIMPLEMENTED: 1,
    grpc.StatusCode.DATA_LOSS: 1,
}
GATE = ("gate", "--release", RELEASE)


@pytest.mark.parametrize("form", DECISION)
@pytest.mark.parametrize(("verdict", "code"), CODES.items())
def test_each_verdict_has_its_code_in_every_form(
    connected: CommandLine, fake: FakeServer, verdict: int, code: int, form: str
) -> None:
    fake.reply("Evaluate", evaluated(verdict))
    assert connected(*GATE, "-o", form).code == code


@pytest.mark.parametrize(("verdict", "code"), CODES.items())
def test_accept_canary_changes_the_canary_alone(
    connected: CommandLine, fake: FakeServer, verdict: int, code: int
) -> None:
    fake.reply("Evaluate", evaluated(verdict))
    assert connected(*GATE, "--accept-canary").code == (0 if verdict == CANARY else code)


@pytest.mark.parametrize(("verdict", "code"), CODES.items())
def test_the_effective_verdict_decides_not_that_of_all_policies(
    connected: CommandLine, fake: FakeServer, verdict: int, code: int
) -> None:
    response = evaluated(verdict)
    response.decision.verdict = ALLOW
    fake.reply("Evaluate", response)
    assert connected(*GATE).code == code


@pytest.mark.parametrize("form", DECISION)
@pytest.mark.parametrize(("status", "code"), STATUSES.items())
def test_each_error_has_its_code_and_prints_no_result(
    connected: CommandLine, fake: FakeServer, status: grpc.StatusCode, code: int, form: str
) -> None:
    fake.reply("Evaluate", Refusal(status, "no"))
    result = connected(*GATE, "-o", form, "--exit-zero", "--accept-canary")
    assert (result.code, result.out) == (code, "")
    assert "no" in result.err


@pytest.mark.parametrize("verdict", [ALLOW, CANARY])
@pytest.mark.parametrize(
    "changes",
    [{"valid_for": -1}, {"valid_for": None}, {"dev": True}],
    ids=["expired", "without validity", "development server"],
)
def test_an_allow_that_cannot_be_relied_on_holds(
    connected: CommandLine, fake: FakeServer, verdict: int, changes: dict[str, object]
) -> None:
    fake.reply("Evaluate", evaluated(verdict, **changes))
    result = connected(*GATE, "--accept-canary")
    assert result.code == 11
    assert result.out.startswith("HOLD")


def test_an_allow_without_a_record_holds(connected: CommandLine, fake: FakeServer) -> None:
    response = evaluated()
    response.decision.name = ""
    fake.reply("Evaluate", response)
    assert connected(*GATE).code == 11


@pytest.mark.parametrize(("newest", "code"), [(True, 0), (False, 11)])
def test_a_replayed_allow_counts_only_while_it_is_the_newest(
    connected: CommandLine, fake: FakeServer, newest: bool, code: int
) -> None:
    fake.reply("Evaluate", evaluated(replayed=True))
    fake.reply("GetDecision", decision_service_pb2.GetDecisionResponse(newest=newest))
    assert connected(*GATE, "--request-id", "build-7").code == code


def test_a_replayed_allow_whose_state_cannot_be_asked_is_an_error(
    connected: CommandLine, fake: FakeServer
) -> None:
    fake.reply("Evaluate", evaluated(replayed=True))
    fake.reply("GetDecision", Refusal(grpc.StatusCode.PERMISSION_DENIED, "no"))
    assert connected(*GATE, "--request-id", "build-7").code == 4


def test_a_superseded_request_id_holds(connected: CommandLine, fake: FakeServer) -> None:
    refusal = Refusal(
        grpc.StatusCode.FAILED_PRECONDITION, "there is a newer one", reason="DECISION_SUPERSEDED"
    )
    fake.reply("Evaluate", refusal)
    assert connected(*GATE, "--request-id", "build-7").code == 11


@pytest.mark.parametrize("setting", ["flag", "environment"])
def test_dev_accepts_a_development_server(
    connected: CommandLine, fake: FakeServer, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    fake.reply("Evaluate", evaluated(dev=True))
    if setting == "environment":
        monkeypatch.setenv("PASSPORT_DEV", "1")
    result = connected(*GATE, *(["--dev"] if setting == "flag" else []))
    assert result.code == 0
    assert "DEV" in result.out


@pytest.mark.parametrize("verdict", [verdict for verdict, code in CODES.items() if code])
def test_exit_zero_is_zero_and_loud(connected: CommandLine, fake: FakeServer, verdict: int) -> None:
    fake.reply("Evaluate", evaluated(verdict))
    result = connected(*GATE, "--exit-zero", "--quiet")
    assert result.code == 0
    assert "REPORT ONLY" in result.err


def test_exit_zero_in_ci_needs_a_second_word(
    connected: CommandLine, fake: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    fake.reply("Evaluate", evaluated(verdict_pb2.VERDICT_BLOCK))
    assert connected(*GATE, "--exit-zero").code == 2
    assert fake.requests == []
    assert connected(*GATE, "--exit-zero", "--yes-report-only").code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("gate",),
        ("gate", "--no-such-flag"),
        ("gate", "--release", "not a release"),
        ("gate", "--release", RELEASE, "--service", "checkout"),
        ("gate", "--service", "checkout"),
        (*GATE, "--wait", "--detach"),
        (*GATE, "--timeout", "soon"),
        (*GATE, "-o", "html"),
        (*GATE, "--evidence", "/does/not/exist.yaml"),
        (*GATE, "--server", "no-port"),
        (*GATE, "--server", "passport.example.com:443", "--plaintext"),
        ("gates",),
    ],
)
def test_wrong_usage_is_2_and_asks_nothing(
    connected: CommandLine, fake: FakeServer, arguments: tuple[str, ...]
) -> None:
    result = connected(*arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err
    assert fake.requests == []


def test_without_a_server_it_is_usage(passport: CommandLine) -> None:
    assert passport(*GATE).code == 2


def test_nobody_listening_is_unreachable(connected: CommandLine) -> None:
    result = connected(*GATE, "--server", "127.0.0.1:1")
    assert (result.code, result.out) == (5, "")


def test_an_interruption_is_130(connected: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("release_passport.client.Client.evaluate", interrupted)
    assert connected(*GATE).code == 130


def test_an_unforeseen_error_is_1(connected: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr("release_passport.client.Client.evaluate", broken)
    result = connected(*GATE, "--exit-zero")
    assert (result.code, result.out) == (1, "")
    assert "unforeseen" in result.err
