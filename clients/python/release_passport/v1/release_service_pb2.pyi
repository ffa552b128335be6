from release_passport.v1 import passport_pb2 as _passport_pb2
from release_passport.v1 import release_pb2 as _release_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateReleaseRequest(_message.Message):
    __slots__ = ("tenant", "identity", "request_id")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    identity: _release_pb2.ReleaseIdentity
    request_id: str
    def __init__(self, tenant: _Optional[str] = ..., identity: _Optional[_Union[_release_pb2.ReleaseIdentity, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class CreateReleaseResponse(_message.Message):
    __slots__ = ("release", "created")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    release: _release_pb2.Release
    created: bool
    def __init__(self, release: _Optional[_Union[_release_pb2.Release, _Mapping]] = ..., created: bool = ...) -> None: ...

class GetReleaseRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetReleaseResponse(_message.Message):
    __slots__ = ("release",)
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    release: _release_pb2.Release
    def __init__(self, release: _Optional[_Union[_release_pb2.Release, _Mapping]] = ...) -> None: ...

class ListReleasesRequest(_message.Message):
    __slots__ = ("tenant", "service", "environment", "artifact_digest", "page_size", "page_token")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    service: str
    environment: str
    artifact_digest: str
    page_size: int
    page_token: str
    def __init__(self, tenant: _Optional[str] = ..., service: _Optional[str] = ..., environment: _Optional[str] = ..., artifact_digest: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListReleasesResponse(_message.Message):
    __slots__ = ("releases", "next_page_token")
    RELEASES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    releases: _containers.RepeatedCompositeFieldContainer[_release_pb2.Release]
    next_page_token: str
    def __init__(self, releases: _Optional[_Iterable[_Union[_release_pb2.Release, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetPassportRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetPassportResponse(_message.Message):
    __slots__ = ("passport",)
    PASSPORT_FIELD_NUMBER: _ClassVar[int]
    passport: _passport_pb2.Passport
    def __init__(self, passport: _Optional[_Union[_passport_pb2.Passport, _Mapping]] = ...) -> None: ...

class ExportPassportRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ExportPassportResponse(_message.Message):
    __slots__ = ("bundle",)
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    bundle: bytes
    def __init__(self, bundle: _Optional[bytes] = ...) -> None: ...

class StartRolloutRequest(_message.Message):
    __slots__ = ("release", "decision", "request_id")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    release: str
    decision: str
    request_id: str
    def __init__(self, release: _Optional[str] = ..., decision: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class StartRolloutResponse(_message.Message):
    __slots__ = ("attempt", "revision")
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    attempt: _release_pb2.Attempt
    revision: int
    def __init__(self, attempt: _Optional[_Union[_release_pb2.Attempt, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class FinishRolloutRequest(_message.Message):
    __slots__ = ("attempt", "outcome", "reason", "request_id")
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    attempt: str
    outcome: _release_pb2.AttemptOutcome
    reason: str
    request_id: str
    def __init__(self, attempt: _Optional[str] = ..., outcome: _Optional[_Union[_release_pb2.AttemptOutcome, str]] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class FinishRolloutResponse(_message.Message):
    __slots__ = ("attempt", "revision")
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    attempt: _release_pb2.Attempt
    revision: int
    def __init__(self, attempt: _Optional[_Union[_release_pb2.Attempt, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...
