import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from release_passport.v1 import approval_pb2 as _approval_pb2
from release_passport.v1 import decision_pb2 as _decision_pb2
from release_passport.v1 import evidence_pb2 as _evidence_pb2
from release_passport.v1 import freeze_pb2 as _freeze_pb2
from release_passport.v1 import override_service_pb2 as _override_service_pb2
from release_passport.v1 import release_pb2 as _release_pb2
from release_passport.v1 import waiver_pb2 as _waiver_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Passport(_message.Message):
    __slots__ = ("release", "current_decision", "decisions", "evidence", "latches", "generate_time", "truncated", "approvals", "waivers", "overrides", "freeze_exemptions")
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
    release: _release_pb2.Release
    current_decision: _decision_pb2.Decision
    decisions: _containers.RepeatedCompositeFieldContainer[_decision_pb2.Decision]
    evidence: _containers.RepeatedCompositeFieldContainer[_evidence_pb2.Evidence]
    latches: _containers.RepeatedCompositeFieldContainer[Latch]
    generate_time: _timestamp_pb2.Timestamp
    truncated: bool
    approvals: _containers.RepeatedCompositeFieldContainer[_approval_pb2.Approval]
    waivers: _containers.RepeatedCompositeFieldContainer[_waiver_pb2.Waiver]
    overrides: _containers.RepeatedCompositeFieldContainer[_override_service_pb2.Override]
    freeze_exemptions: _containers.RepeatedCompositeFieldContainer[_freeze_pb2.FreezeExemption]
    def __init__(self, release: _Optional[_Union[_release_pb2.Release, _Mapping]] = ..., current_decision: _Optional[_Union[_decision_pb2.Decision, _Mapping]] = ..., decisions: _Optional[_Iterable[_Union[_decision_pb2.Decision, _Mapping]]] = ..., evidence: _Optional[_Iterable[_Union[_evidence_pb2.Evidence, _Mapping]]] = ..., latches: _Optional[_Iterable[_Union[Latch, _Mapping]]] = ..., generate_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., truncated: bool = ..., approvals: _Optional[_Iterable[_Union[_approval_pb2.Approval, _Mapping]]] = ..., waivers: _Optional[_Iterable[_Union[_waiver_pb2.Waiver, _Mapping]]] = ..., overrides: _Optional[_Iterable[_Union[_override_service_pb2.Override, _Mapping]]] = ..., freeze_exemptions: _Optional[_Iterable[_Union[_freeze_pb2.FreezeExemption, _Mapping]]] = ...) -> None: ...

class Latch(_message.Message):
    __slots__ = ("name", "release_digest", "policy", "rule", "decision", "reason", "create_time", "clear_time", "attempt")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RELEASE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    CLEAR_TIME_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    name: str
    release_digest: str
    policy: str
    rule: str
    decision: str
    reason: str
    create_time: _timestamp_pb2.Timestamp
    clear_time: _timestamp_pb2.Timestamp
    attempt: str
    def __init__(self, name: _Optional[str] = ..., release_digest: _Optional[str] = ..., policy: _Optional[str] = ..., rule: _Optional[str] = ..., decision: _Optional[str] = ..., reason: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., clear_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attempt: _Optional[str] = ...) -> None: ...
