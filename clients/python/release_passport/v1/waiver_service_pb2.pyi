import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from release_passport.v1 import waiver_pb2 as _waiver_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RequestWaiverRequest(_message.Message):
    __slots__ = ("release", "service_wide", "policy", "rule", "artifact", "key", "owner", "ticket", "reason", "expire_time", "request_id")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    SERVICE_WIDE_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    release: str
    service_wide: bool
    policy: str
    rule: str
    artifact: str
    key: str
    owner: str
    ticket: str
    reason: str
    expire_time: _timestamp_pb2.Timestamp
    request_id: str
    def __init__(self, release: _Optional[str] = ..., service_wide: bool = ..., policy: _Optional[str] = ..., rule: _Optional[str] = ..., artifact: _Optional[str] = ..., key: _Optional[str] = ..., owner: _Optional[str] = ..., ticket: _Optional[str] = ..., reason: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class RequestWaiverResponse(_message.Message):
    __slots__ = ("waiver", "revision")
    WAIVER_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    waiver: _waiver_pb2.Waiver
    revision: int
    def __init__(self, waiver: _Optional[_Union[_waiver_pb2.Waiver, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class GrantWaiverRequest(_message.Message):
    __slots__ = ("name", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class GrantWaiverResponse(_message.Message):
    __slots__ = ("waiver", "revision")
    WAIVER_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    waiver: _waiver_pb2.Waiver
    revision: int
    def __init__(self, waiver: _Optional[_Union[_waiver_pb2.Waiver, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class RevokeWaiverRequest(_message.Message):
    __slots__ = ("name", "reason", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    reason: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class RevokeWaiverResponse(_message.Message):
    __slots__ = ("waiver", "revision")
    WAIVER_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    waiver: _waiver_pb2.Waiver
    revision: int
    def __init__(self, waiver: _Optional[_Union[_waiver_pb2.Waiver, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class GetWaiverRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetWaiverResponse(_message.Message):
    __slots__ = ("waiver",)
    WAIVER_FIELD_NUMBER: _ClassVar[int]
    waiver: _waiver_pb2.Waiver
    def __init__(self, waiver: _Optional[_Union[_waiver_pb2.Waiver, _Mapping]] = ...) -> None: ...

class ListWaiversRequest(_message.Message):
    __slots__ = ("tenant", "service", "environment", "release", "state", "page_size", "page_token")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    service: str
    environment: str
    release: str
    state: _waiver_pb2.WaiverState
    page_size: int
    page_token: str
    def __init__(self, tenant: _Optional[str] = ..., service: _Optional[str] = ..., environment: _Optional[str] = ..., release: _Optional[str] = ..., state: _Optional[_Union[_waiver_pb2.WaiverState, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListWaiversResponse(_message.Message):
    __slots__ = ("waivers", "next_page_token")
    WAIVERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    waivers: _containers.RepeatedCompositeFieldContainer[_waiver_pb2.Waiver]
    next_page_token: str
    def __init__(self, waivers: _Optional[_Iterable[_Union[_waiver_pb2.Waiver, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
