"""PolicyService: convert, call, convert."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport.v1 import policy_service_pb2 as pb
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.services.policies import Policies
from release_passport_server.services.policy_changes import PolicyChanges
from release_passport_server.services.try_policy import TryPolicy
from release_passport_server.transport.grpc.handlers.asking import ask_of
from release_passport_server.wire import policies as wire
from release_passport_server.wire import policy_changes as change_wire
from release_passport_server.wire.fields import etag_violations, refuse
from release_passport_server.wire.paging import next_token, page_from_request
from release_passport_server.wire.policy_cases import case_result_to_proto, policy_cases


@dataclass(frozen=True, slots=True)
class PolicyHandlers:
    """Keeps policies, checks and tests them."""

    policies: Policies
    try_policy: TryPolicy
    changes: PolicyChanges

    async def CreatePolicy(
        self, principal: Principal, request: pb.CreatePolicyRequest
    ) -> pb.CreatePolicyResponse:
        """Register a new policy."""
        same_tenant(principal, request.tenant)
        policy_id, spec = wire.policy_to_create(request.policy)
        written = await self.policies.create(ask_of(principal, "CreatePolicy", request), policy_id, spec)
        shown = wire.policy_to_proto(principal.tenant, written.value)
        return pb.CreatePolicyResponse(policy=shown, revision=written.revision)

    async def GetPolicy(self, principal: Principal, request: pb.GetPolicyRequest) -> pb.GetPolicyResponse:
        """Return one policy."""
        document = await self.policies.get(principal, wire.policy_id_of(principal, request.name))
        return pb.GetPolicyResponse(policy=wire.policy_to_proto(principal.tenant, document))

    async def ListPolicies(
        self, principal: Principal, request: pb.ListPoliciesRequest
    ) -> pb.ListPoliciesResponse:
        """List policies by name."""
        same_tenant(principal, request.tenant)
        page = page_from_request(principal, "ListPolicies", request)
        listed = await self.policies.list(principal, page, deleted=request.show_deleted)
        return pb.ListPoliciesResponse(
            policies=[wire.policy_to_proto(principal.tenant, document) for document in listed.items],
            next_page_token=next_token(principal, "ListPolicies", request, listed.next_after),
        )

    async def UpdatePolicy(
        self, principal: Principal, request: pb.UpdatePolicyRequest
    ) -> pb.UpdatePolicyResponse:
        """Replace a policy."""
        policy_id, spec, etag = wire.policy_to_update(principal, request.policy)
        ask = ask_of(principal, "UpdatePolicy", request)
        written = await self.policies.update(ask, policy_id, spec, etag)
        shown = wire.policy_to_proto(principal.tenant, written.value)
        return pb.UpdatePolicyResponse(policy=shown, revision=written.revision)

    async def DeletePolicy(
        self, principal: Principal, request: pb.DeletePolicyRequest
    ) -> pb.DeletePolicyResponse:
        """Delete a policy softly."""
        policy_id = wire.policy_id_of(principal, request.name)
        refuse(list(etag_violations(request.etag, "etag")))
        ask = ask_of(principal, "DeletePolicy", request)
        written = await self.policies.delete(ask, policy_id, request.etag)
        shown = wire.policy_to_proto(principal.tenant, written.value)
        return pb.DeletePolicyResponse(policy=shown, revision=written.revision)

    async def ListPolicyRevisions(
        self, principal: Principal, request: pb.ListPolicyRevisionsRequest
    ) -> pb.ListPolicyRevisionsResponse:
        """List the revisions of one policy, newest first."""
        policy_id = wire.policy_id_of(principal, request.name)
        page = page_from_request(principal, "ListPolicyRevisions", request)
        listed = await self.policies.revisions(principal, policy_id, page)
        return pb.ListPolicyRevisionsResponse(
            policies=[wire.policy_to_proto(principal.tenant, document) for document in listed.items],
            next_page_token=next_token(principal, "ListPolicyRevisions", request, listed.next_after),
        )

    async def ProposePolicyChange(
        self, principal: Principal, request: pb.ProposePolicyChangeRequest
    ) -> pb.ProposePolicyChangeResponse:
        """Keep a change for another person to apply."""
        policy_id, spec, etag, reason = change_wire.change_to_propose(principal, request)
        ask = ask_of(principal, "ProposePolicyChange", request)
        written = await self.changes.propose(ask, policy_id, spec, etag, reason)
        shown = change_wire.change_to_proto(principal.tenant, written.value)
        return pb.ProposePolicyChangeResponse(change=shown, revision=written.revision)

    async def GetPolicyChange(
        self, principal: Principal, request: pb.GetPolicyChangeRequest
    ) -> pb.GetPolicyChangeResponse:
        """Return one proposed change."""
        shown = await self.changes.get(principal, change_wire.change_name(principal, request.name))
        return pb.GetPolicyChangeResponse(change=change_wire.change_to_proto(principal.tenant, shown))

    async def ListPolicyChanges(
        self, principal: Principal, request: pb.ListPolicyChangesRequest
    ) -> pb.ListPolicyChangesResponse:
        """List proposed changes, newest first."""
        same_tenant(principal, request.tenant)
        policy_id = change_wire.policy_wanted(principal, request.policy)
        page = page_from_request(principal, "ListPolicyChanges", request)
        listed = await self.changes.list(principal, policy_id, page)
        return pb.ListPolicyChangesResponse(
            changes=[change_wire.change_to_proto(principal.tenant, shown) for shown in listed.items],
            next_page_token=next_token(principal, "ListPolicyChanges", request, listed.next_after),
        )

    async def ApplyPolicyChange(
        self, principal: Principal, request: pb.ApplyPolicyChangeRequest
    ) -> pb.ApplyPolicyChangeResponse:
        """Make a change that somebody else proposed."""
        name = change_wire.change_name(principal, request.name)
        written = await self.changes.apply(ask_of(principal, "ApplyPolicyChange", request), name)
        shown, document = written.value
        return pb.ApplyPolicyChangeResponse(
            change=change_wire.change_to_proto(principal.tenant, shown),
            policy=wire.policy_to_proto(principal.tenant, document),
            revision=written.revision,
        )

    async def WithdrawPolicyChange(
        self, principal: Principal, request: pb.WithdrawPolicyChangeRequest
    ) -> pb.WithdrawPolicyChangeResponse:
        """Take a proposed change back."""
        name, reason = change_wire.change_to_withdraw(principal, request)
        ask = ask_of(principal, "WithdrawPolicyChange", request)
        written = await self.changes.withdraw(ask, name, reason)
        shown = change_wire.change_to_proto(principal.tenant, written.value)
        return pb.WithdrawPolicyChangeResponse(change=shown, revision=written.revision)

    async def ValidatePolicy(
        self, principal: Principal, request: pb.ValidatePolicyRequest
    ) -> pb.ValidatePolicyResponse:
        """Check a policy and change nothing."""
        _, spec = wire.policy_to_try(request.policy)
        problems, warnings = await self.policies.validate(principal, spec)
        return pb.ValidatePolicyResponse(problems=wire.problems_to_proto(problems), warnings=warnings)

    async def TestPolicy(self, principal: Principal, request: pb.TestPolicyRequest) -> pb.TestPolicyResponse:
        """Decide the given cases with the given policy and compare."""
        policy_id, spec = wire.policy_to_try(request.policy)
        cases = policy_cases(principal.tenant, request.cases)
        results = await self.try_policy(principal, policy_id, spec, cases)
        return pb.TestPolicyResponse(
            results=[case_result_to_proto(result) for result in results],
            passed=bool(results) and all(result.passed for result in results),
        )
