"""The second port: probes, metrics, JSON, and what it refuses."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from google.protobuf import json_format
from google.rpc import error_details_pb2

from release_passport.v1 import decision_service_pb2 as pb
from release_passport_server.domain import errors
from release_passport_server.domain.access import Principal
from release_passport_server.domain.errors import Violation
from release_passport_server.transport.grpc.methods import all_methods
from release_passport_server.transport.http.json_rpc import MAX_VALUES
from support.server import GOOD, application, free_ports, serving

EVALUATE = "/release_passport.v1.DecisionService/Evaluate"
pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = {"content-type": "application/json", "authorization": f"Bearer {GOOD}"}


class Handlers:
    """Answers, or raises what the test says."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.seen: list[Any] = []

    async def Evaluate(self, principal: Principal, request: pb.EvaluateRequest) -> pb.EvaluateResponse:
        self.seen.append(request)
        if self.error is not None:
            raise self.error
        return pb.EvaluateResponse(revision=7, replayed=True)


@pytest.fixture(scope="module")
def shared_handlers() -> Handlers:
    return Handlers()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http(shared_handlers: Handlers) -> AsyncIterator[httpx.AsyncClient]:
    served = application({"release_passport.v1.DecisionService": shared_handlers})
    async with (
        serving(served) as process,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{process.http_port}") as client,
    ):
        yield client


@pytest.fixture
def handlers(shared_handlers: Handlers) -> Handlers:
    shared_handlers.error = None
    shared_handlers.seen.clear()
    return shared_handlers


async def test_a_unary_call_is_protobuf_json(http: httpx.AsyncClient, handlers: Handlers) -> None:
    body = '{"tenant": "t", "requestId": "r", "release": null}'
    answer = await http.post(EVALUATE, content=body, headers=JSON | {"x-request-id": "q-1"})
    assert (answer.status_code, answer.json()) == (200, {"revision": "7", "replayed": True})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"] == "q-1"
    assert handlers.seen == [pb.EvaluateRequest(tenant="t", request_id="r")]


