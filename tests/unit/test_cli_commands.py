"""Each command asks the RPC that it is for, with what was said, and shows the answer in every form."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import grpc
import pytest
import yaml
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from release_passport.cli import main
from release_passport.cli.asking import Clock
from release_passport.v1 import (
    access_service_pb2,
    catalog_service_pb2,
    decision_service_pb2,
    release_service_pb2,
    verdict_pb2,
)
from support.cli_cases import (
    A_RELEASE,
    A_SERVICE,
    A_TOKEN,
    AN_ENVIRONMENT,
    CASES,
    IDENTITY,
    IDENTITY_MESSAGE,
    NAME,
)
from support.cli_fixtures import connected, fake, passport
from support.command_line import CommandLine
from support.decisions import RELEASE, decision, evaluated
from support.fake_server import FakeServer, Refusal

__all__ = ["connected", "fake", "passport"]


@pytest.fixture
def line(connected: CommandLine, fake: FakeServer) -> CommandLine:
    fake.reply("WhoAmI", access_service_pb2.WhoAmIResponse(tenant="acme"))
    return connected


def test_no_help_shows_the_mark_that_keeps_its_lines(passport: CommandLine) -> None:
    def helps(command: click.Command, *words: str) -> Iterator[str]:
        yield passport(*words, "--help").out
        if isinstance(command, click.Group):
            for name in command.list_commands(click.Context(command)):
                found = command.get_command(click.Context(command), name)
                assert found is not None
                yield from helps(found, *words, name)

    every = list(helps(main.passport))
    assert len(every) > 50
    assert not [text for text in every if "\\b" in text]


@pytest.mark.parametrize("form", ["table", "json", "yaml"])
@pytest.mark.parametrize(
    ("arguments", "method", "answer", "shown"), CASES, ids=[" ".join(case[0][:2]) for case in CASES]
)
def test_each_command_asks_its_rpc_and_shows_the_answer(
    line: CommandLine,
    fake: FakeServer,
    arguments: tuple[str, ...],
    method: str,
    answer: Message,
    shown: str,
    form: str,
) -> None:
    fake.reply(method, answer)
    result = line(*arguments, "-o", form)
    assert result.code == 0, result.err
    assert shown in result.out
    assert fake.asked(method)
    if form == "json":
        json.loads(result.out)
    if form == "yaml":
        yaml.safe_load(result.out)


@pytest.mark.parametrize(
    ("arguments", "method"), [case[:2] for case in CASES], ids=[" ".join(case[0][:2]) for case in CASES]
)
def test_no_command_makes_a_success_of_an_error(
    line: CommandLine, fake: FakeServer, arguments: tuple[str, ...], method: str
) -> None:
    fake.reply(method, Refusal(grpc.StatusCode.PERMISSION_DENIED, "not you", reason="ACCESS_DENIED"))
    result = line(*arguments)
    assert (result.code, result.out) == (4, "")
    assert "not you [ACCESS_DENIED]" in result.err


def test_identity_flags_say_what_a_release_consists_of(line: CommandLine, fake: FakeServer) -> None:
    fake.reply("CreateRelease", release_service_pb2.CreateReleaseResponse(release=A_RELEASE, created=True))
    line("release", "create", *IDENTITY)
    assert fake.asked("CreateRelease")[0].identity == IDENTITY_MESSAGE


def test_an_artifact_by_tag_is_refused(line: CommandLine, fake: FakeServer) -> None:
    result = line("release", "create", *IDENTITY, "--artifact", "ghcr.io/acme/checkout:1.4.2")
    assert result.code == 2
    assert "sha256" in result.err


def test_violations_are_shown_one_a_line(line: CommandLine, fake: FakeServer) -> None:
    refusal = Refusal(
        grpc.StatusCode.INVALID_ARGUMENT,
        "2 fields are wrong",
        reason="INVALID_FIELDS",
        violations={"identity.version": "is too long", "identity.artifacts[0].digest": "is not a digest"},
    )
    fake.reply("CreateRelease", refusal)
    result = line("release", "create", *IDENTITY)
    assert result.code == 2
    assert "  identity.version: is too long\n" in result.err
    assert "  identity.artifacts[0].digest: is not a digest\n" in result.err


def test_what_is_wrong_alone_is_said_once(line: CommandLine, fake: FakeServer) -> None:
    text = "identity.version: is too long"
    refusal = Refusal(
        grpc.StatusCode.INVALID_ARGUMENT,
        text,
        reason="INVALID_FIELDS",
        violations={"identity.version": "is too long"},
    )
    fake.reply("CreateRelease", refusal)
    assert line("release", "create", *IDENTITY).err.count(text) == 1


@pytest.mark.parametrize("words", [(RELEASE,), ("--release", RELEASE)], ids=["by itself", "by the option"])
def test_a_release_is_named_by_itself_or_by_an_option(
    line: CommandLine, fake: FakeServer, words: tuple[str, ...]
) -> None:
    fake.reply("Evaluate", evaluated())
    assert line("gate", *words).code == 0
    assert fake.asked("Evaluate")[0].release == RELEASE
    fake.reply("SimulateDecision", decision_service_pb2.SimulateDecisionResponse())
    assert line("simulate", *words).code == 0
    assert fake.asked("SimulateDecision")[0].release == RELEASE


@pytest.mark.parametrize("command", ["gate", "simulate"])
def test_a_release_that_is_named_twice_is_not_guessed(
    line: CommandLine, fake: FakeServer, command: str
) -> None:
    result = line(command, RELEASE, "--release", RELEASE)
    assert result.code == 2
    assert "given twice" in result.err
    assert not fake.asked("Evaluate")


@pytest.mark.parametrize(
    "words",
    [
        ("freeze", "create", "--title", "t", "--reason", "a reason of twenty letters", "--from"),
        ("notification", "replay", "some", "--from-time"),
        ("audit", "list", "--from-time"),
    ],
    ids=["freeze", "notification", "audit"],
)
def test_a_time_that_is_none_says_how_to_write_one(line: CommandLine, words: tuple[str, ...]) -> None:
    result = line(*words, "tomorrow")
    assert result.code == 2
    assert "'tomorrow' is not a time; write it as 2026-03-02T10:00:00Z" in result.err


def test_tests_of_a_policy_that_is_not_there_are_missed_by_the_name_that_was_given(line: CommandLine) -> None:
    result = line("policy", "test", "nowhere.yaml")
    assert result.code == 2
    assert result.err.startswith("nowhere.yaml:1:1: cannot be read")


def test_an_update_keeps_what_is_not_named(line: CommandLine, fake: FakeServer) -> None:
    fake.reply("GetService", catalog_service_pb2.GetServiceResponse(service=A_SERVICE))
    fake.reply("UpdateService", catalog_service_pb2.UpdateServiceResponse(service=A_SERVICE))
    assert line("service", "update", "checkout", "--label", "tier=2", "--remove-label", "old").code == 0
    sent = fake.asked("UpdateService")[0].service
    assert (dict(sent.labels), sent.etag) == ({"tier": "2"}, "e1")


def test_an_environment_can_become_progressive(line: CommandLine, fake: FakeServer) -> None:
    fake.reply("GetEnvironment", catalog_service_pb2.GetEnvironmentResponse(environment=AN_ENVIRONMENT))
    fake.reply("UpdateEnvironment", catalog_service_pb2.UpdateEnvironmentResponse(environment=AN_ENVIRONMENT))
    assert line("environment", "update", "prod", "--progressive", "--required-policy", "baseline").code == 0
    sent = fake.asked("UpdateEnvironment")[0].environment
    assert (sent.progressive, list(sent.required_policies)) == (True, ["baseline"])


def test_lists_read_pages_up_to_the_limit(line: CommandLine, fake: FakeServer) -> None:
    def page(request: release_service_pb2.ListReleasesRequest) -> Message:
        start = int(request.page_token or "0")
        releases = [A_RELEASE] * request.page_size
        return release_service_pb2.ListReleasesResponse(
            releases=releases, next_page_token=str(start + request.page_size)
        )

    fake.reply("ListReleases", page)
    result = line("release", "list", "--limit", "1500", "-o", "json")
    assert len(json.loads(result.out)) == 1500
    assert [request.page_size for request in fake.asked("ListReleases")] == [1000, 500]
    assert "--limit" in result.err


def test_a_server_that_repeats_its_page_token_does_not_loop(line: CommandLine, fake: FakeServer) -> None:
    fake.reply("ListServices", catalog_service_pb2.ListServicesResponse(next_page_token="again"))
    assert line("service", "list").code == 0
    assert len(fake.asked("ListServices")) == 2


@pytest.mark.parametrize(
    ("replay", "code"),
    [
        (decision_service_pb2.REPLAY_RESULT_SAME, 0),
        (decision_service_pb2.REPLAY_RESULT_ENGINE_DIFFERS, 1),
        (decision_service_pb2.REPLAY_RESULT_TAMPERED, 1),
        (decision_service_pb2.REPLAY_RESULT_BODY_PURGED, 1),
        (decision_service_pb2.REPLAY_RESULT_UNSPECIFIED, 1),
    ],
)
def test_only_the_same_outcome_is_a_good_replay(
    line: CommandLine, fake: FakeServer, replay: decision_service_pb2.ReplayResult, code: int
) -> None:
    fake.reply("ExplainDecision", decision_service_pb2.ExplainDecisionResponse(replay=replay))
    assert line("decision", "replay", NAME).code == code


def test_a_secret_goes_to_a_new_private_file(line: CommandLine, fake: FakeServer, tmp_path: Path) -> None:
    answer = access_service_pb2.CreateAPITokenResponse(api_token=A_TOKEN, secret="shown-once")
    fake.reply("CreateAPIToken", answer)
    path = tmp_path / "token"
    result = line("token", "create", "sa:ci", "--secret-file", str(path))
    assert (result.code, path.read_text()) == (0, "shown-once\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "shown-once" not in result.out + result.err
    assert line("token", "create", "sa:ci", "--secret-file", str(path)).code == 2
    assert len(fake.asked("CreateAPIToken")) == 1


def test_a_token_without_a_secret_is_an_error(line: CommandLine, fake: FakeServer) -> None:
    fake.reply("CreateAPIToken", access_service_pb2.CreateAPITokenResponse(api_token=A_TOKEN))
    assert line("token", "create", "sa:ci").code == 1


def test_a_token_lasts_as_long_as_was_said(line: CommandLine, fake: FakeServer) -> None:
    answer = access_service_pb2.CreateAPITokenResponse(api_token=A_TOKEN, secret="s")
    fake.reply("CreateAPIToken", answer)
    line("token", "create", "sa:ci", "--for", "7d", "--role", "submitter", "--kind", "test_result")
    (request,) = fake.asked("CreateAPIToken")
    left = request.api_token.expire_time.ToDatetime(tzinfo=UTC) - datetime.now(UTC)
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)
    assert MessageToDict(request.role_bindings[0]) == {
        "principal": "sa:ci",
        "role": "submitter",
        "evidenceKinds": ["test_result"],
    }


def test_detach_prints_the_name_and_resume_goes_on(line: CommandLine, fake: FakeServer) -> None:
    held = decision(verdict_pb2.VERDICT_HOLD)
    fake.reply("Evaluate", decision_service_pb2.EvaluateResponse(decision=held))
    first = line("gate", *IDENTITY, "--detach")
    assert (first.code, first.out.strip()) == (11, held.name)
    fake.reply("GetDecision", decision_service_pb2.GetDecisionResponse(decision=held))
    fake.reply("Evaluate", decision_service_pb2.EvaluateResponse(decision=decision()))
    assert line("gate", "--resume", first.out.strip()).code == 0
    assert fake.asked("Evaluate")[-1].release == RELEASE


def test_an_interrupted_wait_says_how_to_go_on(
    line: CommandLine, fake: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    held = decision(verdict_pb2.VERDICT_HOLD)
    fake.reply("Evaluate", decision_service_pb2.EvaluateResponse(decision=held))
    monkeypatch.setattr("release_passport.cli.commands.gate._clock", lambda: Clock(sleep=interrupted))
    result = line("gate", "--release", RELEASE, "--wait")
    assert result.code == 130
    assert f"passport gate --wait --resume {held.name}" in result.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(passport: CommandLine, shell: str) -> None:
    result = passport("completion", shell)
    assert result.code == 0
    assert "_PASSPORT_COMPLETE" in result.out


def test_version_of_the_client_needs_no_server(passport: CommandLine) -> None:
    assert passport("version").code == 0
    assert passport("--version").code == 0


def test_a_closed_pipe_is_no_trace(tmp_path: Path) -> None:
    script = "import sys; sys.path[:0] = %r; from release_passport.cli.main import main; main()"
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run(
        [sys.executable, "-c", script % sys.path, "completion", "bash"],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert ran.returncode == 1
    assert b"Traceback" not in ran.stderr


def test_a_signer_is_a_public_key_out_of_a_file(line: CommandLine, fake: FakeServer, tmp_path: Path) -> None:
    public, private = tmp_path / "public.pem", tmp_path / "private.pem"
    public.write_text("-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----\n")
    private.write_text("-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n")
    fake.reply("CreateService", catalog_service_pb2.CreateServiceResponse(service=A_SERVICE))
    assert line("service", "create", "checkout", "--signer", str(public)).code == 0
    assert fake.asked("CreateService")[0].service.signers == [public.read_text()]
    assert line("service", "create", "checkout", "--signer", str(private)).code == 2
    assert len(fake.asked("CreateService")) == 1
