from release_passport.v1 import verdict_pb2 as _verdict_pb2
from release_passport.v1 import watch_window_pb2 as _watch_window_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetWatchWindowRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetWatchWindowResponse(_message.Message):
    __slots__ = ("window",)
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    window: _watch_window_pb2.WatchWindow
    def __init__(self, window: _Optional[_Union[_watch_window_pb2.WatchWindow, _Mapping]] = ...) -> None: ...

class ListWatchWindowsRequest(_message.Message):
    __slots__ = ("tenant", "service", "environment", "page_size", "page_token")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    service: str
    environment: str
    page_size: int
    page_token: str
    def __init__(self, tenant: _Optional[str] = ..., service: _Optional[str] = ..., environment: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListWatchWindowsResponse(_message.Message):
    __slots__ = ("windows", "next_page_token")
    WINDOWS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    windows: _containers.RepeatedCompositeFieldContainer[_watch_window_pb2.WatchWindow]
    next_page_token: str
    def __init__(self, windows: _Optional[_Iterable[_Union[_watch_window_pb2.WatchWindow, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AcknowledgeWatchWindowRequest(_message.Message):
    __slots__ = ("name", "reason", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    reason: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class AcknowledgeWatchWindowResponse(_message.Message):
    __slots__ = ("window", "revision")
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    window: _watch_window_pb2.WatchWindow
    revision: int
    def __init__(self, window: _Optional[_Union[_watch_window_pb2.WatchWindow, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class CloseWatchWindowRequest(_message.Message):
    __slots__ = ("name", "outcome", "reason", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    outcome: _watch_window_pb2.WatchWindowState
    reason: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., outcome: _Optional[_Union[_watch_window_pb2.WatchWindowState, str]] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class CloseWatchWindowResponse(_message.Message):
    __slots__ = ("window", "revision")
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    window: _watch_window_pb2.WatchWindow
    revision: int
    def __init__(self, window: _Optional[_Union[_watch_window_pb2.WatchWindow, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class AdoptPoliciesRequest(_message.Message):
    __slots__ = ("name", "reason", "validate_only", "etag", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    reason: str
    validate_only: bool
    etag: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., reason: _Optional[str] = ..., validate_only: bool = ..., etag: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class AdoptPoliciesResponse(_message.Message):
    __slots__ = ("window", "changes", "verdict_before", "verdict_after", "reasons", "etag", "revision")
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    VERDICT_BEFORE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_AFTER_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    window: _watch_window_pb2.WatchWindow
    changes: _containers.RepeatedCompositeFieldContainer[AdoptedPolicy]
    verdict_before: _verdict_pb2.Verdict
    verdict_after: _verdict_pb2.Verdict
    reasons: _containers.RepeatedScalarFieldContainer[str]
    etag: str
    revision: int
    def __init__(self, window: _Optional[_Union[_watch_window_pb2.WatchWindow, _Mapping]] = ..., changes: _Optional[_Iterable[_Union[AdoptedPolicy, _Mapping]]] = ..., verdict_before: _Optional[_Union[_verdict_pb2.Verdict, str]] = ..., verdict_after: _Optional[_Union[_verdict_pb2.Verdict, str]] = ..., reasons: _Optional[_Iterable[str]] = ..., etag: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class AdoptedPolicy(_message.Message):
    __slots__ = ("policy_id", "revision_before", "revision_after")
    POLICY_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_BEFORE_FIELD_NUMBER: _ClassVar[int]
    REVISION_AFTER_FIELD_NUMBER: _ClassVar[int]
    policy_id: str
    revision_before: int
    revision_after: int
    def __init__(self, policy_id: _Optional[str] = ..., revision_before: _Optional[int] = ..., revision_after: _Optional[int] = ...) -> None: ...
