"""Votes and what is asked, as messages and as the domain's values."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from release_passport.v1 import approval_pb2, approval_service_pb2, group_service_pb2
from release_passport_server.domain.access import Principal, is_group, is_principal, same_tenant
from release_passport_server.domain.act_names import ApprovalName, GroupName
from release_passport_server.domain.acts import Group
from release_passport_server.domain.approving import About, Ballot, CastVote, Ended, Request
from release_passport_server.domain.authors import is_person
from release_passport_server.domain.errors import Violation
from release_passport_server.domain.ids import ReleaseName, is_slug
from release_passport_server.domain.people import FREEZE_RULE
from release_passport_server.wire.decision import finding_to_proto
from release_passport_server.wire.fields import MAX_TITLE, refuse, slug_violations, text_violations
from release_passport_server.wire.release import release_to_proto
from release_passport_server.wire.times import timestamp

MAX_REASON = 1024
MIN_REASON = 20
MAX_RULE = 512
MAX_ETAG = 128
MAX_MEMBERS = 1000

_UNSET = datetime.min.replace(tzinfo=UTC)
_APPROVE, _REJECT = approval_pb2.APPROVAL_DECISION_APPROVE, approval_pb2.APPROVAL_DECISION_REJECT

_Asking = (
    approval_service_pb2.ApproveRequest
    | approval_service_pb2.RejectRequest
    | approval_service_pb2.GetApprovalRequestRequest
)


def about_of(principal: Principal, request: _Asking) -> About:
    """Return what a request is about; raise Invalid or NotFound."""
    release = ReleaseName.parse(request.release, field="release")
    same_tenant(principal, release.tenant)
    refuse(list(_about_violations(request)))
    return About(release, request.policy, request.rule)


def approval_to_cast(principal: Principal, request: approval_service_pb2.ApproveRequest) -> Ballot:
    """Return a yes; raise Invalid or NotFound."""
    about = about_of(principal, request)
    group = [*slug_violations(request.group, "group")] if request.group else []
    refuse([*group, *text_violations(request.reason, "reason", most=MAX_REASON), *_etag(request.etag)])
    return Ballot(about, True, request.group, request.reason, request.etag)


def rejection_to_cast(principal: Principal, request: approval_service_pb2.RejectRequest) -> Ballot:
    """Return a no; raise Invalid or NotFound."""
    about = about_of(principal, request)
    reason = text_violations(request.reason, "reason", most=MAX_REASON, least=MIN_REASON)
    refuse([*reason, *_etag(request.etag)])
    return Ballot(about, False, "", request.reason, request.etag)


def vote_to_end(
    principal: Principal,
    request: approval_service_pb2.RevokeApprovalRequest | approval_service_pb2.ResolveRejectionRequest,
    *,
    least: int = 0,
) -> Ended:
    """Return which vote to end, and why; raise Invalid or NotFound."""
    name = ApprovalName.parse(request.name)
    same_tenant(principal, name.tenant)
    refuse(list(text_violations(request.reason, "reason", most=MAX_REASON, least=least)))
    return Ended(name, request.reason)


def release_of(principal: Principal, request: approval_service_pb2.ListApprovalsRequest) -> ReleaseName:
    """Return the release whose votes are listed; raise Invalid or NotFound."""
    release = ReleaseName.parse(request.release, field="release")
    same_tenant(principal, release.tenant)
    return release


def approval_to_proto(cast: CastVote) -> approval_pb2.Approval:
    """Return the resource that shows a vote."""
    vote = cast.vote
    return approval_pb2.Approval(
        name=vote.name,
        release=vote.release,
        policy=vote.policy,
        rule=vote.rule,
        vote=_APPROVE if vote.approves else _REJECT,
        group=vote.group,
        voter=vote.voter,
        reason=vote.reason,
        decision=vote.decision,
        release_digest=vote.release_digest,
        rule_digest=vote.rule_digest,
        create_time=timestamp(vote.create_time),
        expire_time=timestamp(vote.expire_time),
        end_time=None if vote.end_time is None else timestamp(vote.end_time),
        ended_by=vote.ended_by,
        end_reason=vote.end_reason,
        counts=not cast.not_counting,
        not_counting=cast.not_counting,
    )


def request_to_proto(request: Request) -> approval_pb2.ApprovalRequest:
    """Return everything that a vote is bound to."""
    finding, previous = request.finding, request.previous
    return approval_pb2.ApprovalRequest(
        release=request.release.name,
        policy=finding.policy,
        rule=finding.rule,
        title=finding.title,
        decision=request.decision,
        finding=finding_to_proto(finding),
        other_findings=[finding_to_proto(one) for one in request.others],
        subject=release_to_proto(request.release),
        previous=previous.name if previous else "",
        previous_subject=release_to_proto(previous) if previous else None,
        authors=sorted(request.authors.names),
        authors_known=request.authors.known,
        approvals=[approval_to_proto(one) for one in request.votes],
        your_groups=request.groups,
        why_not=request.why_not,
        etag=request.etag,
        ask_time=timestamp(request.ask_time),
    )


def group_to_put(given: group_service_pb2.Group) -> Group:
    """Return the group that a request gives; raise Invalid."""
    refuse(list(_group_violations(given)))
    return Group(given.group_id, given.title, tuple(dict.fromkeys(given.members)), _UNSET, _UNSET)


def group_name(principal: Principal, name: str) -> GroupName:
    """Return a group's name in the caller's tenant; raise Invalid or NotFound."""
    parsed = GroupName.parse(name)
    same_tenant(principal, parsed.tenant)
    return parsed


def group_to_proto(tenant: str, group: Group) -> group_service_pb2.Group:
    """Return the resource that shows a group."""
    return group_service_pb2.Group(
        name=str(GroupName(tenant, group.group_id)),
        group_id=group.group_id,
        title=group.title,
        members=group.members,
        create_time=timestamp(group.create_time),
        update_time=timestamp(group.update_time),
    )


def _about_violations(request: _Asking) -> Iterator[Violation]:
    if request.policy:
        yield from slug_violations(request.policy, "policy")
    yield from text_violations(request.rule, "rule", most=MAX_RULE)
    is_rule = is_slug(request.rule) and request.policy
    is_freeze = request.rule.startswith(FREEZE_RULE) and not request.policy
    if request.rule and not (is_rule or is_freeze):
        yield Violation("rule", "must be a rule's id with its policy, or freeze:{name} without a policy")
    if request.policy and not request.rule:
        yield Violation("rule", "is required where a policy is named")


def _etag(etag: str) -> Iterator[Violation]:
    if not etag:
        yield Violation("etag", "is required: read the request, and send the etag that it had then")
    else:
        yield from text_violations(etag, "etag", most=MAX_ETAG)


def _group_violations(given: group_service_pb2.Group) -> Iterator[Violation]:
    yield from slug_violations(given.group_id, "group.group_id")
    yield from text_violations(given.title, "group.title", most=MAX_TITLE)
    if not 1 <= len(given.members) <= MAX_MEMBERS:
        yield Violation("group.members", f"must name 1 to {MAX_MEMBERS} members")
    for index, member in enumerate(given.members[:MAX_MEMBERS]):
        if not (is_group(member) or (is_principal(member) and is_person(member))):
            text = "must be a person such as user:ada, or a provider's group such as group:okta/leads"
            yield Violation(f"group.members[{index}]", text)
