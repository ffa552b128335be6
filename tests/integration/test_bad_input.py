"""Input that is wrong: refused with all that is wrong and where, nothing stored, and the server goes on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from release_passport.v1 import (
    access_service_pb2,
    decision_service_pb2,
    evidence_pb2,
    evidence_service_pb2,
    job_service_pb2,
    policy_service_pb2,
    release_service_pb2,
    watch_window_service_pb2,
)
from release_passport_server.transport.grpc.methods import CallClass, Method
from support.calls import UNARY, Caller, Refused
from support.hostile import hostile, lengthened
from support.requests import Names, ahead, identity, item, request_for
from support.server import RealServer, real_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

OURS = Names()
# What a wrong request may be answered with; a look-alike of a name can be a good name of nothing.
REFUSALS = {
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "PERMISSION_DENIED",
}
# An oneof that is left out is missed where its alternative stands.
ELSEWHERE = {"identity": "release"}
# A right request to suspend would end the tenant of these tests; its one name is read as that of GetTenant.
SWEPT = tuple(method for method in UNARY if method.name != "SuspendTenant")
SHOWN_ON_POSTGRES = {"nul", "invisible", "huge", "quotes"}


async def _prepared(server: RealServer) -> Caller:
    admin = Caller(server, server.token)
    for name in ("CreateService", "CreateEnvironment", "CreatePolicy", "CreateRelease"):
        await admin(name, request_for(name, OURS))
    return admin


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def admin(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Caller]:
    async with real_server(tmp_path_factory.mktemp("bad")) as running:
        yield await _prepared(running)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on_postgres(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> AsyncIterator[Caller]:
    url = postgres_url.replace("+psycopg", "")
    async with real_server(tmp_path_factory.mktemp("bad"), store={"url": url}) as running:
        yield await _prepared(running)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http(admin: Caller) -> AsyncIterator[httpx.AsyncClient]:
    base = f"http://127.0.0.1:{admin.server.process.http_port}"
    headers = {"content-type": "application/json", "authorization": f"Bearer {admin.token}"}
    async with httpx.AsyncClient(base_url=base, headers=headers) as client:
        yield client


async def revision(caller: Caller) -> int:
    return await caller.server.store.read("default", lambda reader: reader.revision())


def complaint(path: str, found: Refused) -> str:
    """Return what is wrong with a refusal of a request whose only fault is at the path; empty where it is right."""
    if found.code not in REFUSALS or not found.reason:
        return "is not a refusal"
    if found.code != "INVALID_ARGUMENT":
        return ""
    # The fields of a Struct stand for the whole of it.
    path = path.removesuffix(".fields")
    # A fault in a part may be told of the whole, and a fault of the whole of its parts.
    near = any(
        field == ELSEWHERE.get(path)
        or field == path
        or field.startswith((f"{path}.", f"{path}["))
        or path.startswith((f"{field}.", f"{field}["))
        for field in found.fields
    )
    return "" if near else "does not name the field"


async def sweep(caller: Caller, method: Method, only: set[str] | None = None) -> list[str]:
    """Send a method's request with each field made hostile in turn; return what was answered wrongly."""
    request = request_for(method.name, OURS)
    writes, wrong = method.call_class is not CallClass.READ, []
    before = await revision(caller)
    for path, label, changed in [*hostile(request), *lengthened(request)]:
        if only is not None and label.partition(" ")[0] not in only:
            continue
        found = await caller.tried(method.name, changed)
        if isinstance(found, Refused):
            problem = complaint(path, found)
            if writes and await revision(caller) != before:
                problem = "stored something"
            if problem:
                wrong.append(f"{path}, {label}: {problem}: {found}"[:500])
        elif writes:
            before = await revision(caller)
    return wrong


@pytest.mark.parametrize("method", SWEPT, ids=lambda method: method.name)
async def test_every_field_of_every_method_made_hostile_is_refused_in_its_place(
    admin: Caller, method: Method
) -> None:
    assert await sweep(admin, method) == []


async def test_hostile_text_is_refused_on_postgresql_too(on_postgres: Caller) -> None:
    for method in SWEPT:
        assert await sweep(on_postgres, method, SHOWN_ON_POSTGRES) == [], method.name


def broken_identity() -> Any:
    broken = identity(OURS)
    broken.service, broken.version, broken.source_revision = "Checkout", "1.0/2", "HEAD"
    broken.artifacts[0].digest = "sha256:" + "A" * 64
    broken.artifacts.add(name="registry.example/app:latest@x", digest="latest")
    return broken


