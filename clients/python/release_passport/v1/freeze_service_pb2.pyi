import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from release_passport.v1 import freeze_pb2 as _freeze_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateFreezeRequest(_message.Message):
    __slots__ = ("tenant", "freeze", "request_id")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    FREEZE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    freeze: _freeze_pb2.Freeze
    request_id: str
    def __init__(self, tenant: _Optional[str] = ..., freeze: _Optional[_Union[_freeze_pb2.Freeze, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class CreateFreezeResponse(_message.Message):
    __slots__ = ("freeze", "in_flight", "revision")
    FREEZE_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    freeze: _freeze_pb2.Freeze
    in_flight: _containers.RepeatedScalarFieldContainer[str]
    revision: int
    def __init__(self, freeze: _Optional[_Union[_freeze_pb2.Freeze, _Mapping]] = ..., in_flight: _Optional[_Iterable[str]] = ..., revision: _Optional[int] = ...) -> None: ...

class UpdateFreezeRequest(_message.Message):
    __slots__ = ("freeze", "request_id")
    FREEZE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    freeze: _freeze_pb2.Freeze
    request_id: str
    def __init__(self, freeze: _Optional[_Union[_freeze_pb2.Freeze, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class UpdateFreezeResponse(_message.Message):
    __slots__ = ("freeze", "revision")
    FREEZE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    freeze: _freeze_pb2.Freeze
    revision: int
    def __init__(self, freeze: _Optional[_Union[_freeze_pb2.Freeze, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class EndFreezeRequest(_message.Message):
    __slots__ = ("name", "reason", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    reason: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class EndFreezeResponse(_message.Message):
    __slots__ = ("freeze", "revision")
    FREEZE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    freeze: _freeze_pb2.Freeze
    revision: int
    def __init__(self, freeze: _Optional[_Union[_freeze_pb2.Freeze, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class GetFreezeRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetFreezeResponse(_message.Message):
    __slots__ = ("freeze",)
    FREEZE_FIELD_NUMBER: _ClassVar[int]
    freeze: _freeze_pb2.Freeze
    def __init__(self, freeze: _Optional[_Union[_freeze_pb2.Freeze, _Mapping]] = ...) -> None: ...

class ListFreezesRequest(_message.Message):
    __slots__ = ("tenant", "current", "page_size", "page_token")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    CURRENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    current: bool
    page_size: int
    page_token: str
    def __init__(self, tenant: _Optional[str] = ..., current: bool = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListFreezesResponse(_message.Message):
    __slots__ = ("freezes", "next_page_token")
    FREEZES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    freezes: _containers.RepeatedCompositeFieldContainer[_freeze_pb2.Freeze]
    next_page_token: str
    def __init__(self, freezes: _Optional[_Iterable[_Union[_freeze_pb2.Freeze, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateFreezeExemptionRequest(_message.Message):
    __slots__ = ("freeze", "release", "ticket", "reason", "expire_time", "request_id")
    FREEZE_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    freeze: str
    release: str
    ticket: str
    reason: str
    expire_time: _timestamp_pb2.Timestamp
    request_id: str
    def __init__(self, freeze: _Optional[str] = ..., release: _Optional[str] = ..., ticket: _Optional[str] = ..., reason: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class CreateFreezeExemptionResponse(_message.Message):
    __slots__ = ("exemption", "revision")
    EXEMPTION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    exemption: _freeze_pb2.FreezeExemption
    revision: int
    def __init__(self, exemption: _Optional[_Union[_freeze_pb2.FreezeExemption, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class EndFreezeExemptionRequest(_message.Message):
    __slots__ = ("name", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class EndFreezeExemptionResponse(_message.Message):
    __slots__ = ("exemption", "revision")
    EXEMPTION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    exemption: _freeze_pb2.FreezeExemption
    revision: int
    def __init__(self, exemption: _Optional[_Union[_freeze_pb2.FreezeExemption, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class ListFreezeExemptionsRequest(_message.Message):
    __slots__ = ("tenant", "freeze", "release", "page_size", "page_token")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    FREEZE_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    freeze: str
    release: str
    page_size: int
    page_token: str
    def __init__(self, tenant: _Optional[str] = ..., freeze: _Optional[str] = ..., release: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListFreezeExemptionsResponse(_message.Message):
    __slots__ = ("exemptions", "next_page_token")
    EXEMPTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    exemptions: _containers.RepeatedCompositeFieldContainer[_freeze_pb2.FreezeExemption]
    next_page_token: str
    def __init__(self, exemptions: _Optional[_Iterable[_Union[_freeze_pb2.FreezeExemption, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
