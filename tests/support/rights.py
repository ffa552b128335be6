"""Which verb each method needs: what the tables of authority are generated from."""

from __future__ import annotations

from release_passport_server.domain.access import Verb

_BY_VERB: dict[Verb, tuple[str, ...]] = {
    Verb.READ: (
        "WakeConnector",
        *("ExplainDecision", "ExportPassport", "GetApprovalRequest", "GetDecision", "GetEnvironment"),
        *("GetEvidence", "GetFreeze", "GetGate", "GetGateHealth", "GetPassport", "GetPolicy"),
        *("GetPolicyChange", "GetRelease", "GetService", "GetTrust", "GetWaiver", "ListApprovals"),
        *("ListDecisions", "ListEnvironments", "ListEvidence", "ListFreezeExemptions", "ListFreezes"),
        *(
            "ListGates",
            "ListGroups",
            "ListNotificationDeliveries",
            "ListObserveOnlyBindings",
            "ListOverrides",
            "ListPendingApprovals",
        ),
        *("ListPolicies", "ListPolicyChanges", "ListPolicyRevisions", "ListReleases", "ListServices"),
        *("ListTrustRevisions", "ListWaivers", "SimulateDecision", "ValidatePolicy", "WatchDecision"),
        *("GetWatchWindow", "ListWatchWindows", "GetConnector", "ListConnectors"),
    ),
    Verb.AUDIT: (
        *("GetCheckpoint", "GetConsistencyProof", "GetInclusionProof", "GetLogFiles"),
        *("ListAuditEntries", "ListDeadJobs", "ListDuties", "ReviewAccess", "StreamAuditEntries"),
    ),
    Verb.SUBMIT: ("CollectAttestations", "StreamEvidence", "SubmitEvidence"),
    Verb.REVOKE: ("RevokeEvidence",),
    Verb.RELEASE: ("CreateRelease",),
    Verb.EVALUATE: ("Evaluate", "RequestWaiver"),
    Verb.START: ("FinishRollout", "StartRollout"),
    Verb.APPROVE: ("Approve", "Reject", "RevokeApproval"),
    Verb.RESOLVE_REJECTION: ("ResolveRejection",),
    Verb.WAIVE: ("GrantWaiver", "RevokeWaiver"),
    Verb.OVERRIDE: ("CreateOverride", "RecordOverride", "ReviewOverride", "WithdrawOverride"),
    Verb.FREEZE: ("CreateFreeze", "CreateFreezeExemption", "EndFreeze", "EndFreezeExemption", "UpdateFreeze"),
    Verb.GATE: ("CreateGate", "DeleteGate", "UpdateGate"),
    Verb.OBSERVE_ONLY: ("CreateObserveOnlyBinding", "EndObserveOnlyBinding"),
    Verb.REDEEM: ("RedeemPermit",),
    Verb.REPORT: ("ReportEnforcement",),
    Verb.POLICIES: (
        *("ApplyPolicyChange", "CreatePolicy", "DeletePolicy", "ProposePolicyChange"),
        *("TestPolicy", "UpdatePolicy", "WithdrawPolicyChange", "AdoptPolicies"),
    ),
    Verb.ACCESS: (
        *("CheckAccess", "CreateAPIToken", "CreateBan", "CreateRoleBinding", "DeleteGroup"),
        *("DeleteRoleBinding", "EndBan", "ListAPITokens", "ListBans", "ListRoleBindings"),
        *("PutGroup", "RevokeAPIToken"),
    ),
    Verb.CONNECTORS: (
        *("CreateNotificationChannel", "DeleteNotificationChannel", "EnableNotificationChannel"),
        *("GetNotificationChannel", "ListNotificationChannels", "ReplayNotifications"),
        *("TestNotificationChannel", "UpdateNotificationChannel"),
        *("DiscardDeadJob", "RetryDeadJob"),
        *("CollectNow", "CreateConnector", "DeleteConnector", "TestConnector", "UpdateConnector"),
    ),
    Verb.ACKNOWLEDGE: ("AcknowledgeWatchWindow", "CloseWatchWindow"),
    Verb.TRUST: ("UpdateTrust",),
    Verb.CATALOG: ("CreateEnvironment", "CreateService", "UpdateEnvironment", "UpdateService"),
}
VERBS = {method: verb for verb, methods in _BY_VERB.items() for method in methods}
# What is needed besides: the way the requests of `support.requests` ask.
ALSO = {"ExportPassport": Verb.AUDIT, "Evaluate": Verb.SUBMIT}
# Who has one of these may do it too: whoever may grant a waiver may ask for one, whoever asked may take it back.
ELSE = {"RequestWaiver": Verb.WAIVE, "RevokeWaiver": Verb.EVALUATE}
# The request holds an envelope that nobody has signed, which is refused before rights are looked at.
FORGED = frozenset({"RedeemPermit"})
# What everybody with a credential may do, and what is above all tenants.
OPEN = frozenset({"WhoAmI"})
ABOVE = frozenset({"CreateTenant", "GetTenant", "ListTenants", "SuspendTenant", "UpdateTenant"})
# The kinds of evidence that the requests of `support.requests` would submit.
KINDS = {
    "Evaluate": "runtime_health",
    "CollectAttestations": "provenance",
    "StreamEvidence": "runtime_health",
    "SubmitEvidence": "runtime_health",
}
# These have no tenant in them at all.
TENANTLESS = frozenset({"WhoAmI", "ListTenants", "ValidatePolicy", "TestPolicy"})
