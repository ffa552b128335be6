"""One well-formed request for every method, about names that the test chooses."""

from __future__ import annotations

from hashlib import sha256

from google.protobuf.message import Message

from release_passport.v1 import access_pb2 as access
from release_passport.v1 import access_service_pb2 as accesses
from release_passport.v1 import audit_service_pb2 as audits
from release_passport.v1 import catalog_pb2 as catalog
from release_passport.v1 import catalog_service_pb2 as catalogs
from release_passport.v1 import decision_service_pb2 as decisions
from release_passport.v1 import evidence_pb2 as evidence
from release_passport.v1 import evidence_service_pb2 as evidences
from release_passport.v1 import job_service_pb2 as jobs
from release_passport.v1 import permit_service_pb2 as permits
from release_passport.v1 import policy_pb2 as policy
from release_passport.v1 import policy_service_pb2 as policies
from release_passport.v1 import release_pb2 as release
from release_passport.v1 import release_service_pb2 as releases
from release_passport.v1 import tenant_pb2 as tenant
from release_passport.v1 import tenant_service_pb2 as tenants
from release_passport.v1 import trust_pb2 as trust
from release_passport.v1 import trust_service_pb2 as trusts
from release_passport.v1 import watch_pb2 as watches
from release_passport.v1 import watch_window_service_pb2 as windows
from support.names import ULID, Names, ahead
from support.people_requests import people_requests

__all__ = ["ULID", "Names", "ahead"]

PUBLIC_KEY = (
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAO2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=\n"
    "-----END PUBLIC KEY-----\n"
)
REASON = "a reason of at least twenty characters"


def identity(names: Names) -> release.ReleaseIdentity:
    """Return the identity of the release that the names give."""
    return release.ReleaseIdentity(
        service=names.service,
        environment=names.environment,
        version=names.version,
        source_revision="4f6c2a90",
        artifacts=[release.Artifact(name="registry.example/app", digest=names.digest)],
        manifest_digest="sha256:" + "b" * 64,
        annotations={"team": "shop"},
    )


def item(names: Names) -> evidence.EvidenceInput:
    """Return evidence about the service in its environment."""
    health = evidence.RuntimeHealth(object="eu-1/shop/Rollout/app", desired_replicas=2, ready_replicas=2)
    return evidence.EvidenceInput(
        subject=evidence.EvidenceSubject(
            workload=evidence.ServiceEnvironment(service=names.service, environment=names.environment)
        ),
        facts=evidence.EvidenceFacts(runtime_health=health),
        observe_time=ahead(),
        external_id="run-1",
    )


def spec() -> policy.PolicySpec:
    """Return a policy that can be created."""
    need = policy.Need(kind="manifest_render", sources=["sa:*"])
    rule = policy.Rule(
        rule_id="pinned",
        needs=[need],
        expect="evidence.manifest_render.unpinned_images == 0",
        message="'pin them'",
    )
    return policy.PolicySpec(title="Images are pinned", mode="POLICY_MODE_ENFORCE", rules=[rule])


def request_for(method: str, names: Names) -> Message:
    """Return the request of a method; nothing is wrong with its form."""
    made = {**_access(names), **_catalog(names), **_decisions(names), **_evidence(names)}
    made |= {**_policies(names), **_releases(names), **_tenants(names), **_trust(names), **_windows(names)}
    made |= _jobs(names)
    return {**made, **_proofs(names), **people_requests(names)}[method]


