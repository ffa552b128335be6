import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from release_passport.v1 import decision_service_pb2 as _decision_service_pb2
from release_passport.v1 import evidence_pb2 as _evidence_pb2
from release_passport.v1 import policy_pb2 as _policy_pb2
from release_passport.v1 import release_pb2 as _release_pb2
from release_passport.v1 import verdict_pb2 as _verdict_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreatePolicyRequest(_message.Message):
    __slots__ = ("tenant", "policy", "request_id")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    policy: _policy_pb2.Policy
    request_id: str
    def __init__(self, tenant: _Optional[str] = ..., policy: _Optional[_Union[_policy_pb2.Policy, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class CreatePolicyResponse(_message.Message):
    __slots__ = ("policy", "revision")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    policy: _policy_pb2.Policy
    revision: int
    def __init__(self, policy: _Optional[_Union[_policy_pb2.Policy, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class GetPolicyRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetPolicyResponse(_message.Message):
    __slots__ = ("policy",)
    POLICY_FIELD_NUMBER: _ClassVar[int]
    policy: _policy_pb2.Policy
    def __init__(self, policy: _Optional[_Union[_policy_pb2.Policy, _Mapping]] = ...) -> None: ...

class ListPoliciesRequest(_message.Message):
    __slots__ = ("tenant", "show_deleted", "page_size", "page_token")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    SHOW_DELETED_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    show_deleted: bool
    page_size: int
    page_token: str
    def __init__(self, tenant: _Optional[str] = ..., show_deleted: bool = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPoliciesResponse(_message.Message):
    __slots__ = ("policies", "next_page_token")
    POLICIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    policies: _containers.RepeatedCompositeFieldContainer[_policy_pb2.Policy]
    next_page_token: str
    def __init__(self, policies: _Optional[_Iterable[_Union[_policy_pb2.Policy, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdatePolicyRequest(_message.Message):
    __slots__ = ("policy", "request_id")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    policy: _policy_pb2.Policy
    request_id: str
    def __init__(self, policy: _Optional[_Union[_policy_pb2.Policy, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class UpdatePolicyResponse(_message.Message):
    __slots__ = ("policy", "revision")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    policy: _policy_pb2.Policy
    revision: int
    def __init__(self, policy: _Optional[_Union[_policy_pb2.Policy, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class DeletePolicyRequest(_message.Message):
    __slots__ = ("name", "etag", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeletePolicyResponse(_message.Message):
    __slots__ = ("policy", "revision")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    policy: _policy_pb2.Policy
    revision: int
    def __init__(self, policy: _Optional[_Union[_policy_pb2.Policy, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class ListPolicyRevisionsRequest(_message.Message):
    __slots__ = ("name", "page_size", "page_token")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    name: str
    page_size: int
    page_token: str
    def __init__(self, name: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPolicyRevisionsResponse(_message.Message):
    __slots__ = ("policies", "next_page_token")
    POLICIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    policies: _containers.RepeatedCompositeFieldContainer[_policy_pb2.Policy]
    next_page_token: str
    def __init__(self, policies: _Optional[_Iterable[_Union[_policy_pb2.Policy, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ValidatePolicyRequest(_message.Message):
    __slots__ = ("policy",)
    POLICY_FIELD_NUMBER: _ClassVar[int]
    policy: _policy_pb2.Policy
    def __init__(self, policy: _Optional[_Union[_policy_pb2.Policy, _Mapping]] = ...) -> None: ...

class ValidatePolicyResponse(_message.Message):
    __slots__ = ("problems", "warnings")
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    problems: _containers.RepeatedCompositeFieldContainer[_policy_pb2.PolicyProblem]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, problems: _Optional[_Iterable[_Union[_policy_pb2.PolicyProblem, _Mapping]]] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class TestPolicyRequest(_message.Message):
    __slots__ = ("policy", "cases")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    CASES_FIELD_NUMBER: _ClassVar[int]
    policy: _policy_pb2.Policy
    cases: _containers.RepeatedCompositeFieldContainer[PolicyTestCase]
    def __init__(self, policy: _Optional[_Union[_policy_pb2.Policy, _Mapping]] = ..., cases: _Optional[_Iterable[_Union[PolicyTestCase, _Mapping]]] = ...) -> None: ...

class TestPolicyResponse(_message.Message):
    __slots__ = ("results", "passed")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    PASSED_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[PolicyTestResult]
    passed: bool
    def __init__(self, results: _Optional[_Iterable[_Union[PolicyTestResult, _Mapping]]] = ..., passed: bool = ...) -> None: ...

class PolicyTestCase(_message.Message):
    __slots__ = ("case_id", "release", "service_labels", "environment_labels", "now", "stage", "evidence", "is_first", "is_restore", "attempt_age_seconds", "expected_verdict", "expected_findings", "way_back_from", "expected_effective_verdict")
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
    CASE_ID_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    SERVICE_LABELS_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_LABELS_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    IS_FIRST_FIELD_NUMBER: _ClassVar[int]
    IS_RESTORE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_AGE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERDICT_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FINDINGS_FIELD_NUMBER: _ClassVar[int]
    WAY_BACK_FROM_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_EFFECTIVE_VERDICT_FIELD_NUMBER: _ClassVar[int]
    case_id: str
    release: _release_pb2.ReleaseIdentity
    service_labels: _containers.ScalarMap[str, str]
    environment_labels: _containers.ScalarMap[str, str]
    now: _timestamp_pb2.Timestamp
    stage: _verdict_pb2.Stage
    evidence: _containers.RepeatedCompositeFieldContainer[PolicyTestEvidence]
    is_first: bool
    is_restore: bool
    attempt_age_seconds: int
    expected_verdict: _verdict_pb2.Verdict
    expected_findings: _containers.RepeatedCompositeFieldContainer[ExpectedFinding]
    way_back_from: str
    expected_effective_verdict: _verdict_pb2.Verdict
    def __init__(self, case_id: _Optional[str] = ..., release: _Optional[_Union[_release_pb2.ReleaseIdentity, _Mapping]] = ..., service_labels: _Optional[_Mapping[str, str]] = ..., environment_labels: _Optional[_Mapping[str, str]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., stage: _Optional[_Union[_verdict_pb2.Stage, str]] = ..., evidence: _Optional[_Iterable[_Union[PolicyTestEvidence, _Mapping]]] = ..., is_first: bool = ..., is_restore: bool = ..., attempt_age_seconds: _Optional[int] = ..., expected_verdict: _Optional[_Union[_verdict_pb2.Verdict, str]] = ..., expected_findings: _Optional[_Iterable[_Union[ExpectedFinding, _Mapping]]] = ..., way_back_from: _Optional[str] = ..., expected_effective_verdict: _Optional[_Union[_verdict_pb2.Verdict, str]] = ...) -> None: ...

class PolicyTestEvidence(_message.Message):
    __slots__ = ("input", "source", "verification")
    INPUT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    VERIFICATION_FIELD_NUMBER: _ClassVar[int]
    input: _evidence_pb2.EvidenceInput
    source: str
    verification: _evidence_pb2.VerificationState
    def __init__(self, input: _Optional[_Union[_evidence_pb2.EvidenceInput, _Mapping]] = ..., source: _Optional[str] = ..., verification: _Optional[_Union[_evidence_pb2.VerificationState, str]] = ...) -> None: ...

class ExpectedFinding(_message.Message):
    __slots__ = ("rule", "verdict", "reason")
    RULE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    rule: str
    verdict: _verdict_pb2.Verdict
    reason: str
    def __init__(self, rule: _Optional[str] = ..., verdict: _Optional[_Union[_verdict_pb2.Verdict, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class PolicyTestResult(_message.Message):
    __slots__ = ("case_id", "passed", "differences", "decision")
    CASE_ID_FIELD_NUMBER: _ClassVar[int]
    PASSED_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    case_id: str
    passed: bool
    differences: _containers.RepeatedScalarFieldContainer[str]
    decision: _decision_service_pb2.SimulatedDecision
    def __init__(self, case_id: _Optional[str] = ..., passed: bool = ..., differences: _Optional[_Iterable[str]] = ..., decision: _Optional[_Union[_decision_service_pb2.SimulatedDecision, _Mapping]] = ...) -> None: ...

class ProposePolicyChangeRequest(_message.Message):
    __slots__ = ("policy", "delete", "reason", "request_id")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    DELETE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    policy: _policy_pb2.Policy
    delete: bool
    reason: str
    request_id: str
    def __init__(self, policy: _Optional[_Union[_policy_pb2.Policy, _Mapping]] = ..., delete: bool = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class ProposePolicyChangeResponse(_message.Message):
    __slots__ = ("change", "revision")
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    change: _policy_pb2.PolicyChange
    revision: int
    def __init__(self, change: _Optional[_Union[_policy_pb2.PolicyChange, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class GetPolicyChangeRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetPolicyChangeResponse(_message.Message):
    __slots__ = ("change",)
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    change: _policy_pb2.PolicyChange
    def __init__(self, change: _Optional[_Union[_policy_pb2.PolicyChange, _Mapping]] = ...) -> None: ...

class ListPolicyChangesRequest(_message.Message):
    __slots__ = ("tenant", "policy", "page_size", "page_token")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    policy: str
    page_size: int
    page_token: str
    def __init__(self, tenant: _Optional[str] = ..., policy: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPolicyChangesResponse(_message.Message):
    __slots__ = ("changes", "next_page_token")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[_policy_pb2.PolicyChange]
    next_page_token: str
    def __init__(self, changes: _Optional[_Iterable[_Union[_policy_pb2.PolicyChange, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ApplyPolicyChangeRequest(_message.Message):
    __slots__ = ("name", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class ApplyPolicyChangeResponse(_message.Message):
    __slots__ = ("change", "policy", "revision")
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    change: _policy_pb2.PolicyChange
    policy: _policy_pb2.Policy
    revision: int
    def __init__(self, change: _Optional[_Union[_policy_pb2.PolicyChange, _Mapping]] = ..., policy: _Optional[_Union[_policy_pb2.Policy, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class WithdrawPolicyChangeRequest(_message.Message):
    __slots__ = ("name", "reason", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    reason: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class WithdrawPolicyChangeResponse(_message.Message):
    __slots__ = ("change", "revision")
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    change: _policy_pb2.PolicyChange
    revision: int
    def __init__(self, change: _Optional[_Union[_policy_pb2.PolicyChange, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...
