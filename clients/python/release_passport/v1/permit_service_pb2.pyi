import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from release_passport.v1 import verdict_pb2 as _verdict_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Enforcement(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENFORCEMENT_UNSPECIFIED: _ClassVar[Enforcement]
    ENFORCEMENT_APPLIED: _ClassVar[Enforcement]
    ENFORCEMENT_FAILED: _ClassVar[Enforcement]
    ENFORCEMENT_OVERRIDDEN: _ClassVar[Enforcement]
ENFORCEMENT_UNSPECIFIED: Enforcement
ENFORCEMENT_APPLIED: Enforcement
ENFORCEMENT_FAILED: Enforcement
ENFORCEMENT_OVERRIDDEN: Enforcement

class RedeemPermitRequest(_message.Message):
    __slots__ = ("tenant", "permit", "target", "artifact_digests", "request_id")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    PERMIT_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    permit: bytes
    target: str
    artifact_digests: _containers.RepeatedScalarFieldContainer[str]
    request_id: str
    def __init__(self, tenant: _Optional[str] = ..., permit: _Optional[bytes] = ..., target: _Optional[str] = ..., artifact_digests: _Optional[_Iterable[str]] = ..., request_id: _Optional[str] = ...) -> None: ...

class RedeemPermitResponse(_message.Message):
    __slots__ = ("decision", "effective_verdict", "redeem_time", "revision")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_VERDICT_FIELD_NUMBER: _ClassVar[int]
    REDEEM_TIME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    decision: str
    effective_verdict: _verdict_pb2.Verdict
    redeem_time: _timestamp_pb2.Timestamp
    revision: int
    def __init__(self, decision: _Optional[str] = ..., effective_verdict: _Optional[_Union[_verdict_pb2.Verdict, str]] = ..., redeem_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class ReportEnforcementRequest(_message.Message):
    __slots__ = ("decision", "enforcement", "target", "artifact_digests", "detail", "request_id")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    ENFORCEMENT_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    decision: str
    enforcement: Enforcement
    target: str
    artifact_digests: _containers.RepeatedScalarFieldContainer[str]
    detail: str
    request_id: str
    def __init__(self, decision: _Optional[str] = ..., enforcement: _Optional[_Union[Enforcement, str]] = ..., target: _Optional[str] = ..., artifact_digests: _Optional[_Iterable[str]] = ..., detail: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class ReportEnforcementResponse(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    def __init__(self, revision: _Optional[int] = ...) -> None: ...
