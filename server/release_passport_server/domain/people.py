"""What people's acts do to findings: waivers, votes and freezes first, and overrides on the effective verdict alone.

Each act counts against what it names and nothing else; whatever is not in force is not here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from release_passport_server.domain.acts import Code
from release_passport_server.domain.outcome import Applied, Finding, Reason
from release_passport_server.domain.policy import ApprovalGroup, ApprovalRequirement, Policy, Rule
from release_passport_server.domain.verdict import Mode, Stage, Verdict

# A finding of the server itself about a freeze stands under this and the freeze's name.
FREEZE_RULE = "freeze:"
FINISH = "FINISH"
OVERRIDDEN = "OVERRIDDEN"
WAIVED = "WAIVED"

_WORD = re.compile(r"\w+")
# What is not known is one thing, however it comes that it is not.
_UNKNOWN = frozenset(
    {
        Reason.EVIDENCE_MISSING,
        Reason.EVIDENCE_STALE,
        Reason.EVIDENCE_UNTRUSTED,
        Reason.SETTLING,
        Reason.WARMING_UP,
    }
)
# No waiver covers these: they say that nobody knows, or that a canary degraded.
_NEVER_WAIVED = frozenset(
    {
        Reason.EVALUATION_ERROR,
        Reason.EVIDENCE_CONFLICT,
        Reason.ROLLBACK_LATCHED,
        Reason.PREVIOUSLY_DEGRADED,
        Reason.ANALYSIS_INCONCLUSIVE,
    }
)


class CountedVote(NamedTuple):
    """A vote in force by somebody who may still cast it."""

    name: str
    digest: str
    policy: str
    rule: str
    rule_digest: str
    approves: bool
    group: str
    voter: str
    seen: tuple[Code, ...]
    expire_time: datetime


class StandingWaiver(NamedTuple):
    """A waiver in force."""

    name: str
    digest: str
    policy: str
    rule: str
    rule_digest: str
    reason: str
    artifact: str
    key: str
    fingerprint: str
    owner: str
    expire_time: datetime


class StandingOverride(NamedTuple):
    """An override in force that has admitted nothing yet."""

    name: str
    digest: str
    overrules: tuple[Code, ...]
    principal: str
    expire_time: datetime


class StandingFreeze(NamedTuple):
    """A freeze that is on for this release; it ends at `until_time`, and `exemption` names a person's exemption."""

    name: str
    digest: str
    title: str
    in_flight: str
    until_time: datetime
    exemption: str
    exemption_digest: str
    exempt_groups: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class People:
    """What people's acts come to for one release, at the time of the decision."""

    votes: tuple[CountedVote, ...] = ()
    waivers: tuple[StandingWaiver, ...] = ()
    overrides: tuple[StandingOverride, ...] = ()
    freezes: tuple[StandingFreeze, ...] = ()
    # When the next freeze begins that is not on yet: no decision is valid across it.
    freeze_time: datetime | None = None
    # Without knowing the authors one vote more is asked for.
    authors_known: bool = True
    # An override of this service that nobody has looked at in time.
    unreviewed: str = ""
    # What identifies the failing facts of an item, by the item's name; only there where waivers are.
    fingerprints: Mapping[str, str] = field(default_factory=dict)


NOBODY = People()


def code_of(finding: Finding) -> Code:
    """Return a finding as a person sees it: neither values nor texts, and all that is unknown is alike."""
    reason = "UNKNOWN" if finding.reason in _UNKNOWN else finding.reason.value
    return (finding.policy, finding.rule, finding.artifact, finding.key, reason, int(finding.verdict))


def seen_codes(findings: Iterable[Finding]) -> tuple[Code, ...]:
    """Return what a vote is bound to: every finding of a rule that passes neither by itself nor by a vote."""
    shown = {code_of(f) for f in findings if f.policy and f.verdict > Verdict.ALLOW and f.approval is None}
    return tuple(sorted(shown))


def still_seen(seen: Iterable[Code], shown: Iterable[Code]) -> bool:
    """Say whether nothing stands against the release that a voter did not see, at least as strict."""
    known = {code[:5]: code[5] for code in seen}
    return all(code[:5] in known and code[5] <= known[code[:5]] for code in shown)


def waivable(finding: Finding, rule: Rule) -> bool:
    """Say whether a waiver may cover a finding of a rule."""
    if finding.verdict <= Verdict.ALLOW_WITH_CANARY or finding.verdict is Verdict.ROLLBACK_RECOMMENDED:
        return False
    if finding.reason in _NEVER_WAIVED:
        return False
    attested = any(need.of_kind.attestation for need in rule.needs)
    return rule.waivable and not (attested and finding.reason is Reason.EVIDENCE_UNVERIFIED)


