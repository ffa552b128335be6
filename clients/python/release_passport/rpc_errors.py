"""From a failed RPC to the client's exception, with the details of google.rpc.Status."""

from __future__ import annotations

from typing import TypeVar, cast

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from release_passport.errors import PassportAPIError, Violation

M = TypeVar("M", bound=Message)

_DETAILS_KEY = "grpc-status-details-bin"
_REQUEST_ID_KEY = "x-request-id"


def api_error(failure: grpc.RpcError) -> PassportAPIError:
    """Return the exception that says what the failed call said."""
    # Every failed call is both: an error that is raised, and the call that it came from.
    call = cast(grpc.Call, failure)
    name = call.code().name
    # The server's core sheds bursts of calls as CANCELLED; this client cancels nothing itself.
    name = "UNAVAILABLE" if name == "CANCELLED" else name
    metadata = dict(call.trailing_metadata() or ())
    return _with_details(
        name,
        str(call.details() or "no text was given"),
        _status_of(metadata.get(_DETAILS_KEY)),
        str(metadata.get(_REQUEST_ID_KEY, "")),
    )


def _status_of(packed: str | bytes | None) -> status_pb2.Status:
    status = status_pb2.Status()
    if isinstance(packed, bytes):
        try:
            status.ParseFromString(packed)
        except DecodeError:
            return status_pb2.Status()
    return status


def _with_details(code: str, message: str, status: status_pb2.Status, request_id: str) -> PassportAPIError:
    reason = ""
    facts: dict[str, str] = {}
    violations: list[Violation] = []
    retry_after: float | None = None
    for detail in status.details:
        if info := _unpack(detail, error_details_pb2.ErrorInfo()):
            reason, facts = info.reason, dict(info.metadata)
        elif request := _unpack(detail, error_details_pb2.BadRequest()):
            violations += [Violation(v.field, v.description) for v in request.field_violations]
        elif state := _unpack(detail, error_details_pb2.PreconditionFailure()):
            violations += [Violation(v.subject, v.description) for v in state.violations]
        elif retry := _unpack(detail, error_details_pb2.RetryInfo()):
            retry_after = retry.retry_delay.ToTimedelta().total_seconds()
    return PassportAPIError(
        code,
        message,
        reason=reason,
        violations=violations,
        retry_after=retry_after,
        metadata=facts,
        request_id=request_id,
    )


def _unpack(detail: any_pb2.Any, message: M) -> M | None:
    try:
        return message if detail.Unpack(message) else None
    except DecodeError:
        return None
