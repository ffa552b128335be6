import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from release_passport.v1 import evidence_pb2 as _evidence_pb2
from release_passport.v1 import latch_pb2 as _latch_pb2
from release_passport.v1 import verdict_pb2 as _verdict_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WatchWindowState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WATCH_WINDOW_STATE_UNSPECIFIED: _ClassVar[WatchWindowState]
    WATCH_WINDOW_STATE_ARMED: _ClassVar[WatchWindowState]
    WATCH_WINDOW_STATE_OPEN: _ClassVar[WatchWindowState]
    WATCH_WINDOW_STATE_LATCHED: _ClassVar[WatchWindowState]
    WATCH_WINDOW_STATE_PASSED: _ClassVar[WatchWindowState]
    WATCH_WINDOW_STATE_ROLLED_BACK: _ClassVar[WatchWindowState]
    WATCH_WINDOW_STATE_FAILED: _ClassVar[WatchWindowState]
    WATCH_WINDOW_STATE_CANCELLED: _ClassVar[WatchWindowState]
    WATCH_WINDOW_STATE_EXPIRED_WITHOUT_DATA: _ClassVar[WatchWindowState]
    WATCH_WINDOW_STATE_SUPERSEDED: _ClassVar[WatchWindowState]
WATCH_WINDOW_STATE_UNSPECIFIED: WatchWindowState
WATCH_WINDOW_STATE_ARMED: WatchWindowState
WATCH_WINDOW_STATE_OPEN: WatchWindowState
WATCH_WINDOW_STATE_LATCHED: WatchWindowState
WATCH_WINDOW_STATE_PASSED: WatchWindowState
WATCH_WINDOW_STATE_ROLLED_BACK: WatchWindowState
WATCH_WINDOW_STATE_FAILED: WatchWindowState
WATCH_WINDOW_STATE_CANCELLED: WatchWindowState
WATCH_WINDOW_STATE_EXPIRED_WITHOUT_DATA: WatchWindowState
WATCH_WINDOW_STATE_SUPERSEDED: WatchWindowState

class WatchWindow(_message.Message):
    __slots__ = ("name", "release", "state", "ground", "decision", "effective_verdict", "duration", "max_weight", "steps", "arm_time", "open_time", "pass_time", "expire_time", "close_time", "reason", "rollback_target", "latches", "acknowledgements", "rollback_readiness", "rollback_readiness_time", "paused", "policies")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    GROUND_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_VERDICT_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    MAX_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    ARM_TIME_FIELD_NUMBER: _ClassVar[int]
    OPEN_TIME_FIELD_NUMBER: _ClassVar[int]
    PASS_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    CLOSE_TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ROLLBACK_TARGET_FIELD_NUMBER: _ClassVar[int]
    LATCHES_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGEMENTS_FIELD_NUMBER: _ClassVar[int]
    ROLLBACK_READINESS_FIELD_NUMBER: _ClassVar[int]
    ROLLBACK_READINESS_TIME_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    POLICIES_FIELD_NUMBER: _ClassVar[int]
    name: str
    release: str
    state: WatchWindowState
    ground: str
    decision: str
    effective_verdict: _verdict_pb2.Verdict
    duration: _duration_pb2.Duration
    max_weight: int
    steps: _containers.RepeatedScalarFieldContainer[int]
    arm_time: _timestamp_pb2.Timestamp
    open_time: _timestamp_pb2.Timestamp
    pass_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    close_time: _timestamp_pb2.Timestamp
    reason: str
    rollback_target: str
    latches: _containers.RepeatedCompositeFieldContainer[_latch_pb2.Latch]
    acknowledgements: _containers.RepeatedCompositeFieldContainer[LatchAcknowledgement]
    rollback_readiness: _evidence_pb2.RollbackReadiness
    rollback_readiness_time: _timestamp_pb2.Timestamp
    paused: bool
    policies: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., release: _Optional[str] = ..., state: _Optional[_Union[WatchWindowState, str]] = ..., ground: _Optional[str] = ..., decision: _Optional[str] = ..., effective_verdict: _Optional[_Union[_verdict_pb2.Verdict, str]] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., max_weight: _Optional[int] = ..., steps: _Optional[_Iterable[int]] = ..., arm_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., open_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., pass_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., close_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ..., rollback_target: _Optional[str] = ..., latches: _Optional[_Iterable[_Union[_latch_pb2.Latch, _Mapping]]] = ..., acknowledgements: _Optional[_Iterable[_Union[LatchAcknowledgement, _Mapping]]] = ..., rollback_readiness: _Optional[_Union[_evidence_pb2.RollbackReadiness, _Mapping]] = ..., rollback_readiness_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., paused: bool = ..., policies: _Optional[_Iterable[str]] = ...) -> None: ...

class LatchAcknowledgement(_message.Message):
    __slots__ = ("principal", "reason", "acknowledge_time", "latches", "decision")
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGE_TIME_FIELD_NUMBER: _ClassVar[int]
    LATCHES_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    principal: str
    reason: str
    acknowledge_time: _timestamp_pb2.Timestamp
    latches: _containers.RepeatedScalarFieldContainer[str]
    decision: str
    def __init__(self, principal: _Optional[str] = ..., reason: _Optional[str] = ..., acknowledge_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., latches: _Optional[_Iterable[str]] = ..., decision: _Optional[str] = ...) -> None: ...
