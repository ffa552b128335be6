import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from release_passport.v1 import decision_pb2 as _decision_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class InitialState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INITIAL_STATE_UNSPECIFIED: _ClassVar[InitialState]
    INITIAL_STATE_SNAPSHOT: _ClassVar[InitialState]
    INITIAL_STATE_NONE: _ClassVar[InitialState]

class Delivery(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DELIVERY_UNSPECIFIED: _ClassVar[Delivery]
    DELIVERY_LATEST: _ClassVar[Delivery]
    DELIVERY_EVERY: _ClassVar[Delivery]

class DecisionEventKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECISION_EVENT_KIND_UNSPECIFIED: _ClassVar[DecisionEventKind]
    DECISION_EVENT_KIND_SNAPSHOT: _ClassVar[DecisionEventKind]
    DECISION_EVENT_KIND_CHANGED: _ClassVar[DecisionEventKind]
    DECISION_EVENT_KIND_RENEWED: _ClassVar[DecisionEventKind]
    DECISION_EVENT_KIND_EXPIRED: _ClassVar[DecisionEventKind]

class GoodbyeReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GOODBYE_REASON_UNSPECIFIED: _ClassVar[GoodbyeReason]
    GOODBYE_REASON_DRAINING: _ClassVar[GoodbyeReason]
    GOODBYE_REASON_REBALANCE: _ClassVar[GoodbyeReason]
    GOODBYE_REASON_AUTH_EXPIRED: _ClassVar[GoodbyeReason]
INITIAL_STATE_UNSPECIFIED: InitialState
INITIAL_STATE_SNAPSHOT: InitialState
INITIAL_STATE_NONE: InitialState
DELIVERY_UNSPECIFIED: Delivery
DELIVERY_LATEST: Delivery
DELIVERY_EVERY: Delivery
DECISION_EVENT_KIND_UNSPECIFIED: DecisionEventKind
DECISION_EVENT_KIND_SNAPSHOT: DecisionEventKind
DECISION_EVENT_KIND_CHANGED: DecisionEventKind
DECISION_EVENT_KIND_RENEWED: DecisionEventKind
DECISION_EVENT_KIND_EXPIRED: DecisionEventKind
GOODBYE_REASON_UNSPECIFIED: GoodbyeReason
GOODBYE_REASON_DRAINING: GoodbyeReason
GOODBYE_REASON_REBALANCE: GoodbyeReason
GOODBYE_REASON_AUTH_EXPIRED: GoodbyeReason

class Subscription(_message.Message):
    __slots__ = ("release", "service", "environment")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    release: str
    service: str
    environment: str
    def __init__(self, release: _Optional[str] = ..., service: _Optional[str] = ..., environment: _Optional[str] = ...) -> None: ...

class DecisionEvent(_message.Message):
    __slots__ = ("kind", "decision", "index")
    KIND_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    kind: DecisionEventKind
    decision: _decision_pb2.Decision
    index: int
    def __init__(self, kind: _Optional[_Union[DecisionEventKind, str]] = ..., decision: _Optional[_Union[_decision_pb2.Decision, _Mapping]] = ..., index: _Optional[int] = ...) -> None: ...

class SnapshotEnd(_message.Message):
    __slots__ = ("decisions",)
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    decisions: int
    def __init__(self, decisions: _Optional[int] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("server_time",)
    SERVER_TIME_FIELD_NUMBER: _ClassVar[int]
    server_time: _timestamp_pb2.Timestamp
    def __init__(self, server_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Goodbye(_message.Message):
    __slots__ = ("reason", "reconnect_after")
    REASON_FIELD_NUMBER: _ClassVar[int]
    RECONNECT_AFTER_FIELD_NUMBER: _ClassVar[int]
    reason: GoodbyeReason
    reconnect_after: _duration_pb2.Duration
    def __init__(self, reason: _Optional[_Union[GoodbyeReason, str]] = ..., reconnect_after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...
