"""A place where risky releases wait for the votes of people, and those who make and approve them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from release_passport.v1 import (
    approval_pb2,
    approval_service_pb2,
    decision_pb2,
    decision_service_pb2,
    evidence_pb2,
    evidence_service_pb2,
    group_service_pb2,
    policy_pb2,
    policy_service_pb2,
    release_service_pb2,
    verdict_pb2,
)
from support.calls import Caller, somebody
from support.people_requests import REASON
from support.requests import Names, ahead, identity, request_for
from support.server import real_server

OURS = Names()
ALLOW, ASKS, BLOCK = (
    verdict_pb2.VERDICT_ALLOW,
    verdict_pb2.VERDICT_REQUIRE_APPROVAL,
    verdict_pb2.VERDICT_BLOCK,
)


@dataclass
class Place:
    """A server where risky releases of a service need approval, and those who make and approve them."""

    admin: Caller
    ci: Caller
    people: dict[str, Caller] = field(default_factory=dict)

    async def release(
        self,
        version: str,
        *,
        failed: int = 1,
        authors: tuple[str, ...] = ("user:dev",),
        digest: str = OURS.digest,
    ) -> str:
        """Return a new release of the pipeline, whose unit tests failed so often."""
        given = identity(OURS)
        given.version, given.authors[:] = version, authors
        given.artifacts[0].digest = digest
        made = await self.ci("CreateRelease", release_service_pb2.CreateReleaseRequest(identity=given))
        name = str(made.release.name)
        await self.submit(name, "change_ticket", approved=not failed)
        return name

    async def submit(self, release: str, kind: str, **facts: object) -> None:
        found = evidence_pb2.EvidenceFacts()
        ticket = evidence_pb2.ChangeTicket(system="jira", id="CHG-1", approved=bool(facts.get("approved")))
        report = evidence_pb2.PolicyReport(
            engine="kyverno", failed=int(str(facts.get("failed", 0))), passed=1
        )
        found.MergeFrom(
            evidence_pb2.EvidenceFacts(change_ticket=ticket)
            if kind == "change_ticket"
            else evidence_pb2.EvidenceFacts(policy_report=report)
        )
        item = evidence_pb2.EvidenceInput(
            subject=evidence_pb2.EvidenceSubject(release=release), facts=found, observe_time=ahead()
        )
        await self.admin("SubmitEvidence", evidence_service_pb2.SubmitEvidenceRequest(evidence=[item]))

    async def decided(self, release: str) -> decision_pb2.Decision:
        answer = await self.ci("Evaluate", decision_service_pb2.EvaluateRequest(release=release))
        found: decision_pb2.Decision = answer.decision
        return found

    async def asked(self, who: str, release: str) -> approval_pb2.ApprovalRequest:
        request = approval_service_pb2.GetApprovalRequestRequest(release=release)
        answer = await self.people[who]("GetApprovalRequest", request)
        found: approval_pb2.ApprovalRequest = answer.requests[0]
        return found

    async def ballot(self, who: str, release: str, group: str = "") -> approval_service_pb2.ApproveRequest:
        return approval_service_pb2.ApproveRequest(
            release=release, group=group, etag=(await self.asked(who, release)).etag
        )

    async def approve(self, who: str, release: str, group: str = "") -> approval_service_pb2.ApproveResponse:
        answer = await self.people[who]("Approve", await self.ballot(who, release, group))
        assert isinstance(answer, approval_service_pb2.ApproveResponse)
        return answer

    async def reject(self, who: str, release: str) -> approval_service_pb2.RejectResponse:
        request = approval_service_pb2.RejectRequest(
            release=release, reason=REASON, etag=(await self.asked(who, release)).etag
        )
        answer = await self.people[who]("Reject", request)
        assert isinstance(answer, approval_service_pb2.RejectResponse)
        return answer


def rules(**more: object) -> policy_pb2.PolicySpec:
    """Return a policy that asks two groups where no ticket was approved."""
    sources = ["sa:*", "user:*"]
    need = policy_pb2.Need(kind="change_ticket", sources=sources)
    groups = [policy_pb2.ApprovalGroup(group=one, count=1) for one in ("sre", "security")]
    asks = policy_pb2.Rule(
        rule_id="agreed",
        title="Is the change agreed on?",
        needs=[need],
        expect="evidence.change_ticket.approved",
        on_fail="VERDICT_REQUIRE_APPROVAL",
        approval=policy_pb2.ApprovalRequirement(groups=groups),
    )
    asks.MergeFrom(policy_pb2.Rule(**more))  # type: ignore[arg-type]
    return policy_pb2.PolicySpec(mode="POLICY_MODE_ENFORCE", rules=[asks])


def other_rules(maximum: int = 0) -> policy_pb2.PolicySpec:
    need = policy_pb2.Need(kind="policy_report", sources=["user:*"])
    rule = policy_pb2.Rule(
        rule_id="clean", needs=[need], expect=f"evidence.policy_report.failed <= {maximum}"
    )
    return policy_pb2.PolicySpec(mode="POLICY_MODE_ENFORCE", rules=[rule])


@asynccontextmanager
async def voting(folder: Path, spec: policy_pb2.PolicySpec | None = None) -> AsyncIterator[Place]:
    """Serve a place whose policy asks the groups sre and security, unless another one is given."""
    async with real_server(folder) as running:
        admin = Caller(running, running.token)
        for name in ("CreateService", "CreateEnvironment"):
            await admin(name, request_for(name, OURS))
        made = policy_pb2.Policy(policy_id=OURS.policy, spec=spec or rules())
        await admin("CreatePolicy", policy_service_pb2.CreatePolicyRequest(policy=made))
        for group, members in (("sre", ["user:ada", "user:both"]), ("security", ["user:eve", "user:both"])):
            given = group_service_pb2.Group(group_id=group, members=members)
            await admin("PutGroup", group_service_pb2.PutGroupRequest(group=given))
        found = Place(admin, await somebody(admin, "sa:ci", "ci"))
        for who in ("user:ada", "user:eve", "user:both", "user:dev", "user:nobody"):
            found.people[who] = await somebody(admin, who, "approver")
        yield found
