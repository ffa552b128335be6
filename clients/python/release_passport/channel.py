"""Opens the channel to a server, with retries where a repeated call does no harm."""

from __future__ import annotations

import json

import grpc

from release_passport.target import Target

_PACKAGE = "release_passport.v1"
# Each of these reads, or is made idempotent by a request id that the client always sends. The calls that return a
# secret are not here: the server cannot show it again, so a repetition would hide that the first one was lost.
_RETRIED = {
    "DecisionService": ("Evaluate", "GetDecision", "ListDecisions", "ExplainDecision", "SimulateDecision"),
    "EvidenceService": ("SubmitEvidence", "GetEvidence", "ListEvidence", "RevokeEvidence"),
    "ReleaseService": (
        *("CreateRelease", "GetRelease", "ListReleases", "GetPassport", "ExportPassport"),
        *("StartRollout", "FinishRollout"),
    ),
    "CatalogService": (
        *("CreateService", "GetService", "ListServices", "UpdateService"),
        *("CreateEnvironment", "GetEnvironment", "ListEnvironments", "UpdateEnvironment"),
        *("CreateObserveOnlyBinding", "ListObserveOnlyBindings", "EndObserveOnlyBinding"),
    ),
    "PolicyService": (
        *("CreatePolicy", "GetPolicy", "ListPolicies", "UpdatePolicy", "DeletePolicy"),
        *("ListPolicyRevisions", "ValidatePolicy", "TestPolicy"),
        *("ProposePolicyChange", "GetPolicyChange", "ListPolicyChanges", "ApplyPolicyChange"),
        "WithdrawPolicyChange",
    ),
    "AccessService": (
        *("WhoAmI", "CreateRoleBinding", "ListRoleBindings", "DeleteRoleBinding"),
        *("ListAPITokens", "RevokeAPIToken"),
        *("CheckAccess", "ReviewAccess"),
        *("CreateBan", "EndBan", "ListBans"),
    ),
    "AuditService": (
        *("ListAuditEntries", "GetCheckpoint", "GetInclusionProof", "GetConsistencyProof"),
        *("GetLogFiles", "ListDuties"),
    ),
    "PermitService": ("RedeemPermit", "ReportEnforcement"),
    "TrustService": ("GetTrust", "UpdateTrust", "ListTrustRevisions"),
    "TenantService": ("GetTenant", "ListTenants"),
    "ApprovalService": (
        *("Approve", "Reject", "RevokeApproval", "ResolveRejection"),
        *("GetApprovalRequest", "ListApprovals", "ListPendingApprovals"),
    ),
    # CreateGate and UpdateGate return a secret.
    # CreateNotificationChannel and UpdateNotificationChannel return a secret.
    "NotificationService": (
        *("GetNotificationChannel", "ListNotificationChannels", "DeleteNotificationChannel"),
        *("EnableNotificationChannel", "TestNotificationChannel", "ListNotificationDeliveries"),
        *("ReplayNotifications",),
    ),
    "ConnectorService": (
        *("CreateConnector", "GetConnector", "ListConnectors", "UpdateConnector", "DeleteConnector"),
        "TestConnector",
        "WakeConnector",
    ),
    "JobService": ("ListDeadJobs", "RetryDeadJob", "DiscardDeadJob"),
    "WatchWindowService": (
        *("GetWatchWindow", "ListWatchWindows", "AcknowledgeWatchWindow", "CloseWatchWindow"),
        "AdoptPolicies",
    ),
    "GateService": ("GetGate", "ListGates", "DeleteGate", "GetGateHealth"),
    "GroupService": ("PutGroup", "DeleteGroup", "ListGroups"),
    "WaiverService": ("RequestWaiver", "GrantWaiver", "RevokeWaiver", "GetWaiver", "ListWaivers"),
    "OverrideService": (
        *("CreateOverride", "RecordOverride", "WithdrawOverride", "ReviewOverride", "ListOverrides"),
    ),
    "FreezeService": (
        *("CreateFreeze", "UpdateFreeze", "EndFreeze", "GetFreeze", "ListFreezes"),
        *("CreateFreezeExemption", "EndFreezeExemption", "ListFreezeExemptions"),
    ),
}
_MAX_MESSAGE_BYTES = 64 * 1024 * 1024


def service_config() -> str:
    """Return the gRPC service config: which calls are tried again when the server is unavailable."""
    names = [
        {"service": f"{_PACKAGE}.{service}", "method": method}
        for service, methods in _RETRIED.items()
        for method in methods
    ]
    retry = {
        "maxAttempts": 4,
        "initialBackoff": "0.2s",
        "maxBackoff": "2s",
        "backoffMultiplier": 2,
        # What reaches a server in the moment that it ends is shed as CANCELLED, unheard.
        "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
    }
    return json.dumps({"methodConfig": [{"name": names, "retryPolicy": retry}]})


def open_channel(target: Target, *, user_agent: str) -> grpc.Channel:
    """Return a channel to the target; it connects on first use."""
    options = _options(target, user_agent)
    if target.plaintext:
        return grpc.insecure_channel(target.server, options)
    return grpc.secure_channel(target.server, _credentials(target), options)


def open_async_channel(target: Target, *, user_agent: str) -> grpc.aio.Channel:
    """Return a channel to the target for the running event loop; it connects on first use."""
    from grpc import aio

    options = _options(target, user_agent)
    if target.plaintext:
        return aio.insecure_channel(target.server, options)
    return aio.secure_channel(target.server, _credentials(target), options)


def _options(target: Target, user_agent: str) -> list[tuple[str, str | int]]:
    return [
        ("grpc.service_config", service_config()),
        ("grpc.enable_retries", 1),
        ("grpc.primary_user_agent", user_agent),
        ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
        ("grpc.keepalive_time_ms", 60_000),
        # A proxy from the environment must never see, or answer, what is meant for this machine.
        *([("grpc.enable_http_proxy", 0)] if target.plaintext else []),
    ]


def _credentials(target: Target) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(target.ca_certificates, target.certificate_key, target.certificate)
