"""The command line starts fast because it imports late; help needs nothing but click."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from release_passport.cli.main import COMMANDS, passport

HEAVY = ["cryptography", "grpc", "google.protobuf", "sqlalchemy", "rich", "yaml"]


def imported_by(code: str) -> list[str]:
    """Return which heavy modules are loaded after the code ran in a new interpreter."""
    script = (
        f"import sys; sys.path[:0] = {sys.path!r}\n{code}\nprint([m for m in {HEAVY!r} if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    last: list[str] = [name.strip("' ") for name in ran.stdout.splitlines()[-1].strip("[]").split(",")]
    return [name for name in last if name]


@pytest.mark.parametrize(
    "arguments",
    [
        *(["--help"], [], ["gate", "--help"], ["policy", "--help"], ["context", "list"], ["gate"]),
        *(["verify", "--help"], ["audit", "verify", "--help"], ["verify"]),
    ],
)
def test_help_and_usage_import_nothing_heavy(arguments: list[str], tmp_path: object) -> None:
    code = (
        "import os, contextlib, io\n"
        f"os.environ['PASSPORT_CONFIG'] = {str(tmp_path)!r} + '/none.yaml'\n"
        "from release_passport.cli.main import run\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):\n"
        f"    run({arguments!r})"
    )
    wanted = [] if arguments != ["context", "list"] else ["google.protobuf"]
    assert set(imported_by(code)) <= set(wanted)


def test_the_package_itself_imports_nothing_heavy() -> None:
    assert imported_by("import release_passport") == []


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_of_the_map_exists_and_says_what_it_does(name: str) -> None:
    command = passport.get_command(click.Context(passport), name)
    assert command is not None
    assert command.name == name
    assert command.help


def all_commands(command: click.Command, path: str) -> list[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        return [(path, command)]
    found = []
    context = click.Context(command)
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        found += all_commands(inner, f"{path} {name}")
    return found


def test_every_command_has_help_for_itself_and_its_options() -> None:
    for path, command in all_commands(passport, "passport"):
        assert command.help, path
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help or parameter.metavar or isinstance(parameter.type, click.Choice), (
                    f"{path} {parameter.name}"
                )


def test_no_option_takes_a_secret() -> None:
    for path, command in all_commands(passport, "passport"):
        options = [option for parameter in command.params for option in parameter.opts]
        assert not {"--token", "--secret", "--password"} & set(options), path
