"""From an exception to google.rpc.Status: one table, and nothing of an exception that we did not write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from release_passport_server.domain import errors

DOMAIN = "release-passport.dev"

# A gRPC client refuses headers above 8 KiB. The details travel there in base64, and the message once more
# with up to three characters for a byte.
_MAX_MESSAGE = 640
_MAX_DETAILS = 3584
_MAX_FIELD = 160
_MAX_DESCRIPTION = 400
_MAX_METADATA_VALUE = 128

_CODES: Mapping[type[errors.PassportError], int] = MappingProxyType(
    {
        errors.Invalid: code_pb2.INVALID_ARGUMENT,
        errors.Unauthenticated: code_pb2.UNAUTHENTICATED,
        errors.Denied: code_pb2.PERMISSION_DENIED,
        errors.NotFound: code_pb2.NOT_FOUND,
        errors.AlreadyExists: code_pb2.ALREADY_EXISTS,
        errors.Conflict: code_pb2.ABORTED,
        errors.Precondition: code_pb2.FAILED_PRECONDITION,
        errors.OutOfRange: code_pb2.OUT_OF_RANGE,
        errors.Exhausted: code_pb2.RESOURCE_EXHAUSTED,
        errors.Unavailable: code_pb2.UNAVAILABLE,
    }
)


class Failure(Exception):
    """A call that failed, ready to be sent by either edge."""

    def __init__(self, status: status_pb2.Status) -> None:
        super().__init__(code_pb2.Code.Name(status.code))
        self.status = status


class DeadlineExceeded(errors.PassportError):
    """The call had too little time, or took too much."""


class Unimplemented(errors.PassportError):
    """This server does not have the method."""


def status_of(error: BaseException, request_id: str) -> status_pb2.Status:
    """Return what the caller is told; of an error that is none of ours only that it happened."""
    code = _code_of(error)
    if code is None or not isinstance(error, errors.PassportError):
        told = errors.PassportError("INTERNAL", "internal error")
        return _status(code_pb2.INTERNAL, told, request_id)
    return _status(code, error, request_id)


def _code_of(error: BaseException) -> int | None:
    if isinstance(error, DeadlineExceeded):
        return int(code_pb2.DEADLINE_EXCEEDED)
    if isinstance(error, Unimplemented):
        return int(code_pb2.UNIMPLEMENTED)
    return next((code for kind, code in _CODES.items() if isinstance(error, kind)), None)


def _status(code: int, error: errors.PassportError, request_id: str) -> status_pb2.Status:
    status = status_pb2.Status(code=code, message=_cut(error.message, _MAX_MESSAGE))
    status.details.append(_packed(_error_info(error)))
    status.details.append(_packed(error_details_pb2.RequestInfo(request_id=request_id)))
    if error.retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromNanoseconds(round(error.retry_after * 1e9))
        status.details.append(_packed(retry))
    room = _MAX_DETAILS - status.ByteSize()
    if code == code_pb2.FAILED_PRECONDITION:
        status.details.append(_packed(_precondition(error, room)))
    elif error.violations:
        status.details.append(_packed(_bad_request(error.violations, room)))
    return status


def _error_info(error: errors.PassportError) -> error_details_pb2.ErrorInfo:
    metadata = {
        _cut(key, 64): _cut(value, _MAX_METADATA_VALUE) for key, value in list(error.metadata.items())[:8]
    }
    return error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata)


def _bad_request(violations: Sequence[errors.Violation], room: int) -> error_details_pb2.BadRequest:
    request = error_details_pb2.BadRequest()
    for index, violation in enumerate(violations):
        added = request.field_violations.add(
            field=_cut(violation.field, _MAX_FIELD), description=_cut(violation.description, _MAX_DESCRIPTION)
        )
        if request.ByteSize() > room - 160:
            added.field = ""
            added.description = f"and {len(violations) - index} more; correct these first"
            break
    return request


def _precondition(error: errors.PassportError, room: int) -> error_details_pb2.PreconditionFailure:
    failure = error_details_pb2.PreconditionFailure()
    for violation in error.violations or (errors.Violation("", error.message),):
        failure.violations.add(
            type=error.reason,
            subject=_cut(violation.field, _MAX_FIELD),
            description=_cut(violation.description, _MAX_DESCRIPTION),
        )
        if failure.ByteSize() > room - 160:
            del failure.violations[-1]
            break
    return failure


def _packed(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def _cut(text: str, most: int) -> str:
    """Return the text, shortened to so many bytes of UTF-8."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= most:
        return encoded.decode("utf-8")
    return encoded[: most - 3].decode("utf-8", "ignore") + "…"
