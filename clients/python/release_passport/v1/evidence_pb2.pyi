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

class VulnerabilitySeverity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VULNERABILITY_SEVERITY_UNSPECIFIED: _ClassVar[VulnerabilitySeverity]
    VULNERABILITY_SEVERITY_UNKNOWN: _ClassVar[VulnerabilitySeverity]
    VULNERABILITY_SEVERITY_NEGLIGIBLE: _ClassVar[VulnerabilitySeverity]
    VULNERABILITY_SEVERITY_LOW: _ClassVar[VulnerabilitySeverity]
    VULNERABILITY_SEVERITY_MEDIUM: _ClassVar[VulnerabilitySeverity]
    VULNERABILITY_SEVERITY_HIGH: _ClassVar[VulnerabilitySeverity]
    VULNERABILITY_SEVERITY_CRITICAL: _ClassVar[VulnerabilitySeverity]

class SyncState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SYNC_STATE_UNSPECIFIED: _ClassVar[SyncState]
    SYNC_STATE_SYNCED: _ClassVar[SyncState]
    SYNC_STATE_OUT_OF_SYNC: _ClassVar[SyncState]
    SYNC_STATE_UNKNOWN: _ClassVar[SyncState]

class HealthState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HEALTH_STATE_UNSPECIFIED: _ClassVar[HealthState]
    HEALTH_STATE_HEALTHY: _ClassVar[HealthState]
    HEALTH_STATE_PROGRESSING: _ClassVar[HealthState]
    HEALTH_STATE_DEGRADED: _ClassVar[HealthState]
    HEALTH_STATE_SUSPENDED: _ClassVar[HealthState]
    HEALTH_STATE_MISSING: _ClassVar[HealthState]
    HEALTH_STATE_UNKNOWN: _ClassVar[HealthState]

class OperationState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OPERATION_STATE_UNSPECIFIED: _ClassVar[OperationState]
    OPERATION_STATE_RUNNING: _ClassVar[OperationState]
    OPERATION_STATE_TERMINATING: _ClassVar[OperationState]
    OPERATION_STATE_FAILED: _ClassVar[OperationState]
    OPERATION_STATE_ERROR: _ClassVar[OperationState]
    OPERATION_STATE_SUCCEEDED: _ClassVar[OperationState]

