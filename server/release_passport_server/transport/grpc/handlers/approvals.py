"""ApprovalService and GroupService: convert, call, convert."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport.v1 import approval_service_pb2 as pb
from release_passport.v1 import decision_pb2
from release_passport.v1 import group_service_pb2 as groups_pb
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.domain.approving import CastVote
from release_passport_server.domain.record import DecisionRecord
from release_passport_server.services.approvals import Approvals
from release_passport_server.services.groups import Groups
from release_passport_server.transport.grpc.handlers.asking import ask_of
from release_passport_server.wire import approvals as wire
from release_passport_server.wire.decision import decision_from_body
from release_passport_server.wire.paging import next_token, page_from_request


@dataclass(frozen=True, slots=True)
class ApprovalHandlers:
    """Takes the votes of people."""

    approvals: Approvals

    async def Approve(self, principal: Principal, request: pb.ApproveRequest) -> pb.ApproveResponse:
        """Vote yes."""
        ballot = wire.approval_to_cast(principal, request)
        written, decided = await self.approvals.vote(ask_of(principal, "Approve", request), ballot)
        shown = wire.approval_to_proto(CastVote(written.value))
        return pb.ApproveResponse(approval=shown, decision=_decision(decided), revision=written.revision)

    async def Reject(self, principal: Principal, request: pb.RejectRequest) -> pb.RejectResponse:
        """Vote no."""
        ballot = wire.rejection_to_cast(principal, request)
        written, decided = await self.approvals.vote(ask_of(principal, "Reject", request), ballot)
        shown = wire.approval_to_proto(CastVote(written.value))
        return pb.RejectResponse(approval=shown, decision=_decision(decided), revision=written.revision)

    async def RevokeApproval(
        self, principal: Principal, request: pb.RevokeApprovalRequest
    ) -> pb.RevokeApprovalResponse:
        """Take a vote back."""
        ended = wire.vote_to_end(principal, request)
        written = await self.approvals.revoke(ask_of(principal, "RevokeApproval", request), ended)
        shown = wire.approval_to_proto(CastVote(written.value, "ENDED"))
        return pb.RevokeApprovalResponse(approval=shown, revision=written.revision)

    async def ResolveRejection(
        self, principal: Principal, request: pb.ResolveRejectionRequest
    ) -> pb.ResolveRejectionResponse:
        """End the rejection of somebody else."""
        ended = wire.vote_to_end(principal, request, least=wire.MIN_REASON)
        written = await self.approvals.resolve(ask_of(principal, "ResolveRejection", request), ended)
        shown = wire.approval_to_proto(CastVote(written.value, "ENDED"))
        return pb.ResolveRejectionResponse(approval=shown, revision=written.revision)

    async def GetApprovalRequest(
        self, principal: Principal, request: pb.GetApprovalRequestRequest
    ) -> pb.GetApprovalRequestResponse:
        """Return what is asked about a release."""
        found = await self.approvals.requests(principal, wire.about_of(principal, request))
        return pb.GetApprovalRequestResponse(requests=[wire.request_to_proto(one) for one in found])

    async def ListApprovals(
        self, principal: Principal, request: pb.ListApprovalsRequest
    ) -> pb.ListApprovalsResponse:
        """List the votes about a release, newest first."""
        release = wire.release_of(principal, request)
        page = page_from_request(principal, "ListApprovals", request)
        listed = await self.approvals.list(principal, release, page)
        return pb.ListApprovalsResponse(
            approvals=[wire.approval_to_proto(one) for one in listed.items],
            next_page_token=next_token(principal, "ListApprovals", request, listed.next_after),
        )

    async def ListPendingApprovals(
        self, principal: Principal, request: pb.ListPendingApprovalsRequest
    ) -> pb.ListPendingApprovalsResponse:
        """List what waits for votes."""
        same_tenant(principal, request.tenant)
        page = page_from_request(principal, "ListPendingApprovals", request)
        listed = await self.approvals.pending(principal, page, everybody=request.everybody)
        return pb.ListPendingApprovalsResponse(
            requests=[wire.request_to_proto(one) for one in listed.items],
            next_page_token=next_token(principal, "ListPendingApprovals", request, listed.next_after),
        )


@dataclass(frozen=True, slots=True)
class GroupHandlers:
    """Keeps the groups that vote together."""

    groups: Groups

    async def PutGroup(
        self, principal: Principal, request: groups_pb.PutGroupRequest
    ) -> groups_pb.PutGroupResponse:
        """Make a group, or replace its members."""
        same_tenant(principal, request.tenant)
        group = wire.group_to_put(request.group)
        written = await self.groups.put(ask_of(principal, "PutGroup", request), group)
        shown = wire.group_to_proto(principal.tenant, written.value)
        return groups_pb.PutGroupResponse(group=shown, revision=written.revision)

    async def DeleteGroup(
        self, principal: Principal, request: groups_pb.DeleteGroupRequest
    ) -> groups_pb.DeleteGroupResponse:
        """Delete a group."""
        name = wire.group_name(principal, request.name)
        written = await self.groups.delete(ask_of(principal, "DeleteGroup", request), name)
        return groups_pb.DeleteGroupResponse(revision=written.revision)

    async def ListGroups(
        self, principal: Principal, request: groups_pb.ListGroupsRequest
    ) -> groups_pb.ListGroupsResponse:
        """List groups."""
        same_tenant(principal, request.tenant)
        page = page_from_request(principal, "ListGroups", request)
        listed = await self.groups.list(principal, page)
        return groups_pb.ListGroupsResponse(
            groups=[wire.group_to_proto(principal.tenant, one) for one in listed.items],
            next_page_token=next_token(principal, "ListGroups", request, listed.next_after),
        )


def _decision(record: DecisionRecord | None) -> decision_pb2.Decision | None:
    return None if record is None else decision_from_body(record.body)
