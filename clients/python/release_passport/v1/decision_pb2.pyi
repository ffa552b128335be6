import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from release_passport.v1 import evidence_pb2 as _evidence_pb2
from release_passport.v1 import policy_pb2 as _policy_pb2
from release_passport.v1 import verdict_pb2 as _verdict_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Decision(_message.Message):
    __slots__ = ("name", "release", "stage", "verdict", "effective_verdict", "findings", "policy_results", "canary", "watch", "valid_until", "next_eligible_time", "decide_time", "ground", "attempt", "rollback_target", "supersedes", "weakenings", "semantics_version", "engine_version", "outcome_digest", "case_digest", "release_digest", "considered_revision", "dev", "renews", "overrides", "held_since")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_VERDICT_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    POLICY_RESULTS_FIELD_NUMBER: _ClassVar[int]
    CANARY_FIELD_NUMBER: _ClassVar[int]
    WATCH_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_FIELD_NUMBER: _ClassVar[int]
    NEXT_ELIGIBLE_TIME_FIELD_NUMBER: _ClassVar[int]
    DECIDE_TIME_FIELD_NUMBER: _ClassVar[int]
    GROUND_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    ROLLBACK_TARGET_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDES_FIELD_NUMBER: _ClassVar[int]
    WEAKENINGS_FIELD_NUMBER: _ClassVar[int]
    SEMANTICS_VERSION_FIELD_NUMBER: _ClassVar[int]
    ENGINE_VERSION_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_DIGEST_FIELD_NUMBER: _ClassVar[int]
    CASE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    RELEASE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    CONSIDERED_REVISION_FIELD_NUMBER: _ClassVar[int]
    DEV_FIELD_NUMBER: _ClassVar[int]
    RENEWS_FIELD_NUMBER: _ClassVar[int]
    OVERRIDES_FIELD_NUMBER: _ClassVar[int]
    HELD_SINCE_FIELD_NUMBER: _ClassVar[int]
    name: str
    release: str
    stage: _verdict_pb2.Stage
    verdict: _verdict_pb2.Verdict
    effective_verdict: _verdict_pb2.Verdict
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    policy_results: _containers.RepeatedCompositeFieldContainer[PolicyResult]
    canary: _policy_pb2.CanaryConstraints
    watch: _policy_pb2.WatchRequirement
    valid_until: _timestamp_pb2.Timestamp
    next_eligible_time: _timestamp_pb2.Timestamp
    decide_time: _timestamp_pb2.Timestamp
    ground: str
    attempt: str
    rollback_target: str
    supersedes: str
    weakenings: _containers.RepeatedScalarFieldContainer[str]
    semantics_version: int
    engine_version: str
    outcome_digest: str
    case_digest: str
    release_digest: str
    considered_revision: int
    dev: bool
    renews: bool
    overrides: _containers.RepeatedCompositeFieldContainer[AppliedAct]
    held_since: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., release: _Optional[str] = ..., stage: _Optional[_Union[_verdict_pb2.Stage, str]] = ..., verdict: _Optional[_Union[_verdict_pb2.Verdict, str]] = ..., effective_verdict: _Optional[_Union[_verdict_pb2.Verdict, str]] = ..., findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ..., policy_results: _Optional[_Iterable[_Union[PolicyResult, _Mapping]]] = ..., canary: _Optional[_Union[_policy_pb2.CanaryConstraints, _Mapping]] = ..., watch: _Optional[_Union[_policy_pb2.WatchRequirement, _Mapping]] = ..., valid_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., next_eligible_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., decide_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ground: _Optional[str] = ..., attempt: _Optional[str] = ..., rollback_target: _Optional[str] = ..., supersedes: _Optional[str] = ..., weakenings: _Optional[_Iterable[str]] = ..., semantics_version: _Optional[int] = ..., engine_version: _Optional[str] = ..., outcome_digest: _Optional[str] = ..., case_digest: _Optional[str] = ..., release_digest: _Optional[str] = ..., considered_revision: _Optional[int] = ..., dev: bool = ..., renews: bool = ..., overrides: _Optional[_Iterable[_Union[AppliedAct, _Mapping]]] = ..., held_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Finding(_message.Message):
    __slots__ = ("policy", "rule", "title", "verdict", "reason", "message", "next_action", "who_can_act", "next_eligible_time", "artifact", "key", "path", "evidence", "mode", "controls", "approval", "lifted_by")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    NEXT_ACTION_FIELD_NUMBER: _ClassVar[int]
    WHO_CAN_ACT_FIELD_NUMBER: _ClassVar[int]
    NEXT_ELIGIBLE_TIME_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    CONTROLS_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    LIFTED_BY_FIELD_NUMBER: _ClassVar[int]
    policy: str
    rule: str
    title: str
    verdict: _verdict_pb2.Verdict
    reason: str
    message: str
    next_action: str
    who_can_act: _containers.RepeatedScalarFieldContainer[str]
    next_eligible_time: _timestamp_pb2.Timestamp
    artifact: str
    key: str
    path: str
    evidence: _containers.RepeatedCompositeFieldContainer[_evidence_pb2.EvidenceRef]
    mode: _verdict_pb2.PolicyMode
    controls: _containers.RepeatedScalarFieldContainer[str]
    approval: _policy_pb2.ApprovalRequirement
    lifted_by: _containers.RepeatedCompositeFieldContainer[AppliedAct]
    def __init__(self, policy: _Optional[str] = ..., rule: _Optional[str] = ..., title: _Optional[str] = ..., verdict: _Optional[_Union[_verdict_pb2.Verdict, str]] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., next_action: _Optional[str] = ..., who_can_act: _Optional[_Iterable[str]] = ..., next_eligible_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., artifact: _Optional[str] = ..., key: _Optional[str] = ..., path: _Optional[str] = ..., evidence: _Optional[_Iterable[_Union[_evidence_pb2.EvidenceRef, _Mapping]]] = ..., mode: _Optional[_Union[_verdict_pb2.PolicyMode, str]] = ..., controls: _Optional[_Iterable[str]] = ..., approval: _Optional[_Union[_policy_pb2.ApprovalRequirement, _Mapping]] = ..., lifted_by: _Optional[_Iterable[_Union[AppliedAct, _Mapping]]] = ...) -> None: ...

