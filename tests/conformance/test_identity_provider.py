"""People and machines come in by the word of a real identity provider, from its pages to the server's answer."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml

from release_passport.v1 import access_service_pb2
from release_passport.v1.access_service_pb2_grpc import AccessServiceStub
from support.cli_process import PROGRAM, Shell
from support.identity_provider import CLIENT_ID, agree, installed, job_token, running
from support.issuer import AUDIENCE
from support.server import bearer
from support.server_process import environment, passport_server, served

WHO_AM_I = access_service_pb2.WhoAmIRequest()


@dataclass(frozen=True)
class Place:
    """A server process that trusts a provider process."""

    issuer: str
    address: str
    admin: str
    folder: Path

    def shell(self, folder: Path, token: str = "") -> Shell:
        """Return a shell with a home of its own."""
        return Shell(folder, self.address, token)

    def ask(self, token: str) -> Any:
        """Return who the server takes the token's holder for."""
        with grpc.insecure_channel(self.address) as channel:
            stub: Any = AccessServiceStub(channel)
            return stub.WhoAmI(WHO_AM_I, metadata=bearer(token))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("provider")
    # Tokens so short that each command has to renew the sign-in.
    with running(installed(folder), id_token_seconds=30) as issuer:
        shared = {"issuer": issuer, "internal": True, "admit": [{"tenant": "default"}]}
        people = {"alias": "corp", "preset": "people", "audience": CLIENT_ID, **shared}
        jobs = {"alias": "jobs", "kind": "sa", "name": "{client_id}", "audience": AUDIENCE, **shared}
        path = folder / "identities.yaml"
        path.write_text(yaml.safe_dump({"issuers": [people, jobs]}), encoding="utf-8")
        made = passport_server(folder, "init")
        with served(folder, PASSPORT_SERVER_AUTHENTICATION_FILE=str(path)) as server:
            yield Place(issuer, server.where["grpc"], made.stdout.strip(), folder)


def test_a_machine_comes_in(place: Place) -> None:
    assert place.ask(job_token(place.issuer)).principal == "sa:jobs/nightly"


def sign_in(place: Place, home: Path, person: str) -> subprocess.CompletedProcess[str]:
    """Run `passport login` to its end, with somebody at the browser."""
    process = subprocess.Popen(
        [*PROGRAM, "login", "--issuer", place.issuer, "--client-id", CLIENT_ID],
        cwd=home,
        env=environment(home)
        | {"PASSPORT_CONFIG": str(home / "no-config.yaml"), "PASSPORT_SERVER": place.address},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    timer = threading.Timer(60, process.kill)
    timer.start()
    try:
        assert process.stderr is not None
        first = process.stderr.readline()
        found = re.search(r"http://\S+", first)
        assert found is not None, first + process.stderr.read()
        agree(found[0], person)
        out, err = process.communicate()
    finally:
        timer.cancel()
    return subprocess.CompletedProcess(process.args, process.returncode, out, first + err)


def test_a_person_signs_in_and_out(place: Place, tmp_path: Path) -> None:
    done = sign_in(place, tmp_path, "ada")
    assert done.returncode == 0, done.stderr
    assert "signed in as user:corp/ada in default" in done.stderr
    kept = list((tmp_path / "sign-in").glob("*.json"))
    assert [stat.S_IMODE(path.stat().st_mode) for path in kept] == [0o600]
    shell = place.shell(tmp_path)
    before = kept[0].read_text(encoding="utf-8")
    me = json.loads(shell("whoami", "-o", "json").stdout)
    assert me["principal"] == "user:corp/ada"
    assert me["groups"] == ["group:corp/release-managers"]
    assert me["identities"] == ["ada@example.com"]
    # It was too old already, and was renewed.
    assert kept[0].read_text(encoding="utf-8") != before
    admin = place.shell(tmp_path, place.admin)
    admin("access", "grant", "user:corp/ada", "viewer")
    assert "viewer" in shell("whoami").stdout
    for secret in (json.loads(before)["token"], json.loads(before)["refresh_token"]):
        assert secret not in done.stdout + done.stderr
    kept[0].chmod(0o644)
    assert "chmod 600" in shell("whoami", expect=2).stderr
    kept[0].chmod(0o600)
    refresh = json.loads(kept[0].read_text(encoding="utf-8"))
    shell("logout")
    assert list((tmp_path / "sign-in").glob("*.json")) == []
    shell("whoami", expect=4)
    # The provider knows that it is over: what was kept is good for nothing.
    kept[0].write_text(json.dumps(refresh), encoding="utf-8")
    kept[0].chmod(0o600)
    assert "`passport login` again" in shell("whoami", expect=4).stderr


def test_a_server_without_the_issuer_is_not_signed_in_to(place: Place, tmp_path: Path) -> None:
    shell = place.shell(tmp_path)
    wrong = shell("login", "--issuer", f"{place.issuer}/", "--client-id", CLIENT_ID, expect=4)
    assert "another issuer" in wrong.stderr
    unknown = shell("login", "--issuer", place.issuer, "--client-id", "nobody", expect=4)
    assert "refuses this application" in unknown.stderr
    assert "give --issuer" in shell("login", expect=2).stderr
