import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from release_passport.v1 import verdict_pb2 as _verdict_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RuleContext(_message.Message):
    __slots__ = ("release", "attempt", "now")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    release: RuleRelease
    attempt: RuleAttempt
    now: _timestamp_pb2.Timestamp
    def __init__(self, release: _Optional[_Union[RuleRelease, _Mapping]] = ..., attempt: _Optional[_Union[RuleAttempt, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RuleRelease(_message.Message):
    __slots__ = ("service", "environment", "version", "service_labels", "environment_labels", "stage", "is_first", "is_restore", "artifact_types")
    class ServiceLabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class EnvironmentLabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SERVICE_LABELS_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_LABELS_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    IS_FIRST_FIELD_NUMBER: _ClassVar[int]
    IS_RESTORE_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_TYPES_FIELD_NUMBER: _ClassVar[int]
    service: str
    environment: str
    version: str
    service_labels: _containers.ScalarMap[str, str]
    environment_labels: _containers.ScalarMap[str, str]
    stage: _verdict_pb2.Stage
    is_first: bool
    is_restore: bool
    artifact_types: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, service: _Optional[str] = ..., environment: _Optional[str] = ..., version: _Optional[str] = ..., service_labels: _Optional[_Mapping[str, str]] = ..., environment_labels: _Optional[_Mapping[str, str]] = ..., stage: _Optional[_Union[_verdict_pb2.Stage, str]] = ..., is_first: bool = ..., is_restore: bool = ..., artifact_types: _Optional[_Iterable[str]] = ...) -> None: ...

class RuleAttempt(_message.Message):
    __slots__ = ("number", "start_time", "previous_outcome")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_OUTCOME_FIELD_NUMBER: _ClassVar[int]
    number: int
    start_time: _timestamp_pb2.Timestamp
    previous_outcome: str
    def __init__(self, number: _Optional[int] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., previous_outcome: _Optional[str] = ...) -> None: ...
