import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ConnectorState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONNECTOR_STATE_UNSPECIFIED: _ClassVar[ConnectorState]
    CONNECTOR_STATE_NEW: _ClassVar[ConnectorState]
    CONNECTOR_STATE_HEALTHY: _ClassVar[ConnectorState]
    CONNECTOR_STATE_DEGRADED: _ClassVar[ConnectorState]
    CONNECTOR_STATE_FAILING: _ClassVar[ConnectorState]
    CONNECTOR_STATE_RESTING: _ClassVar[ConnectorState]
CONNECTOR_STATE_UNSPECIFIED: ConnectorState
CONNECTOR_STATE_NEW: ConnectorState
CONNECTOR_STATE_HEALTHY: ConnectorState
CONNECTOR_STATE_DEGRADED: ConnectorState
CONNECTOR_STATE_FAILING: ConnectorState
CONNECTOR_STATE_RESTING: ConnectorState

class Connector(_message.Message):
    __slots__ = ("name", "title", "kind", "service", "environment", "endpoint", "credential", "interval", "settings", "paused", "creator", "create_time", "update_time", "delete_time", "etag", "source", "health")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    CREATOR_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    name: str
    title: str
    kind: str
    service: str
    environment: str
    endpoint: str
    credential: str
    interval: _duration_pb2.Duration
    settings: _struct_pb2.Struct
    paused: bool
    creator: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    delete_time: _timestamp_pb2.Timestamp
    etag: str
    source: str
    health: ConnectorHealth
    def __init__(self, name: _Optional[str] = ..., title: _Optional[str] = ..., kind: _Optional[str] = ..., service: _Optional[str] = ..., environment: _Optional[str] = ..., endpoint: _Optional[str] = ..., credential: _Optional[str] = ..., interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., settings: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., paused: bool = ..., creator: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., delete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ..., source: _Optional[str] = ..., health: _Optional[_Union[ConnectorHealth, _Mapping]] = ...) -> None: ...

class ConnectorHealth(_message.Message):
    __slots__ = ("state", "failure", "message", "problems", "failures", "attempt_time", "success_time", "change_time", "rest_until")
    STATE_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_TIME_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_TIME_FIELD_NUMBER: _ClassVar[int]
    CHANGE_TIME_FIELD_NUMBER: _ClassVar[int]
    REST_UNTIL_FIELD_NUMBER: _ClassVar[int]
    state: ConnectorState
    failure: str
    message: str
    problems: _containers.RepeatedScalarFieldContainer[str]
    failures: int
    attempt_time: _timestamp_pb2.Timestamp
    success_time: _timestamp_pb2.Timestamp
    change_time: _timestamp_pb2.Timestamp
    rest_until: _timestamp_pb2.Timestamp
    def __init__(self, state: _Optional[_Union[ConnectorState, str]] = ..., failure: _Optional[str] = ..., message: _Optional[str] = ..., problems: _Optional[_Iterable[str]] = ..., failures: _Optional[int] = ..., attempt_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., success_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., change_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., rest_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
