"""Keys are rotated and given up under a running server: new decisions have new keys, and old proof still holds."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.cli_process import Shell
from support.server_process import passport_server, served

IMAGE = "registry.example/app@sha256:" + "a" * 64
DEADLINE = 20.0


@dataclass(frozen=True)
class Running:
    """A server process, its admin at a terminal, and the operator beside it."""

    shell: Shell
    http: str
    folder: Path

    def keys(self, *words: str, expect: int = 0) -> str:
        """Run `passport-server keys` beside the server; return what it said."""
        done = passport_server(self.folder, "keys", *words)
        assert done.returncode == expect, done.stderr
        return done.stdout + done.stderr

    def listed(self) -> dict[str, dict[str, Any]]:
        """Return the keys that the operator sees."""
        return {key["keyId"]: key for key in json.loads(self.keys("list", "--json"))["keys"]}

    def published(self) -> dict[str, dict[str, Any]]:
        """Return the keys that everybody sees; they are kept in keys.json."""
        answer = httpx.get(f"http://{self.http}/.well-known/release-passport-keys.json")
        (self.folder / "keys.json").write_bytes(answer.content)
        return {key["keyId"]: key for key in answer.json()["keys"]}

    def decided(self, version: str) -> str:
        """Decide about a version; return the id of the key that signed it."""
        place = ("--service", "checkout", "--environment", "prod", "--version", version)
        identity = (*place, "--artifact", IMAGE, "--source-revision", "4f6c2a90")
        asked = self.shell("gate", *identity, "-o", "json", expect=None)
        envelope = json.loads(asked.stdout)["envelope"]
        [signature] = json.loads(base64.b64decode(envelope))["signatures"]
        key_id: str = signature["keyid"]
        return key_id

    def exported(self, version: str, path: str) -> None:
        """Export a version as soon as the log shows it."""
        end = time.monotonic() + DEADLINE
        words = ("export", f"checkout/prod/{version}", "-o", path)
        while self.shell(*words, expect=None).returncode:
            assert time.monotonic() < end, self.shell(*words, expect=None).stderr

    def verified(self, path: str, expect: int = 0) -> str:
        """Verify an export with the keys as they are published now; return what was said."""
        self.published()
        done = self.shell("verify", path, "--key-set", "keys.json", expect=expect)
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("keys")
    made = passport_server(folder, "init")
    secret = next(word for word in made.stdout.split() if word.startswith("rp1_"))
    with served(folder) as server:
        shell = Shell(folder, server.where["grpc"], secret)
        shell("service", "create", "checkout")
        yield Running(shell, server.where["http"], folder)


def active(keys: dict[str, dict[str, Any]], purpose: str = "DECISION") -> str:
    """Return the id of the one active key of a purpose."""
    [found] = [name for name, key in keys.items() if (key["purpose"], key["state"]) == (purpose, "ACTIVE")]
    return found


def test_keys_are_rotated_and_given_up_under_a_running_server(running: Running) -> None:
    first = running.decided("1.0.0")
    assert running.published() == running.listed()
    assert first == active(running.listed())
    running.exported("1.0.0", "first.json")
    running.verified("first.json")

    assert "ACTIVE" in running.keys("rotate", "decision")
    second = running.decided("2.0.0")
    assert second == active(running.listed()) != first
    keys = running.published()
    assert keys == running.listed()
    assert (keys[first]["state"], keys[second]["state"]) == ("RETIRED", "ACTIVE")
    assert {"DECISION", "LOG"} == {key["purpose"] for key in keys.values()}
    running.exported("1.0.0", "again.json")
    running.exported("2.0.0", "second.json")
    running.verified("again.json")
    running.verified("second.json")
    # Its seal is the retired key's own word for when it was made: the reader has to have kept a checkpoint.
    assert "RETIRED_WITHOUT_LOG" in running.verified("first.json", expect=1)

    since = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert "compromised since" in running.keys("compromise", second, "--since", since)
    third = running.decided("3.0.0")
    assert third == active(running.listed())
    assert third not in {first, second}
    assert running.published()[second]["state"] == "COMPROMISED"
    running.exported("2.0.0", "stolen.json")
    running.exported("3.0.0", "third.json")
    running.verified("third.json")
    running.verified("again.json", expect=1)
    assert f"{second}, which sealed the passport, is COMPROMISED" in running.verified("second.json", expect=1)
    assert "(COMPROMISED)" in running.verified("stolen.json", expect=1)


def test_the_key_of_the_log_is_rotated_under_a_running_server(running: Running) -> None:
    running.decided("8.0.0")
    running.exported("8.0.0", "before.json")
    before = active(running.published(), "LOG")
    running.keys("rotate", "log")
    running.decided("9.0.0")
    running.exported("9.0.0", "after.json")
    assert active(running.published(), "LOG") != before
    running.verified("before.json")
    running.verified("after.json")


def test_the_list_is_for_people_too(tmp_path: Path) -> None:
    done = passport_server(tmp_path, "keys", "list")
    assert [line.split()[1:3] for line in done.stdout.splitlines()] == [
        ["LOG", "ACTIVE"],
        ["DECISION", "ACTIVE"],
    ]
    assert "PRIVATE" not in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (
            ("compromise", "SHA256:nobody", "--since", "2026-03-02T10:00:00Z"),
            1,
            "there is no key SHA256:nobody",
        ),
        (("compromise", "SHA256:nobody", "--since", "yesterday"), 2, "--since is a time such as"),
        (("compromise", "SHA256:nobody", "--since", "2026-03-02T10:00:00"), 2, "--since needs its zone"),
        (("rotate", "everything"), 2, "decision"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    done = passport_server(tmp_path, "keys", *words)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