def _access(n: Names) -> dict[str, Message]:
    binding = access.RoleBinding(principal="sa:new", role="viewer")
    token = access.APIToken(principal="sa:new", title="new")
    ban = access.Ban(principal="sa:gone", reason=REASON)
    return {
        "WhoAmI": accesses.WhoAmIRequest(),
        "CreateRoleBinding": accesses.CreateRoleBindingRequest(tenant=n.tenant, role_binding=binding),
        "ListRoleBindings": accesses.ListRoleBindingsRequest(tenant=n.tenant, principal="sa:new"),
        "DeleteRoleBinding": accesses.DeleteRoleBindingRequest(name=f"{n.inside}/roleBindings/{n.ulid}"),
        "CheckAccess": accesses.CheckAccessRequest(tenant=n.tenant, principal="sa:new", verb="read"),
        "ReviewAccess": accesses.ReviewAccessRequest(tenant=n.tenant, principal="sa:new"),
        "CreateAPIToken": accesses.CreateAPITokenRequest(tenant=n.tenant, api_token=token),
        "ListAPITokens": accesses.ListAPITokensRequest(tenant=n.tenant),
        "RevokeAPIToken": accesses.RevokeAPITokenRequest(name=f"{n.inside}/apiTokens/{n.ulid}"),
        "CreateBan": accesses.CreateBanRequest(tenant=n.tenant, ban=ban),
        "EndBan": accesses.EndBanRequest(name=f"{n.inside}/bans/{n.ulid}"),
        "ListBans": accesses.ListBansRequest(tenant=n.tenant, principal="sa:new"),
    }


def _catalog(n: Names) -> dict[str, Message]:
    service, environment = f"{n.inside}/services/{n.service}", f"{n.inside}/environments/{n.environment}"
    binding = catalog.ObserveOnlyBinding(
        service=n.service,
        environment=n.environment,
        owner="team-shop",
        reason=REASON,
        expire_time=ahead(days=5),
    )
    labels = {"risk": "high"}
    return {
        "CreateService": catalogs.CreateServiceRequest(
            tenant=n.tenant,
            service=catalog.Service(service_id=n.service, title="x", owner="shop", labels=labels),
        ),
        "GetService": catalogs.GetServiceRequest(name=service),
        "ListServices": catalogs.ListServicesRequest(tenant=n.tenant),
        "UpdateService": catalogs.UpdateServiceRequest(service=catalog.Service(name=service, etag="e")),
        "CreateEnvironment": catalogs.CreateEnvironmentRequest(
            tenant=n.tenant,
            environment=catalog.Environment(
                environment_id=n.environment, labels=labels, required_policies=["render"]
            ),
        ),
        "GetEnvironment": catalogs.GetEnvironmentRequest(name=environment),
        "ListEnvironments": catalogs.ListEnvironmentsRequest(tenant=n.tenant),
        "UpdateEnvironment": catalogs.UpdateEnvironmentRequest(
            environment=catalog.Environment(name=environment, etag="e")
        ),
        "CreateObserveOnlyBinding": catalogs.CreateObserveOnlyBindingRequest(
            tenant=n.tenant, binding=binding
        ),
        "ListObserveOnlyBindings": catalogs.ListObserveOnlyBindingsRequest(tenant=n.tenant),
        "EndObserveOnlyBinding": catalogs.EndObserveOnlyBindingRequest(
            name=f"{n.place}/observeOnlyBindings/{n.ulid}"
        ),
    }


def _decisions(n: Names) -> dict[str, Message]:
    decision = f"{n.release}/decisions/{n.ulid}"
    return {
        "Evaluate": decisions.EvaluateRequest(
            tenant=n.tenant, identity=identity(n), evidence=[item(n)], request_id="r-1"
        ),
        "GetDecision": decisions.GetDecisionRequest(name=decision),
        "ListDecisions": decisions.ListDecisionsRequest(tenant=n.tenant, release=n.release),
        "WatchDecision": decisions.WatchDecisionRequest(
            tenant=n.tenant, subscriptions=[watches.Subscription(release=n.release)]
        ),
        "ExplainDecision": decisions.ExplainDecisionRequest(name=decision),
        "SimulateDecision": decisions.SimulateDecisionRequest(
            tenant=n.tenant,
            identity=identity(n),
            evidence=[item(n)],
            policies=[policy.Policy(policy_id=n.policy, spec=spec())],
            policies_only=True,
            now=ahead(),
        ),
    }


