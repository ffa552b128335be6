"""The Python client: one exception with all that was said, request ids, deadlines, retries that do no harm."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import grpc
import pytest
from google.protobuf import descriptor_pool

from release_passport import Client, PassportAPIError, Target
from release_passport.channel import service_config
from release_passport.durations import format_duration, parse_duration, roughly
from release_passport.errors import Violation
from release_passport.v1 import (
    access_service_pb2,
    decision_service_pb2,
    evidence_service_pb2,
    release_service_pb2,
)
from support.cli_fixtures import fake
from support.decisions import RELEASE, evaluated
from support.fake_server import FakeServer, Refusal

__all__ = ["fake"]

ASK = decision_service_pb2.EvaluateRequest(release=RELEASE)
SERVICES = (
    "Decision",
    "Evidence",
    "Release",
    "Catalog",
    "Policy",
    "Access",
    "Tenant",
    "Permit",
    "Trust",
    "Audit",
    "Approval",
    "Group",
    "Waiver",
    "Override",
    "Freeze",
    "Gate",
    "Notification",
    "Connector",
)


@pytest.fixture
def client(fake: FakeServer) -> Iterator[Client]:
    with Client(Target(fake.address, token="t0ken", plaintext=True)) as opened:
        yield opened


def test_an_error_carries_everything_that_the_server_said(client: Client, fake: FakeServer) -> None:
    refusal = Refusal(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "too many",
        reason="OVERLOADED",
        violations={"evidence[3].facts": "too large"},
        retry_after=2.5,
    )
    fake.reply("Evaluate", refusal)
    with pytest.raises(PassportAPIError) as raised:
        client.evaluate(ASK)
    error = raised.value
    assert (error.code, error.message, error.reason) == ("RESOURCE_EXHAUSTED", "too many", "OVERLOADED")
    assert error.violations == (Violation("evidence[3].facts", "too large"),)
    assert error.retry_after == 2.5


def test_broken_details_do_not_hide_the_error(client: Client, fake: FakeServer) -> None:
    refusal = Refusal(grpc.StatusCode.NOT_FOUND, "none")
    refusal.packed = lambda: b"\xff\xff\xff"  # type: ignore[method-assign]
    fake.reply("Evaluate", refusal)
    with pytest.raises(PassportAPIError) as raised:
        client.evaluate(ASK)
    assert raised.value.code == "NOT_FOUND"


def test_a_request_without_an_id_gets_one_and_stays_as_it_was(client: Client, fake: FakeServer) -> None:
    fake.reply("Evaluate", evaluated())
    client.evaluate(ASK)
    client.evaluate(ASK)
    first, second = fake.asked("Evaluate")
    assert first.request_id
    assert first.request_id != second.request_id
    assert ASK.request_id == ""


def test_a_given_id_is_kept(client: Client, fake: FakeServer) -> None:
    fake.reply("SubmitEvidence", evidence_service_pb2.SubmitEvidenceResponse())
    client.submit_evidence(evidence_service_pb2.SubmitEvidenceRequest(request_id="mine"))
    assert fake.asked("SubmitEvidence")[0].request_id == "mine"


def test_the_retries_of_one_call_are_one_change(client: Client, fake: FakeServer) -> None:
    fake.reply("Evaluate", Refusal(grpc.StatusCode.UNAVAILABLE, "draining"), evaluated())
    client.evaluate(ASK)
    first, second = fake.asked("Evaluate")
    assert first.request_id == second.request_id


def test_a_call_that_returns_a_secret_is_not_repeated(client: Client, fake: FakeServer) -> None:
    fake.reply("CreateAPIToken", Refusal(grpc.StatusCode.UNAVAILABLE, "draining"))
    with pytest.raises(PassportAPIError):
        client.create_api_token(access_service_pb2.CreateAPITokenRequest())
    assert len(fake.asked("CreateAPIToken")) == 1


def test_a_deadline_is_an_error(client: Client, fake: FakeServer) -> None:
    answered = threading.Event()

    def too_late(_: object) -> decision_service_pb2.EvaluateResponse:
        answered.wait(10)
        return evaluated()

    fake.reply("Evaluate", too_late)
    with pytest.raises(PassportAPIError) as raised:
        client.evaluate(ASK, timeout=0.05)
    answered.set()
    assert (raised.value.code, raised.value.is_unreachable) == ("DEADLINE_EXCEEDED", True)


def test_the_token_goes_as_a_bearer(client: Client, fake: FakeServer) -> None:
    fake.reply("GetRelease", release_service_pb2.GetReleaseResponse())
    client.get_release(release_service_pb2.GetReleaseRequest(name=RELEASE))
    assert fake.tokens == ["Bearer t0ken"]


def methods() -> list[tuple[str, str, bool, bool]]:
    pool = descriptor_pool.Default()
    found = []
    for service in SERVICES:
        for method in pool.FindServiceByName(f"release_passport.v1.{service}Service").methods:
            has_id = "request_id" in method.input_type.fields_by_name
            found.append((f"{service}Service", method.name, has_id, method.client_streaming))
    return found


def snake(name: str) -> str:
    name = name.replace("API", "Api")
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name).removeprefix("_")


@pytest.mark.parametrize(("service", "method", "has_id", "streaming"), methods())
def test_every_unary_rpc_has_a_method(service: str, method: str, has_id: bool, streaming: bool) -> None:
    names = {"WhoAmI": "who_am_i"}
    assert hasattr(Client, names.get(method, snake(method))) is not streaming


@pytest.mark.parametrize(("service", "method", "has_id", "streaming"), methods())
def test_only_what_does_no_harm_is_retried(service: str, method: str, has_id: bool, streaming: bool) -> None:
    (config,) = json.loads(service_config())["methodConfig"]
    retried = {
        (name["service"].removeprefix("release_passport.v1."), name["method"]) for name in config["name"]
    }
    reading = ("Get", "List", "Who", "Explain", "Simulate", "Validate", "Test", "Export", "Check")
    # To wake somebody twice is to wake them once.
    reads = method.startswith(reading) or method in {"ReviewAccess", "WakeConnector"}
    shows_secret = method in {"CreateAPIToken", "CreateTenant", "CreateGate", "UpdateGate"}
    shows_secret |= method in {"CreateNotificationChannel", "UpdateNotificationChannel"}
    assert ((service, method) in retried) == ((reads or has_id) and not shows_secret and not streaming)
    assert config["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE", "CANCELLED"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("10m", 600),
        ("24h", 86400),
        ("7d", 604800),
        ("1h30m", 5400),
        ("250ms", 0.25),
        ("1.5s", 1.5),
    ],
)
def test_durations_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_duration(text).total_seconds() == seconds
    assert parse_duration(format_duration(parse_duration(text))) == parse_duration(text)


@pytest.mark.parametrize(
    "text", ["", "5", "5 m", "-5m", "m", "1m1h", "1m1m", "1y", "1e3s", "9999999d", "\u0661m", "1h" * 9]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|unit|longer"):
        parse_duration(text)


def test_durations_for_people_have_two_units() -> None:
    assert [roughly(parse_duration(text)) for text in ("90m", "25h", "59s", "0s")] == [
        "1h30m",
        "1d1h",
        "59s",
        "0s",
    ]
