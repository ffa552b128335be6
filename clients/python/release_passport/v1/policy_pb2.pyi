import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from release_passport.v1 import verdict_pb2 as _verdict_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RestoreMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESTORE_MODE_UNSPECIFIED: _ClassVar[RestoreMode]
    RESTORE_MODE_ALLOW: _ClassVar[RestoreMode]
    RESTORE_MODE_JUDGE: _ClassVar[RestoreMode]

class OnHoldLimit(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ON_HOLD_LIMIT_UNSPECIFIED: _ClassVar[OnHoldLimit]
    ON_HOLD_LIMIT_ROLLBACK_RECOMMENDED: _ClassVar[OnHoldLimit]
    ON_HOLD_LIMIT_HOLD: _ClassVar[OnHoldLimit]

class PolicyChangeState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    POLICY_CHANGE_STATE_UNSPECIFIED: _ClassVar[PolicyChangeState]
    POLICY_CHANGE_STATE_PROPOSED: _ClassVar[PolicyChangeState]
    POLICY_CHANGE_STATE_APPLIED: _ClassVar[PolicyChangeState]
    POLICY_CHANGE_STATE_EXPIRED: _ClassVar[PolicyChangeState]
    POLICY_CHANGE_STATE_OUTDATED: _ClassVar[PolicyChangeState]
    POLICY_CHANGE_STATE_WITHDRAWN: _ClassVar[PolicyChangeState]
RESTORE_MODE_UNSPECIFIED: RestoreMode
RESTORE_MODE_ALLOW: RestoreMode
RESTORE_MODE_JUDGE: RestoreMode
ON_HOLD_LIMIT_UNSPECIFIED: OnHoldLimit
ON_HOLD_LIMIT_ROLLBACK_RECOMMENDED: OnHoldLimit
ON_HOLD_LIMIT_HOLD: OnHoldLimit
POLICY_CHANGE_STATE_UNSPECIFIED: PolicyChangeState
POLICY_CHANGE_STATE_PROPOSED: PolicyChangeState
POLICY_CHANGE_STATE_APPLIED: PolicyChangeState
POLICY_CHANGE_STATE_EXPIRED: PolicyChangeState
POLICY_CHANGE_STATE_OUTDATED: PolicyChangeState
POLICY_CHANGE_STATE_WITHDRAWN: PolicyChangeState

class Policy(_message.Message):
    __slots__ = ("name", "policy_id", "spec", "revision", "digest", "etag", "create_time", "update_time", "delete_time", "author")
    NAME_FIELD_NUMBER: _ClassVar[int]
    POLICY_ID_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    name: str
    policy_id: str
    spec: PolicySpec
    revision: int
    digest: str
    etag: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    delete_time: _timestamp_pb2.Timestamp
    author: str
    def __init__(self, name: _Optional[str] = ..., policy_id: _Optional[str] = ..., spec: _Optional[_Union[PolicySpec, _Mapping]] = ..., revision: _Optional[int] = ..., digest: _Optional[str] = ..., etag: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., delete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ...) -> None: ...

class PolicySpec(_message.Message):
    __slots__ = ("title", "description", "mode", "match", "variables", "rules", "watch", "canary", "max_validity", "waivers", "restore")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    MATCH_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    WATCH_FIELD_NUMBER: _ClassVar[int]
    CANARY_FIELD_NUMBER: _ClassVar[int]
    MAX_VALIDITY_FIELD_NUMBER: _ClassVar[int]
    WAIVERS_FIELD_NUMBER: _ClassVar[int]
    RESTORE_FIELD_NUMBER: _ClassVar[int]
    title: str
    description: str
    mode: _verdict_pb2.PolicyMode
    match: PolicyMatch
    variables: _containers.RepeatedCompositeFieldContainer[PolicyVariable]
    rules: _containers.RepeatedCompositeFieldContainer[Rule]
    watch: WatchRequirement
    canary: CanaryConstraints
    max_validity: _duration_pb2.Duration
    waivers: WaiverLimits
    restore: RestoreMode
    def __init__(self, title: _Optional[str] = ..., description: _Optional[str] = ..., mode: _Optional[_Union[_verdict_pb2.PolicyMode, str]] = ..., match: _Optional[_Union[PolicyMatch, _Mapping]] = ..., variables: _Optional[_Iterable[_Union[PolicyVariable, _Mapping]]] = ..., rules: _Optional[_Iterable[_Union[Rule, _Mapping]]] = ..., watch: _Optional[_Union[WatchRequirement, _Mapping]] = ..., canary: _Optional[_Union[CanaryConstraints, _Mapping]] = ..., max_validity: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., waivers: _Optional[_Union[WaiverLimits, _Mapping]] = ..., restore: _Optional[_Union[RestoreMode, str]] = ...) -> None: ...

class WaiverLimits(_message.Message):
    __slots__ = ("max_duration", "service_wide")
    MAX_DURATION_FIELD_NUMBER: _ClassVar[int]
    SERVICE_WIDE_FIELD_NUMBER: _ClassVar[int]
    max_duration: _duration_pb2.Duration
    service_wide: bool
    def __init__(self, max_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., service_wide: bool = ...) -> None: ...

class PolicyMatch(_message.Message):
    __slots__ = ("services", "environments", "service_labels", "environment_labels")
    class ServiceLabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class EnvironmentLabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENTS_FIELD_NUMBER: _ClassVar[int]
    SERVICE_LABELS_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_LABELS_FIELD_NUMBER: _ClassVar[int]
    services: _containers.RepeatedScalarFieldContainer[str]
    environments: _containers.RepeatedScalarFieldContainer[str]
    service_labels: _containers.ScalarMap[str, str]
    environment_labels: _containers.ScalarMap[str, str]
    def __init__(self, services: _Optional[_Iterable[str]] = ..., environments: _Optional[_Iterable[str]] = ..., service_labels: _Optional[_Mapping[str, str]] = ..., environment_labels: _Optional[_Mapping[str, str]] = ...) -> None: ...

class PolicyVariable(_message.Message):
    __slots__ = ("name", "expression")
    NAME_FIELD_NUMBER: _ClassVar[int]
    EXPRESSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    expression: str
    def __init__(self, name: _Optional[str] = ..., expression: _Optional[str] = ...) -> None: ...

class Rule(_message.Message):
    __slots__ = ("rule_id", "title", "controls", "stages", "needs", "when", "expect", "on_fail", "on_missing", "on_stale", "on_unverified", "on_conflict", "on_error", "failures", "settle", "message", "next_action", "approval", "unknown_needs_approval", "waivable")
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    CONTROLS_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    NEEDS_FIELD_NUMBER: _ClassVar[int]
    WHEN_FIELD_NUMBER: _ClassVar[int]
    EXPECT_FIELD_NUMBER: _ClassVar[int]
    ON_FAIL_FIELD_NUMBER: _ClassVar[int]
    ON_MISSING_FIELD_NUMBER: _ClassVar[int]
    ON_STALE_FIELD_NUMBER: _ClassVar[int]
    ON_UNVERIFIED_FIELD_NUMBER: _ClassVar[int]
    ON_CONFLICT_FIELD_NUMBER: _ClassVar[int]
    ON_ERROR_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    SETTLE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    NEXT_ACTION_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_NEEDS_APPROVAL_FIELD_NUMBER: _ClassVar[int]
    WAIVABLE_FIELD_NUMBER: _ClassVar[int]
    rule_id: str
    title: str
    controls: _containers.RepeatedScalarFieldContainer[str]
    stages: _containers.RepeatedScalarFieldContainer[_verdict_pb2.Stage]
    needs: _containers.RepeatedCompositeFieldContainer[Need]
    when: str
    expect: str
    on_fail: _verdict_pb2.Verdict
    on_missing: _verdict_pb2.Verdict
    on_stale: _verdict_pb2.Verdict
    on_unverified: _verdict_pb2.Verdict
    on_conflict: _verdict_pb2.Verdict
    on_error: _verdict_pb2.Verdict
    failures: int
    settle: _duration_pb2.Duration
    message: str
    next_action: str
    approval: ApprovalRequirement
    unknown_needs_approval: bool
    waivable: bool
    def __init__(self, rule_id: _Optional[str] = ..., title: _Optional[str] = ..., controls: _Optional[_Iterable[str]] = ..., stages: _Optional[_Iterable[_Union[_verdict_pb2.Stage, str]]] = ..., needs: _Optional[_Iterable[_Union[Need, _Mapping]]] = ..., when: _Optional[str] = ..., expect: _Optional[str] = ..., on_fail: _Optional[_Union[_verdict_pb2.Verdict, str]] = ..., on_missing: _Optional[_Union[_verdict_pb2.Verdict, str]] = ..., on_stale: _Optional[_Union[_verdict_pb2.Verdict, str]] = ..., on_unverified: _Optional[_Union[_verdict_pb2.Verdict, str]] = ..., on_conflict: _Optional[_Union[_verdict_pb2.Verdict, str]] = ..., on_error: _Optional[_Union[_verdict_pb2.Verdict, str]] = ..., failures: _Optional[int] = ..., settle: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., message: _Optional[str] = ..., next_action: _Optional[str] = ..., approval: _Optional[_Union[ApprovalRequirement, _Mapping]] = ..., unknown_needs_approval: bool = ..., waivable: bool = ...) -> None: ...

class Need(_message.Message):
    __slots__ = ("kind", "keys", "artifacts", "max_age", "verified", "sources", "min_samples", "retries", "allow_empty")
    KIND_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    ARTIFACTS_FIELD_NUMBER: _ClassVar[int]
    MAX_AGE_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    MIN_SAMPLES_FIELD_NUMBER: _ClassVar[int]
    RETRIES_FIELD_NUMBER: _ClassVar[int]
    ALLOW_EMPTY_FIELD_NUMBER: _ClassVar[int]
    kind: str
    keys: _containers.RepeatedScalarFieldContainer[str]
    artifacts: str
    max_age: _duration_pb2.Duration
    verified: bool
    sources: _containers.RepeatedScalarFieldContainer[str]
    min_samples: int
    retries: int
    allow_empty: bool
    def __init__(self, kind: _Optional[str] = ..., keys: _Optional[_Iterable[str]] = ..., artifacts: _Optional[str] = ..., max_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., verified: bool = ..., sources: _Optional[_Iterable[str]] = ..., min_samples: _Optional[int] = ..., retries: _Optional[int] = ..., allow_empty: bool = ...) -> None: ...

class ApprovalRequirement(_message.Message):
    __slots__ = ("groups", "expires", "per_attempt", "escalate_to")
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    PER_ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    ESCALATE_TO_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedCompositeFieldContainer[ApprovalGroup]
    expires: _duration_pb2.Duration
    per_attempt: bool
    escalate_to: ApprovalEscalation
    def __init__(self, groups: _Optional[_Iterable[_Union[ApprovalGroup, _Mapping]]] = ..., expires: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., per_attempt: bool = ..., escalate_to: _Optional[_Union[ApprovalEscalation, _Mapping]] = ...) -> None: ...

class ApprovalEscalation(_message.Message):
    __slots__ = ("group", "after")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    group: str
    after: _duration_pb2.Duration
    def __init__(self, group: _Optional[str] = ..., after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ApprovalGroup(_message.Message):
    __slots__ = ("group", "count", "delegates")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    DELEGATES_FIELD_NUMBER: _ClassVar[int]
    group: str
    count: int
    delegates: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, group: _Optional[str] = ..., count: _Optional[int] = ..., delegates: _Optional[_Iterable[str]] = ...) -> None: ...

class WatchRequirement(_message.Message):
    __slots__ = ("duration", "grace_period", "interval", "required_rules", "hold_limit", "on_hold_limit")
    DURATION_FIELD_NUMBER: _ClassVar[int]
    GRACE_PERIOD_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_RULES_FIELD_NUMBER: _ClassVar[int]
    HOLD_LIMIT_FIELD_NUMBER: _ClassVar[int]
    ON_HOLD_LIMIT_FIELD_NUMBER: _ClassVar[int]
    duration: _duration_pb2.Duration
    grace_period: _duration_pb2.Duration
    interval: _duration_pb2.Duration
    required_rules: _containers.RepeatedScalarFieldContainer[str]
    hold_limit: _duration_pb2.Duration
    on_hold_limit: OnHoldLimit
    def __init__(self, duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., grace_period: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., required_rules: _Optional[_Iterable[str]] = ..., hold_limit: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., on_hold_limit: _Optional[_Union[OnHoldLimit, str]] = ...) -> None: ...

class CanaryConstraints(_message.Message):
    __slots__ = ("max_weight", "steps")
    MAX_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    max_weight: int
    steps: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, max_weight: _Optional[int] = ..., steps: _Optional[_Iterable[int]] = ...) -> None: ...