def fingerprint(finding: Finding, fingerprints: Mapping[str, str], expression: str = "") -> str:
    """Return what tells the failing facts of a finding from others: their identities, not their values.

    Of the facts only those count that the rule's `expression` reads; all of them where that is not known.
    """
    marks = {finding.path} if finding.path else set()
    if finding.reason is Reason.EVIDENCE_MISSING and not finding.evidence:
        # Which kind is missing, and of what, stands nowhere else.
        marks.add(finding.message)
    for item in finding.evidence:
        marks.update(marks_read(fingerprints.get(item.name, ""), (expression,)))
    return "\n".join(sorted(marks))


def marks_read(text: str, expressions: Iterable[str]) -> list[str]:
    """Return the marks of facts that any of the expressions reads.

    The first line of `text` says what the facts are about. Each other one is `fields: mark`, and counts where one of
    the fields is read; one of the field `*` always does.
    """
    about, *lines = text.splitlines() or [""]
    words: set[str] = set()
    for expression in expressions:
        words.update(_WORD.findall(expression))
        if not expression or "variables" in words:
            # What a variable reads is not to be seen here.
            return [about, *(f"{about}: {line.partition(': ')[2]}" for line in lines)]
    read = [line.partition(": ") for line in lines]
    words.add("*")
    return [about, *(f"{about}: {mark}" for fields, _, mark in read if not words.isdisjoint(fields.split()))]


def lifted(people: People, asked: Sequence[tuple[Policy, list[Finding]]]) -> list[list[Finding]]:
    """Return the findings of each policy after waivers and votes."""
    waived = [[_waived(people, policy, finding) for finding in found] for policy, found in asked]
    shown = seen_codes(finding for found in waived for finding in found)
    votes = [vote for vote in people.votes if not vote.approves or still_seen(vote.seen, shown)]
    return [
        [_voted(people, _rule(policy, finding), finding, votes) for finding in found]
        for (policy, _), found in zip(asked, waived, strict=True)
    ]


def frozen(people: People, stage: Stage) -> list[Finding]:
    """Return what freezes say at a stage; the votes for exempt releases are counted."""
    findings = []
    # Of freezes that overlap the last one counts: before it ends nothing starts.
    last = max((one.until_time for one in people.freezes if not one.exemption), default=None)
    for freeze in people.freezes:
        if stage is Stage.WATCH and freeze.in_flight == FINISH:
            continue
        finding = _frozen(freeze, stage)
        if finding.verdict is Verdict.HOLD:
            finding = finding._replace(next_eligible_time=last)
        if finding.approval is not None:
            finding = _counted(people, finding, freeze.digest, people.votes)
        findings.append(finding)
    return findings


def overruled(people: People, findings: Sequence[Finding]) -> tuple[list[Finding], tuple[Applied, ...]]:
    """Return the findings as they count, those that an override names as passed, and the overrides that did that.

    They stay: where everything is overruled the release goes, and where there is nothing at all it does not.
    """
    counted, used = [], {}
    for finding in findings:
        code = code_of(finding)
        override = next((one for one in people.overrides if code in one.overrules), None)
        if override is None or finding.verdict <= Verdict.ALLOW_WITH_CANARY:
            counted.append(finding)
        else:
            counted.append(finding._replace(verdict=Verdict.ALLOW, next_eligible_time=None))
            used[override.name] = Applied(override.name, override.digest, override.principal)
    return counted, tuple(used.values())


def ends(people: People, findings: Iterable[Finding], overrides: Iterable[Applied]) -> list[datetime]:
    """Return when acts stop counting that a decision rests on, and when the next freeze begins."""
    names = {applied.name for finding in findings for applied in finding.lifted_by}
    names.update(applied.name for applied in overrides)
    times = [vote.expire_time for vote in people.votes if vote.name in names]
    times += [waiver.expire_time for waiver in people.waivers if waiver.name in names]
    times += [override.expire_time for override in people.overrides if override.name in names]
    return times if people.freeze_time is None else [*times, people.freeze_time]


def _waived(people: People, policy: Policy, finding: Finding) -> Finding:
    rule = _rule(policy, finding)
    if rule is None or not people.waivers or not waivable(finding, rule):
        return finding
    mark = fingerprint(finding, people.fingerprints, rule.compiled.expect.source)
    for waiver in people.waivers:
        names = (waiver.policy, waiver.rule, waiver.artifact, waiver.key)
        if names != (finding.policy, finding.rule, finding.artifact, finding.key):
            continue
        if (waiver.rule_digest, waiver.reason, waiver.fingerprint) == (rule.digest, finding.reason, mark):
            return finding._replace(
                verdict=Verdict.ALLOW,
                reason=Reason.WAIVED,
                message=f"waived until {waiver.expire_time:%Y-%m-%d %H:%M} UTC: {finding.message}",
                next_action="",
                next_eligible_time=None,
                approval=None,
                who_can_act=(waiver.owner,),
                lifted_by=(Applied(waiver.name, waiver.digest, waiver.owner),),
            )
    return finding