class RolloutPhase(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLLOUT_PHASE_UNSPECIFIED: _ClassVar[RolloutPhase]
    ROLLOUT_PHASE_INITIALIZING: _ClassVar[RolloutPhase]
    ROLLOUT_PHASE_WAITING: _ClassVar[RolloutPhase]
    ROLLOUT_PHASE_PROGRESSING: _ClassVar[RolloutPhase]
    ROLLOUT_PHASE_PAUSED: _ClassVar[RolloutPhase]
    ROLLOUT_PHASE_WAITING_PROMOTION: _ClassVar[RolloutPhase]
    ROLLOUT_PHASE_PROMOTING: _ClassVar[RolloutPhase]
    ROLLOUT_PHASE_SUCCEEDED: _ClassVar[RolloutPhase]
    ROLLOUT_PHASE_FAILED: _ClassVar[RolloutPhase]
    ROLLOUT_PHASE_DEGRADED: _ClassVar[RolloutPhase]

class AnalysisPhase(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ANALYSIS_PHASE_UNSPECIFIED: _ClassVar[AnalysisPhase]
    ANALYSIS_PHASE_PENDING: _ClassVar[AnalysisPhase]
    ANALYSIS_PHASE_RUNNING: _ClassVar[AnalysisPhase]
    ANALYSIS_PHASE_SUCCESSFUL: _ClassVar[AnalysisPhase]
    ANALYSIS_PHASE_FAILED: _ClassVar[AnalysisPhase]
    ANALYSIS_PHASE_ERROR: _ClassVar[AnalysisPhase]
    ANALYSIS_PHASE_INCONCLUSIVE: _ClassVar[AnalysisPhase]

class IncidentSeverity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INCIDENT_SEVERITY_UNSPECIFIED: _ClassVar[IncidentSeverity]
    INCIDENT_SEVERITY_SEV1: _ClassVar[IncidentSeverity]
    INCIDENT_SEVERITY_SEV2: _ClassVar[IncidentSeverity]
    INCIDENT_SEVERITY_SEV3: _ClassVar[IncidentSeverity]
    INCIDENT_SEVERITY_SEV4: _ClassVar[IncidentSeverity]
    INCIDENT_SEVERITY_SEV5: _ClassVar[IncidentSeverity]
    INCIDENT_SEVERITY_UNCLASSIFIED: _ClassVar[IncidentSeverity]

class ChangeTicketState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANGE_TICKET_STATE_UNSPECIFIED: _ClassVar[ChangeTicketState]
    CHANGE_TICKET_STATE_DRAFT: _ClassVar[ChangeTicketState]
    CHANGE_TICKET_STATE_PENDING: _ClassVar[ChangeTicketState]
    CHANGE_TICKET_STATE_APPROVED: _ClassVar[ChangeTicketState]
    CHANGE_TICKET_STATE_IMPLEMENTING: _ClassVar[ChangeTicketState]
    CHANGE_TICKET_STATE_CLOSED: _ClassVar[ChangeTicketState]
    CHANGE_TICKET_STATE_REJECTED: _ClassVar[ChangeTicketState]
    CHANGE_TICKET_STATE_CANCELLED: _ClassVar[ChangeTicketState]

class VerificationResult(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERIFICATION_RESULT_UNSPECIFIED: _ClassVar[VerificationResult]
    VERIFICATION_RESULT_PASSED: _ClassVar[VerificationResult]
    VERIFICATION_RESULT_FAILED: _ClassVar[VerificationResult]

class PolicyReportOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    POLICY_REPORT_OUTCOME_UNSPECIFIED: _ClassVar[PolicyReportOutcome]
    POLICY_REPORT_OUTCOME_PASS: _ClassVar[PolicyReportOutcome]
    POLICY_REPORT_OUTCOME_FAIL: _ClassVar[PolicyReportOutcome]
    POLICY_REPORT_OUTCOME_WARN: _ClassVar[PolicyReportOutcome]
    POLICY_REPORT_OUTCOME_ERROR: _ClassVar[PolicyReportOutcome]
    POLICY_REPORT_OUTCOME_SKIP: _ClassVar[PolicyReportOutcome]

class RolloutResult(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLLOUT_RESULT_UNSPECIFIED: _ClassVar[RolloutResult]
    ROLLOUT_RESULT_PASSED: _ClassVar[RolloutResult]
    ROLLOUT_RESULT_ROLLED_BACK: _ClassVar[RolloutResult]
    ROLLOUT_RESULT_SUPERSEDED: _ClassVar[RolloutResult]
    ROLLOUT_RESULT_EXPIRED_WITHOUT_DATA: _ClassVar[RolloutResult]

class VerificationState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERIFICATION_STATE_UNSPECIFIED: _ClassVar[VerificationState]
    VERIFICATION_STATE_UNSIGNED: _ClassVar[VerificationState]
    VERIFICATION_STATE_VERIFIED: _ClassVar[VerificationState]
    VERIFICATION_STATE_FAILED: _ClassVar[VerificationState]
VULNERABILITY_SEVERITY_UNSPECIFIED: VulnerabilitySeverity
VULNERABILITY_SEVERITY_UNKNOWN: VulnerabilitySeverity
VULNERABILITY_SEVERITY_NEGLIGIBLE: VulnerabilitySeverity
VULNERABILITY_SEVERITY_LOW: VulnerabilitySeverity
VULNERABILITY_SEVERITY_MEDIUM: VulnerabilitySeverity
VULNERABILITY_SEVERITY_HIGH: VulnerabilitySeverity
VULNERABILITY_SEVERITY_CRITICAL: VulnerabilitySeverity
SYNC_STATE_UNSPECIFIED: SyncState
SYNC_STATE_SYNCED: SyncState
SYNC_STATE_OUT_OF_SYNC: SyncState
SYNC_STATE_UNKNOWN: SyncState
HEALTH_STATE_UNSPECIFIED: HealthState
HEALTH_STATE_HEALTHY: HealthState
HEALTH_STATE_PROGRESSING: HealthState
HEALTH_STATE_DEGRADED: HealthState
HEALTH_STATE_SUSPENDED: HealthState
HEALTH_STATE_MISSING: HealthState
HEALTH_STATE_UNKNOWN: HealthState
OPERATION_STATE_UNSPECIFIED: OperationState
OPERATION_STATE_RUNNING: OperationState
OPERATION_STATE_TERMINATING: OperationState
OPERATION_STATE_FAILED: OperationState
OPERATION_STATE_ERROR: OperationState
OPERATION_STATE_SUCCEEDED: OperationState
ROLLOUT_PHASE_UNSPECIFIED: RolloutPhase
ROLLOUT_PHASE_INITIALIZING: RolloutPhase
ROLLOUT_PHASE_WAITING: RolloutPhase
ROLLOUT_PHASE_PROGRESSING: RolloutPhase
ROLLOUT_PHASE_PAUSED: RolloutPhase
ROLLOUT_PHASE_WAITING_PROMOTION: RolloutPhase
ROLLOUT_PHASE_PROMOTING: RolloutPhase
ROLLOUT_PHASE_SUCCEEDED: RolloutPhase
ROLLOUT_PHASE_FAILED: RolloutPhase
ROLLOUT_PHASE_DEGRADED: RolloutPhase
ANALYSIS_PHASE_UNSPECIFIED: AnalysisPhase
ANALYSIS_PHASE_PENDING: AnalysisPhase
ANALYSIS_PHASE_RUNNING: AnalysisPhase
ANALYSIS_PHASE_SUCCESSFUL: AnalysisPhase
ANALYSIS_PHASE_FAILED: AnalysisPhase
ANALYSIS_PHASE_ERROR: AnalysisPhase
ANALYSIS_PHASE_INCONCLUSIVE: AnalysisPhase
INCIDENT_SEVERITY_UNSPECIFIED: IncidentSeverity
INCIDENT_SEVERITY_SEV1: IncidentSeverity
INCIDENT_SEVERITY_SEV2: IncidentSeverity
INCIDENT_SEVERITY_SEV3: IncidentSeverity
INCIDENT_SEVERITY_SEV4: IncidentSeverity
INCIDENT_SEVERITY_SEV5: IncidentSeverity
INCIDENT_SEVERITY_UNCLASSIFIED: IncidentSeverity
CHANGE_TICKET_STATE_UNSPECIFIED: ChangeTicketState
CHANGE_TICKET_STATE_DRAFT: ChangeTicketState
CHANGE_TICKET_STATE_PENDING: ChangeTicketState
CHANGE_TICKET_STATE_APPROVED: ChangeTicketState
CHANGE_TICKET_STATE_IMPLEMENTING: ChangeTicketState
CHANGE_TICKET_STATE_CLOSED: ChangeTicketState
CHANGE_TICKET_STATE_REJECTED: ChangeTicketState
CHANGE_TICKET_STATE_CANCELLED: ChangeTicketState
VERIFICATION_RESULT_UNSPECIFIED: VerificationResult
VERIFICATION_RESULT_PASSED: VerificationResult
VERIFICATION_RESULT_FAILED: VerificationResult
POLICY_REPORT_OUTCOME_UNSPECIFIED: PolicyReportOutcome
POLICY_REPORT_OUTCOME_PASS: PolicyReportOutcome
POLICY_REPORT_OUTCOME_FAIL: PolicyReportOutcome
POLICY_REPORT_OUTCOME_WARN: PolicyReportOutcome
POLICY_REPORT_OUTCOME_ERROR: PolicyReportOutcome
POLICY_REPORT_OUTCOME_SKIP: PolicyReportOutcome
ROLLOUT_RESULT_UNSPECIFIED: RolloutResult
ROLLOUT_RESULT_PASSED: RolloutResult
ROLLOUT_RESULT_ROLLED_BACK: RolloutResult
ROLLOUT_RESULT_SUPERSEDED: RolloutResult
ROLLOUT_RESULT_EXPIRED_WITHOUT_DATA: RolloutResult
VERIFICATION_STATE_UNSPECIFIED: VerificationState
VERIFICATION_STATE_UNSIGNED: VerificationState
VERIFICATION_STATE_VERIFIED: VerificationState
VERIFICATION_STATE_FAILED: VerificationState

class EvidenceFacts(_message.Message):
    __slots__ = ("provenance", "signature", "sbom", "vulnerability_scan", "test_result", "manifest_render", "gitops_sync", "runtime_health", "rollout_status", "analysis_result", "metric_sample", "incident_state", "rollback_readiness", "change_ticket", "feature_flag_state", "verification_summary", "policy_report", "rollout_outcome", "custom")
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    SBOM_FIELD_NUMBER: _ClassVar[int]
    VULNERABILITY_SCAN_FIELD_NUMBER: _ClassVar[int]
    TEST_RESULT_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_RENDER_FIELD_NUMBER: _ClassVar[int]
    GITOPS_SYNC_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_HEALTH_FIELD_NUMBER: _ClassVar[int]
    ROLLOUT_STATUS_FIELD_NUMBER: _ClassVar[int]
    ANALYSIS_RESULT_FIELD_NUMBER: _ClassVar[int]
    METRIC_SAMPLE_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_STATE_FIELD_NUMBER: _ClassVar[int]
    ROLLBACK_READINESS_FIELD_NUMBER: _ClassVar[int]
    CHANGE_TICKET_FIELD_NUMBER: _ClassVar[int]
    FEATURE_FLAG_STATE_FIELD_NUMBER: _ClassVar[int]
    VERIFICATION_SUMMARY_FIELD_NUMBER: _ClassVar[int]
    POLICY_REPORT_FIELD_NUMBER: _ClassVar[int]
    ROLLOUT_OUTCOME_FIELD_NUMBER: _ClassVar[int]
    CUSTOM_FIELD_NUMBER: _ClassVar[int]
    provenance: Provenance
    signature: Signature
    sbom: Sbom
    vulnerability_scan: VulnerabilityScan
    test_result: TestResult
    manifest_render: ManifestRender
    gitops_sync: GitopsSync
    runtime_health: RuntimeHealth
    rollout_status: RolloutStatus
    analysis_result: AnalysisResult
    metric_sample: MetricSample
    incident_state: IncidentState
    rollback_readiness: RollbackReadiness
    change_ticket: ChangeTicket
    feature_flag_state: FeatureFlagState
    verification_summary: VerificationSummary
    policy_report: PolicyReport
    rollout_outcome: RolloutOutcome
    custom: CustomFacts
    def __init__(self, provenance: _Optional[_Union[Provenance, _Mapping]] = ..., signature: _Optional[_Union[Signature, _Mapping]] = ..., sbom: _Optional[_Union[Sbom, _Mapping]] = ..., vulnerability_scan: _Optional[_Union[VulnerabilityScan, _Mapping]] = ..., test_result: _Optional[_Union[TestResult, _Mapping]] = ..., manifest_render: _Optional[_Union[ManifestRender, _Mapping]] = ..., gitops_sync: _Optional[_Union[GitopsSync, _Mapping]] = ..., runtime_health: _Optional[_Union[RuntimeHealth, _Mapping]] = ..., rollout_status: _Optional[_Union[RolloutStatus, _Mapping]] = ..., analysis_result: _Optional[_Union[AnalysisResult, _Mapping]] = ..., metric_sample: _Optional[_Union[MetricSample, _Mapping]] = ..., incident_state: _Optional[_Union[IncidentState, _Mapping]] = ..., rollback_readiness: _Optional[_Union[RollbackReadiness, _Mapping]] = ..., change_ticket: _Optional[_Union[ChangeTicket, _Mapping]] = ..., feature_flag_state: _Optional[_Union[FeatureFlagState, _Mapping]] = ..., verification_summary: _Optional[_Union[VerificationSummary, _Mapping]] = ..., policy_report: _Optional[_Union[PolicyReport, _Mapping]] = ..., rollout_outcome: _Optional[_Union[RolloutOutcome, _Mapping]] = ..., custom: _Optional[_Union[CustomFacts, _Mapping]] = ...) -> None: ...

class Provenance(_message.Message):
    __slots__ = ("builder_id", "build_type", "source_uri", "source_revision", "source_ref", "build_trigger", "runner_environment", "slsa_level", "materials", "complete", "source_repository_id", "source_owner_id", "workflow_ref", "invocation_id", "start_time", "finish_time")
    BUILDER_ID_FIELD_NUMBER: _ClassVar[int]
    BUILD_TYPE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_URI_FIELD_NUMBER: _ClassVar[int]
    SOURCE_REVISION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_REF_FIELD_NUMBER: _ClassVar[int]
    BUILD_TRIGGER_FIELD_NUMBER: _ClassVar[int]
    RUNNER_ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    SLSA_LEVEL_FIELD_NUMBER: _ClassVar[int]
    MATERIALS_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_REPOSITORY_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_OWNER_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_REF_FIELD_NUMBER: _ClassVar[int]
    INVOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    FINISH_TIME_FIELD_NUMBER: _ClassVar[int]
    builder_id: str
    build_type: str
    source_uri: str
    source_revision: str
    source_ref: str
    build_trigger: str
    runner_environment: str
    slsa_level: int
    materials: _containers.RepeatedCompositeFieldContainer[Material]
    complete: bool
    source_repository_id: str
    source_owner_id: str
    workflow_ref: str
    invocation_id: str
    start_time: _timestamp_pb2.Timestamp
    finish_time: _timestamp_pb2.Timestamp
    def __init__(self, builder_id: _Optional[str] = ..., build_type: _Optional[str] = ..., source_uri: _Optional[str] = ..., source_revision: _Optional[str] = ..., source_ref: _Optional[str] = ..., build_trigger: _Optional[str] = ..., runner_environment: _Optional[str] = ..., slsa_level: _Optional[int] = ..., materials: _Optional[_Iterable[_Union[Material, _Mapping]]] = ..., complete: bool = ..., source_repository_id: _Optional[str] = ..., source_owner_id: _Optional[str] = ..., workflow_ref: _Optional[str] = ..., invocation_id: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Material(_message.Message):
    __slots__ = ("uri", "digest")
    URI_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    uri: str
    digest: str
    def __init__(self, uri: _Optional[str] = ..., digest: _Optional[str] = ...) -> None: ...

class Signature(_message.Message):
    __slots__ = ("signer", "issuer", "key_id", "repository_id", "workflow_ref", "format", "sign_time", "transparency_logged", "log_index")
    SIGNER_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    REPOSITORY_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_REF_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    SIGN_TIME_FIELD_NUMBER: _ClassVar[int]
    TRANSPARENCY_LOGGED_FIELD_NUMBER: _ClassVar[int]
    LOG_INDEX_FIELD_NUMBER: _ClassVar[int]
    signer: str
    issuer: str
    key_id: str
    repository_id: str
    workflow_ref: str
    format: str
    sign_time: _timestamp_pb2.Timestamp
    transparency_logged: bool
    log_index: int
    def __init__(self, signer: _Optional[str] = ..., issuer: _Optional[str] = ..., key_id: _Optional[str] = ..., repository_id: _Optional[str] = ..., workflow_ref: _Optional[str] = ..., format: _Optional[str] = ..., sign_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., transparency_logged: bool = ..., log_index: _Optional[int] = ...) -> None: ...

class Sbom(_message.Message):
    __slots__ = ("format", "generator", "document_digest", "create_time", "component_count", "unidentified_count", "unlicensed_count", "licenses", "complete")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    GENERATOR_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    COMPONENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNIDENTIFIED_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNLICENSED_COUNT_FIELD_NUMBER: _ClassVar[int]
    LICENSES_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    format: str
    generator: str
    document_digest: str
    create_time: _timestamp_pb2.Timestamp
    component_count: int
    unidentified_count: int
    unlicensed_count: int
    licenses: _containers.RepeatedScalarFieldContainer[str]
    complete: bool
    def __init__(self, format: _Optional[str] = ..., generator: _Optional[str] = ..., document_digest: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., component_count: _Optional[int] = ..., unidentified_count: _Optional[int] = ..., unlicensed_count: _Optional[int] = ..., licenses: _Optional[_Iterable[str]] = ..., complete: bool = ...) -> None: ...

class VulnerabilityScan(_message.Message):
    __slots__ = ("scanner", "scanner_version", "critical", "high", "medium", "low", "negligible", "unknown", "fixable_critical", "fixable_high", "fixable_medium", "fixable_low", "known_exploited", "suppressed", "database_time", "scan_time", "findings", "complete")
    SCANNER_FIELD_NUMBER: _ClassVar[int]
    SCANNER_VERSION_FIELD_NUMBER: _ClassVar[int]
    CRITICAL_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    MEDIUM_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    NEGLIGIBLE_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    FIXABLE_CRITICAL_FIELD_NUMBER: _ClassVar[int]
    FIXABLE_HIGH_FIELD_NUMBER: _ClassVar[int]
    FIXABLE_MEDIUM_FIELD_NUMBER: _ClassVar[int]
    FIXABLE_LOW_FIELD_NUMBER: _ClassVar[int]
    KNOWN_EXPLOITED_FIELD_NUMBER: _ClassVar[int]
    SUPPRESSED_FIELD_NUMBER: _ClassVar[int]
    DATABASE_TIME_FIELD_NUMBER: _ClassVar[int]
    SCAN_TIME_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    scanner: str
    scanner_version: str
    critical: int
    high: int
    medium: int
    low: int
    negligible: int
    unknown: int
    fixable_critical: int
    fixable_high: int
    fixable_medium: int
    fixable_low: int
    known_exploited: int
    suppressed: int
    database_time: _timestamp_pb2.Timestamp
    scan_time: _timestamp_pb2.Timestamp
    findings: _containers.RepeatedCompositeFieldContainer[Vulnerability]
    complete: bool
    def __init__(self, scanner: _Optional[str] = ..., scanner_version: _Optional[str] = ..., critical: _Optional[int] = ..., high: _Optional[int] = ..., medium: _Optional[int] = ..., low: _Optional[int] = ..., negligible: _Optional[int] = ..., unknown: _Optional[int] = ..., fixable_critical: _Optional[int] = ..., fixable_high: _Optional[int] = ..., fixable_medium: _Optional[int] = ..., fixable_low: _Optional[int] = ..., known_exploited: _Optional[int] = ..., suppressed: _Optional[int] = ..., database_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., scan_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., findings: _Optional[_Iterable[_Union[Vulnerability, _Mapping]]] = ..., complete: bool = ...) -> None: ...

class Vulnerability(_message.Message):
    __slots__ = ("id", "severity", "package_name", "installed_version", "fixed_version", "known_exploited")
    ID_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    PACKAGE_NAME_FIELD_NUMBER: _ClassVar[int]
    INSTALLED_VERSION_FIELD_NUMBER: _ClassVar[int]
    FIXED_VERSION_FIELD_NUMBER: _ClassVar[int]
    KNOWN_EXPLOITED_FIELD_NUMBER: _ClassVar[int]
    id: str
    severity: VulnerabilitySeverity
    package_name: str
    installed_version: str
    fixed_version: str
    known_exploited: bool
    def __init__(self, id: _Optional[str] = ..., severity: _Optional[_Union[VulnerabilitySeverity, str]] = ..., package_name: _Optional[str] = ..., installed_version: _Optional[str] = ..., fixed_version: _Optional[str] = ..., known_exploited: bool = ...) -> None: ...

class TestResult(_message.Message):
    __slots__ = ("suite", "passed", "failed", "errored", "skipped", "flaky", "coverage_percent", "failed_cases", "complete", "finish_time", "run_uri")
    SUITE_FIELD_NUMBER: _ClassVar[int]
    PASSED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    ERRORED_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    FLAKY_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_PERCENT_FIELD_NUMBER: _ClassVar[int]
    FAILED_CASES_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    FINISH_TIME_FIELD_NUMBER: _ClassVar[int]
    RUN_URI_FIELD_NUMBER: _ClassVar[int]
    suite: str
    passed: int
    failed: int
    errored: int
    skipped: int
    flaky: int
    coverage_percent: float
    failed_cases: _containers.RepeatedScalarFieldContainer[str]
    complete: bool
    finish_time: _timestamp_pb2.Timestamp
    run_uri: str
    def __init__(self, suite: _Optional[str] = ..., passed: _Optional[int] = ..., failed: _Optional[int] = ..., errored: _Optional[int] = ..., skipped: _Optional[int] = ..., flaky: _Optional[int] = ..., coverage_percent: _Optional[float] = ..., failed_cases: _Optional[_Iterable[str]] = ..., complete: bool = ..., finish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., run_uri: _Optional[str] = ...) -> None: ...

class ManifestRender(_message.Message):
    __slots__ = ("tool", "tool_version", "manifest_digest", "source_uri", "source_revision", "object_count", "unpinned_images", "image_digests", "complete", "reproduced", "render_time")
    TOOL_FIELD_NUMBER: _ClassVar[int]
    TOOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SOURCE_URI_FIELD_NUMBER: _ClassVar[int]
    SOURCE_REVISION_FIELD_NUMBER: _ClassVar[int]
    OBJECT_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNPINNED_IMAGES_FIELD_NUMBER: _ClassVar[int]
    IMAGE_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    REPRODUCED_FIELD_NUMBER: _ClassVar[int]
    RENDER_TIME_FIELD_NUMBER: _ClassVar[int]
    tool: str
    tool_version: str
    manifest_digest: str
    source_uri: str
    source_revision: str
    object_count: int
    unpinned_images: int
    image_digests: _containers.RepeatedScalarFieldContainer[str]
    complete: bool
    reproduced: bool
    render_time: _timestamp_pb2.Timestamp
    def __init__(self, tool: _Optional[str] = ..., tool_version: _Optional[str] = ..., manifest_digest: _Optional[str] = ..., source_uri: _Optional[str] = ..., source_revision: _Optional[str] = ..., object_count: _Optional[int] = ..., unpinned_images: _Optional[int] = ..., image_digests: _Optional[_Iterable[str]] = ..., complete: bool = ..., reproduced: bool = ..., render_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class StatusCondition(_message.Message):
    __slots__ = ("type", "status", "reason", "message", "transition_time")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    TRANSITION_TIME_FIELD_NUMBER: _ClassVar[int]
    type: str
    status: str
    reason: str
    message: str
    transition_time: _timestamp_pb2.Timestamp
    def __init__(self, type: _Optional[str] = ..., status: _Optional[str] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., transition_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GitopsSync(_message.Message):
    __slots__ = ("application", "controller", "sync_state", "health", "operation_state", "operation_message", "revision", "operation_revision", "held_by_us", "suspended", "auto_sync", "observed_generation_current", "reconcile_time", "conditions", "image_digests", "complete")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    CONTROLLER_FIELD_NUMBER: _ClassVar[int]
    SYNC_STATE_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    OPERATION_STATE_FIELD_NUMBER: _ClassVar[int]
    OPERATION_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    OPERATION_REVISION_FIELD_NUMBER: _ClassVar[int]
    HELD_BY_US_FIELD_NUMBER: _ClassVar[int]
    SUSPENDED_FIELD_NUMBER: _ClassVar[int]
    AUTO_SYNC_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_GENERATION_CURRENT_FIELD_NUMBER: _ClassVar[int]
    RECONCILE_TIME_FIELD_NUMBER: _ClassVar[int]
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    IMAGE_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    application: str
    controller: str
    sync_state: SyncState
    health: HealthState
    operation_state: OperationState
    operation_message: str
    revision: str
    operation_revision: str
    held_by_us: bool
    suspended: bool
    auto_sync: bool
    observed_generation_current: bool
    reconcile_time: _timestamp_pb2.Timestamp
    conditions: _containers.RepeatedCompositeFieldContainer[StatusCondition]
    image_digests: _containers.RepeatedScalarFieldContainer[str]
    complete: bool
    def __init__(self, application: _Optional[str] = ..., controller: _Optional[str] = ..., sync_state: _Optional[_Union[SyncState, str]] = ..., health: _Optional[_Union[HealthState, str]] = ..., operation_state: _Optional[_Union[OperationState, str]] = ..., operation_message: _Optional[str] = ..., revision: _Optional[str] = ..., operation_revision: _Optional[str] = ..., held_by_us: bool = ..., suspended: bool = ..., auto_sync: bool = ..., observed_generation_current: bool = ..., reconcile_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., conditions: _Optional[_Iterable[_Union[StatusCondition, _Mapping]]] = ..., image_digests: _Optional[_Iterable[str]] = ..., complete: bool = ...) -> None: ...

class RuntimeHealth(_message.Message):
    __slots__ = ("object", "revision_hash", "desired_replicas", "ready_replicas", "updated_replicas", "available_replicas", "restarts_10m", "crash_looping_containers", "image_pull_failures", "out_of_memory_kills_10m", "observed_generation_current", "conditions", "image_digests", "complete")
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    REVISION_HASH_FIELD_NUMBER: _ClassVar[int]
    DESIRED_REPLICAS_FIELD_NUMBER: _ClassVar[int]
    READY_REPLICAS_FIELD_NUMBER: _ClassVar[int]
    UPDATED_REPLICAS_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_REPLICAS_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_10M_FIELD_NUMBER: _ClassVar[int]
    CRASH_LOOPING_CONTAINERS_FIELD_NUMBER: _ClassVar[int]
    IMAGE_PULL_FAILURES_FIELD_NUMBER: _ClassVar[int]
    OUT_OF_MEMORY_KILLS_10M_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_GENERATION_CURRENT_FIELD_NUMBER: _ClassVar[int]
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    IMAGE_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    object: str
    revision_hash: str
    desired_replicas: int
    ready_replicas: int
    updated_replicas: int
    available_replicas: int
    restarts_10m: int
    crash_looping_containers: int
    image_pull_failures: int
    out_of_memory_kills_10m: int
    observed_generation_current: bool
    conditions: _containers.RepeatedCompositeFieldContainer[StatusCondition]
    image_digests: _containers.RepeatedScalarFieldContainer[str]
    complete: bool
    def __init__(self, object: _Optional[str] = ..., revision_hash: _Optional[str] = ..., desired_replicas: _Optional[int] = ..., ready_replicas: _Optional[int] = ..., updated_replicas: _Optional[int] = ..., available_replicas: _Optional[int] = ..., restarts_10m: _Optional[int] = ..., crash_looping_containers: _Optional[int] = ..., image_pull_failures: _Optional[int] = ..., out_of_memory_kills_10m: _Optional[int] = ..., observed_generation_current: bool = ..., conditions: _Optional[_Iterable[_Union[StatusCondition, _Mapping]]] = ..., image_digests: _Optional[_Iterable[str]] = ..., complete: bool = ...) -> None: ...

class RolloutStatus(_message.Message):
    __slots__ = ("object", "controller", "phase", "reported_phase", "step", "step_count", "weight", "stable_revision", "canary_revision", "paused", "pause_reason", "aborted", "message", "failed_checks", "canary_ready_replicas", "steps_skipped", "observed_generation_current", "transition_time", "canary_image_digests", "stable_image_digests", "complete")
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    CONTROLLER_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    REPORTED_PHASE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    STEP_COUNT_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    STABLE_REVISION_FIELD_NUMBER: _ClassVar[int]
    CANARY_REVISION_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    PAUSE_REASON_FIELD_NUMBER: _ClassVar[int]
    ABORTED_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FAILED_CHECKS_FIELD_NUMBER: _ClassVar[int]
    CANARY_READY_REPLICAS_FIELD_NUMBER: _ClassVar[int]
    STEPS_SKIPPED_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_GENERATION_CURRENT_FIELD_NUMBER: _ClassVar[int]
    TRANSITION_TIME_FIELD_NUMBER: _ClassVar[int]
    CANARY_IMAGE_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    STABLE_IMAGE_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    object: str
    controller: str
    phase: RolloutPhase
    reported_phase: str
    step: int
    step_count: int
    weight: int
    stable_revision: str
    canary_revision: str
    paused: bool
    pause_reason: str
    aborted: bool
    message: str
    failed_checks: int
    canary_ready_replicas: int
    steps_skipped: bool
    observed_generation_current: bool
    transition_time: _timestamp_pb2.Timestamp
    canary_image_digests: _containers.RepeatedScalarFieldContainer[str]
    stable_image_digests: _containers.RepeatedScalarFieldContainer[str]
    complete: bool
    def __init__(self, object: _Optional[str] = ..., controller: _Optional[str] = ..., phase: _Optional[_Union[RolloutPhase, str]] = ..., reported_phase: _Optional[str] = ..., step: _Optional[int] = ..., step_count: _Optional[int] = ..., weight: _Optional[int] = ..., stable_revision: _Optional[str] = ..., canary_revision: _Optional[str] = ..., paused: bool = ..., pause_reason: _Optional[str] = ..., aborted: bool = ..., message: _Optional[str] = ..., failed_checks: _Optional[int] = ..., canary_ready_replicas: _Optional[int] = ..., steps_skipped: bool = ..., observed_generation_current: bool = ..., transition_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., canary_image_digests: _Optional[_Iterable[str]] = ..., stable_image_digests: _Optional[_Iterable[str]] = ..., complete: bool = ...) -> None: ...

class AnalysisResult(_message.Message):
    __slots__ = ("template", "run", "phase", "message", "metrics", "complete", "dry_run", "terminated", "revision_hash", "start_time", "finish_time")
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    TERMINATED_FIELD_NUMBER: _ClassVar[int]
    REVISION_HASH_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    FINISH_TIME_FIELD_NUMBER: _ClassVar[int]
    template: str
    run: str
    phase: AnalysisPhase
    message: str
    metrics: _containers.RepeatedCompositeFieldContainer[AnalysisMetric]
    complete: bool
    dry_run: bool
    terminated: bool
    revision_hash: str
    start_time: _timestamp_pb2.Timestamp
    finish_time: _timestamp_pb2.Timestamp
    def __init__(self, template: _Optional[str] = ..., run: _Optional[str] = ..., phase: _Optional[_Union[AnalysisPhase, str]] = ..., message: _Optional[str] = ..., metrics: _Optional[_Iterable[_Union[AnalysisMetric, _Mapping]]] = ..., complete: bool = ..., dry_run: bool = ..., terminated: bool = ..., revision_hash: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class AnalysisMetric(_message.Message):
    __slots__ = ("name", "phase", "value", "successful", "failed", "inconclusive", "errored", "dry_run", "message", "measurements")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    SUCCESSFUL_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    INCONCLUSIVE_FIELD_NUMBER: _ClassVar[int]
    ERRORED_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MEASUREMENTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    phase: AnalysisPhase
    value: float
    successful: int
    failed: int
    inconclusive: int
    errored: int
    dry_run: bool
    message: str
    measurements: _containers.RepeatedCompositeFieldContainer[AnalysisMeasurement]
    def __init__(self, name: _Optional[str] = ..., phase: _Optional[_Union[AnalysisPhase, str]] = ..., value: _Optional[float] = ..., successful: _Optional[int] = ..., failed: _Optional[int] = ..., inconclusive: _Optional[int] = ..., errored: _Optional[int] = ..., dry_run: bool = ..., message: _Optional[str] = ..., measurements: _Optional[_Iterable[_Union[AnalysisMeasurement, _Mapping]]] = ...) -> None: ...

class AnalysisMeasurement(_message.Message):
    __slots__ = ("phase", "value", "text_value", "message", "start_time", "finish_time")
    PHASE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    TEXT_VALUE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    FINISH_TIME_FIELD_NUMBER: _ClassVar[int]
    phase: AnalysisPhase
    value: float
    text_value: str
    message: str
    start_time: _timestamp_pb2.Timestamp
    finish_time: _timestamp_pb2.Timestamp
    def __init__(self, phase: _Optional[_Union[AnalysisPhase, str]] = ..., value: _Optional[float] = ..., text_value: _Optional[str] = ..., message: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class MetricSample(_message.Message):
    __slots__ = ("name", "query_id", "value", "no_data", "partial", "unit", "window", "start_time", "end_time", "baseline_value", "samples", "requests", "revision_hash")
    NAME_FIELD_NUMBER: _ClassVar[int]
    QUERY_ID_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    NO_DATA_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    BASELINE_VALUE_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    REVISION_HASH_FIELD_NUMBER: _ClassVar[int]
    name: str
    query_id: str
    value: float
    no_data: bool
    partial: bool
    unit: str
    window: _duration_pb2.Duration
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    baseline_value: float
    samples: int
    requests: int
    revision_hash: str
    def __init__(self, name: _Optional[str] = ..., query_id: _Optional[str] = ..., value: _Optional[float] = ..., no_data: bool = ..., partial: bool = ..., unit: _Optional[str] = ..., window: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., baseline_value: _Optional[float] = ..., samples: _Optional[int] = ..., requests: _Optional[int] = ..., revision_hash: _Optional[str] = ...) -> None: ...

class IncidentState(_message.Message):
    __slots__ = ("provider", "open_incidents", "complete", "open_count", "sev1", "sev2", "sev3", "sev4", "sev5", "unclassified", "suppressed", "watchdog_seen", "newest_silence_time")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    OPEN_INCIDENTS_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    OPEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    SEV1_FIELD_NUMBER: _ClassVar[int]
    SEV2_FIELD_NUMBER: _ClassVar[int]
    SEV3_FIELD_NUMBER: _ClassVar[int]
    SEV4_FIELD_NUMBER: _ClassVar[int]
    SEV5_FIELD_NUMBER: _ClassVar[int]
    UNCLASSIFIED_FIELD_NUMBER: _ClassVar[int]
    SUPPRESSED_FIELD_NUMBER: _ClassVar[int]
    WATCHDOG_SEEN_FIELD_NUMBER: _ClassVar[int]
    NEWEST_SILENCE_TIME_FIELD_NUMBER: _ClassVar[int]
    provider: str
    open_incidents: _containers.RepeatedCompositeFieldContainer[Incident]
    complete: bool
    open_count: int
    sev1: int
    sev2: int
    sev3: int
    sev4: int
    sev5: int
    unclassified: int
    suppressed: int
    watchdog_seen: bool
    newest_silence_time: _timestamp_pb2.Timestamp
    def __init__(self, provider: _Optional[str] = ..., open_incidents: _Optional[_Iterable[_Union[Incident, _Mapping]]] = ..., complete: bool = ..., open_count: _Optional[int] = ..., sev1: _Optional[int] = ..., sev2: _Optional[int] = ..., sev3: _Optional[int] = ..., sev4: _Optional[int] = ..., sev5: _Optional[int] = ..., unclassified: _Optional[int] = ..., suppressed: _Optional[int] = ..., watchdog_seen: bool = ..., newest_silence_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Incident(_message.Message):
    __slots__ = ("id", "severity", "title", "state", "affected_service", "open_time", "uri")
    ID_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    AFFECTED_SERVICE_FIELD_NUMBER: _ClassVar[int]
    OPEN_TIME_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    id: str
    severity: IncidentSeverity
    title: str
    state: str
    affected_service: str
    open_time: _timestamp_pb2.Timestamp
    uri: str
    def __init__(self, id: _Optional[str] = ..., severity: _Optional[_Union[IncidentSeverity, str]] = ..., title: _Optional[str] = ..., state: _Optional[str] = ..., affected_service: _Optional[str] = ..., open_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., uri: _Optional[str] = ...) -> None: ...

class RollbackReadiness(_message.Message):
    __slots__ = ("target_release", "target_revision", "target_digest", "pullable", "verified", "ready", "migration_reversible", "gitops_reverts", "last_healthy_time", "last_exercised_time", "blockers", "complete")
    TARGET_RELEASE_FIELD_NUMBER: _ClassVar[int]
    TARGET_REVISION_FIELD_NUMBER: _ClassVar[int]
    TARGET_DIGEST_FIELD_NUMBER: _ClassVar[int]
    PULLABLE_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    MIGRATION_REVERSIBLE_FIELD_NUMBER: _ClassVar[int]
    GITOPS_REVERTS_FIELD_NUMBER: _ClassVar[int]
    LAST_HEALTHY_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_EXERCISED_TIME_FIELD_NUMBER: _ClassVar[int]
    BLOCKERS_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    target_release: str
    target_revision: str
    target_digest: str
    pullable: bool
    verified: bool
    ready: bool
    migration_reversible: bool
    gitops_reverts: bool
    last_healthy_time: _timestamp_pb2.Timestamp
    last_exercised_time: _timestamp_pb2.Timestamp
    blockers: _containers.RepeatedScalarFieldContainer[str]
    complete: bool
    def __init__(self, target_release: _Optional[str] = ..., target_revision: _Optional[str] = ..., target_digest: _Optional[str] = ..., pullable: bool = ..., verified: bool = ..., ready: bool = ..., migration_reversible: bool = ..., gitops_reverts: bool = ..., last_healthy_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_exercised_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., blockers: _Optional[_Iterable[str]] = ..., complete: bool = ...) -> None: ...

class ChangeTicket(_message.Message):
    __slots__ = ("system", "id", "state", "approved", "approver", "window_start_time", "window_end_time", "risk", "title", "uri")
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    APPROVED_FIELD_NUMBER: _ClassVar[int]
    APPROVER_FIELD_NUMBER: _ClassVar[int]
    WINDOW_START_TIME_FIELD_NUMBER: _ClassVar[int]
    WINDOW_END_TIME_FIELD_NUMBER: _ClassVar[int]
    RISK_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    system: str
    id: str
    state: ChangeTicketState
    approved: bool
    approver: str
    window_start_time: _timestamp_pb2.Timestamp
    window_end_time: _timestamp_pb2.Timestamp
    risk: str
    title: str
    uri: str
    def __init__(self, system: _Optional[str] = ..., id: _Optional[str] = ..., state: _Optional[_Union[ChangeTicketState, str]] = ..., approved: bool = ..., approver: _Optional[str] = ..., window_start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., window_end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., risk: _Optional[str] = ..., title: _Optional[str] = ..., uri: _Optional[str] = ...) -> None: ...

class FeatureFlagState(_message.Message):
    __slots__ = ("provider", "flags", "complete")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    provider: str
    flags: _containers.RepeatedCompositeFieldContainer[FeatureFlag]
    complete: bool
    def __init__(self, provider: _Optional[str] = ..., flags: _Optional[_Iterable[_Union[FeatureFlag, _Mapping]]] = ..., complete: bool = ...) -> None: ...

class FeatureFlag(_message.Message):
    __slots__ = ("key", "enabled", "variant", "rollout_percent", "change_time")
    KEY_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    ROLLOUT_PERCENT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_TIME_FIELD_NUMBER: _ClassVar[int]
    key: str
    enabled: bool
    variant: str
    rollout_percent: float
    change_time: _timestamp_pb2.Timestamp
    def __init__(self, key: _Optional[str] = ..., enabled: bool = ..., variant: _Optional[str] = ..., rollout_percent: _Optional[float] = ..., change_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class VerificationSummary(_message.Message):
    __slots__ = ("verifier_id", "verification_result", "resource_uri", "verified_levels", "complete", "policy_uri", "policy_digest", "slsa_version", "verify_time")
    VERIFIER_ID_FIELD_NUMBER: _ClassVar[int]
    VERIFICATION_RESULT_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_URI_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_LEVELS_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    POLICY_URI_FIELD_NUMBER: _ClassVar[int]
    POLICY_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SLSA_VERSION_FIELD_NUMBER: _ClassVar[int]
    VERIFY_TIME_FIELD_NUMBER: _ClassVar[int]
    verifier_id: str
    verification_result: VerificationResult
    resource_uri: str
    verified_levels: _containers.RepeatedScalarFieldContainer[str]
    complete: bool
    policy_uri: str
    policy_digest: str
    slsa_version: str
    verify_time: _timestamp_pb2.Timestamp
    def __init__(self, verifier_id: _Optional[str] = ..., verification_result: _Optional[_Union[VerificationResult, str]] = ..., resource_uri: _Optional[str] = ..., verified_levels: _Optional[_Iterable[str]] = ..., complete: bool = ..., policy_uri: _Optional[str] = ..., policy_digest: _Optional[str] = ..., slsa_version: _Optional[str] = ..., verify_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PolicyReport(_message.Message):
    __slots__ = ("engine", "engine_version", "passed", "failed", "warned", "errored", "skipped", "results", "complete", "policy_digest")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    ENGINE_VERSION_FIELD_NUMBER: _ClassVar[int]
    PASSED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    WARNED_FIELD_NUMBER: _ClassVar[int]
    ERRORED_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    POLICY_DIGEST_FIELD_NUMBER: _ClassVar[int]
    engine: str
    engine_version: str
    passed: int
    failed: int
    warned: int
    errored: int
    skipped: int
    results: _containers.RepeatedCompositeFieldContainer[PolicyReportResult]
    complete: bool
    policy_digest: str
    def __init__(self, engine: _Optional[str] = ..., engine_version: _Optional[str] = ..., passed: _Optional[int] = ..., failed: _Optional[int] = ..., warned: _Optional[int] = ..., errored: _Optional[int] = ..., skipped: _Optional[int] = ..., results: _Optional[_Iterable[_Union[PolicyReportResult, _Mapping]]] = ..., complete: bool = ..., policy_digest: _Optional[str] = ...) -> None: ...

class PolicyReportResult(_message.Message):
    __slots__ = ("policy", "rule", "outcome", "severity", "resource", "message")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    policy: str
    rule: str
    outcome: PolicyReportOutcome
    severity: str
    resource: str
    message: str
    def __init__(self, policy: _Optional[str] = ..., rule: _Optional[str] = ..., outcome: _Optional[_Union[PolicyReportOutcome, str]] = ..., severity: _Optional[str] = ..., resource: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class RolloutOutcome(_message.Message):
    __slots__ = ("environment", "outcome", "duration", "last_weight", "service", "release", "attempt", "close_time")
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    LAST_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    CLOSE_TIME_FIELD_NUMBER: _ClassVar[int]
    environment: str
    outcome: RolloutResult
    duration: _duration_pb2.Duration
    last_weight: int
    service: str
    release: str
    attempt: str
    close_time: _timestamp_pb2.Timestamp
    def __init__(self, environment: _Optional[str] = ..., outcome: _Optional[_Union[RolloutResult, str]] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., last_weight: _Optional[int] = ..., service: _Optional[str] = ..., release: _Optional[str] = ..., attempt: _Optional[str] = ..., close_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CustomFacts(_message.Message):
    __slots__ = ("kind", "facts")
    KIND_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    facts: _struct_pb2.Struct
    def __init__(self, kind: _Optional[str] = ..., facts: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...

class ServiceEnvironment(_message.Message):
    __slots__ = ("service", "environment")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    service: str
    environment: str
    def __init__(self, service: _Optional[str] = ..., environment: _Optional[str] = ...) -> None: ...

class EvidenceSubject(_message.Message):
    __slots__ = ("artifact_digest", "source_revision", "manifest_digest", "release", "attempt", "workload")
    ARTIFACT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SOURCE_REVISION_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_DIGEST_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    WORKLOAD_FIELD_NUMBER: _ClassVar[int]
    artifact_digest: str
    source_revision: str
    manifest_digest: str
    release: str
    attempt: str
    workload: ServiceEnvironment
    def __init__(self, artifact_digest: _Optional[str] = ..., source_revision: _Optional[str] = ..., manifest_digest: _Optional[str] = ..., release: _Optional[str] = ..., attempt: _Optional[str] = ..., workload: _Optional[_Union[ServiceEnvironment, _Mapping]] = ...) -> None: ...

class Verification(_message.Message):
    __slots__ = ("state", "signer", "reason", "verify_time", "method", "trust_revision")
    STATE_FIELD_NUMBER: _ClassVar[int]
    SIGNER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VERIFY_TIME_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    TRUST_REVISION_FIELD_NUMBER: _ClassVar[int]
    state: VerificationState
    signer: str
    reason: str
    verify_time: _timestamp_pb2.Timestamp
    method: str
    trust_revision: int
    def __init__(self, state: _Optional[_Union[VerificationState, str]] = ..., signer: _Optional[str] = ..., reason: _Optional[str] = ..., verify_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., method: _Optional[str] = ..., trust_revision: _Optional[int] = ...) -> None: ...

class Revocation(_message.Message):
    __slots__ = ("revoke_time", "revoker", "reason")
    REVOKE_TIME_FIELD_NUMBER: _ClassVar[int]
    REVOKER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    revoke_time: _timestamp_pb2.Timestamp
    revoker: str
    reason: str
    def __init__(self, revoke_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revoker: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class Evidence(_message.Message):
    __slots__ = ("name", "kind", "key", "subject", "facts", "source", "external_id", "observe_time", "receive_time", "expire_time", "verification", "facts_digest", "revision", "revocation")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    OBSERVE_TIME_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    VERIFICATION_FIELD_NUMBER: _ClassVar[int]
    FACTS_DIGEST_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    REVOCATION_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: str
    key: str
    subject: EvidenceSubject
    facts: EvidenceFacts
    source: str
    external_id: str
    observe_time: _timestamp_pb2.Timestamp
    receive_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    verification: Verification
    facts_digest: str
    revision: int
    revocation: Revocation
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[str] = ..., key: _Optional[str] = ..., subject: _Optional[_Union[EvidenceSubject, _Mapping]] = ..., facts: _Optional[_Union[EvidenceFacts, _Mapping]] = ..., source: _Optional[str] = ..., external_id: _Optional[str] = ..., observe_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., receive_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., verification: _Optional[_Union[Verification, _Mapping]] = ..., facts_digest: _Optional[str] = ..., revision: _Optional[int] = ..., revocation: _Optional[_Union[Revocation, _Mapping]] = ...) -> None: ...

class EvidenceInput(_message.Message):
    __slots__ = ("subject", "facts", "observe_time", "expire_time", "external_id", "bundle")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    OBSERVE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    subject: EvidenceSubject
    facts: EvidenceFacts
    observe_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    external_id: str
    bundle: bytes
    def __init__(self, subject: _Optional[_Union[EvidenceSubject, _Mapping]] = ..., facts: _Optional[_Union[EvidenceFacts, _Mapping]] = ..., observe_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., external_id: _Optional[str] = ..., bundle: _Optional[bytes] = ...) -> None: ...

class EvidenceRef(_message.Message):
    __slots__ = ("name", "kind", "key", "source", "facts_digest", "observe_time", "verification_state")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    FACTS_DIGEST_FIELD_NUMBER: _ClassVar[int]
    OBSERVE_TIME_FIELD_NUMBER: _ClassVar[int]
    VERIFICATION_STATE_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: str
    key: str
    source: str
    facts_digest: str
    observe_time: _timestamp_pb2.Timestamp
    verification_state: VerificationState
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[str] = ..., key: _Optional[str] = ..., source: _Optional[str] = ..., facts_digest: _Optional[str] = ..., observe_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., verification_state: _Optional[_Union[VerificationState, str]] = ...) -> None: ...