class PolicyProblem(_message.Message):
    __slots__ = ("field", "line", "column", "problem")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    field: str
    line: int
    column: int
    problem: str
    def __init__(self, field: _Optional[str] = ..., line: _Optional[int] = ..., column: _Optional[int] = ..., problem: _Optional[str] = ...) -> None: ...

class PolicyChange(_message.Message):
    __slots__ = ("name", "policy", "base_revision", "spec", "digest", "places", "place_count", "reason", "proposer", "create_time", "expire_time", "applier", "apply_time", "state", "withdrawn_by", "withdraw_time", "withdraw_reason", "weakenings")
    NAME_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    BASE_REVISION_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    PLACES_FIELD_NUMBER: _ClassVar[int]
    PLACE_COUNT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PROPOSER_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    APPLIER_FIELD_NUMBER: _ClassVar[int]
    APPLY_TIME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWN_BY_FIELD_NUMBER: _ClassVar[int]
    WITHDRAW_TIME_FIELD_NUMBER: _ClassVar[int]
    WITHDRAW_REASON_FIELD_NUMBER: _ClassVar[int]
    WEAKENINGS_FIELD_NUMBER: _ClassVar[int]
    name: str
    policy: str
    base_revision: int
    spec: PolicySpec
    digest: str
    places: _containers.RepeatedScalarFieldContainer[str]
    place_count: int
    reason: str
    proposer: str
    create_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    applier: str
    apply_time: _timestamp_pb2.Timestamp
    state: PolicyChangeState
    withdrawn_by: str
    withdraw_time: _timestamp_pb2.Timestamp
    withdraw_reason: str
    weakenings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., policy: _Optional[str] = ..., base_revision: _Optional[int] = ..., spec: _Optional[_Union[PolicySpec, _Mapping]] = ..., digest: _Optional[str] = ..., places: _Optional[_Iterable[str]] = ..., place_count: _Optional[int] = ..., reason: _Optional[str] = ..., proposer: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., applier: _Optional[str] = ..., apply_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[_Union[PolicyChangeState, str]] = ..., withdrawn_by: _Optional[str] = ..., withdraw_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., withdraw_reason: _Optional[str] = ..., weakenings: _Optional[_Iterable[str]] = ...) -> None: ...
