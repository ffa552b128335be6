import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from release_passport.v1 import decision_pb2 as _decision_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OverruledFinding(_message.Message):
    __slots__ = ("policy", "rule", "artifact", "key", "reason")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    policy: str
    rule: str
    artifact: str
    key: str
    reason: str
    def __init__(self, policy: _Optional[str] = ..., rule: _Optional[str] = ..., artifact: _Optional[str] = ..., key: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class Override(_message.Message):
    __slots__ = ("name", "release", "decision", "overrules", "principal", "ticket", "reason", "create_time", "expire_time", "end_time", "ended_by", "retrospective", "act_time", "review_due_time", "reviewer", "review_time", "review", "artifact_digests", "recorder")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    OVERRULES_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    ENDED_BY_FIELD_NUMBER: _ClassVar[int]
    RETROSPECTIVE_FIELD_NUMBER: _ClassVar[int]
    ACT_TIME_FIELD_NUMBER: _ClassVar[int]
    REVIEW_DUE_TIME_FIELD_NUMBER: _ClassVar[int]
    REVIEWER_FIELD_NUMBER: _ClassVar[int]
    REVIEW_TIME_FIELD_NUMBER: _ClassVar[int]
    REVIEW_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    RECORDER_FIELD_NUMBER: _ClassVar[int]
    name: str
    release: str
    decision: str
    overrules: _containers.RepeatedCompositeFieldContainer[OverruledFinding]
    principal: str
    ticket: str
    reason: str
    create_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    ended_by: str
    retrospective: bool
    act_time: _timestamp_pb2.Timestamp
    review_due_time: _timestamp_pb2.Timestamp
    reviewer: str
    review_time: _timestamp_pb2.Timestamp
    review: str
    artifact_digests: _containers.RepeatedScalarFieldContainer[str]
    recorder: str
    def __init__(self, name: _Optional[str] = ..., release: _Optional[str] = ..., decision: _Optional[str] = ..., overrules: _Optional[_Iterable[_Union[OverruledFinding, _Mapping]]] = ..., principal: _Optional[str] = ..., ticket: _Optional[str] = ..., reason: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_by: _Optional[str] = ..., retrospective: bool = ..., act_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., review_due_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reviewer: _Optional[str] = ..., review_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., review: _Optional[str] = ..., artifact_digests: _Optional[_Iterable[str]] = ..., recorder: _Optional[str] = ...) -> None: ...

class CreateOverrideRequest(_message.Message):
    __slots__ = ("release", "decision", "ticket", "reason", "duration", "request_id")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    release: str
    decision: str
    ticket: str
    reason: str
    duration: _duration_pb2.Duration
    request_id: str
    def __init__(self, release: _Optional[str] = ..., decision: _Optional[str] = ..., ticket: _Optional[str] = ..., reason: _Optional[str] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class CreateOverrideResponse(_message.Message):
    __slots__ = ("override", "decision", "revision")
    OVERRIDE_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    override: Override
    decision: _decision_pb2.Decision
    revision: int
    def __init__(self, override: _Optional[_Union[Override, _Mapping]] = ..., decision: _Optional[_Union[_decision_pb2.Decision, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class RecordOverrideRequest(_message.Message):
    __slots__ = ("release", "principal", "act_time", "ticket", "reason", "artifact_digests", "request_id")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    ACT_TIME_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    release: str
    principal: str
    act_time: _timestamp_pb2.Timestamp
    ticket: str
    reason: str
    artifact_digests: _containers.RepeatedScalarFieldContainer[str]
    request_id: str
    def __init__(self, release: _Optional[str] = ..., principal: _Optional[str] = ..., act_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ticket: _Optional[str] = ..., reason: _Optional[str] = ..., artifact_digests: _Optional[_Iterable[str]] = ..., request_id: _Optional[str] = ...) -> None: ...

class RecordOverrideResponse(_message.Message):
    __slots__ = ("override", "revision")
    OVERRIDE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    override: Override
    revision: int
    def __init__(self, override: _Optional[_Union[Override, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class WithdrawOverrideRequest(_message.Message):
    __slots__ = ("name", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class WithdrawOverrideResponse(_message.Message):
    __slots__ = ("override", "revision")
    OVERRIDE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    override: Override
    revision: int
    def __init__(self, override: _Optional[_Union[Override, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class ReviewOverrideRequest(_message.Message):
    __slots__ = ("name", "review", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REVIEW_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    review: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., review: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class ReviewOverrideResponse(_message.Message):
    __slots__ = ("override", "revision")
    OVERRIDE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    override: Override
    revision: int
    def __init__(self, override: _Optional[_Union[Override, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class ListOverridesRequest(_message.Message):
    __slots__ = ("tenant", "service", "environment", "unreviewed", "page_size", "page_token", "retrospective")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    UNREVIEWED_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RETROSPECTIVE_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    service: str
    environment: str
    unreviewed: bool
    page_size: int
    page_token: str
    retrospective: bool
    def __init__(self, tenant: _Optional[str] = ..., service: _Optional[str] = ..., environment: _Optional[str] = ..., unreviewed: bool = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., retrospective: bool = ...) -> None: ...

class ListOverridesResponse(_message.Message):
    __slots__ = ("overrides", "next_page_token")
    OVERRIDES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    overrides: _containers.RepeatedCompositeFieldContainer[Override]
    next_page_token: str
    def __init__(self, overrides: _Optional[_Iterable[_Union[Override, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
