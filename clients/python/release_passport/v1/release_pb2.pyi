import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AttemptOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATTEMPT_OUTCOME_UNSPECIFIED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_PASSED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_ROLLED_BACK: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_FAILED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_CANCELLED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_EXPIRED_WITHOUT_DATA: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_SUPERSEDED: _ClassVar[AttemptOutcome]
ATTEMPT_OUTCOME_UNSPECIFIED: AttemptOutcome
ATTEMPT_OUTCOME_PASSED: AttemptOutcome
ATTEMPT_OUTCOME_ROLLED_BACK: AttemptOutcome
ATTEMPT_OUTCOME_FAILED: AttemptOutcome
ATTEMPT_OUTCOME_CANCELLED: AttemptOutcome
ATTEMPT_OUTCOME_EXPIRED_WITHOUT_DATA: AttemptOutcome
ATTEMPT_OUTCOME_SUPERSEDED: AttemptOutcome

class Release(_message.Message):
    __slots__ = ("name", "identity", "release_digest", "creator", "create_time", "revision", "previous", "is_first", "is_restore", "attempts")
    NAME_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    RELEASE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    CREATOR_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    IS_FIRST_FIELD_NUMBER: _ClassVar[int]
    IS_RESTORE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    identity: ReleaseIdentity
    release_digest: str
    creator: str
    create_time: _timestamp_pb2.Timestamp
    revision: int
    previous: str
    is_first: bool
    is_restore: bool
    attempts: _containers.RepeatedCompositeFieldContainer[Attempt]
    def __init__(self, name: _Optional[str] = ..., identity: _Optional[_Union[ReleaseIdentity, _Mapping]] = ..., release_digest: _Optional[str] = ..., creator: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revision: _Optional[int] = ..., previous: _Optional[str] = ..., is_first: bool = ..., is_restore: bool = ..., attempts: _Optional[_Iterable[_Union[Attempt, _Mapping]]] = ...) -> None: ...

class ReleaseIdentity(_message.Message):
    __slots__ = ("service", "environment", "version", "source_revision", "artifacts", "manifest_digest", "annotations", "authors")
    class AnnotationsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_REVISION_FIELD_NUMBER: _ClassVar[int]
    ARTIFACTS_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_DIGEST_FIELD_NUMBER: _ClassVar[int]
    ANNOTATIONS_FIELD_NUMBER: _ClassVar[int]
    AUTHORS_FIELD_NUMBER: _ClassVar[int]
    service: str
    environment: str
    version: str
    source_revision: str
    artifacts: _containers.RepeatedCompositeFieldContainer[Artifact]
    manifest_digest: str
    annotations: _containers.ScalarMap[str, str]
    authors: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, service: _Optional[str] = ..., environment: _Optional[str] = ..., version: _Optional[str] = ..., source_revision: _Optional[str] = ..., artifacts: _Optional[_Iterable[_Union[Artifact, _Mapping]]] = ..., manifest_digest: _Optional[str] = ..., annotations: _Optional[_Mapping[str, str]] = ..., authors: _Optional[_Iterable[str]] = ...) -> None: ...

class Artifact(_message.Message):
    __slots__ = ("name", "digest", "type")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    digest: str
    type: str
    def __init__(self, name: _Optional[str] = ..., digest: _Optional[str] = ..., type: _Optional[str] = ...) -> None: ...

class Attempt(_message.Message):
    __slots__ = ("name", "number", "ground", "start_time", "finish_time", "outcome", "starter", "reason")
    NAME_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    GROUND_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    FINISH_TIME_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    STARTER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    name: str
    number: int
    ground: str
    start_time: _timestamp_pb2.Timestamp
    finish_time: _timestamp_pb2.Timestamp
    outcome: AttemptOutcome
    starter: str
    reason: str
    def __init__(self, name: _Optional[str] = ..., number: _Optional[int] = ..., ground: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., outcome: _Optional[_Union[AttemptOutcome, str]] = ..., starter: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...
