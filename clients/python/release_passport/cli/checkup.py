"""The checks of `passport doctor`: each is one step of the way to an answer."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import click

from release_passport import __version__
from release_passport.cli import exit_codes
from release_passport.cli.config import config_path, load_config
from release_passport.cli.session import Session
from release_passport.errors import PassportAPIError
from release_passport.target import Target, host_and_port

OK, WARN, FAIL, SKIP = "ok", "warn", "fail", "skip"
_LONGEST_SKEW = timedelta(seconds=60)
_TIMEOUT = 5.0
# grpc.health.v1.HealthCheckResponse with status SERVING, as it is sent; spares the client a dependency.
_SERVING = b"\x08\x01"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one check went, and what to do about it."""

    name: str
    state: str
    text: str
    advice: str = ""
    exit_code: int = exit_codes.ERROR


def run_checks(session: Session) -> list[CheckResult]:
    """Return the results in order; after a step that fails, those that need it are left out."""
    results: list[CheckResult] = []
    target: list[Target] = []

    def configured() -> CheckResult:
        target.append(session.target)
        return _config(target[0])

    steps: list[tuple[str, Callable[[], CheckResult]]] = [
        ("config", configured),
        ("tcp", lambda: _tcp(target[0])),
        ("tls", lambda: _tls(target[0])),
        ("health", lambda: _health(session)),
        ("auth", lambda: _auth(session)),
        ("clock", lambda: _clock(session)),
    ]
    for name, step in steps:
        result = _guarded(name, step)
        results.append(result)
        if result.state == FAIL:
            done = [other for other, _ in steps].index(name)
            results += [CheckResult(other, SKIP, "not checked") for other, _ in steps[done + 1 :]]
            break
    return results


def _guarded(name: str, step: Callable[[], CheckResult]) -> CheckResult:
    try:
        return step()
    except click.ClickException as error:
        return CheckResult(name, FAIL, error.format_message(), "correct the setting", error.exit_code)
    except PassportAPIError as error:
        code = exit_codes.of_status(error.code)
        return CheckResult(name, FAIL, f"{error.code}: {error.message}", "", code)
    except (OSError, ValueError) as error:
        return CheckResult(name, FAIL, str(error), "", exit_codes.UNREACHABLE)


def _config(target: Target) -> CheckResult:
    path = config_path(os.environ)
    source = str(path) if path.exists() else "flags and environment"
    way = "plaintext" if target.plaintext else "TLS"
    text = f"{target.server} with {way}, from {source}"
    if (
        path.exists()
        and path.stat().st_mode & 0o077
        and any(c.token for c in load_config(path).contexts.values())
    ):
        return CheckResult("config", WARN, text, f"others can read the token in {path}: chmod 600 {path}")
    if not target.token and target.fresh_token is None and target.certificate is None:
        return CheckResult(
            "config",
            WARN,
            f"{text}; no token",
            "run `passport login`, or set PASSPORT_TOKEN, --token-file or a context",
        )
    return CheckResult("config", OK, text)


def _tcp(target: Target) -> CheckResult:
    host, port = host_and_port(target.server)
    try:
        with socket.create_connection((host, port), timeout=_TIMEOUT):
            return CheckResult("tcp", OK, f"{host} port {port} answers")
    except OSError as error:
        advice = "is the server running, and does a firewall let this through?"
        return CheckResult("tcp", FAIL, f"{host} port {port}: {error}", advice, exit_codes.UNREACHABLE)


def _tls(target: Target) -> CheckResult:
    if target.plaintext:
        state = OK if not target.insecure_plaintext else WARN
        return CheckResult(
            "tls", state, "not used", "" if state == OK else "everybody on the way sees the token"
        )
    host, port = host_and_port(target.server)
    authorities = target.ca_certificates.decode("ascii", "replace") if target.ca_certificates else None
    context = ssl.create_default_context(cadata=authorities)
    context.set_alpn_protocols(["h2"])
    try:
        with (
            socket.create_connection((host, port), timeout=_TIMEOUT) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            if secure.selected_alpn_protocol() != "h2":
                advice = "a proxy between here and the server does not speak HTTP/2"
                return CheckResult(
                    "tls", FAIL, f"{secure.version()} without HTTP/2", advice, exit_codes.UNREACHABLE
                )
            return CheckResult("tls", OK, f"{secure.version()}, certificate of {host} is trusted")
    except ssl.SSLError as error:
        advice = "give the CA with --ca-file, or --plaintext if the server on this machine has no TLS"
        return CheckResult("tls", FAIL, str(error.reason or error), advice, exit_codes.UNREACHABLE)


def _health(session: Session) -> CheckResult:
    import grpc

    from release_passport.rpc_errors import api_error

    call = session.client.channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=bytes,
        response_deserializer=bytes,
    )
    try:
        status = call(b"", timeout=_TIMEOUT)
    except grpc.RpcError as failure:
        error = api_error(failure)
        advice = "is this the gRPC port of the server, and does it speak TLS as you do?"
        return CheckResult("health", FAIL, error.message, advice, exit_codes.of_status(error.code))
    if status != _SERVING:
        return CheckResult(
            "health", FAIL, "not serving", "it is starting, draining or without its database", 5
        )
    return CheckResult("health", OK, "serving")


def _auth(session: Session) -> CheckResult:
    from release_passport.v1 import access_service_pb2

    try:
        who = session.client.who_am_i(access_service_pb2.WhoAmIRequest())
    except PassportAPIError as error:
        advice = "make a new token with `passport token create`, or ask an admin"
        return CheckResult("auth", FAIL, error.message, advice, exit_codes.of_status(error.code))
    roles = ", ".join(who.roles) or "no roles"
    notices = "; ".join(who.notices)
    text = (
        f"{who.principal} in tenant {who.tenant}: {roles}; server {who.server_version}, client {__version__}"
    )
    if notices:
        return CheckResult(
            "auth", WARN, f"{text}; {notices}", "the server says so: `passport whoami` shows it"
        )
    if not who.roles:
        return CheckResult("auth", WARN, text, "an admin grants roles with `passport access grant`")
    return CheckResult("auth", OK, text)


def _clock(session: Session) -> CheckResult:
    from release_passport.cli.server_time import server_time

    before = datetime.now(UTC)
    theirs = server_time(session.client)
    if theirs is None:
        return CheckResult("clock", SKIP, "the server does not say its time to this credential")
    skew = theirs - before
    text = f"{abs(skew.total_seconds()):.1f} s {'behind' if skew > timedelta() else 'ahead of'} the server"
    if abs(skew) > _LONGEST_SKEW:
        advice = "set this machine's clock; evidence that seems to come from the future is refused"
        return CheckResult("clock", FAIL, text, advice, exit_codes.ERROR)
    return CheckResult("clock", OK, text)
