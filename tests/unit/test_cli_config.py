"""Flags stand over the environment, and that over the configuration file; the token goes nowhere else."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from release_passport.cli.config import Place, config_path, resolve, target_of
from release_passport.cli.failure import CommandFailure
from release_passport.target import Target, TargetInvalid
from release_passport.v1 import access_service_pb2
from support.cli_fixtures import connected, fake, passport
from support.command_line import CommandLine
from support.fake_server import FakeServer

__all__ = ["connected", "fake", "passport"]

FILE = """
current_context: prod
contexts:
  prod: {server: "file:443", token: file-token, tenant: file}
  lab: {server: "127.0.0.1:1", plaintext: true}
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "config.yaml"
    path.write_text(FILE)
    return {"PASSPORT_CONFIG": str(path)}


def test_the_current_context_is_the_ground(environ: dict[str, str]) -> None:
    assert resolve(Place(), None, environ) == Place(server="file:443", token="file-token", tenant="file")


def test_the_environment_stands_over_the_file_and_flags_over_both(environ: dict[str, str]) -> None:
    environ |= {"PASSPORT_SERVER": "env:443", "PASSPORT_TENANT": "env"}
    place = resolve(Place(server="flag:443"), None, environ)
    assert (place.server, place.tenant, place.token) == ("flag:443", "env", "file-token")


def test_a_credential_of_a_higher_layer_takes_the_place_of_the_lower_one(environ: dict[str, str]) -> None:
    environ |= {"PASSPORT_TOKEN": "env-token"}
    place = resolve(Place(token_file="flag-file"), None, environ)
    assert (place.token, place.token_file) == (None, "flag-file")


@pytest.mark.parametrize(
    ("flag", "variable", "server"), [("lab", None, "127.0.0.1:1"), (None, "lab", "127.0.0.1:1")]
)
def test_a_context_is_chosen_by_flag_or_variable(
    environ: dict[str, str], flag: str | None, variable: str | None, server: str
) -> None:
    if variable:
        environ["PASSPORT_CONTEXT"] = variable
    assert resolve(Place(), flag, environ).server == server


def test_an_unknown_context_is_refused(environ: dict[str, str]) -> None:
    with pytest.raises(CommandFailure, match="lab, prod"):
        resolve(Place(), "nowhere", environ)


@pytest.mark.parametrize(
    "content",
    [
        "contexts: {a: {sever: x}}",
        "contexts: []",
        "a: 1",
        "contexts: {a: {server: [x]}}",
        "[",
        "contexts: {a: {plaintext: maybe}}",
    ],
)
def test_a_wrong_file_is_usage(passport: CommandLine, content: str) -> None:
    (passport.home / "config.yaml").write_text(content)
    result = passport("whoami")
    assert (result.code, result.out) == (2, "")


def test_the_file_is_where_xdg_says() -> None:
    assert config_path({"XDG_CONFIG_HOME": "/x"}) == Path("/x/release-passport/config.yaml")
    assert config_path({"HOME": "/h"}) == Path("/h/.config/release-passport/config.yaml")


@pytest.mark.parametrize("server", ["127.0.0.1:9", "localhost:9", "[::1]:9"])
def test_plaintext_to_this_machine_is_permitted(server: str) -> None:
    assert Target(server, plaintext=True).plaintext


@pytest.mark.parametrize(
    "server", ["passport.example.com:443", "10.0.0.1:80", "localhost.evil.example:80", "0.0.0.0:1"]
)
def test_plaintext_to_others_is_refused_unless_it_is_said_to_be_insecure(server: str) -> None:
    with pytest.raises(TargetInvalid):
        Target(server, plaintext=True)
    assert Target(server, plaintext=True, insecure_plaintext=True).plaintext


@pytest.mark.parametrize(
    "server", ["", "x", "x:0", "x:65536", "x:y", "a b:1", "dns:///x:1", "user@host:1", "x:1/y"]
)
def test_what_is_no_address_is_refused(server: str) -> None:
    with pytest.raises(TargetInvalid):
        Target(server)


def test_a_scheme_says_whether_it_is_plaintext(environ: dict[str, str]) -> None:
    assert resolve(Place(server="http://localhost:1/"), None, environ).plaintext is True
    assert resolve(Place(server="https://h:1"), None, environ) == Place(
        server="h:1", plaintext=False, token="file-token", tenant="file"
    )
    with pytest.raises(CommandFailure):
        resolve(Place(server="https://h:1", plaintext=True), None, environ)


def test_the_token_is_in_no_representation() -> None:
    assert "s3cret" not in repr(Target("h:1", token="s3cret")) + repr(Place(token="s3cret"))


def test_a_token_with_a_line_break_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandFailure, match="token"):
        target_of(Place(server="h:1", token="a\nb"))


def test_context_set_keeps_the_file_private_and_list_hides_the_token(
    passport: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("s3cret\n"))
    made = passport("context", "set", "lab", "--server", "127.0.0.1:9", "--plaintext", "--token-stdin")
    path = passport.home / "config.yaml"
    assert made.code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "s3cret" in path.read_text()
    listed = passport("context", "list")
    assert "lab" in listed.out
    assert "s3cret" not in made.out + made.err + listed.out + listed.err


def test_context_use_changes_the_current_one(passport: CommandLine) -> None:
    passport("context", "set", "a", "--server", "a:1")
    passport("context", "set", "b", "--server", "b:1")
    assert passport("context", "use", "b").code == 0
    assert "current_context: b" in (passport.home / "config.yaml").read_text()
    assert passport("context", "use", "c").code == 2


def test_context_set_refuses_plaintext_to_others(passport: CommandLine) -> None:
    assert passport("context", "set", "a", "--server", "a:1", "--plaintext").code == 2
    assert not (passport.home / "config.yaml").exists()


def test_options_stand_before_or_after_the_command(passport: CommandLine, fake: FakeServer) -> None:
    fake.reply("WhoAmI", access_service_pb2.WhoAmIResponse(principal="user:ada", tenant="acme"))
    assert passport("--server", fake.address, "--plaintext", "whoami").code == 0
    assert passport("whoami", "--server", fake.address, "--plaintext").code == 0
    assert passport("--server", "127.0.0.1:1", "whoami", "--server", fake.address, "--plaintext").code == 0


def test_the_token_is_sent_and_never_printed(connected: CommandLine, fake: FakeServer) -> None:
    fake.reply("WhoAmI", access_service_pb2.WhoAmIResponse(principal="user:ada", tenant="acme"))
    result = connected("whoami", "-o", "json")
    assert fake.tokens == ["Bearer secret-of-the-test"]
    assert "secret-of-the-test" not in result.out + result.err


@pytest.mark.parametrize(
    ("place", "plaintext"),
    [
        (Place(server="127.0.0.1:1"), True),
        (Place(server="localhost:1"), True),
        (Place(server="127.0.0.1:1", plaintext=False), False),
        (Place(server="passport.example.com:443"), False),
    ],
)
def test_tls_is_the_default_but_for_this_machine(place: Place, plaintext: bool) -> None:
    assert target_of(place).plaintext is plaintext
