"""gRPC calls over real sockets: who is let in, what errors look like, what is refused."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from release_passport.v1 import decision_service_pb2 as pb
from release_passport.v1 import decision_service_pb2_grpc, evidence_service_pb2, evidence_service_pb2_grpc
from release_passport.v1.error_reason_pb2 import ErrorReason
from release_passport_server.domain import errors
from release_passport_server.domain.access import Principal
from release_passport_server.domain.errors import Violation
from release_passport_server.transport.grpc.errors import DOMAIN, DeadlineExceeded, Unimplemented, status_of
from support.server import PRINCIPAL, application, bearer, channel, free_ports, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVALUATE = "/release_passport.v1.DecisionService/Evaluate"
SECRET = "s3cret-body"


class Handlers:
    """Does what the test says."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.error: BaseException | None = None
        self.seen: list[tuple[Principal, Any]] = []
        self.entered = asyncio.Event()
        self.release = asyncio.Event()
        self.release.set()

    async def Evaluate(self, principal: Principal, request: pb.EvaluateRequest) -> pb.EvaluateResponse:
        self.seen.append((principal, request))
        self.entered.set()
        await self.release.wait()
        if self.error is not None:
            raise self.error
        return pb.EvaluateResponse(revision=7)

    async def StreamEvidence(
        self, principal: Principal, requests: AsyncIterator[evidence_service_pb2.StreamEvidenceRequest]
    ) -> evidence_service_pb2.StreamEvidenceResponse:
        count = 0
        async for _ in requests:
            self.entered.set()
            count += 1
        return evidence_service_pb2.StreamEvidenceResponse(accepted_count=count)


@pytest.fixture(scope="module")
def shared_handlers() -> Handlers:
    return Handlers()


@pytest.fixture
def handlers(shared_handlers: Handlers) -> Handlers:
    shared_handlers.reset()
    return shared_handlers


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(shared_handlers: Handlers) -> AsyncIterator[SimpleNamespace]:
    served = application(
        {
            "release_passport.v1.DecisionService": shared_handlers,
            "release_passport.v1.EvidenceService": shared_handlers,
        }
    )
    settings = free_ports(limits={"decide": 1, "stream": 1})
    async with serving(served, settings) as process, channel(process) as open_channel:
        yield SimpleNamespace(
            process=process,
            channel=open_channel,
            decisions=decision_service_pb2_grpc.DecisionServiceStub(open_channel),
            evidence=evidence_service_pb2_grpc.EvidenceServiceStub(open_channel),
        )


def details_of(failure: aio.AioRpcError) -> dict[str, Any]:
    metadata = dict(failure.trailing_metadata() or ())
    status = status_pb2.Status.FromString(metadata["grpc-status-details-bin"])
    assert status.message == failure.details()
    found: dict[str, Any] = {"request_id": metadata["x-request-id"]}
    for packed in status.details:
        message = getattr(error_details_pb2, packed.TypeName().rpartition(".")[2])()
        assert packed.Unpack(message)
        found[type(message).__name__] = message
    return found


async def refused(call: Any) -> tuple[str, dict[str, Any]]:
    with pytest.raises(aio.AioRpcError) as caught:
        await call
    return caught.value.code().name, details_of(caught.value)


async def test_a_known_caller_is_answered_with_the_same_request_id(
    server: SimpleNamespace, handlers: Handlers
) -> None:
    call = server.decisions.Evaluate(
        pb.EvaluateRequest(tenant="t"), metadata=bearer("rp1_good", ("x-request-id", "a-1"))
    )
    assert (await call).revision == 7
    assert dict(await call.trailing_metadata())["x-request-id"] == "a-1"
    assert handlers.seen == [(PRINCIPAL, pb.EvaluateRequest(tenant="t"))]


