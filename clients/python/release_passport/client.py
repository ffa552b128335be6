"""The Python client: one method for each RPC, and one exception for whatever goes wrong."""

from __future__ import annotations

from release_passport.access_calls import AccessCalls
from release_passport.connection import Answers
from release_passport.connector_calls import ConnectorCalls
from release_passport.gate_calls import GateCalls
from release_passport.job_calls import JobCalls
from release_passport.notification_calls import NotificationCalls
from release_passport.people_calls import PeopleCalls
from release_passport.proof_calls import ProofCalls
from release_passport.v1 import (
    catalog_service_pb2,
    decision_service_pb2,
    evidence_service_pb2,
    policy_service_pb2,
    release_service_pb2,
)
from release_passport.window_calls import WindowCalls


class Client(
    AccessCalls,
    ConnectorCalls,
    GateCalls,
    JobCalls,
    NotificationCalls,
    PeopleCalls,
    ProofCalls,
    WindowCalls,
):
    """A connection to one server. Calls block; the client may be shared between threads.

    Every method takes the request message and returns the response message. What goes wrong is a `PassportAPIError`;
    no error is ever turned into an answer. A request that takes a `request_id` and has none gets a new one, so that
    the retries of this call are one change.
    """

    def evaluate(
        self, request: decision_service_pb2.EvaluateRequest, *, timeout: float | None = None
    ) -> decision_service_pb2.EvaluateResponse:
        """Decide one release, record the decision and return it."""
        return self.call("DecisionService/Evaluate", request, decision_service_pb2.EvaluateResponse, timeout)

    def watch_decision(
        self, request: decision_service_pb2.WatchDecisionRequest, *, timeout: float | None = None
    ) -> Answers[decision_service_pb2.WatchDecisionResponse]:
        """Return what one stream says until it ends or is closed; `watching.Watcher` goes on behind its end."""
        return self.stream(
            "DecisionService/WatchDecision", request, decision_service_pb2.WatchDecisionResponse, timeout
        )

    def get_decision(
        self, request: decision_service_pb2.GetDecisionRequest, *, timeout: float | None = None
    ) -> decision_service_pb2.GetDecisionResponse:
        """Return one decision."""
        return self.call(
            "DecisionService/GetDecision", request, decision_service_pb2.GetDecisionResponse, timeout
        )

    def list_decisions(
        self, request: decision_service_pb2.ListDecisionsRequest, *, timeout: float | None = None
    ) -> decision_service_pb2.ListDecisionsResponse:
        """Return decisions, newest first."""
        return self.call(
            "DecisionService/ListDecisions", request, decision_service_pb2.ListDecisionsResponse, timeout
        )

    def explain_decision(
        self, request: decision_service_pb2.ExplainDecisionRequest, *, timeout: float | None = None
    ) -> decision_service_pb2.ExplainDecisionResponse:
        """Replay a recorded decision and return its explanation in order."""
        return self.call(
            "DecisionService/ExplainDecision", request, decision_service_pb2.ExplainDecisionResponse, timeout
        )

    def simulate_decision(
        self, request: decision_service_pb2.SimulateDecisionRequest, *, timeout: float | None = None
    ) -> decision_service_pb2.SimulateDecisionResponse:
        """Return what would be decided, without recording it."""
        return self.call(
            "DecisionService/SimulateDecision",
            request,
            decision_service_pb2.SimulateDecisionResponse,
            timeout,
        )

    def submit_evidence(
        self, request: evidence_service_pb2.SubmitEvidenceRequest, *, timeout: float | None = None
    ) -> evidence_service_pb2.SubmitEvidenceResponse:
        """Store items, all or none, and return them."""
        return self.call(
            "EvidenceService/SubmitEvidence", request, evidence_service_pb2.SubmitEvidenceResponse, timeout
        )

    def get_evidence(
        self, request: evidence_service_pb2.GetEvidenceRequest, *, timeout: float | None = None
    ) -> evidence_service_pb2.GetEvidenceResponse:
        """Return one item."""
        return self.call(
            "EvidenceService/GetEvidence", request, evidence_service_pb2.GetEvidenceResponse, timeout
        )

    def list_evidence(
        self, request: evidence_service_pb2.ListEvidenceRequest, *, timeout: float | None = None
    ) -> evidence_service_pb2.ListEvidenceResponse:
        """Return items, newest first."""
        return self.call(
            "EvidenceService/ListEvidence", request, evidence_service_pb2.ListEvidenceResponse, timeout
        )

    def revoke_evidence(
        self, request: evidence_service_pb2.RevokeEvidenceRequest, *, timeout: float | None = None
    ) -> evidence_service_pb2.RevokeEvidenceResponse:
        """Take an item back, so that it stops counting."""
        return self.call(
            "EvidenceService/RevokeEvidence", request, evidence_service_pb2.RevokeEvidenceResponse, timeout
        )

    def create_release(
        self, request: release_service_pb2.CreateReleaseRequest, *, timeout: float | None = None
    ) -> release_service_pb2.CreateReleaseResponse:
        """Register a release, or return the one with the same identity."""
        return self.call(
            "ReleaseService/CreateRelease", request, release_service_pb2.CreateReleaseResponse, timeout
        )

    def get_release(
        self, request: release_service_pb2.GetReleaseRequest, *, timeout: float | None = None
    ) -> release_service_pb2.GetReleaseResponse:
        """Return one release."""
        return self.call(
            "ReleaseService/GetRelease", request, release_service_pb2.GetReleaseResponse, timeout
        )

    def list_releases(
        self, request: release_service_pb2.ListReleasesRequest, *, timeout: float | None = None
    ) -> release_service_pb2.ListReleasesResponse:
        """Return releases, newest first."""
        return self.call(
            "ReleaseService/ListReleases", request, release_service_pb2.ListReleasesResponse, timeout
        )

    def get_passport(
        self, request: release_service_pb2.GetPassportRequest, *, timeout: float | None = None
    ) -> release_service_pb2.GetPassportResponse:
        """Return all of a release."""
        return self.call(
            "ReleaseService/GetPassport", request, release_service_pb2.GetPassportResponse, timeout
        )

    def start_rollout(
        self, request: release_service_pb2.StartRolloutRequest, *, timeout: float | None = None
    ) -> release_service_pb2.StartRolloutResponse:
        """Open an attempt on the newest decision, which must allow and be valid."""
        return self.call(
            "ReleaseService/StartRollout", request, release_service_pb2.StartRolloutResponse, timeout
        )

    def finish_rollout(
        self, request: release_service_pb2.FinishRolloutRequest, *, timeout: float | None = None
    ) -> release_service_pb2.FinishRolloutResponse:
        """End the open attempt."""
        return self.call(
            "ReleaseService/FinishRollout", request, release_service_pb2.FinishRolloutResponse, timeout
        )

    def create_service(
        self, request: catalog_service_pb2.CreateServiceRequest, *, timeout: float | None = None
    ) -> catalog_service_pb2.CreateServiceResponse:
        """Register a service."""
        return self.call(
            "CatalogService/CreateService", request, catalog_service_pb2.CreateServiceResponse, timeout
        )

    def get_service(
        self, request: catalog_service_pb2.GetServiceRequest, *, timeout: float | None = None
    ) -> catalog_service_pb2.GetServiceResponse:
        """Return one service."""
        return self.call(
            "CatalogService/GetService", request, catalog_service_pb2.GetServiceResponse, timeout
        )

    def list_services(
        self, request: catalog_service_pb2.ListServicesRequest, *, timeout: float | None = None
    ) -> catalog_service_pb2.ListServicesResponse:
        """Return services by name."""
        return self.call(
            "CatalogService/ListServices", request, catalog_service_pb2.ListServicesResponse, timeout
        )

    def update_service(
        self, request: catalog_service_pb2.UpdateServiceRequest, *, timeout: float | None = None
    ) -> catalog_service_pb2.UpdateServiceResponse:
        """Replace a service whose etag is the current one."""
        return self.call(
            "CatalogService/UpdateService", request, catalog_service_pb2.UpdateServiceResponse, timeout
        )

    def create_environment(
        self, request: catalog_service_pb2.CreateEnvironmentRequest, *, timeout: float | None = None
    ) -> catalog_service_pb2.CreateEnvironmentResponse:
        """Register an environment."""
        return self.call(
            "CatalogService/CreateEnvironment",
            request,
            catalog_service_pb2.CreateEnvironmentResponse,
            timeout,
        )

    def get_environment(
        self, request: catalog_service_pb2.GetEnvironmentRequest, *, timeout: float | None = None
    ) -> catalog_service_pb2.GetEnvironmentResponse:
        """Return one environment."""
        return self.call(
            "CatalogService/GetEnvironment", request, catalog_service_pb2.GetEnvironmentResponse, timeout
        )

    def list_environments(
        self, request: catalog_service_pb2.ListEnvironmentsRequest, *, timeout: float | None = None
    ) -> catalog_service_pb2.ListEnvironmentsResponse:
        """Return environments by name."""
        return self.call(
            "CatalogService/ListEnvironments", request, catalog_service_pb2.ListEnvironmentsResponse, timeout
        )

    def update_environment(
        self, request: catalog_service_pb2.UpdateEnvironmentRequest, *, timeout: float | None = None
    ) -> catalog_service_pb2.UpdateEnvironmentResponse:
        """Replace an environment whose etag is the current one."""
        return self.call(
            "CatalogService/UpdateEnvironment",
            request,
            catalog_service_pb2.UpdateEnvironmentResponse,
            timeout,
        )

    def create_observe_only_binding(
        self, request: catalog_service_pb2.CreateObserveOnlyBindingRequest, *, timeout: float | None = None
    ) -> catalog_service_pb2.CreateObserveOnlyBindingResponse:
        """Let a service and environment go ahead while nothing is enforced there."""
        return self.call(
            "CatalogService/CreateObserveOnlyBinding",
            request,
            catalog_service_pb2.CreateObserveOnlyBindingResponse,
            timeout,
        )

    def list_observe_only_bindings(
        self, request: catalog_service_pb2.ListObserveOnlyBindingsRequest, *, timeout: float | None = None
    ) -> catalog_service_pb2.ListObserveOnlyBindingsResponse:
        """Return bindings, newest first."""
        return self.call(
            "CatalogService/ListObserveOnlyBindings",
            request,
            catalog_service_pb2.ListObserveOnlyBindingsResponse,
            timeout,
        )

    def end_observe_only_binding(
        self, request: catalog_service_pb2.EndObserveOnlyBindingRequest, *, timeout: float | None = None
    ) -> catalog_service_pb2.EndObserveOnlyBindingResponse:
        """End a binding now."""
        return self.call(
            "CatalogService/EndObserveOnlyBinding",
            request,
            catalog_service_pb2.EndObserveOnlyBindingResponse,
            timeout,
        )

    def create_policy(
        self, request: policy_service_pb2.CreatePolicyRequest, *, timeout: float | None = None
    ) -> policy_service_pb2.CreatePolicyResponse:
        """Register a policy."""
        return self.call(
            "PolicyService/CreatePolicy", request, policy_service_pb2.CreatePolicyResponse, timeout
        )

    def get_policy(
        self, request: policy_service_pb2.GetPolicyRequest, *, timeout: float | None = None
    ) -> policy_service_pb2.GetPolicyResponse:
        """Return one policy."""
        return self.call("PolicyService/GetPolicy", request, policy_service_pb2.GetPolicyResponse, timeout)

    def list_policies(
        self, request: policy_service_pb2.ListPoliciesRequest, *, timeout: float | None = None
    ) -> policy_service_pb2.ListPoliciesResponse:
        """Return policies by name."""
        return self.call(
            "PolicyService/ListPolicies", request, policy_service_pb2.ListPoliciesResponse, timeout
        )

    def update_policy(
        self, request: policy_service_pb2.UpdatePolicyRequest, *, timeout: float | None = None
    ) -> policy_service_pb2.UpdatePolicyResponse:
        """Replace a policy whose etag is the current one."""
        return self.call(
            "PolicyService/UpdatePolicy", request, policy_service_pb2.UpdatePolicyResponse, timeout
        )

    def delete_policy(
        self, request: policy_service_pb2.DeletePolicyRequest, *, timeout: float | None = None
    ) -> policy_service_pb2.DeletePolicyResponse:
        """Delete a policy softly; its revisions stay."""
        return self.call(
            "PolicyService/DeletePolicy", request, policy_service_pb2.DeletePolicyResponse, timeout
        )

    def list_policy_revisions(
        self, request: policy_service_pb2.ListPolicyRevisionsRequest, *, timeout: float | None = None
    ) -> policy_service_pb2.ListPolicyRevisionsResponse:
        """Return the revisions of one policy, newest first."""
        return self.call(
            "PolicyService/ListPolicyRevisions",
            request,
            policy_service_pb2.ListPolicyRevisionsResponse,
            timeout,
        )

    def validate_policy(
        self, request: policy_service_pb2.ValidatePolicyRequest, *, timeout: float | None = None
    ) -> policy_service_pb2.ValidatePolicyResponse:
        """Return what is wrong with a policy; nothing is changed."""
        return self.call(
            "PolicyService/ValidatePolicy", request, policy_service_pb2.ValidatePolicyResponse, timeout
        )

    def test_policy(
        self, request: policy_service_pb2.TestPolicyRequest, *, timeout: float | None = None
    ) -> policy_service_pb2.TestPolicyResponse:
        """Decide the given cases with the given policy alone, and compare."""
        return self.call("PolicyService/TestPolicy", request, policy_service_pb2.TestPolicyResponse, timeout)
