import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from release_passport.v1 import approval_pb2 as _approval_pb2
from release_passport.v1 import decision_pb2 as _decision_pb2
from release_passport.v1 import evidence_pb2 as _evidence_pb2
from release_passport.v1 import freeze_pb2 as _freeze_pb2
from release_passport.v1 import latch_pb2 as _latch_pb2
from release_passport.v1 import override_service_pb2 as _override_service_pb2
from release_passport.v1 import release_pb2 as _release_pb2
from release_passport.v1 import waiver_pb2 as _waiver_pb2
from release_passport.v1 import watch_window_pb2 as _watch_window_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Passport(_message.Message):
    __slots__ = ("release", "current_decision", "decisions", "evidence", "latches", "generate_time", "truncated", "approvals", "waivers", "overrides", "freeze_exemptions", "watch_windows")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    CURRENT_DECISION_FIELD_NUMBER: _ClassVar[int]
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    LATCHES_FIELD_NUMBER: _ClassVar[int]
    GENERATE_TIME_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    APPROVALS_FIELD_NUMBER: _ClassVar[int]
    WAIVERS_FIELD_NUMBER: _ClassVar[int]
    OVERRIDES_FIELD_NUMBER: _ClassVar[int]
    FREEZE_EXEMPTIONS_FIELD_NUMBER: _ClassVar[int]
    WATCH_WINDOWS_FIELD_NUMBER: _ClassVar[int]
    release: _release_pb2.Release
    current_decision: _decision_pb2.Decision
    decisions: _containers.RepeatedCompositeFieldContainer[_decision_pb2.Decision]
    evidence: _containers.RepeatedCompositeFieldContainer[_evidence_pb2.Evidence]
    latches: _containers.RepeatedCompositeFieldContainer[_latch_pb2.Latch]
    generate_time: _timestamp_pb2.Timestamp
    truncated: bool
    approvals: _containers.RepeatedCompositeFieldContainer[_approval_pb2.Approval]
    waivers: _containers.RepeatedCompositeFieldContainer[_waiver_pb2.Waiver]
    overrides: _containers.RepeatedCompositeFieldContainer[_override_service_pb2.Override]
    freeze_exemptions: _containers.RepeatedCompositeFieldContainer[_freeze_pb2.FreezeExemption]
    watch_windows: _containers.RepeatedCompositeFieldContainer[_watch_window_pb2.WatchWindow]
    def __init__(self, release: _Optional[_Union[_release_pb2.Release, _Mapping]] = ..., current_decision: _Optional[_Union[_decision_pb2.Decision, _Mapping]] = ..., decisions: _Optional[_Iterable[_Union[_decision_pb2.Decision, _Mapping]]] = ..., evidence: _Optional[_Iterable[_Union[_evidence_pb2.Evidence, _Mapping]]] = ..., latches: _Optional[_Iterable[_Union[_latch_pb2.Latch, _Mapping]]] = ..., generate_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., truncated: bool = ..., approvals: _Optional[_Iterable[_Union[_approval_pb2.Approval, _Mapping]]] = ..., waivers: _Optional[_Iterable[_Union[_waiver_pb2.Waiver, _Mapping]]] = ..., overrides: _Optional[_Iterable[_Union[_override_service_pb2.Override, _Mapping]]] = ..., freeze_exemptions: _Optional[_Iterable[_Union[_freeze_pb2.FreezeExemption, _Mapping]]] = ..., watch_windows: _Optional[_Iterable[_Union[_watch_window_pb2.WatchWindow, _Mapping]]] = ...) -> None: ...