async def test_a_request_id_that_could_forge_a_log_line_is_replaced(server: SimpleNamespace) -> None:
    call = server.decisions.Evaluate(
        pb.EvaluateRequest(), metadata=bearer("rp1_good", ("x-request-id", "a b{}"))
    )
    await call
    assert len(dict(await call.trailing_metadata())["x-request-id"]) == 32


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ((), "CREDENTIAL_MISSING"),
        ((("authorization", "Bearer other"),), "CREDENTIAL_INVALID"),
        ((("authorization", "Basic rp1_good"),), "CREDENTIAL_INVALID"),
        ((("authorization", "Bearer "),), "CREDENTIAL_INVALID"),
        ((("authorization", "Bearer rp1_good"), ("authorization", "Bearer rp1_good")), "CREDENTIAL_INVALID"),
    ],
)
async def test_who_is_not_known_is_refused_before_the_request_is_read(
    server: SimpleNamespace, handlers: Handlers, metadata: tuple[tuple[str, str], ...], reason: str
) -> None:
    raw = server.channel.unary_unary(EVALUATE)
    code, details = await refused(raw(b"\xff\xff", metadata=metadata))
    assert (code, details["ErrorInfo"].reason) == ("UNAUTHENTICATED", reason)
    assert handlers.seen == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.Invalid("INVALID_FIELDS", "m"), "INVALID_ARGUMENT"),
        (errors.Denied("ACCESS_DENIED", "m"), "PERMISSION_DENIED"),
        (errors.NotFound("NOT_FOUND", "m"), "NOT_FOUND"),
        (errors.AlreadyExists("ALREADY_EXISTS", "m"), "ALREADY_EXISTS"),
        (errors.Conflict("ETAG_MISMATCH", "m"), "ABORTED"),
        (errors.Precondition("STAGE_MISMATCH", "m"), "FAILED_PRECONDITION"),
        (errors.OutOfRange("PAGE_TOKEN_INVALID", "m"), "OUT_OF_RANGE"),
        (errors.Exhausted("OVERLOADED", "m"), "RESOURCE_EXHAUSTED"),
        (errors.Unavailable("STORE_UNAVAILABLE", "m"), "UNAVAILABLE"),
    ],
)
async def test_each_kind_of_error_has_its_status_and_reason(
    server: SimpleNamespace, handlers: Handlers, error: errors.PassportError, code: str
) -> None:
    handlers.error = error
    error.metadata["resource"] = "x"
    got, details = await refused(
        server.decisions.Evaluate(pb.EvaluateRequest(), metadata=bearer("rp1_good", ("x-request-id", "r-1")))
    )
    assert got == code
    assert details["ErrorInfo"] == error_details_pb2.ErrorInfo(
        reason=error.reason, domain=DOMAIN, metadata={"resource": "x"}
    )
    assert details["RequestInfo"].request_id == details["request_id"] == "r-1"
    assert f"ERROR_REASON_{error.reason}" in ErrorReason.keys()  # noqa: SIM118


async def test_violations_and_the_time_to_wait_are_details(
    server: SimpleNamespace, handlers: Handlers
) -> None:
    handlers.error = errors.Invalid(
        "INVALID_FIELDS", "m", violations=[Violation("a.b", "one"), Violation("c", "two")], retry_after=1.5
    )
    _, details = await refused(server.decisions.Evaluate(pb.EvaluateRequest(), metadata=bearer()))
    assert [(v.field, v.description) for v in details["BadRequest"].field_violations] == [
        ("a.b", "one"),
        ("c", "two"),
    ]
    assert details["RetryInfo"].retry_delay.ToMilliseconds() == 1500


async def test_more_violations_than_headers_hold_are_counted(
    server: SimpleNamespace, handlers: Handlers
) -> None:
    violations = [Violation(f"items[{index}]", "é" * 300) for index in range(200)]
    handlers.error = errors.invalid(violations)
    code, details = await refused(server.decisions.Evaluate(pb.EvaluateRequest(), metadata=bearer()))
    shown = details["BadRequest"].field_violations
    assert code == "INVALID_ARGUMENT"
    assert shown[-1].description == f"and {201 - len(shown)} more; correct these first"


