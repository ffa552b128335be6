import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from release_passport.v1 import connector_pb2 as _connector_pb2
from release_passport.v1 import evidence_pb2 as _evidence_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateConnectorRequest(_message.Message):
    __slots__ = ("tenant", "connector", "request_id")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    CONNECTOR_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    connector: _connector_pb2.Connector
    request_id: str
    def __init__(self, tenant: _Optional[str] = ..., connector: _Optional[_Union[_connector_pb2.Connector, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class CreateConnectorResponse(_message.Message):
    __slots__ = ("connector", "revision")
    CONNECTOR_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    connector: _connector_pb2.Connector
    revision: int
    def __init__(self, connector: _Optional[_Union[_connector_pb2.Connector, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class GetConnectorRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetConnectorResponse(_message.Message):
    __slots__ = ("connector",)
    CONNECTOR_FIELD_NUMBER: _ClassVar[int]
    connector: _connector_pb2.Connector
    def __init__(self, connector: _Optional[_Union[_connector_pb2.Connector, _Mapping]] = ...) -> None: ...

class ListConnectorsRequest(_message.Message):
    __slots__ = ("tenant", "page_size", "page_token")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    page_size: int
    page_token: str
    def __init__(self, tenant: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListConnectorsResponse(_message.Message):
    __slots__ = ("connectors", "next_page_token")
    CONNECTORS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    connectors: _containers.RepeatedCompositeFieldContainer[_connector_pb2.Connector]
    next_page_token: str
    def __init__(self, connectors: _Optional[_Iterable[_Union[_connector_pb2.Connector, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdateConnectorRequest(_message.Message):
    __slots__ = ("connector", "request_id")
    CONNECTOR_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    connector: _connector_pb2.Connector
    request_id: str
    def __init__(self, connector: _Optional[_Union[_connector_pb2.Connector, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class UpdateConnectorResponse(_message.Message):
    __slots__ = ("connector", "revision")
    CONNECTOR_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    connector: _connector_pb2.Connector
    revision: int
    def __init__(self, connector: _Optional[_Union[_connector_pb2.Connector, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class DeleteConnectorRequest(_message.Message):
    __slots__ = ("name", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeleteConnectorResponse(_message.Message):
    __slots__ = ("connector", "revision")
    CONNECTOR_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    connector: _connector_pb2.Connector
    revision: int
    def __init__(self, connector: _Optional[_Union[_connector_pb2.Connector, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class TestConnectorRequest(_message.Message):
    __slots__ = ("tenant", "name", "connector")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONNECTOR_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    name: str
    connector: _connector_pb2.Connector
    def __init__(self, tenant: _Optional[str] = ..., name: _Optional[str] = ..., connector: _Optional[_Union[_connector_pb2.Connector, _Mapping]] = ...) -> None: ...

class TestConnectorResponse(_message.Message):
    __slots__ = ("ready", "visible", "missing", "grant", "failure", "message", "excess")
    READY_FIELD_NUMBER: _ClassVar[int]
    VISIBLE_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    GRANT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    EXCESS_FIELD_NUMBER: _ClassVar[int]
    ready: bool
    visible: _containers.RepeatedScalarFieldContainer[str]
    missing: _containers.RepeatedScalarFieldContainer[str]
    grant: str
    failure: str
    message: str
    excess: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, ready: bool = ..., visible: _Optional[_Iterable[str]] = ..., missing: _Optional[_Iterable[str]] = ..., grant: _Optional[str] = ..., failure: _Optional[str] = ..., message: _Optional[str] = ..., excess: _Optional[_Iterable[str]] = ...) -> None: ...

class CollectNowRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class CollectNowResponse(_message.Message):
    __slots__ = ("connector", "evidence", "revision")
    CONNECTOR_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    connector: _connector_pb2.Connector
    evidence: _containers.RepeatedCompositeFieldContainer[_evidence_pb2.Evidence]
    revision: int
    def __init__(self, connector: _Optional[_Union[_connector_pb2.Connector, _Mapping]] = ..., evidence: _Optional[_Iterable[_Union[_evidence_pb2.Evidence, _Mapping]]] = ..., revision: _Optional[int] = ...) -> None: ...

class WakeConnectorRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class WakeConnectorResponse(_message.Message):
    __slots__ = ("due_time",)
    DUE_TIME_FIELD_NUMBER: _ClassVar[int]
    due_time: _timestamp_pb2.Timestamp
    def __init__(self, due_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