def _voted(people: People, rule: Rule | None, finding: Finding, votes: Sequence[CountedVote]) -> Finding:
    if rule is None or rule.approval is None:
        return finding
    asked = finding if finding.approval is not None else finding._replace(approval=rule.approval)
    vetoed = _rejected(asked, rule.digest, votes)
    if vetoed is not None:
        return vetoed
    return finding if finding.approval is None else _counted(people, finding, rule.digest, votes)


def _counted(people: People, finding: Finding, digest: str, votes: Sequence[CountedVote]) -> Finding:
    """Return a finding that asks for votes with those that were given: approved where they are enough."""
    vetoed = _rejected(finding, digest, votes)
    if vetoed is not None:
        return vetoed
    assert finding.approval is not None
    given = [vote for vote in _about(finding, digest, votes) if vote.approves]
    lacking = [f"{missing} of {group}" for group, missing in _lacking(finding.approval, given) if missing]
    enough = sum(group.count for group in finding.approval.groups) + (not people.authors_known)
    voters = {vote.voter for vote in given}
    if not lacking and len(voters) < enough:
        lacking = ["1 more, because it is not known who the authors are"]
    applied = tuple(Applied(vote.name, vote.digest, vote.voter) for vote in given)
    if lacking:
        text = f"{finding.message}; votes so far: {len(voters)}, still needed: {', '.join(lacking)}"
        return finding._replace(message=text, lifted_by=applied)
    text = f"approved by {', '.join(sorted(voters))}: {finding.message}"
    return finding._replace(
        verdict=Verdict.ALLOW,
        reason=Reason.APPROVED,
        message=text,
        next_action="",
        next_eligible_time=None,
        lifted_by=applied,
    )


def _lacking(asked: ApprovalRequirement, given: Sequence[CountedVote]) -> list[tuple[str, int]]:
    """Return how many votes each group lacks; nobody counts twice, in whatever groups they are."""
    counted: set[str] = set()
    lacking = []
    for group in asked.groups:
        voters = {vote.voter for vote in given if vote.group == group.group} - counted
        taken = sorted(voters)[: group.count]
        counted.update(taken)
        lacking.append((group.group, group.count - len(taken)))
    return lacking


def _rejected(finding: Finding, digest: str, votes: Sequence[CountedVote]) -> Finding | None:
    vetoes = [vote for vote in _about(finding, digest, votes) if not vote.approves]
    if not vetoes:
        return None
    return finding._replace(
        verdict=Verdict.BLOCK,
        reason=Reason.REJECTED,
        message=f"rejected by {', '.join(sorted({vote.voter for vote in vetoes}))}",
        next_action="Have who rejected it withdraw that, or somebody resolve it who may and is no author.",
        who_can_act=tuple(sorted({vote.voter for vote in vetoes})),
        next_eligible_time=max(vote.expire_time for vote in vetoes),
        lifted_by=tuple(Applied(vote.name, vote.digest, vote.voter) for vote in vetoes),
    )


def _about(finding: Finding, digest: str, votes: Sequence[CountedVote]) -> list[CountedVote]:
    return [v for v in votes if (v.policy, v.rule, v.rule_digest) == (finding.policy, finding.rule, digest)]


def _frozen(freeze: StandingFreeze, stage: Stage) -> Finding:
    rule = f"{FREEZE_RULE}{freeze.name}"
    until = f"{freeze.until_time:%Y-%m-%d %H:%M} UTC"
    if stage is Stage.WATCH:
        verdict = {"HOLD": Verdict.HOLD, "ROLLBACK": Verdict.ROLLBACK_RECOMMENDED}[freeze.in_flight]
        text = f"frozen until {until}, rollouts in flight too: {freeze.title}"
        return Finding(verdict, Reason.FROZEN, text, rule=rule, next_eligible_time=freeze.until_time)
    if not freeze.exemption:
        return Finding(
            Verdict.HOLD,
            Reason.FROZEN,
            f"frozen until {until}: {freeze.title}",
            rule=rule,
            next_action="Wait for the end of the freeze, or have somebody exempt this release from it.",
            next_eligible_time=freeze.until_time,
        )
    exempt = (Applied(freeze.exemption, freeze.exemption_digest, ""),)
    if not freeze.exempt_groups:
        text = f"exempt from the freeze until {until}: {freeze.title}"
        return Finding(Verdict.ALLOW, Reason.FREEZE_EXEMPT, text, rule=rule, lifted_by=exempt)
    groups = tuple(ApprovalGroup(group, count) for group, count in freeze.exempt_groups)
    return Finding(
        Verdict.REQUIRE_APPROVAL,
        Reason.FREEZE_EXEMPT,
        f"exempt from the freeze {freeze.title}, if approved",
        rule=rule,
        next_action="Have the groups named here approve: `passport approve`.",
        who_can_act=tuple(group.group for group in groups),
        next_eligible_time=freeze.until_time,
        approval=ApprovalRequirement(groups),
        lifted_by=exempt,
        mode=Mode.ENFORCE,
    )


def _rule(policy: Policy, finding: Finding) -> Rule | None:
    return next((rule for rule in policy.rules if rule.rule_id == finding.rule), None)