def broken_item() -> evidence_pb2.EvidenceInput:
    broken = item(OURS)
    broken.subject.artifact_digest = "md5:abc"
    broken.facts.runtime_health.desired_replicas = -1
    broken.facts.runtime_health.object = "x\x00"
    broken.observe_time.nanos = -1
    return broken


EVERYTHING = (
    (
        "Evaluate",
        decision_service_pb2.EvaluateRequest(
            identity=broken_identity(),
            stage=7,  # type: ignore[arg-type]
            evidence=[broken_item()],
            request_id="not one",
        ),
        {
            "identity.service",
            "identity.version",
            "identity.source_revision",
            "identity.artifacts[0].digest",
            "identity.artifacts[1].name",
            "identity.artifacts[1].digest",
            "stage",
            "evidence[0].subject.artifact_digest",
            "evidence[0].facts.runtime_health.desired_replicas",
            "evidence[0].facts.runtime_health.object",
            "evidence[0].observe_time",
            "request_id",
        },
    ),
    (
        "SubmitEvidence",
        evidence_service_pb2.SubmitEvidenceRequest(
            evidence=[item(OURS), evidence_pb2.EvidenceInput()], request_id="é"
        ),
        {"evidence[1].subject", "evidence[1].facts", "evidence[1].observe_time", "request_id"},
    ),
    (
        "CreateRelease",
        release_service_pb2.CreateReleaseRequest(request_id="a b"),
        {"identity.service", "identity.environment", "identity.version", "identity.artifacts", "request_id"},
    ),
    (
        "StartRollout",
        release_service_pb2.StartRolloutRequest(release="x", decision="y", request_id="\n"),
        {"release", "decision", "request_id"},
    ),
    (
        "FinishRollout",
        release_service_pb2.FinishRolloutRequest(attempt="x", reason="\x07", request_id=" "),
        {"attempt", "outcome", "reason", "request_id"},
    ),
    (
        "CollectAttestations",
        evidence_service_pb2.CollectAttestationsRequest(release="x", images=["a", "b\x07"]),
        {"release", "images[1]"},
    ),
    ("RetryDeadJob", job_service_pb2.RetryDeadJobRequest(request_id=" "), {"kind", "request_id"}),
    ("DiscardDeadJob", job_service_pb2.DiscardDeadJobRequest(key="\x07"), {"kind", "key", "reason"}),
    (
        "AcknowledgeWatchWindow",
        watch_window_service_pb2.AcknowledgeWatchWindowRequest(name="x", reason="short"),
        {"name", "reason"},
    ),
    (
        "CloseWatchWindow",
        watch_window_service_pb2.CloseWatchWindowRequest(
            name="x", outcome="WATCH_WINDOW_STATE_PASSED", reason="\x07"
        ),
        {"name", "outcome", "reason"},
    ),
    (
        "AdoptPolicies",
        watch_window_service_pb2.AdoptPoliciesRequest(name="x", reason="short"),
        {"name", "reason", "etag"},
    ),
    (
        "RevokeEvidence",
        evidence_service_pb2.RevokeEvidenceRequest(name="x", reason="short", request_id=" "),
        {"name", "reason", "request_id"},
    ),
)


@pytest.mark.parametrize(("method", "request_", "fields"), EVERYTHING, ids=[one[0] for one in EVERYTHING])
async def test_all_that_is_wrong_is_said_at_once(
    admin: Caller, method: str, request_: Message, fields: set[str]
) -> None:
    before = await revision(admin)
    found = await admin.refused(method, request_)
    assert (found.code, found.reason, set(found.fields)) == ("INVALID_ARGUMENT", "INVALID_FIELDS", fields)
    assert all(found.descriptions)
    assert await revision(admin) == before


async def test_facts_from_the_future_are_refused_alone_and_with_a_question(admin: Caller) -> None:
    late = item(OURS)
    late.observe_time.CopyFrom(ahead(minutes=5))
    before = await revision(admin)
    for method, request in (
        ("SubmitEvidence", evidence_service_pb2.SubmitEvidenceRequest(evidence=[item(OURS), late])),
        (
            "Evaluate",
            decision_service_pb2.EvaluateRequest(identity=identity(OURS), evidence=[item(OURS), late]),
        ),
    ):
        found = await admin.refused(method, request)
        assert (found.code, found.fields) == ("INVALID_ARGUMENT", ("evidence[1].observe_time",))
    assert await revision(admin) == before


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
async def test_a_number_that_is_not_finite_is_stored_as_no_value(admin: Caller, value: float) -> None:
    given = item(OURS)
    given.facts.metric_sample.name, given.facts.metric_sample.value = "error_rate", value
    given.subject.attempt = f"{OURS.release}/attempts/1"
    stored = await admin(
        "SubmitEvidence",
        evidence_service_pb2.SubmitEvidenceRequest(evidence=[given], request_id=f"n-{value}"),
    )
    assert not stored.evidence[0].facts.metric_sample.HasField("value")