def _evidence(n: Names) -> dict[str, Message]:
    return {
        "SubmitEvidence": evidences.SubmitEvidenceRequest(tenant=n.tenant, evidence=[item(n)]),
        "StreamEvidence": evidences.StreamEvidenceRequest(tenant=n.tenant, evidence=[item(n)]),
        "GetEvidence": evidences.GetEvidenceRequest(name=f"{n.inside}/evidence/{n.evidence}"),
        "ListEvidence": evidences.ListEvidenceRequest(
            tenant=n.tenant,
            release=n.release,
            kind="runtime_health",
            source="sa:ci",
            subject=item(n).subject,
        ),
        "CollectAttestations": evidences.CollectAttestationsRequest(
            release=n.release, images=[f"registry.example/{n.service}@sha256:{'a' * 64}"]
        ),
        "RevokeEvidence": evidences.RevokeEvidenceRequest(
            name=f"{n.inside}/evidence/{n.evidence}", reason=REASON
        ),
    }


def _policies(n: Names) -> dict[str, Message]:
    name = f"{n.inside}/policies/{n.policy}"
    made = policy.Policy(policy_id=n.policy, spec=spec())
    case = policies.PolicyTestCase(
        case_id="one", release=identity(n), now=ahead(), expected_verdict="VERDICT_HOLD"
    )
    case.evidence.add(input=item(n), source="sa:ci")
    case.expected_findings.add(rule="pinned", verdict="VERDICT_HOLD", reason="EVIDENCE_MISSING")
    return {
        "CreatePolicy": policies.CreatePolicyRequest(tenant=n.tenant, policy=made),
        "GetPolicy": policies.GetPolicyRequest(name=name),
        "ListPolicies": policies.ListPoliciesRequest(tenant=n.tenant),
        "UpdatePolicy": policies.UpdatePolicyRequest(policy=policy.Policy(name=name, spec=spec(), etag="e")),
        "DeletePolicy": policies.DeletePolicyRequest(name=name, etag="e"),
        "ListPolicyRevisions": policies.ListPolicyRevisionsRequest(name=name),
        "ProposePolicyChange": policies.ProposePolicyChangeRequest(
            policy=policy.Policy(name=name, spec=spec(), etag="e"), reason=REASON
        ),
        "GetPolicyChange": policies.GetPolicyChangeRequest(name=f"{n.inside}/policyChanges/{n.ulid}"),
        "ListPolicyChanges": policies.ListPolicyChangesRequest(tenant=n.tenant, policy=name),
        "WithdrawPolicyChange": policies.WithdrawPolicyChangeRequest(
            name=f"{n.inside}/policyChanges/{n.ulid}"
        ),
        "ApplyPolicyChange": policies.ApplyPolicyChangeRequest(name=f"{n.inside}/policyChanges/{n.ulid}"),
        "ValidatePolicy": policies.ValidatePolicyRequest(policy=made),
        "TestPolicy": policies.TestPolicyRequest(policy=made, cases=[case]),
    }


def _releases(n: Names) -> dict[str, Message]:
    return {
        "CreateRelease": releases.CreateReleaseRequest(tenant=n.tenant, identity=identity(n)),
        "GetRelease": releases.GetReleaseRequest(name=n.release),
        "ListReleases": releases.ListReleasesRequest(
            tenant=n.tenant, service=n.service, environment=n.environment, artifact_digest=n.digest
        ),
        "GetPassport": releases.GetPassportRequest(name=n.release),
        "ExportPassport": releases.ExportPassportRequest(name=n.release),
        "StartRollout": releases.StartRolloutRequest(
            release=n.release, decision=f"{n.release}/decisions/{n.ulid}"
        ),
        "FinishRollout": releases.FinishRolloutRequest(
            attempt=f"{n.release}/attempts/1", outcome="ATTEMPT_OUTCOME_FAILED", reason=REASON
        ),
    }


def _jobs(n: Names) -> dict[str, Message]:
    return {
        "ListDeadJobs": jobs.ListDeadJobsRequest(tenant=n.tenant),
        "RetryDeadJob": jobs.RetryDeadJobRequest(tenant=n.tenant, kind="notify", key="one"),
        "DiscardDeadJob": jobs.DiscardDeadJobRequest(
            tenant=n.tenant, kind="notify", key="one", reason=REASON
        ),
    }


