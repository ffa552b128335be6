"""Signing in and the tokens of CI jobs, against providers that do not do what they should."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import click
import pytest

from release_passport.cli.ambient import pod_token
from release_passport.cli.config import Place
from release_passport.cli.credentials import Remembered, signed_in_token, token_source
from release_passport.cli.identity_http import MAX_ANSWER, checked_url, get
from release_passport.cli.saved_sign_in import SignIn, expire_time_of, load, path_for, save
from release_passport.cli.sign_in import Application, Prompt, refreshed, sign_in
from support.issuer import encoded

SERVER = "passport.test:443"


@dataclass
class Provider:
    """A provider whose answers a test gives, by path."""

    url: str = ""
    answers: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, list[str]], str]] = field(default_factory=list)

    def usual(self) -> None:
        """Answer as a provider does that nobody has signed in at yet."""
        known = {
            "issuer": self.url,
            "device_authorization_endpoint": f"{self.url}/device",
            "token_endpoint": f"{self.url}/token",
        }
        device = {
            "device_code": "d",
            "user_code": "AB-CD",
            "verification_uri": f"{self.url}/go",
            "interval": 1,
        }
        self.answers = {
            "/.well-known/openid-configuration": [(200, known)],
            "/device": [(200, device)],
            "/token": [(200, {"id_token": token(), "refresh_token": "r", "expires_in": 60})],
        }


def token(end: float = 4e9) -> str:
    return f"{encoded({'alg': 'RS256'})}.{encoded({'exp': end})}.c2ln"


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("content-length", 0))
            form = parse_qs(self.rfile.read(length).decode())
            made.asked.append((self.path, form, self.headers.get("authorization", "")))
            answers = made.answers.get(self.path.partition("?")[0], [(404, {})])
            status, body = answers.pop(0) if len(answers) > 1 else answers[0]
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("location", f"{made.url}/elsewhere")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}"
    made.usual()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def signed_in(provider: Provider, **changes: Any) -> tuple[SignIn, list[float], list[Prompt]]:
    slept: list[float] = []
    shown: list[Prompt] = []
    application = replace(Application(provider.url, "cli", "openid"), **changes)
    return sign_in(application, SERVER, shown.append, sleep=slept.append), slept, shown


def test_a_sign_in_waits_as_it_is_told(provider: Provider) -> None:
    pending, slow = (400, {"error": "authorization_pending"}), (400, {"error": "slow_down"})
    provider.answers["/token"] = [pending, slow, pending, *provider.answers["/token"]]
    kept, slept, shown = signed_in(provider)
    assert (kept.token, kept.refresh_token, kept.expire_time) == (token(), "r", 4e9)
    assert slept == [1, 1, 6, 6]
    assert shown == [Prompt(f"{provider.url}/go", "", "AB-CD")]
    assert token() not in repr(kept)


def test_a_token_for_an_audience_is_asked_for_by_name(provider: Provider) -> None:
    provider.answers["/token"] = [(200, {"access_token": "opaque", "expires_in": 60})]
    kept, _, _ = signed_in(provider, kind="access_token", audience="https://passport.test")
    assert kept.token == "opaque"
    assert provider.asked[1][1]["resource"] == ["https://passport.test"]


Answers = dict[str, list[tuple[int, Any]]]
BROKEN: dict[str, tuple[Callable[[str], Answers], str]] = {
    "refused by the person": (
        lambda u: {"/token": [(400, {"error": "access_denied"})]},
        "refused in the browser",
    ),
    "too late": (lambda u: {"/token": [(400, {"error": "expired_token"})]}, "nobody signed in in time"),
    "no token of the kind": (lambda u: {"/token": [(200, {"access_token": "x"})]}, "no id_token"),
    "another error": (lambda u: {"/token": [(400, {"error": "invalid_client\x1b[2J"})]}, "status 400"),
    "a device that is refused": (
        lambda u: {"/device": [(401, {"error": "invalid_client"})]},
        "invalid_client",
    ),
    "a page without TLS": (
        lambda u: {
            "/device": [
                (200, {"device_code": "d", "user_code": "x", "verification_uri": "http://evil.test/go"})
            ]
        },
        "must begin with https://",
    ),
    "a page that is a script": (
        lambda u: {
            "/device": [
                (200, {"device_code": "d", "user_code": "x", "verification_uri": "javascript:alert(1)"})
            ]
        },
        "is not a URL",
    ),
    "a code with control characters": (
        lambda u: {
            "/device": [(200, {"device_code": "d", "user_code": "\x1b[2J", "verification_uri": f"{u}/go"})]
        },
        "no code",
    ),
    "another issuer": (
        lambda u: {"/.well-known/openid-configuration": [(200, {"issuer": "https://other.test"})]},
        "another issuer",
    ),
    "no device flow": (
        lambda u: {
            "/.well-known/openid-configuration": [(200, {"issuer": u, "token_endpoint": f"{u}/token"})]
        },
        "no device_authorization_endpoint",
    ),
    "a redirect": (lambda u: {"/.well-known/openid-configuration": [(302, {})]}, "answers 302"),
    "no JSON": (lambda u: {"/.well-known/openid-configuration": [(200, b"<html>")]}, "no JSON"),
    "too much": (
        lambda u: {"/.well-known/openid-configuration": [(200, b" " * (MAX_ANSWER + 1))]},
        "more than",
    ),
    "nested without end": (
        lambda u: {"/.well-known/openid-configuration": [(200, b"[" * 100_000)]},
        "no JSON",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_provider_that_does_not_do_what_it_should(provider: Provider, name: str) -> None:
    answers, part = BROKEN[name]
    provider.answers |= answers(provider.url)
    with pytest.raises(click.ClickException) as failed:
        signed_in(provider)
    assert part in failed.value.message
    assert failed.value.exit_code == 4
    assert "/elsewhere" not in [path for path, _, _ in provider.asked]


def test_a_person_who_does_nothing_is_waited_for_15_minutes_at_most(provider: Provider) -> None:
    provider.answers["/token"] = [(400, {"error": "authorization_pending"})]
    provider.answers["/device"][0][1].update({"expires_in": 10**6, "interval": 10**6})
    slept: list[float] = []
    with pytest.raises(click.ClickException, match="in time"):
        sign_in(Application(provider.url, "cli", "openid"), SERVER, lambda _: None, sleep=slept.append)
    assert sum(slept) <= 900
    assert max(slept) <= 60


@pytest.mark.parametrize(
    "url",
    [
        "http://id.test/x",
        "ftp://id.test",
        "https://u:p@id.test",
        "https://",
        "https://a b",
        7,
        None,
        "https://ä",
    ],
)
def test_secrets_go_to_no_such_address(url: object) -> None:
    with pytest.raises(click.ClickException):
        checked_url(url, "it")


def test_what_cannot_be_reached_is_told_as_that() -> None:
    with pytest.raises(click.ClickException) as failed:
        get("http://127.0.0.1:1/", "the identity provider")
    assert failed.value.exit_code == 5


def kept_in(folder: Path, sign_in_of: SignIn) -> dict[str, str]:
    environ = {"PASSPORT_CONFIG": str(folder / "config.yaml")}
    save(path_for(SERVER, environ), sign_in_of)
    return environ


def test_a_sign_in_is_renewed_once_it_ends_soon_and_kept(provider: Provider, tmp_path: Path) -> None:
    kept, _, _ = signed_in(provider)
    environ = kept_in(tmp_path, replace(kept, token="old", expire_time=1.0))
    assert signed_in_token(SERVER, environ) == token()
    again = load(path_for(SERVER, environ))
    assert again is not None
    assert again.token == token()
    assert signed_in_token(SERVER, environ) == token()
    assert [path for path, form, _ in provider.asked if form.get("grant_type") == ["refresh_token"]] == [
        "/token"
    ]


def test_a_sign_in_that_cannot_be_renewed_is_over(provider: Provider, tmp_path: Path) -> None:
    kept, _, _ = signed_in(provider)
    environ = kept_in(tmp_path, replace(kept, expire_time=1.0, refresh_token=""))
    with pytest.raises(click.ClickException, match="passport login"):
        signed_in_token(SERVER, environ)
    provider.answers["/token"] = [(400, {"error": "invalid_grant"})]
    with pytest.raises(click.ClickException, match="invalid_grant"):
        refreshed(kept)


def test_a_damaged_or_readable_file_is_not_used(provider: Provider, tmp_path: Path) -> None:
    kept, _, _ = signed_in(provider)
    path = path_for(SERVER, kept_in(tmp_path, kept))
    path.chmod(0o640)
    with pytest.raises(click.ClickException, match="chmod 600"):
        load(path)
    path.chmod(0o600)
    for text in ("", "{}", "[]", "7", '{"server": 1'):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(click.ClickException, match="damaged"):
            load(path)
    path.unlink()
    assert load(path) is None


def test_a_sign_in_is_shown_to_its_own_server_alone(provider: Provider, tmp_path: Path) -> None:
    environ = kept_in(tmp_path, signed_in(provider)[0])
    source = token_source(Place(server=SERVER), environ)
    assert source is not None
    assert source() == token()
    assert token_source(Place(server="other.test:443"), environ) is None
    assert token_source(Place(server=SERVER, token="given"), environ) is None


def test_a_github_job_gets_a_token_for_the_audience_and_a_new_one_before_it_ends(provider: Provider) -> None:
    environ = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{provider.url}/job?run=1",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-job",
        "PASSPORT_CONFIG": os.devnull,
    }
    provider.answers["/job"] = [(200, {"value": token()})]
    assert token_source(Place(server=SERVER), environ) is None
    source = token_source(Place(server=SERVER, audience="https://passport.test/a b"), environ)
    assert isinstance(source, Remembered)
    assert [source(), source()] == [token(), token()]
    asked: tuple[str, dict[str, list[str]], str] = (
        "/job?run=1&audience=https%3A%2F%2Fpassport.test%2Fa%20b",
        {},
        "Bearer of-the-job",
    )
    assert provider.asked == [asked]
    source.now = lambda: 4e9 - 59
    source()
    assert provider.asked == [asked, asked]
    provider.answers["/job"] = [(403, {})]
    with pytest.raises(click.ClickException, match="id-token: write"):
        source()


def test_a_gitlab_job_and_a_pod_bring_their_token(tmp_path: Path) -> None:
    source = token_source(Place(server=SERVER), {"PASSPORT_ID_TOKEN": " of-the-job\n"})
    assert source is not None
    assert source() == "of-the-job"
    path = tmp_path / "token"
    assert pod_token(path) == ""
    path.write_text("of-the-pod\n", encoding="ascii")
    assert pod_token(path) == "of-the-pod"
    place = Place(server=SERVER, token_file=str(path))
    fresh = token_source(place, {})
    assert fresh is not None
    path.write_text("rotated\n", encoding="ascii")
    assert fresh() == "rotated"


@pytest.mark.parametrize("text", ["", "rp1_x", "a.b.c", "a.%%.c", f"a.{encoded([])}.c", f"a.{encoded({})}.c"])
def test_a_token_that_says_nothing_of_its_end(text: str) -> None:
    assert expire_time_of(text) is None
