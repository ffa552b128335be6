"""Every command with the RPC that it is for, and an answer of it."""

from __future__ import annotations

from google.protobuf.message import Message

from release_passport.v1 import (
    access_pb2,
    access_service_pb2,
    audit_pb2,
    audit_service_pb2,
    catalog_pb2,
    catalog_service_pb2,
    decision_pb2,
    decision_service_pb2,
    evidence_pb2,
    evidence_service_pb2,
    passport_pb2,
    policy_pb2,
    policy_service_pb2,
    release_pb2,
    release_service_pb2,
    tenant_pb2,
    tenant_service_pb2,
    trust_pb2,
    trust_service_pb2,
    verdict_pb2,
)
from support.cli_access_cases import A_ROLE, ACCESS
from support.cli_connector_cases import CONNECTORS
from support.cli_exception_cases import EXCEPTIONS
from support.cli_gate_cases import GATES
from support.cli_notification_cases import NOTIFICATIONS
from support.cli_window_cases import WINDOWS
from support.decisions import DIGEST, RELEASE, decision

IDENTITY = (
    *("--service", "checkout", "--environment", "prod", "--version", "1.4.2"),
    *("--source-revision", "4f6c2a90", "--artifact", f"ghcr.io/acme/checkout@{DIGEST}"),
    *("--artifact", f"chart:ghcr.io/acme/charts/checkout@{DIGEST}"),
)
IDENTITY_MESSAGE = release_pb2.ReleaseIdentity(
    service="checkout",
    environment="prod",
    version="1.4.2",
    source_revision="4f6c2a90",
    artifacts=[
        release_pb2.Artifact(name="ghcr.io/acme/checkout", digest=DIGEST),
        release_pb2.Artifact(name="ghcr.io/acme/charts/checkout", digest=DIGEST, type="chart"),
    ],
)
A_RELEASE = release_pb2.Release(
    name=RELEASE, identity=IDENTITY_MESSAGE, creator="sa:ci", release_digest=DIGEST
)
AN_ATTEMPT = release_pb2.Attempt(name=f"{RELEASE}/attempts/1", number=1, starter="sa:ci")
AN_ITEM = evidence_pb2.Evidence(
    name="tenants/acme/evidence/01H",
    kind="test_result",
    key="unit",
    subject=evidence_pb2.EvidenceSubject(source_revision="4f6c2a90"),
    facts=evidence_pb2.EvidenceFacts(test_result=evidence_pb2.TestResult(suite="unit", passed=3)),
    source="sa:ci",
    verification=evidence_pb2.Verification(state=evidence_pb2.VERIFICATION_STATE_UNSIGNED),
)
A_SERVICE = catalog_pb2.Service(
    name="tenants/acme/services/checkout", service_id="checkout", labels={"tier": "1", "old": "x"}, etag="e1"
)
AN_ENVIRONMENT = catalog_pb2.Environment(
    name="tenants/acme/environments/prod", environment_id="prod", labels={"stage": "prod"}, etag="e1"
)
A_BINDING = catalog_pb2.ObserveOnlyBinding(
    service="checkout", environment="prod", owner="ada", reason="new here"
)
A_TOKEN = access_pb2.APIToken(name="tenants/acme/apiTokens/01H", principal="sa:ci", title="CI")
A_BAN = access_pb2.Ban(name="tenants/acme/bans/01H", principal="user:corp/ada", reason="left the company")
A_POLICY = policy_pb2.Policy(name="tenants/acme/policies/baseline", policy_id="baseline", revision=2)
A_CHANGE = policy_pb2.PolicyChange(
    name="tenants/acme/policyChanges/01H",
    policy=A_POLICY.name,
    base_revision=2,
    places=["checkout/prod"],
    place_count=1,
    reason="the service is gone",
    proposer="user:ada",
    state=policy_pb2.POLICY_CHANGE_STATE_PROPOSED,
)
SOME_DUTIES = audit_pb2.ReleaseDuties(
    release=RELEASE,
    duties=[audit_pb2.DutyDone(duty=audit_pb2.DUTY_APPROVED, principal="user:ada", act="x")],
    conflicts=[
        audit_pb2.DutyConflict(
            code=audit_pb2.DUTY_CONFLICT_CODE_AUTHOR_APPROVED, principals=["user:ada"], text="approved it"
        )
    ],
)
A_TRUST = trust_pb2.TrustConfiguration(
    name="tenants/acme/trust",
    revision=3,
    author="user:ada",
    rules=[trust_pb2.SignerRule(name="ci-main", issuer=trust_pb2.ClaimMatch(exact="https://issuer.example"))],
)
A_TENANT = tenant_pb2.Tenant(name="tenants/acme", tenant_id="acme", title="Acme")
STEP = decision_pb2.TraceStep(topic="rule", subject="baseline/tests-pass", text="held")
EXPLAINED = decision_service_pb2.ExplainDecisionResponse(
    decision=decision(), steps=[STEP], replay=decision_service_pb2.REPLAY_RESULT_SAME
)
NAME = decision().name