async def test_lists_that_would_take_hours_are_refused_by_their_length(admin: Caller) -> None:
    many = decision_service_pb2.SimulateDecisionRequest(release=OURS.release)
    for _ in range(50_000):
        many.policies.add(policy_id="a")
    assert (await admin.refused("SimulateDecision", many)).fields == ("policies",)
    policy = policy_service_pb2.ValidatePolicyRequest(policy=request_for("CreatePolicy", OURS).policy)  # type: ignore[attr-defined]
    for _ in range(50_000):
        policy.policy.spec.variables.add(name="a")
    assert [problem.field for problem in (await admin("ValidatePolicy", policy)).problems] == ["variables"]


async def test_a_placeholder_does_not_multiply(admin: Caller) -> None:
    request = policy_service_pb2.TestPolicyRequest()
    request.MergeFromString(request_for("TestPolicy", OURS).SerializeToString())
    request.cases[0].release.service = "a" * 500_000
    request.cases[0].evidence[0].input.subject.release = "{release}" * 100_000
    found = await admin.refused("TestPolicy", request)
    assert found.code == "INVALID_ARGUMENT"
    assert "cases[0].release.service" in found.fields


@pytest.mark.parametrize("method", UNARY, ids=lambda method: method.name)
async def test_bytes_that_are_not_text_are_refused_over_grpc(admin: Caller, method: Method) -> None:
    fields: list[Any] = list(method.request.DESCRIPTOR.fields)
    for field in fields:
        if field.type not in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_MESSAGE):
            continue
        found = await admin.raw(method, bytes([field.number << 3 | 2, 2, 0xFF, 0xFE]))
        assert (found.code, found.reason) == ("INVALID_ARGUMENT", "INVALID_FIELDS")


async def test_a_message_of_five_mebibytes_is_refused_on_both_edges(
    admin: Caller, http: httpx.AsyncClient
) -> None:
    size = 5 * 1024 * 1024
    method = next(method for method in UNARY if method.name == "Evaluate")
    assert (await admin.raw(method, b"\x0a" * size)).code == "RESOURCE_EXHAUSTED"
    answer = await http.post(method.path, content=b'{"tenant": "' + b"x" * size + b'"}')
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_argument")


def _wrong_bodies(method: Method) -> list[str]:
    deep = '{"a":' * 5000 + "1" + "}" * 5000
    bodies = [
        '{"noSuchField": 1}',
        "[]",
        "{",
        deep,
        '{"tenant": "\\ud800"}' if method.name == "Evaluate" else "5",
    ]
    fields: list[Any] = list(method.request.DESCRIPTOR.fields)
    for field in fields:
        wrong: object = [[]] if field.type == FieldDescriptor.TYPE_STRING else "\u0661x"
        bodies.append(json.dumps({field.json_name: wrong}))
    return bodies


@pytest.mark.parametrize("method", UNARY, ids=lambda method: method.name)
async def test_json_of_the_wrong_form_is_refused(
    admin: Caller, http: httpx.AsyncClient, method: Method
) -> None:
    before = await revision(admin)
    for body in _wrong_bodies(method):
        answer = await http.post(method.path, content=body.encode())
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_argument"), body[:80]
        details = {detail["type"]: detail["debug"] for detail in answer.json()["details"]}
        assert details["google.rpc.ErrorInfo"]["reason"] == "INVALID_FIELDS"
        assert details["google.rpc.BadRequest"]["fieldViolations"]
    assert await revision(admin) == before


@pytest.mark.parametrize("depth", [20, 60, 500])
async def test_deep_facts_are_refused(admin: Caller, http: httpx.AsyncClient, depth: int) -> None:
    facts: dict[str, object] = {"x": 1}
    for _ in range(depth):
        facts = {"x": facts}
    body = {
        "subject": {"artifactDigest": OURS.digest},
        "facts": {"custom": {"kind": "acme.example/deep", "facts": facts}},
        "observeTime": ahead().ToJsonString(),
    }
    path = "/release_passport.v1.EvidenceService/SubmitEvidence"
    answer = await http.post(path, content=json.dumps({"evidence": [body]}).encode())
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_argument")


async def test_the_server_still_answers(admin: Caller) -> None:
    assert (await admin("WhoAmI", access_service_pb2.WhoAmIRequest())).principal == "user:admin"
