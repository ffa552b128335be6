from release_passport.v1 import trust_pb2 as _trust_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetTrustRequest(_message.Message):
    __slots__ = ("tenant", "revision")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    revision: int
    def __init__(self, tenant: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class GetTrustResponse(_message.Message):
    __slots__ = ("trust",)
    TRUST_FIELD_NUMBER: _ClassVar[int]
    trust: _trust_pb2.TrustConfiguration
    def __init__(self, trust: _Optional[_Union[_trust_pb2.TrustConfiguration, _Mapping]] = ...) -> None: ...

class UpdateTrustRequest(_message.Message):
    __slots__ = ("tenant", "trust", "request_id")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    TRUST_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    trust: _trust_pb2.TrustConfiguration
    request_id: str
    def __init__(self, tenant: _Optional[str] = ..., trust: _Optional[_Union[_trust_pb2.TrustConfiguration, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class UpdateTrustResponse(_message.Message):
    __slots__ = ("trust",)
    TRUST_FIELD_NUMBER: _ClassVar[int]
    trust: _trust_pb2.TrustConfiguration
    def __init__(self, trust: _Optional[_Union[_trust_pb2.TrustConfiguration, _Mapping]] = ...) -> None: ...

class ListTrustRevisionsRequest(_message.Message):
    __slots__ = ("tenant", "page_size", "page_token")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    page_size: int
    page_token: str
    def __init__(self, tenant: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListTrustRevisionsResponse(_message.Message):
    __slots__ = ("trusts", "next_page_token")
    TRUSTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    trusts: _containers.RepeatedCompositeFieldContainer[_trust_pb2.TrustConfiguration]
    next_page_token: str
    def __init__(self, trusts: _Optional[_Iterable[_Union[_trust_pb2.TrustConfiguration, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