COLLECTED = evidence_service_pb2.CollectAttestationsResponse(
    images=[
        evidence_service_pb2.CollectedImage(
            image="ghcr.io/acme/checkout@sha256:" + "a" * 64,
            attestations=[
                evidence_service_pb2.CollectedAttestation(
                    digest="sha256:" + "b" * 64, kind="sbom", place="COSIGN_TAG", reason="SIGNER_NOT_TRUSTED"
                )
            ],
            problems=[evidence_service_pb2.CollectionProblem(where="COSIGN_TAG", message="too many")],
        )
    ]
)

# The words of a command, the RPC that it is for, the answer, and something that the answer shows.
CASES: list[tuple[tuple[str, ...], str, Message, str]] = [
    (
        ("release", "create", *IDENTITY),
        "CreateRelease",
        release_service_pb2.CreateReleaseResponse(release=A_RELEASE),
        "1.4.2",
    ),
    (
        ("release", "get", "checkout/prod/1.4.2"),
        "GetRelease",
        release_service_pb2.GetReleaseResponse(release=A_RELEASE),
        DIGEST,
    ),
    (
        ("release", "list", "--service", "checkout"),
        "ListReleases",
        release_service_pb2.ListReleasesResponse(releases=[A_RELEASE]),
        "1.4.2",
    ),
    (
        ("release", "start", RELEASE, "--decision", NAME),
        "StartRollout",
        release_service_pb2.StartRolloutResponse(attempt=AN_ATTEMPT),
        "attempts/1",
    ),
    (
        ("release", "finish", f"{RELEASE}/attempts/1", "--outcome", "rolled-back"),
        "FinishRollout",
        release_service_pb2.FinishRolloutResponse(attempt=AN_ATTEMPT),
        "attempts/1",
    ),
    (
        ("show", RELEASE),
        "GetPassport",
        release_service_pb2.GetPassportResponse(
            passport=passport_pb2.Passport(
                release=A_RELEASE, current_decision=decision(), evidence=[AN_ITEM], decisions=[decision()]
            )
        ),
        "ALLOW",
    ),
    (
        ("show", RELEASE),
        "GetPassport",
        release_service_pb2.GetPassportResponse(passport=passport_pb2.Passport(release=A_RELEASE)),
        "checkout",
    ),
    (
        ("evidence", "list", "--release", RELEASE, "--subject-artifact", DIGEST),
        "ListEvidence",
        evidence_service_pb2.ListEvidenceResponse(evidence=[AN_ITEM]),
        "unit",
    ),
    (
        ("evidence", "collect", "checkout/prod/1.4.2"),
        "CollectAttestations",
        COLLECTED,
        "SIGNER_NOT_TRUSTED",
    ),
    (
        ("evidence", "get", "01H"),
        "GetEvidence",
        evidence_service_pb2.GetEvidenceResponse(evidence=AN_ITEM),
        "suite",
    ),
    (
        ("evidence", "revoke", "01H", "--reason", "wrong commit was tested"),
        "RevokeEvidence",
        evidence_service_pb2.RevokeEvidenceResponse(evidence=AN_ITEM),
        "unit",
    ),
    (
        ("decision", "get", NAME),
        "GetDecision",
        decision_service_pb2.GetDecisionResponse(decision=decision(), newest=True),
        "ALLOW",
    ),
    (
        ("decision", "list", "--verdict", "hold"),
        "ListDecisions",
        decision_service_pb2.ListDecisionsResponse(decisions=[decision()]),
        "ALLOW",
    ),
    (("decision", "explain", NAME), "ExplainDecision", EXPLAINED, "held"),
    (("decision", "replay", NAME), "ExplainDecision", EXPLAINED, "SAME"),
    (
        ("simulate", *IDENTITY, "--stage", "watch"),
        "SimulateDecision",
        decision_service_pb2.SimulateDecisionResponse(
            decision=decision_service_pb2.SimulatedDecision(
                release=RELEASE, effective_verdict=verdict_pb2.VERDICT_HOLD
            )
        ),
        "HOLD",
    ),
    (
        ("policy", "list"),
        "ListPolicies",
        policy_service_pb2.ListPoliciesResponse(policies=[A_POLICY]),
        "baseline",
    ),
    (
        ("policy", "revisions", "baseline"),
        "ListPolicyRevisions",
        policy_service_pb2.ListPolicyRevisionsResponse(policies=[A_POLICY]),
        "baseline",
    ),
    (
        ("policy", "changes", "list", "--policy", "baseline"),
        "ListPolicyChanges",
        policy_service_pb2.ListPolicyChangesResponse(changes=[A_CHANGE]),
        "user:ada",
    ),
    (
        ("audit", "duties"),
        "ListDuties",
        audit_service_pb2.ListDutiesResponse(releases=[SOME_DUTIES]),
        "AUTHOR_APPROVED",
    ),
    (
        ("policy", "delete", "baseline", "--etag", "e"),
        "DeletePolicy",
        policy_service_pb2.DeletePolicyResponse(policy=A_POLICY),
        "baseline",
    ),
    (
        ("service", "create", "checkout", "--label", "tier=1"),
        "CreateService",
        catalog_service_pb2.CreateServiceResponse(service=A_SERVICE),
        "tier",
    ),
    (
        ("service", "get", "checkout"),
        "GetService",
        catalog_service_pb2.GetServiceResponse(service=A_SERVICE),
        "checkout",
    ),
    (
        ("service", "list"),
        "ListServices",
        catalog_service_pb2.ListServicesResponse(services=[A_SERVICE]),
        "checkout",
    ),
    (
        ("environment", "create", "prod", "--progressive"),
        "CreateEnvironment",
        catalog_service_pb2.CreateEnvironmentResponse(environment=AN_ENVIRONMENT),
        "prod",
    ),
    (
        ("environment", "get", "prod"),
        "GetEnvironment",
        catalog_service_pb2.GetEnvironmentResponse(environment=AN_ENVIRONMENT),
        "prod",
    ),
    (
        ("environment", "list"),
        "ListEnvironments",
        catalog_service_pb2.ListEnvironmentsResponse(environments=[AN_ENVIRONMENT]),
        "prod",
    ),
    (
        (
            "observe-only",
            "create",
            "--service",
            "checkout",
            "--environment",
            "prod",
            "--owner",
            "ada",
            "--reason",
            "new here",
            "--for",
            "30d",
        ),
        "CreateObserveOnlyBinding",
        catalog_service_pb2.CreateObserveOnlyBindingResponse(binding=A_BINDING),
        "ada",
    ),
    (
        ("observe-only", "list"),
        "ListObserveOnlyBindings",
        catalog_service_pb2.ListObserveOnlyBindingsResponse(bindings=[A_BINDING]),
        "ada",
    ),
    (
        ("observe-only", "end", "tenants/acme/x"),
        "EndObserveOnlyBinding",
        catalog_service_pb2.EndObserveOnlyBindingResponse(binding=A_BINDING),
        "ada",
    ),
    (
        ("access", "grant", "sa:ci", "submitter", "--service", "checkout"),
        "CreateRoleBinding",
        access_service_pb2.CreateRoleBindingResponse(role_binding=A_ROLE),
        "submitter",
    ),
    (
        ("access", "list", "--principal", "sa:ci"),
        "ListRoleBindings",
        access_service_pb2.ListRoleBindingsResponse(role_bindings=[A_ROLE]),
        "submitter",
    ),
    *ACCESS,
    (
        ("token", "list"),
        "ListAPITokens",
        access_service_pb2.ListAPITokensResponse(api_tokens=[A_TOKEN]),
        "sa:ci",
    ),
    (
        ("token", "revoke", "01H"),
        "RevokeAPIToken",
        access_service_pb2.RevokeAPITokenResponse(api_token=A_TOKEN),
        "sa:ci",
    ),
    (
        ("ban", "create", "user:corp/ada", "--reason", "left the company"),
        "CreateBan",
        access_service_pb2.CreateBanResponse(ban=A_BAN),
        "left the company",
    ),
    (
        ("ban", "end", "01H"),
        "EndBan",
        access_service_pb2.EndBanResponse(ban=A_BAN),
        "user:corp/ada",
    ),
    (
        ("ban", "list", "--principal", "user:corp/ada"),
        "ListBans",
        access_service_pb2.ListBansResponse(bans=[A_BAN]),
        "user:corp/ada",
    ),
    (
        ("token", "create", "sa:ci", "--role", "submitter"),
        "CreateAPIToken",
        access_service_pb2.CreateAPITokenResponse(api_token=A_TOKEN, secret="shown-once"),
        "shown-once",
    ),
    (
        ("tenant", "create", "acme"),
        "CreateTenant",
        tenant_service_pb2.CreateTenantResponse(tenant=A_TENANT, admin_token="shown-once"),
        "shown-once",
    ),
    (("trust", "get"), "GetTrust", trust_service_pb2.GetTrustResponse(trust=A_TRUST), "ci-main"),
    (
        ("trust", "list"),
        "ListTrustRevisions",
        trust_service_pb2.ListTrustRevisionsResponse(trusts=[A_TRUST]),
        "ci-main",
    ),
    *(*EXCEPTIONS, *GATES, *CONNECTORS, *NOTIFICATIONS, *WINDOWS),
    (
        ("policy", "changes", "withdraw", "01H", "--reason", "proposed again"),
        "WithdrawPolicyChange",
        policy_service_pb2.WithdrawPolicyChangeResponse(change=A_CHANGE),
        "user:ada",
    ),
    (("tenant", "list"), "ListTenants", tenant_service_pb2.ListTenantsResponse(tenants=[A_TENANT]), "Acme"),
    (
        ("whoami",),
        "WhoAmI",
        access_service_pb2.WhoAmIResponse(principal="sa:ci", tenant="acme", roles=["submitter"]),
        "submitter",
    ),
    (
        ("version",),
        "WhoAmI",
        access_service_pb2.WhoAmIResponse(tenant="acme", server_version="9.9.9"),
        "9.9.9",
    ),
]