@pytest.mark.parametrize(
    "error", [ValueError(SECRET), KeyError(SECRET), TimeoutError(SECRET), errors.PassportError("X", SECRET)]
)
async def test_the_text_of_an_unmapped_error_reaches_neither_caller_nor_log(
    server: SimpleNamespace, handlers: Handlers, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    handlers.error = error
    with caplog.at_level(logging.DEBUG):
        code, details = await refused(server.decisions.Evaluate(pb.EvaluateRequest(), metadata=bearer()))
    assert (code, details["ErrorInfo"].reason) == ("INTERNAL", "INTERNAL")
    from release_passport_server.logs import JSONFormatter

    lines = [JSONFormatter().format(record) for record in caplog.records]
    failed = next(json.loads(line) for line in lines if "call failed" in line)
    assert failed["request_id"] == details["request_id"]
    assert failed["error"] == type(error).__name__
    assert SECRET not in str(details) + "".join(lines)


async def test_work_that_was_given_up_is_an_internal_error_not_the_callers_cancellation(
    server: SimpleNamespace, handlers: Handlers
) -> None:
    handlers.error = asyncio.CancelledError()
    code, _ = await refused(server.decisions.Evaluate(pb.EvaluateRequest(), metadata=bearer()))
    assert code == "INTERNAL"


async def test_the_access_log_names_who_and_what_and_no_secret(
    server: SimpleNamespace, handlers: Handlers, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        await server.decisions.Evaluate(pb.EvaluateRequest(request_id=SECRET), metadata=bearer())
    record = next(vars(record) for record in caplog.records if record.message == "call")
    assert (record["method"], record["principal"], record["tenant"], record["code"]) == (
        EVALUATE,
        "sa:ci",
        "default",
        "OK",
    )
    assert SECRET not in str(record)
    assert "rp1_good" not in str(record)


@pytest.mark.parametrize("raw", [b"\xff\xff\xff", b"\x0a\x05ab", b"\x0a\x01\xff", b"\x1a\x02\x1a\x02"])
async def test_bytes_that_are_no_request_are_invalid(
    server: SimpleNamespace, handlers: Handlers, raw: bytes
) -> None:
    code, details = await refused(server.channel.unary_unary(EVALUATE)(raw, metadata=bearer()))
    assert (code, details["ErrorInfo"].reason) == ("INVALID_ARGUMENT", "INVALID_FIELDS")
    assert handlers.seen == []


async def test_a_message_over_4_mib_is_refused(server: SimpleNamespace, handlers: Handlers) -> None:
    with pytest.raises(aio.AioRpcError) as caught:
        await server.channel.unary_unary(EVALUATE)(b"\x0a" * (4 * 1024 * 1024 + 1), metadata=bearer())
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert handlers.seen == []


async def test_too_short_a_deadline_is_refused_unheard(server: SimpleNamespace, handlers: Handlers) -> None:
    with pytest.raises(aio.AioRpcError) as caught:
        await server.decisions.Evaluate(pb.EvaluateRequest(), metadata=bearer(), timeout=0.03)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert handlers.seen == []


async def test_calls_beyond_the_limit_are_refused_at_once(
    server: SimpleNamespace, handlers: Handlers
) -> None:
    handlers.release.clear()
    first = server.decisions.Evaluate(pb.EvaluateRequest(), metadata=bearer())
    await handlers.entered.wait()
    code, details = await refused(server.decisions.Evaluate(pb.EvaluateRequest(), metadata=bearer()))
    assert (code, details["ErrorInfo"].reason) == ("UNAVAILABLE", "OVERLOADED")
    assert details["RetryInfo"].retry_delay.ToMilliseconds() >= 500
    handlers.release.set()
    assert (await first).revision == 7
    assert (await server.decisions.Evaluate(pb.EvaluateRequest(), metadata=bearer())).revision == 7


async def test_a_method_without_handler_is_unimplemented(server: SimpleNamespace) -> None:
    code, details = await refused(server.decisions.GetDecision(pb.GetDecisionRequest(), metadata=bearer()))
    assert (code, details["ErrorInfo"].reason) == ("UNIMPLEMENTED", "UNIMPLEMENTED")


async def test_a_stream_of_requests_has_one_answer(server: SimpleNamespace) -> None:
    requests = (evidence_service_pb2.StreamEvidenceRequest() for _ in range(5))
    answer = await server.evidence.StreamEvidence(requests, metadata=bearer())
    assert answer.accepted_count == 5


async def test_a_bad_message_ends_a_stream(server: SimpleNamespace) -> None:
    stream = server.channel.stream_unary("/release_passport.v1.EvidenceService/StreamEvidence")
    code, details = await refused(stream(iter([b"", b"\xff\xff"]), metadata=bearer()))
    assert (code, details["ErrorInfo"].reason) == ("INVALID_ARGUMENT", "INVALID_FIELDS")


@pytest.mark.parametrize(
    ("error", "code"),
    [(DeadlineExceeded("R", "m"), 4), (Unimplemented("R", "m"), 12), (RuntimeError("m"), 13)],
)
async def test_the_transports_own_errors_are_mapped(error: Exception, code: int) -> None:
    assert status_of(error, "r").code == code