async def test_every_method_but_streams_of_requests_has_its_path(http: httpx.AsyncClient) -> None:
    for method in all_methods():
        headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
        answer = await http.post(method.path, content="{}", headers=headers)
        assert answer.status_code == (404 if method.client_streaming else 401), method.path


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'"x"',
        b"{",
        b"{}x",
        b'{"tenat": "t"}',
        b'{"tenant": 5}',
        b'{"tenant": ["t"]}',
        b'{"tenant": "a", "tenant": "b"}',
        b'{"tenant": "\xff"}',
        b'{"tenant": "\\ud800"}',
        b'{"tenant": ' + b"9" * 100_000 + b"}",
        b"\xef\xbb\xbf{}",
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'{"evidence":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"evidence": [' + b"{}," * MAX_VALUES + b"{}]}",
        b'{"evidence": [5]}',
        b'{"stage": "NONE_SUCH"}',
    ],
    ids=range(20),
)
async def test_a_body_that_is_no_request_is_invalid(
    http: httpx.AsyncClient, handlers: Handlers, body: bytes
) -> None:
    answer = await http.post(EVALUATE, content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_argument")
    assert handlers.seen == []
    assert len(answer.content) < 4096


async def test_an_unknown_field_is_named(http: httpx.AsyncClient) -> None:
    answer = await http.post(EVALUATE, content='{"tenat": "t"}', headers=JSON)
    assert "tenat" in answer.json()["message"]


async def test_a_body_over_4_mib_is_refused(http: httpx.AsyncClient, handlers: Handlers) -> None:
    body = b'{"tenant": "' + b"x" * (4 * 1024 * 1024) + b'"}'
    answer = await http.post(EVALUATE, content=body, headers=JSON)
    assert answer.status_code == 400
    assert "4 MiB" in answer.json()["message"]
    assert handlers.seen == []


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
async def test_only_json_is_taken(http: httpx.AsyncClient, content_type: str | None) -> None:
    headers = {"authorization": f"Bearer {GOOD}"} | ({"content-type": content_type} if content_type else {})
    assert (await http.post(EVALUATE, content=b"{}", headers=headers)).status_code == 415


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.Invalid("INVALID_FIELDS", "m"), 400, "invalid_argument"),
        (errors.Unauthenticated("CREDENTIAL_INVALID", "m"), 401, "unauthenticated"),
        (errors.Denied("ACCESS_DENIED", "m"), 403, "permission_denied"),
        (errors.NotFound("NOT_FOUND", "m"), 404, "not_found"),
        (errors.AlreadyExists("ALREADY_EXISTS", "m"), 409, "already_exists"),
        (errors.Conflict("ETAG_MISMATCH", "m"), 409, "aborted"),
        (errors.Precondition("STAGE_MISMATCH", "m"), 400, "failed_precondition"),
        (errors.OutOfRange("PAGE_TOKEN_INVALID", "m"), 400, "out_of_range"),
        (errors.Exhausted("OVERLOADED", "m"), 429, "resource_exhausted"),
        (errors.Unavailable("STORE_UNAVAILABLE", "m", retry_after=2), 503, "unavailable"),
        (RuntimeError("s3cret"), 500, "internal"),
    ],
)
async def test_each_kind_of_error_has_its_http_status(
    http: httpx.AsyncClient, handlers: Handlers, error: Exception, status: int, code: str
) -> None:
    handlers.error = error
    answer = await http.post(EVALUATE, content="{}", headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "s3cret" not in answer.text
    info = next(found for found in answer.json()["details"] if found["type"] == "google.rpc.ErrorInfo")
    decoded = error_details_pb2.ErrorInfo.FromString(base64.b64decode(info["value"] + "=="))
    assert json_format.MessageToDict(decoded) == info["debug"]
    assert decoded.reason == getattr(error, "reason", "INTERNAL")
    assert answer.headers.get("retry-after") == ("2" if status == 503 else None)


async def test_the_same_violations_are_shown_as_over_grpc(
    http: httpx.AsyncClient, handlers: Handlers
) -> None:
    handlers.error = errors.invalid([Violation("release", "required")])
    answer = await http.post(EVALUATE, content="{}", headers=JSON)
    shown = [found["debug"] for found in answer.json()["details"] if found["type"] == "google.rpc.BadRequest"]
    assert shown == [{"fieldViolations": [{"field": "release", "description": "required"}]}]


@pytest.mark.parametrize(
    ("given", "status"), [("20", 504), ("5000", 200), ("-1", 400), ("1e3", 400), ("9" * 11, 400)]
)
async def test_the_callers_time_is_kept(
    http: httpx.AsyncClient, handlers: Handlers, given: str, status: int
) -> None:
    answer = await http.post(EVALUATE, content="{}", headers=JSON | {"connect-timeout-ms": given})
    assert answer.status_code == status


@pytest.mark.parametrize(
    "path", ["/", "/x", "/livez/", "/release_passport.v1.DecisionService/Nothing", "/..%2f"]
)
async def test_what_has_no_route_is_not_found_and_never_redirected(
    http: httpx.AsyncClient, path: str
) -> None:
    for method in ("GET", "POST"):
        answer = await http.request(method, path)
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/plain")


async def test_every_answer_has_the_security_headers(http: httpx.AsyncClient) -> None:
    for answer in (await http.get("/livez"), await http.get("/none"), await http.post(EVALUATE, content="x")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers


async def test_probes_say_alive_and_ready(http: httpx.AsyncClient) -> None:
    assert (await http.get("/livez")).text == "alive\n"
    assert (await http.get("/readyz")).text == "ready: api, watch, worker\n"


async def test_metrics_count_calls_by_method_edge_and_code(
    http: httpx.AsyncClient, handlers: Handlers
) -> None:
    await http.post(EVALUATE, content="{}", headers=JSON)
    text = (await http.get("/metrics")).text
    labels = 'code="OK",edge="http",method="Evaluate",service="release_passport.v1.DecisionService"'
    assert f"rp_calls_total{{{labels}}} " in text
    assert 'rp_in_flight{class="decide"} 0.0' in text
    assert 'rp_build_info{version="0.0.test"} 1.0' in text
    assert "rp_draining 0.0" in text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("127.0.0.1:7480", 200),
        ("[::1]:7480", 200),
        ("evil.example", 403),
        ("", 403),
        ("[", 403),
    ],
)
async def test_development_mode_answers_to_names_of_this_machine_only(host: str, status: int) -> None:
    async with serving(application({}, notice="dev"), free_ports()) as process, httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{process.http_port}/livez", headers={"host": host})
        assert answer.status_code == status