class AppliedAct(_message.Message):
    __slots__ = ("name", "digest", "principal")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    name: str
    digest: str
    principal: str
    def __init__(self, name: _Optional[str] = ..., digest: _Optional[str] = ..., principal: _Optional[str] = ...) -> None: ...

class PolicyResult(_message.Message):
    __slots__ = ("policy", "revision", "digest", "mode", "verdict", "not_applicable")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    NOT_APPLICABLE_FIELD_NUMBER: _ClassVar[int]
    policy: str
    revision: int
    digest: str
    mode: _verdict_pb2.PolicyMode
    verdict: _verdict_pb2.Verdict
    not_applicable: _containers.RepeatedCompositeFieldContainer[NotApplicable]
    def __init__(self, policy: _Optional[str] = ..., revision: _Optional[int] = ..., digest: _Optional[str] = ..., mode: _Optional[_Union[_verdict_pb2.PolicyMode, str]] = ..., verdict: _Optional[_Union[_verdict_pb2.Verdict, str]] = ..., not_applicable: _Optional[_Iterable[_Union[NotApplicable, _Mapping]]] = ...) -> None: ...

class NotApplicable(_message.Message):
    __slots__ = ("rule", "reason", "detail")
    RULE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    rule: str
    reason: str
    detail: str
    def __init__(self, rule: _Optional[str] = ..., reason: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...

class TraceStep(_message.Message):
    __slots__ = ("topic", "subject", "text", "verdict")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    topic: str
    subject: str
    text: str
    verdict: _verdict_pb2.Verdict
    def __init__(self, topic: _Optional[str] = ..., subject: _Optional[str] = ..., text: _Optional[str] = ..., verdict: _Optional[_Union[_verdict_pb2.Verdict, str]] = ...) -> None: ...
