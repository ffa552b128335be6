import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from release_passport.v1 import decision_pb2 as _decision_pb2
from release_passport.v1 import evidence_pb2 as _evidence_pb2
from release_passport.v1 import policy_pb2 as _policy_pb2
from release_passport.v1 import release_pb2 as _release_pb2
from release_passport.v1 import verdict_pb2 as _verdict_pb2
from release_passport.v1 import watch_pb2 as _watch_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReplayResult(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REPLAY_RESULT_UNSPECIFIED: _ClassVar[ReplayResult]
    REPLAY_RESULT_SAME: _ClassVar[ReplayResult]
    REPLAY_RESULT_ENGINE_DIFFERS: _ClassVar[ReplayResult]
    REPLAY_RESULT_TAMPERED: _ClassVar[ReplayResult]
    REPLAY_RESULT_BODY_PURGED: _ClassVar[ReplayResult]
REPLAY_RESULT_UNSPECIFIED: ReplayResult
REPLAY_RESULT_SAME: ReplayResult
REPLAY_RESULT_ENGINE_DIFFERS: ReplayResult
REPLAY_RESULT_TAMPERED: ReplayResult
REPLAY_RESULT_BODY_PURGED: ReplayResult

class EvaluateRequest(_message.Message):
    __slots__ = ("tenant", "release", "identity", "stage", "evidence", "request_id", "target", "refresh")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    REFRESH_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    release: str
    identity: _release_pb2.ReleaseIdentity
    stage: _verdict_pb2.Stage
    evidence: _containers.RepeatedCompositeFieldContainer[_evidence_pb2.EvidenceInput]
    request_id: str
    target: str
    refresh: bool
    def __init__(self, tenant: _Optional[str] = ..., release: _Optional[str] = ..., identity: _Optional[_Union[_release_pb2.ReleaseIdentity, _Mapping]] = ..., stage: _Optional[_Union[_verdict_pb2.Stage, str]] = ..., evidence: _Optional[_Iterable[_Union[_evidence_pb2.EvidenceInput, _Mapping]]] = ..., request_id: _Optional[str] = ..., target: _Optional[str] = ..., refresh: bool = ...) -> None: ...

class EvaluateResponse(_message.Message):
    __slots__ = ("decision", "revision", "replayed", "standing", "envelope", "permit")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    STANDING_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    PERMIT_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2.Decision
    revision: int
    replayed: bool
    standing: bool
    envelope: bytes
    permit: bytes
    def __init__(self, decision: _Optional[_Union[_decision_pb2.Decision, _Mapping]] = ..., revision: _Optional[int] = ..., replayed: bool = ..., standing: bool = ..., envelope: _Optional[bytes] = ..., permit: _Optional[bytes] = ...) -> None: ...

class GetDecisionRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetDecisionResponse(_message.Message):
    __slots__ = ("decision", "revision", "newest", "envelope", "verification_summary")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NEWEST_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    VERIFICATION_SUMMARY_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2.Decision
    revision: int
    newest: bool
    envelope: bytes
    verification_summary: bytes
    def __init__(self, decision: _Optional[_Union[_decision_pb2.Decision, _Mapping]] = ..., revision: _Optional[int] = ..., newest: bool = ..., envelope: _Optional[bytes] = ..., verification_summary: _Optional[bytes] = ...) -> None: ...

class ListDecisionsRequest(_message.Message):
    __slots__ = ("tenant", "release", "service", "environment", "effective_verdict", "page_size", "page_token")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_VERDICT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    release: str
    service: str
    environment: str
    effective_verdict: _verdict_pb2.Verdict
    page_size: int
    page_token: str
    def __init__(self, tenant: _Optional[str] = ..., release: _Optional[str] = ..., service: _Optional[str] = ..., environment: _Optional[str] = ..., effective_verdict: _Optional[_Union[_verdict_pb2.Verdict, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDecisionsResponse(_message.Message):
    __slots__ = ("decisions", "next_page_token")
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    decisions: _containers.RepeatedCompositeFieldContainer[_decision_pb2.Decision]
    next_page_token: str
    def __init__(self, decisions: _Optional[_Iterable[_Union[_decision_pb2.Decision, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchDecisionRequest(_message.Message):
    __slots__ = ("tenant", "subscriptions", "resume_token", "initial_state", "delivery", "heartbeat_interval", "client_id", "min_revision")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTIONS_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    INITIAL_STATE_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_REVISION_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    subscriptions: _containers.RepeatedCompositeFieldContainer[_watch_pb2.Subscription]
    resume_token: str
    initial_state: _watch_pb2.InitialState
    delivery: _watch_pb2.Delivery
    heartbeat_interval: _duration_pb2.Duration
    client_id: str
    min_revision: int
    def __init__(self, tenant: _Optional[str] = ..., subscriptions: _Optional[_Iterable[_Union[_watch_pb2.Subscription, _Mapping]]] = ..., resume_token: _Optional[str] = ..., initial_state: _Optional[_Union[_watch_pb2.InitialState, str]] = ..., delivery: _Optional[_Union[_watch_pb2.Delivery, str]] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., client_id: _Optional[str] = ..., min_revision: _Optional[int] = ...) -> None: ...

class WatchDecisionResponse(_message.Message):
    __slots__ = ("decision", "snapshot_end", "heartbeat", "goodbye", "resume_token", "revision", "heartbeat_interval")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_END_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    GOODBYE_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    decision: _watch_pb2.DecisionEvent
    snapshot_end: _watch_pb2.SnapshotEnd
    heartbeat: _watch_pb2.Heartbeat
    goodbye: _watch_pb2.Goodbye
    resume_token: str
    revision: int
    heartbeat_interval: _duration_pb2.Duration
    def __init__(self, decision: _Optional[_Union[_watch_pb2.DecisionEvent, _Mapping]] = ..., snapshot_end: _Optional[_Union[_watch_pb2.SnapshotEnd, _Mapping]] = ..., heartbeat: _Optional[_Union[_watch_pb2.Heartbeat, _Mapping]] = ..., goodbye: _Optional[_Union[_watch_pb2.Goodbye, _Mapping]] = ..., resume_token: _Optional[str] = ..., revision: _Optional[int] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ExplainDecisionRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ExplainDecisionResponse(_message.Message):
    __slots__ = ("decision", "steps", "replay")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    REPLAY_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2.Decision
    steps: _containers.RepeatedCompositeFieldContainer[_decision_pb2.TraceStep]
    replay: ReplayResult
    def __init__(self, decision: _Optional[_Union[_decision_pb2.Decision, _Mapping]] = ..., steps: _Optional[_Iterable[_Union[_decision_pb2.TraceStep, _Mapping]]] = ..., replay: _Optional[_Union[ReplayResult, str]] = ...) -> None: ...

class SimulateDecisionRequest(_message.Message):
    __slots__ = ("tenant", "release", "identity", "policies", "policies_only", "evidence", "now", "stage")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    POLICIES_FIELD_NUMBER: _ClassVar[int]
    POLICIES_ONLY_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    release: str
    identity: _release_pb2.ReleaseIdentity
    policies: _containers.RepeatedCompositeFieldContainer[_policy_pb2.Policy]
    policies_only: bool
    evidence: _containers.RepeatedCompositeFieldContainer[_evidence_pb2.EvidenceInput]
    now: _timestamp_pb2.Timestamp
    stage: _verdict_pb2.Stage
    def __init__(self, tenant: _Optional[str] = ..., release: _Optional[str] = ..., identity: _Optional[_Union[_release_pb2.ReleaseIdentity, _Mapping]] = ..., policies: _Optional[_Iterable[_Union[_policy_pb2.Policy, _Mapping]]] = ..., policies_only: bool = ..., evidence: _Optional[_Iterable[_Union[_evidence_pb2.EvidenceInput, _Mapping]]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., stage: _Optional[_Union[_verdict_pb2.Stage, str]] = ...) -> None: ...

class SimulateDecisionResponse(_message.Message):
    __slots__ = ("decision", "steps")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    decision: SimulatedDecision
    steps: _containers.RepeatedCompositeFieldContainer[_decision_pb2.TraceStep]
    def __init__(self, decision: _Optional[_Union[SimulatedDecision, _Mapping]] = ..., steps: _Optional[_Iterable[_Union[_decision_pb2.TraceStep, _Mapping]]] = ...) -> None: ...

class SimulatedDecision(_message.Message):
    __slots__ = ("release", "stage", "verdict", "effective_verdict", "findings", "policy_results", "canary", "valid_until", "decide_time", "weakenings", "rollback_target")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_VERDICT_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    POLICY_RESULTS_FIELD_NUMBER: _ClassVar[int]
    CANARY_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_FIELD_NUMBER: _ClassVar[int]
    DECIDE_TIME_FIELD_NUMBER: _ClassVar[int]
    WEAKENINGS_FIELD_NUMBER: _ClassVar[int]
    ROLLBACK_TARGET_FIELD_NUMBER: _ClassVar[int]
    release: str
    stage: _verdict_pb2.Stage
    verdict: _verdict_pb2.Verdict
    effective_verdict: _verdict_pb2.Verdict
    findings: _containers.RepeatedCompositeFieldContainer[_decision_pb2.Finding]
    policy_results: _containers.RepeatedCompositeFieldContainer[_decision_pb2.PolicyResult]
    canary: _policy_pb2.CanaryConstraints
    valid_until: _timestamp_pb2.Timestamp
    decide_time: _timestamp_pb2.Timestamp
    weakenings: _containers.RepeatedScalarFieldContainer[str]
    rollback_target: str
    def __init__(self, release: _Optional[str] = ..., stage: _Optional[_Union[_verdict_pb2.Stage, str]] = ..., verdict: _Optional[_Union[_verdict_pb2.Verdict, str]] = ..., effective_verdict: _Optional[_Union[_verdict_pb2.Verdict, str]] = ..., findings: _Optional[_Iterable[_Union[_decision_pb2.Finding, _Mapping]]] = ..., policy_results: _Optional[_Iterable[_Union[_decision_pb2.PolicyResult, _Mapping]]] = ..., canary: _Optional[_Union[_policy_pb2.CanaryConstraints, _Mapping]] = ..., valid_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., decide_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., weakenings: _Optional[_Iterable[str]] = ..., rollback_target: _Optional[str] = ...) -> None: ...
