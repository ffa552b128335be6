import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Duty(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DUTY_UNSPECIFIED: _ClassVar[Duty]
    DUTY_CREATED: _ClassVar[Duty]
    DUTY_AUTHORED: _ClassVar[Duty]
    DUTY_SUBMITTED: _ClassVar[Duty]
    DUTY_STARTED: _ClassVar[Duty]
    DUTY_APPROVED: _ClassVar[Duty]
    DUTY_REJECTED: _ClassVar[Duty]
    DUTY_WAIVER_REQUESTED: _ClassVar[Duty]
    DUTY_WAIVER_GRANTED: _ClassVar[Duty]
    DUTY_OVERRODE: _ClassVar[Duty]
    DUTY_RECORDED: _ClassVar[Duty]
    DUTY_REVIEWED: _ClassVar[Duty]
    DUTY_EXEMPTED: _ClassVar[Duty]

class DutyConflictCode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DUTY_CONFLICT_CODE_UNSPECIFIED: _ClassVar[DutyConflictCode]
    DUTY_CONFLICT_CODE_AUTHOR_APPROVED: _ClassVar[DutyConflictCode]
    DUTY_CONFLICT_CODE_AUTHOR_WAIVED: _ClassVar[DutyConflictCode]
    DUTY_CONFLICT_CODE_AUTHOR_EXEMPTED: _ClassVar[DutyConflictCode]
    DUTY_CONFLICT_CODE_GRANTED_OWN_WAIVER: _ClassVar[DutyConflictCode]
    DUTY_CONFLICT_CODE_REQUESTER_APPROVED: _ClassVar[DutyConflictCode]
    DUTY_CONFLICT_CODE_REVIEWED_OWN_OVERRIDE: _ClassVar[DutyConflictCode]
    DUTY_CONFLICT_CODE_MACHINE_DECIDED: _ClassVar[DutyConflictCode]
    DUTY_CONFLICT_CODE_AUTHORS_UNKNOWN: _ClassVar[DutyConflictCode]
    DUTY_CONFLICT_CODE_OVERRIDE_UNREVIEWED: _ClassVar[DutyConflictCode]
    DUTY_CONFLICT_CODE_WAIVER_ORPHANED: _ClassVar[DutyConflictCode]
DUTY_UNSPECIFIED: Duty
DUTY_CREATED: Duty
DUTY_AUTHORED: Duty
DUTY_SUBMITTED: Duty
DUTY_STARTED: Duty
DUTY_APPROVED: Duty
DUTY_REJECTED: Duty
DUTY_WAIVER_REQUESTED: Duty
DUTY_WAIVER_GRANTED: Duty
DUTY_OVERRODE: Duty
DUTY_RECORDED: Duty
DUTY_REVIEWED: Duty
DUTY_EXEMPTED: Duty
DUTY_CONFLICT_CODE_UNSPECIFIED: DutyConflictCode
DUTY_CONFLICT_CODE_AUTHOR_APPROVED: DutyConflictCode
DUTY_CONFLICT_CODE_AUTHOR_WAIVED: DutyConflictCode
DUTY_CONFLICT_CODE_AUTHOR_EXEMPTED: DutyConflictCode
DUTY_CONFLICT_CODE_GRANTED_OWN_WAIVER: DutyConflictCode
DUTY_CONFLICT_CODE_REQUESTER_APPROVED: DutyConflictCode
DUTY_CONFLICT_CODE_REVIEWED_OWN_OVERRIDE: DutyConflictCode
DUTY_CONFLICT_CODE_MACHINE_DECIDED: DutyConflictCode
DUTY_CONFLICT_CODE_AUTHORS_UNKNOWN: DutyConflictCode
DUTY_CONFLICT_CODE_OVERRIDE_UNREVIEWED: DutyConflictCode
DUTY_CONFLICT_CODE_WAIVER_ORPHANED: DutyConflictCode

class AuditEntry(_message.Message):
    __slots__ = ("leaf_index", "revision", "principal", "action", "subject", "time", "body", "salt", "leaf")
    LEAF_INDEX_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    LEAF_FIELD_NUMBER: _ClassVar[int]
    leaf_index: int
    revision: int
    principal: str
    action: str
    subject: str
    time: _timestamp_pb2.Timestamp
    body: bytes
    salt: bytes
    leaf: bytes
    def __init__(self, leaf_index: _Optional[int] = ..., revision: _Optional[int] = ..., principal: _Optional[str] = ..., action: _Optional[str] = ..., subject: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., body: _Optional[bytes] = ..., salt: _Optional[bytes] = ..., leaf: _Optional[bytes] = ...) -> None: ...

class ReleaseDuties(_message.Message):
    __slots__ = ("release", "create_time", "duties", "authors_known", "conflicts")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    DUTIES_FIELD_NUMBER: _ClassVar[int]
    AUTHORS_KNOWN_FIELD_NUMBER: _ClassVar[int]
    CONFLICTS_FIELD_NUMBER: _ClassVar[int]
    release: str
    create_time: _timestamp_pb2.Timestamp
    duties: _containers.RepeatedCompositeFieldContainer[DutyDone]
    authors_known: bool
    conflicts: _containers.RepeatedCompositeFieldContainer[DutyConflict]
    def __init__(self, release: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., duties: _Optional[_Iterable[_Union[DutyDone, _Mapping]]] = ..., authors_known: bool = ..., conflicts: _Optional[_Iterable[_Union[DutyConflict, _Mapping]]] = ...) -> None: ...

class DutyDone(_message.Message):
    __slots__ = ("duty", "principal", "act")
    DUTY_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    ACT_FIELD_NUMBER: _ClassVar[int]
    duty: Duty
    principal: str
    act: str
    def __init__(self, duty: _Optional[_Union[Duty, str]] = ..., principal: _Optional[str] = ..., act: _Optional[str] = ...) -> None: ...

class DutyConflict(_message.Message):
    __slots__ = ("code", "principals", "act", "text")
    CODE_FIELD_NUMBER: _ClassVar[int]
    PRINCIPALS_FIELD_NUMBER: _ClassVar[int]
    ACT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    code: DutyConflictCode
    principals: _containers.RepeatedScalarFieldContainer[str]
    act: str
    text: str
    def __init__(self, code: _Optional[_Union[DutyConflictCode, str]] = ..., principals: _Optional[_Iterable[str]] = ..., act: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...
