"""`passport doctor` finds the step that fails, says what to do, and exits as the gate would."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from release_passport.v1 import access_service_pb2, decision_service_pb2
from support.cli_fixtures import connected, fake, passport
from support.command_line import CommandLine
from support.fake_server import FakeServer, Refusal

__all__ = ["connected", "fake", "passport"]


@pytest.fixture
def line(connected: CommandLine, fake: FakeServer) -> CommandLine:
    who = access_service_pb2.WhoAmIResponse(
        principal="sa:ci", tenant="acme", roles=["submitter"], server_version="9.9.9"
    )
    fake.reply("WhoAmI", who)
    fake.reply("SimulateDecision", at(timedelta()))
    return connected


def at(skew: timedelta) -> decision_service_pb2.SimulateDecisionResponse:
    response = decision_service_pb2.SimulateDecisionResponse()
    response.decision.decide_time.FromDatetime(datetime.now(UTC) + skew)
    return response


def states(line: CommandLine) -> tuple[int, dict[str, str]]:
    result = line("doctor", "-o", "json")
    return result.code, {check["check"]: check["state"] for check in json.loads(result.out)}


def test_when_all_is_well_every_step_is_ok(line: CommandLine) -> None:
    names = ("config", "tcp", "tls", "health", "auth", "clock")
    assert states(line) == (0, dict.fromkeys(names, "ok"))
    assert "sa:ci in tenant acme: submitter; server 9.9.9" in line("doctor").out


def test_a_closed_port_is_unreachable(line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PASSPORT_SERVER", f"127.0.0.1:{free.getsockname()[1]}")
    code, found = states(line)
    assert (code, found["tcp"], found["auth"]) == (5, "fail", "skip")


def test_tls_to_a_plaintext_server_fails_at_tls(line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSPORT_PLAINTEXT", "0")
    code, found = states(line)
    assert (code, found["tcp"], found["tls"], found["health"]) == (5, "ok", "fail", "skip")


def test_a_server_that_drains_is_not_healthy(line: CommandLine, fake: FakeServer) -> None:
    fake.healthy = False
    code, found = states(line)
    assert (code, found["health"]) == (5, "fail")


def test_a_refused_credential_is_4_and_says_what_to_do(line: CommandLine, fake: FakeServer) -> None:
    fake.reply("WhoAmI", Refusal(grpc.StatusCode.UNAUTHENTICATED, "the token is not known"))
    result = line("doctor")
    assert result.code == 4
    assert "the token is not known" in result.out
    assert "→ make a new token" in result.out


@pytest.mark.parametrize(("minutes", "state"), [(5, "fail"), (-5, "fail"), (0.2, "ok")])
def test_a_wrong_clock_is_found(line: CommandLine, fake: FakeServer, minutes: float, state: str) -> None:
    fake.reply("SimulateDecision", at(timedelta(minutes=minutes)))
    assert states(line)[1]["clock"] == state


def test_a_clock_that_cannot_be_asked_is_skipped(line: CommandLine, fake: FakeServer) -> None:
    fake.reply("SimulateDecision", Refusal(grpc.StatusCode.PERMISSION_DENIED, "no"))
    code, found = states(line)
    assert (code, found["clock"]) == (0, "skip")


def test_notices_such_as_development_mode_are_shown(line: CommandLine, fake: FakeServer) -> None:
    fake.reply(
        "WhoAmI", access_service_pb2.WhoAmIResponse(principal="sa:ci", roles=["admin"], notices=["DEV mode"])
    )
    code, found = states(line)
    assert (code, found["auth"]) == (0, "warn")
    assert "DEV mode" in line("doctor").out


def test_a_token_that_others_can_read_is_a_warning(line: CommandLine, fake: FakeServer) -> None:
    path = line.home / "config.yaml"
    path.write_text("contexts: {a: {server: 'x:1', token: t}}")
    path.chmod(0o644)
    assert states(line)[1]["config"] == "warn"


def test_without_a_server_it_is_usage(passport: CommandLine) -> None:
    assert states(passport)[0] == 2
