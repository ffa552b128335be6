import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TrustConfiguration(_message.Message):
    __slots__ = ("name", "roots", "rules", "keys", "revision", "author", "create_time", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROOTS_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    roots: _containers.RepeatedCompositeFieldContainer[TrustedRoot]
    rules: _containers.RepeatedCompositeFieldContainer[SignerRule]
    keys: _containers.RepeatedCompositeFieldContainer[TrustedKey]
    revision: int
    author: str
    create_time: _timestamp_pb2.Timestamp
    etag: str
    def __init__(self, name: _Optional[str] = ..., roots: _Optional[_Iterable[_Union[TrustedRoot, _Mapping]]] = ..., rules: _Optional[_Iterable[_Union[SignerRule, _Mapping]]] = ..., keys: _Optional[_Iterable[_Union[TrustedKey, _Mapping]]] = ..., revision: _Optional[int] = ..., author: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class TrustedRoot(_message.Message):
    __slots__ = ("ref", "sha256", "content")
    REF_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    ref: str
    sha256: str
    content: bytes
    def __init__(self, ref: _Optional[str] = ..., sha256: _Optional[str] = ..., content: _Optional[bytes] = ...) -> None: ...

class ClaimMatch(_message.Message):
    __slots__ = ("exact", "pattern")
    EXACT_FIELD_NUMBER: _ClassVar[int]
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    exact: str
    pattern: str
    def __init__(self, exact: _Optional[str] = ..., pattern: _Optional[str] = ...) -> None: ...

class VouchingScope(_message.Message):
    __slots__ = ("kinds", "services", "environments")
    KINDS_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENTS_FIELD_NUMBER: _ClassVar[int]
    kinds: _containers.RepeatedScalarFieldContainer[str]
    services: _containers.RepeatedScalarFieldContainer[str]
    environments: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, kinds: _Optional[_Iterable[str]] = ..., services: _Optional[_Iterable[str]] = ..., environments: _Optional[_Iterable[str]] = ...) -> None: ...

class SignerRule(_message.Message):
    __slots__ = ("name", "issuer", "identity", "repository", "repository_id", "ref", "workflow", "trigger", "runner_environment", "builder", "scope")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    REPOSITORY_FIELD_NUMBER: _ClassVar[int]
    REPOSITORY_ID_FIELD_NUMBER: _ClassVar[int]
    REF_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_FIELD_NUMBER: _ClassVar[int]
    RUNNER_ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    BUILDER_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    issuer: ClaimMatch
    identity: ClaimMatch
    repository: ClaimMatch
    repository_id: ClaimMatch
    ref: ClaimMatch
    workflow: ClaimMatch
    trigger: ClaimMatch
    runner_environment: ClaimMatch
    builder: ClaimMatch
    scope: VouchingScope
    def __init__(self, name: _Optional[str] = ..., issuer: _Optional[_Union[ClaimMatch, _Mapping]] = ..., identity: _Optional[_Union[ClaimMatch, _Mapping]] = ..., repository: _Optional[_Union[ClaimMatch, _Mapping]] = ..., repository_id: _Optional[_Union[ClaimMatch, _Mapping]] = ..., ref: _Optional[_Union[ClaimMatch, _Mapping]] = ..., workflow: _Optional[_Union[ClaimMatch, _Mapping]] = ..., trigger: _Optional[_Union[ClaimMatch, _Mapping]] = ..., runner_environment: _Optional[_Union[ClaimMatch, _Mapping]] = ..., builder: _Optional[_Union[ClaimMatch, _Mapping]] = ..., scope: _Optional[_Union[VouchingScope, _Mapping]] = ...) -> None: ...

class TrustedKey(_message.Message):
    __slots__ = ("name", "pem", "scope")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PEM_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    pem: str
    scope: VouchingScope
    def __init__(self, name: _Optional[str] = ..., pem: _Optional[str] = ..., scope: _Optional[_Union[VouchingScope, _Mapping]] = ...) -> None: ...