def _windows(n: Names) -> dict[str, Message]:
    name = f"{n.release}/attempts/1/watchWindow"
    return {
        "GetWatchWindow": windows.GetWatchWindowRequest(name=name),
        "ListWatchWindows": windows.ListWatchWindowsRequest(
            tenant=n.tenant, service=n.service, environment=n.environment
        ),
        "AcknowledgeWatchWindow": windows.AcknowledgeWatchWindowRequest(name=name, reason=REASON),
        "CloseWatchWindow": windows.CloseWatchWindowRequest(
            name=name, outcome="WATCH_WINDOW_STATE_FAILED", reason=REASON
        ),
        "AdoptPolicies": windows.AdoptPoliciesRequest(name=name, reason=REASON, etag='"one"'),
    }


def _tenants(n: Names) -> dict[str, Message]:
    return {
        "CreateTenant": tenants.CreateTenantRequest(tenant=tenant.Tenant(tenant_id=n.tenant, title="x")),
        "GetTenant": tenants.GetTenantRequest(name=n.inside),
        "ListTenants": tenants.ListTenantsRequest(),
        "SuspendTenant": tenants.SuspendTenantRequest(name=n.inside),
        "UpdateTenant": tenants.UpdateTenantRequest(tenant=tenant.Tenant(name=n.inside, title="Acme")),
    }


def _trust(n: Names) -> dict[str, Message]:
    content = b'{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'
    root = trust.TrustedRoot(ref="root.json", sha256=f"sha256:{sha256(content).hexdigest()}", content=content)
    scope = trust.VouchingScope(kinds=["provenance"], services=[n.service], environments=["*"])
    rule = trust.SignerRule(
        name="ci",
        issuer=trust.ClaimMatch(exact="https://token.actions.githubusercontent.com"),
        identity=trust.ClaimMatch(pattern="https://github.com/acme/checkout/*"),
        scope=scope,
    )
    key = trust.TrustedKey(name="builder", pem=PUBLIC_KEY, scope=scope)
    given = trust.TrustConfiguration(
        name=f"{n.inside}/trust", roots=[root], rules=[rule], keys=[key], etag="e"
    )
    return {
        "GetTrust": trusts.GetTrustRequest(tenant=n.tenant),
        "UpdateTrust": trusts.UpdateTrustRequest(tenant=n.tenant, trust=given),
        "ListTrustRevisions": trusts.ListTrustRevisionsRequest(tenant=n.tenant),
    }


def _proofs(n: Names) -> dict[str, Message]:
    decision = f"{n.release}/decisions/{n.ulid}"
    return {
        "RedeemPermit": permits.RedeemPermitRequest(
            tenant=n.tenant, permit=b"{}", target="eu-1/shop/Rollout/app", artifact_digests=[n.digest]
        ),
        "ReportEnforcement": permits.ReportEnforcementRequest(
            decision=decision, enforcement="ENFORCEMENT_APPLIED", artifact_digests=[n.digest]
        ),
        "ListAuditEntries": audits.ListAuditEntriesRequest(
            tenant=n.tenant, subject=n.release, from_time=ahead(days=-1), to_time=ahead(days=1)
        ),
        "GetCheckpoint": audits.GetCheckpointRequest(tenant=n.tenant),
        "GetInclusionProof": audits.GetInclusionProofRequest(tenant=n.tenant, leaf_index=0),
        "GetConsistencyProof": audits.GetConsistencyProofRequest(tenant=n.tenant, size=1),
        "StreamAuditEntries": audits.StreamAuditEntriesRequest(tenant=n.tenant),
        "ListDuties": audits.ListDutiesRequest(
            tenant=n.tenant, from_time=ahead(days=-1), to_time=ahead(days=1), conflicts_only=True
        ),
        "GetLogFiles": audits.GetLogFilesRequest(tenant=n.tenant, paths=["tile/0/000"]),
    }
