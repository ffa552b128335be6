"""The calls about what people decide: votes, groups, waivers, overrides, freezes and changes of policies."""

from __future__ import annotations

from release_passport.connection import Connection
from release_passport.v1 import (
    approval_service_pb2,
    freeze_service_pb2,
    group_service_pb2,
    override_service_pb2,
    policy_service_pb2,
    waiver_service_pb2,
)


class PeopleCalls(Connection):
    """A part of the client; each method is one RPC."""

    def approve(
        self, request: approval_service_pb2.ApproveRequest, *, timeout: float | None = None
    ) -> approval_service_pb2.ApproveResponse:
        """Vote yes for a group."""
        return self.call("ApprovalService/Approve", request, approval_service_pb2.ApproveResponse, timeout)

    def reject(
        self, request: approval_service_pb2.RejectRequest, *, timeout: float | None = None
    ) -> approval_service_pb2.RejectResponse:
        """Vote no."""
        return self.call("ApprovalService/Reject", request, approval_service_pb2.RejectResponse, timeout)

    def revoke_approval(
        self, request: approval_service_pb2.RevokeApprovalRequest, *, timeout: float | None = None
    ) -> approval_service_pb2.RevokeApprovalResponse:
        """Take back a vote of the caller, yes or no."""
        return self.call(
            "ApprovalService/RevokeApproval", request, approval_service_pb2.RevokeApprovalResponse, timeout
        )

    def resolve_rejection(
        self, request: approval_service_pb2.ResolveRejectionRequest, *, timeout: float | None = None
    ) -> approval_service_pb2.ResolveRejectionResponse:
        """End the rejection of somebody else."""
        return self.call(
            "ApprovalService/ResolveRejection",
            request,
            approval_service_pb2.ResolveRejectionResponse,
            timeout,
        )

    def get_approval_request(
        self, request: approval_service_pb2.GetApprovalRequestRequest, *, timeout: float | None = None
    ) -> approval_service_pb2.GetApprovalRequestResponse:
        """Return what is asked about a release, exactly as a vote is bound to it."""
        return self.call(
            "ApprovalService/GetApprovalRequest",
            request,
            approval_service_pb2.GetApprovalRequestResponse,
            timeout,
        )

    def list_approvals(
        self, request: approval_service_pb2.ListApprovalsRequest, *, timeout: float | None = None
    ) -> approval_service_pb2.ListApprovalsResponse:
        """List the votes about a release, newest first."""
        return self.call(
            "ApprovalService/ListApprovals", request, approval_service_pb2.ListApprovalsResponse, timeout
        )

    def list_pending_approvals(
        self, request: approval_service_pb2.ListPendingApprovalsRequest, *, timeout: float | None = None
    ) -> approval_service_pb2.ListPendingApprovalsResponse:
        """List what waits for votes that the caller may cast, oldest first."""
        return self.call(
            "ApprovalService/ListPendingApprovals",
            request,
            approval_service_pb2.ListPendingApprovalsResponse,
            timeout,
        )

    def create_freeze(
        self, request: freeze_service_pb2.CreateFreezeRequest, *, timeout: float | None = None
    ) -> freeze_service_pb2.CreateFreezeResponse:
        """Make a freeze and names the rollouts that are under way in its scope."""
        return self.call(
            "FreezeService/CreateFreeze", request, freeze_service_pb2.CreateFreezeResponse, timeout
        )

    def update_freeze(
        self, request: freeze_service_pb2.UpdateFreezeRequest, *, timeout: float | None = None
    ) -> freeze_service_pb2.UpdateFreezeResponse:
        """Replace a freeze's times, scope and texts."""
        return self.call(
            "FreezeService/UpdateFreeze", request, freeze_service_pb2.UpdateFreezeResponse, timeout
        )

    def end_freeze(
        self, request: freeze_service_pb2.EndFreezeRequest, *, timeout: float | None = None
    ) -> freeze_service_pb2.EndFreezeResponse:
        """End a freeze now."""
        return self.call("FreezeService/EndFreeze", request, freeze_service_pb2.EndFreezeResponse, timeout)

    def get_freeze(
        self, request: freeze_service_pb2.GetFreezeRequest, *, timeout: float | None = None
    ) -> freeze_service_pb2.GetFreezeResponse:
        """Return a freeze."""
        return self.call("FreezeService/GetFreeze", request, freeze_service_pb2.GetFreezeResponse, timeout)

    def list_freezes(
        self, request: freeze_service_pb2.ListFreezesRequest, *, timeout: float | None = None
    ) -> freeze_service_pb2.ListFreezesResponse:
        """List freezes, newest first."""
        return self.call(
            "FreezeService/ListFreezes", request, freeze_service_pb2.ListFreezesResponse, timeout
        )

    def create_freeze_exemption(
        self, request: freeze_service_pb2.CreateFreezeExemptionRequest, *, timeout: float | None = None
    ) -> freeze_service_pb2.CreateFreezeExemptionResponse:
        """Exempt one release from a freeze."""
        return self.call(
            "FreezeService/CreateFreezeExemption",
            request,
            freeze_service_pb2.CreateFreezeExemptionResponse,
            timeout,
        )

    def end_freeze_exemption(
        self, request: freeze_service_pb2.EndFreezeExemptionRequest, *, timeout: float | None = None
    ) -> freeze_service_pb2.EndFreezeExemptionResponse:
        """End an exemption."""
        return self.call(
            "FreezeService/EndFreezeExemption",
            request,
            freeze_service_pb2.EndFreezeExemptionResponse,
            timeout,
        )

    def list_freeze_exemptions(
        self, request: freeze_service_pb2.ListFreezeExemptionsRequest, *, timeout: float | None = None
    ) -> freeze_service_pb2.ListFreezeExemptionsResponse:
        """List exemptions, newest first."""
        return self.call(
            "FreezeService/ListFreezeExemptions",
            request,
            freeze_service_pb2.ListFreezeExemptionsResponse,
            timeout,
        )

    def put_group(
        self, request: group_service_pb2.PutGroupRequest, *, timeout: float | None = None
    ) -> group_service_pb2.PutGroupResponse:
        """Make a group, or replaces its members."""
        return self.call("GroupService/PutGroup", request, group_service_pb2.PutGroupResponse, timeout)

    def delete_group(
        self, request: group_service_pb2.DeleteGroupRequest, *, timeout: float | None = None
    ) -> group_service_pb2.DeleteGroupResponse:
        """Delete a group."""
        return self.call("GroupService/DeleteGroup", request, group_service_pb2.DeleteGroupResponse, timeout)

    def list_groups(
        self, request: group_service_pb2.ListGroupsRequest, *, timeout: float | None = None
    ) -> group_service_pb2.ListGroupsResponse:
        """List groups by id."""
        return self.call("GroupService/ListGroups", request, group_service_pb2.ListGroupsResponse, timeout)

    def create_override(
        self, request: override_service_pb2.CreateOverrideRequest, *, timeout: float | None = None
    ) -> override_service_pb2.CreateOverrideResponse:
        """Overrule the findings of the newest decision of a release that is not out yet."""
        return self.call(
            "OverrideService/CreateOverride", request, override_service_pb2.CreateOverrideResponse, timeout
        )

    def record_override(
        self, request: override_service_pb2.RecordOverrideRequest, *, timeout: float | None = None
    ) -> override_service_pb2.RecordOverrideResponse:
        """Record after the fact what was done by hand while the gate could not be asked."""
        return self.call(
            "OverrideService/RecordOverride", request, override_service_pb2.RecordOverrideResponse, timeout
        )

    def withdraw_override(
        self, request: override_service_pb2.WithdrawOverrideRequest, *, timeout: float | None = None
    ) -> override_service_pb2.WithdrawOverrideResponse:
        """End an override."""
        return self.call(
            "OverrideService/WithdrawOverride",
            request,
            override_service_pb2.WithdrawOverrideResponse,
            timeout,
        )

    def review_override(
        self, request: override_service_pb2.ReviewOverrideRequest, *, timeout: float | None = None
    ) -> override_service_pb2.ReviewOverrideResponse:
        """Say that somebody other than its maker has looked at it."""
        return self.call(
            "OverrideService/ReviewOverride", request, override_service_pb2.ReviewOverrideResponse, timeout
        )

    def list_overrides(
        self, request: override_service_pb2.ListOverridesRequest, *, timeout: float | None = None
    ) -> override_service_pb2.ListOverridesResponse:
        """List overrides, newest first."""
        return self.call(
            "OverrideService/ListOverrides", request, override_service_pb2.ListOverridesResponse, timeout
        )

    def request_waiver(
        self, request: waiver_service_pb2.RequestWaiverRequest, *, timeout: float | None = None
    ) -> waiver_service_pb2.RequestWaiverResponse:
        """Ask for a waiver of a finding as it stands in the newest decision."""
        return self.call(
            "WaiverService/RequestWaiver", request, waiver_service_pb2.RequestWaiverResponse, timeout
        )

    def grant_waiver(
        self, request: waiver_service_pb2.GrantWaiverRequest, *, timeout: float | None = None
    ) -> waiver_service_pb2.GrantWaiverResponse:
        """Grant a waiver."""
        return self.call(
            "WaiverService/GrantWaiver", request, waiver_service_pb2.GrantWaiverResponse, timeout
        )

    def revoke_waiver(
        self, request: waiver_service_pb2.RevokeWaiverRequest, *, timeout: float | None = None
    ) -> waiver_service_pb2.RevokeWaiverResponse:
        """End a waiver or a request for one."""
        return self.call(
            "WaiverService/RevokeWaiver", request, waiver_service_pb2.RevokeWaiverResponse, timeout
        )

    def get_waiver(
        self, request: waiver_service_pb2.GetWaiverRequest, *, timeout: float | None = None
    ) -> waiver_service_pb2.GetWaiverResponse:
        """Return a waiver."""
        return self.call("WaiverService/GetWaiver", request, waiver_service_pb2.GetWaiverResponse, timeout)

    def list_waivers(
        self, request: waiver_service_pb2.ListWaiversRequest, *, timeout: float | None = None
    ) -> waiver_service_pb2.ListWaiversResponse:
        """List waivers, newest first."""
        return self.call(
            "WaiverService/ListWaivers", request, waiver_service_pb2.ListWaiversResponse, timeout
        )

    def propose_policy_change(
        self, request: policy_service_pb2.ProposePolicyChangeRequest, *, timeout: float | None = None
    ) -> policy_service_pb2.ProposePolicyChangeResponse:
        """Propose a change of a policy, for another person to apply."""
        return self.call(
            "PolicyService/ProposePolicyChange",
            request,
            policy_service_pb2.ProposePolicyChangeResponse,
            timeout,
        )

    def get_policy_change(
        self, request: policy_service_pb2.GetPolicyChangeRequest, *, timeout: float | None = None
    ) -> policy_service_pb2.GetPolicyChangeResponse:
        """Return one proposed change."""
        return self.call(
            "PolicyService/GetPolicyChange", request, policy_service_pb2.GetPolicyChangeResponse, timeout
        )

    def list_policy_changes(
        self, request: policy_service_pb2.ListPolicyChangesRequest, *, timeout: float | None = None
    ) -> policy_service_pb2.ListPolicyChangesResponse:
        """Return proposed changes, newest first."""
        return self.call(
            "PolicyService/ListPolicyChanges", request, policy_service_pb2.ListPolicyChangesResponse, timeout
        )

    def apply_policy_change(
        self, request: policy_service_pb2.ApplyPolicyChangeRequest, *, timeout: float | None = None
    ) -> policy_service_pb2.ApplyPolicyChangeResponse:
        """Make a change that somebody else proposed."""
        return self.call(
            "PolicyService/ApplyPolicyChange", request, policy_service_pb2.ApplyPolicyChangeResponse, timeout
        )

    def withdraw_policy_change(
        self, request: policy_service_pb2.WithdrawPolicyChangeRequest, *, timeout: float | None = None
    ) -> policy_service_pb2.WithdrawPolicyChangeResponse:
        """Take a proposed change back."""
        return self.call(
            "PolicyService/WithdrawPolicyChange",
            request,
            policy_service_pb2.WithdrawPolicyChangeResponse,
            timeout,
        )
