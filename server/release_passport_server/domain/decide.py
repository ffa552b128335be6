"""The decision: a pure function of a case and a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from release_passport_server.domain.blind import blinded
from release_passport_server.domain.case import Case
from release_passport_server.domain.judge import judge
from release_passport_server.domain.outcome import (
    Applied,
    Finding,
    NotApplicable,
    Outcome,
    PolicyResult,
    Reason,
)
from release_passport_server.domain.people import NOBODY, OVERRIDDEN, WAIVED, frozen, lifted, overruled
from release_passport_server.domain.people import ends as acts_end
from release_passport_server.domain.policy import MAX_VALIDITY, Policy, combined_canary, combined_watch
from release_passport_server.domain.question import Hearing
from release_passport_server.domain.release import Latch
from release_passport_server.domain.restore import RESTORED, goes_back, restoring
from release_passport_server.domain.texts import next_action
from release_passport_server.domain.verdict import Mode, Stage, Verdict, strictest

# A decision that depends on the time of day stands no longer than this.
TIME_DEPENDENT_VALIDITY = timedelta(seconds=60)
OBSERVE_ONLY = "OBSERVE_ONLY"


class _Judged(NamedTuple):
    """What one matching policy came to."""

    policy: Policy
    findings: list[Finding]
    skipped: list[NotApplicable]
    reads_now: bool


def decide(case: Case, *, now: datetime) -> Outcome:
    """Return the strictest verdict over all rules, with the finding behind each and until when it stands."""
    place = case.place
    if not (place.service_known and place.environment_known):
        return _unknown_place(case)
    hearing = Hearing(case, now)
    judged = [_judge_policy(policy, hearing) for policy in case.policies if policy.match.selects(place)]
    people = case.people
    if people is not NOBODY:
        asked = lifted(people, [(one.policy, one.findings) for one in judged])
        judged = [one._replace(findings=found) for one, found in zip(judged, asked, strict=True)]
    binding = Mode.ENFORCE
    enforced = [one for one in judged if one.policy.mode is binding]
    of_rules = [finding for one in judged for finding in one.findings]
    of_engine = _engine_findings(case, judged, enforced, of_rules)
    only_effective, weakenings = _enforcement(case, judged, enforced)
    verdict = _verdict(case, [one.policy for one in judged], [*of_engine, *of_rules])
    counted = [f for f in (*of_engine, *of_rules, *only_effective) if f.mode is binding]
    policies = [one.policy for one in enforced]
    back = goes_back(case, policies, counted)
    overrides: tuple[Applied, ...] = ()
    if people.overrides and not back and case.stage is Stage.PRE_ROLLOUT:
        counted, overrides = overruled(people, counted)
    if OBSERVE_ONLY in weakenings:
        counted = [f for f in counted if f.reason not in (Reason.NO_POLICY_MATCHED, Reason.NO_RULE_APPLIED)]
        effective = strictest((f.verdict for f in counted), Verdict.ALLOW)
    else:
        effective = _verdict(case, policies, counted)
    if back:
        of_engine.append(restoring(case))
        weakenings = weakenings if effective.allows else (*weakenings, RESTORED)
        effective = Verdict.ALLOW
    watch = combined_watch([policy.watch for policy in policies if policy.watch is not None])
    held_since = case.held.since if case.held and effective is Verdict.HOLD else None
    if effective is Verdict.HOLD and (blind := blinded(case, watch, counted, now)) is not None:
        of_engine.append(blind)
        verdict, effective = strictest([verdict, blind.verdict]), blind.verdict
    if people is not NOBODY:
        weakenings = (*weakenings, *_weakened(of_rules, overrides))
    findings = sorted((*of_engine, *of_rules, *only_effective), key=_order)
    rolls_back = Verdict.ROLLBACK_RECOMMENDED in (verdict, effective)
    return Outcome(
        stage=case.stage,
        verdict=verdict,
        effective_verdict=effective,
        findings=tuple(findings),
        policy_results=tuple([_result(case, one) for one in judged]),
        canary=None if back else combined_canary([p.canary for p in policies if p.canary is not None]),
        watch=watch,
        valid_until=_valid_until(case, enforced, counted, overrides, now) if effective.allows else None,
        next_eligible_time=None if effective.allows else _next_eligible(counted),
        rollback_target=case.rollback_target if rolls_back else "",
        weakenings=weakenings,
        latching=_latching(case, of_rules),
        overrides=overrides,
        held_since=held_since,
    )


def _judge_policy(policy: Policy, hearing: Hearing) -> _Judged:
    findings: list[Finding] = []
    skipped: list[NotApplicable] = []
    reads_now = False
    for rule in policy.rules:
        answer = judge(policy, rule, hearing)
        if isinstance(answer, NotApplicable):
            skipped.append(answer)
            reads_now = reads_now or (answer.reason == "WHEN_FALSE" and rule.compiled.reads_now)
        else:
            findings.extend(answer)
            reads_now = reads_now or rule.compiled.reads_now
    return _Judged(policy, findings, skipped, reads_now)


def _result(case: Case, judged: _Judged) -> PolicyResult:
    policy, findings = judged.policy, judged.findings
    verdict = _verdict(case, [policy], findings) if findings else None
    return PolicyResult(
        policy.policy_id, policy.revision, policy.digest, policy.mode, verdict, tuple(judged.skipped)
    )


def _verdict(case: Case, policies: Sequence[Policy], findings: Sequence[Finding]) -> Verdict:
    verdict = strictest([finding.verdict for finding in findings])
    if verdict is Verdict.ALLOW and case.stage is Stage.PRE_ROLLOUT:
        for policy in policies:
            if policy.watch is not None or policy.canary is not None:
                return Verdict.ALLOW_WITH_CANARY
    return verdict


def _engine_findings(
    case: Case, judged: list[_Judged], enforced: list[_Judged], of_rules: list[Finding]
) -> list[Finding]:
    """Return what the engine finds beside the rules; these bind whatever the policies' modes."""
    findings = _latched(case, of_rules) if case.latches else []
    if case.place.required_policies:
        findings.extend(_required(case, enforced))
    if case.release.overtaken_by and not case.release.is_restore and case.stage is Stage.PRE_ROLLOUT:
        text = f"{case.release.overtaken_by} was made later and has been rolled out there"
        findings.append(_engine(Verdict.REQUIRE_APPROVAL, Reason.OUT_OF_ORDER, text))
    if not judged:
        findings.append(_engine(Verdict.HOLD, Reason.NO_POLICY_MATCHED, "no policy matches this release"))
    elif not of_rules and case.stage is Stage.PRE_ROLLOUT:
        text = "policies match, but none of their rules applies"
        findings.append(_engine(Verdict.HOLD, Reason.NO_RULE_APPLIED, text))
    if case.stage is Stage.WATCH:
        findings.extend(_grounded(case, of_rules))
    if case.foreign_images:
        text = f"the rollout brings {', '.join(case.foreign_images)}, which the release does not have"
        findings.append(_engine(Verdict.HOLD, Reason.ARTIFACT_NOT_COVERED, text))
    if case.people is not NOBODY:
        findings.extend(_of_people(case, of_rules))
    return findings


def _of_people(case: Case, of_rules: list[Finding]) -> list[Finding]:
    """Return what stands because of what people did: freezes, and exceptions that went too far."""
    findings = frozen(case.people, case.stage)
    if not case.people.authors_known and any(one.approval is not None for one in (*findings, *of_rules)):
        text = "nobody can tell who made this release: one vote more than the policy says is asked for"
        findings.append(
            Finding(
                Verdict.ALLOW, Reason.AUTHORS_UNKNOWN, text, next_action=next_action(Reason.AUTHORS_UNKNOWN)
            )
        )
    if case.stage is not Stage.PRE_ROLLOUT:
        return findings
    if case.people.unreviewed:
        text = (
            f"{case.people.unreviewed} let a release of this service go, and nobody has reviewed it in time"
        )
        findings.append(_engine(Verdict.REQUIRE_APPROVAL, Reason.OVERRIDE_UNREVIEWED, text))
    if of_rules and all(finding.reason is Reason.WAIVED for finding in of_rules):
        text = "every rule that applies was waived"
        findings.append(_engine(Verdict.REQUIRE_APPROVAL, Reason.ALL_RULES_WAIVED, text))
    return findings


def _weakened(of_rules: list[Finding], overrides: tuple[Applied, ...]) -> list[str]:
    waived = any(finding.reason is Reason.WAIVED for finding in of_rules)
    return [WAIVED] * waived + [OVERRIDDEN] * bool(overrides)


def _grounded(case: Case, of_rules: list[Finding]) -> list[Finding]:
    ground = case.ground
    if ground is None:
        text = "the attempt stands on no allowing decision"
        return [_engine(Verdict.HOLD, Reason.GROUND_WITHDRAWN, text)]
    text = f"the rollout was started on {ground.decision}"
    findings = [
        _engine(ground.verdict, Reason.GROUND, text)._replace(mode=Mode.ADVISORY),
        _engine(ground.effective_verdict, Reason.GROUND, text),
    ]
    if ground.verdict is ground.effective_verdict:
        findings.pop(0)
    if ground.withdrawn:
        names = ", ".join(ground.withdrawn)
        findings.append(
            _engine(Verdict.HOLD, Reason.GROUND_WITHDRAWN, f"taken back since the start: {names}")
        )
    if not of_rules:
        findings.append(_engine(Verdict.ALLOW, Reason.NOTHING_WATCHED, "no rule watches this rollout"))
    return findings


def _latched(case: Case, of_rules: list[Finding]) -> list[Finding]:
    current = [f for f in of_rules if f.verdict is Verdict.ROLLBACK_RECOMMENDED]
    findings = []
    for latch in case.latches:
        mode = Mode.ENFORCE if latch.enforced else Mode.SHADOW
        same_attempt = case.attempt is not None and latch.attempt == case.attempt.name
        if not same_attempt:
            text = f"the same digests degraded in {latch.attempt}: {latch.policy}/{latch.rule}"
            found = _engine(Verdict.REQUIRE_APPROVAL, Reason.PREVIOUSLY_DEGRADED, text)
        elif any(_says(finding, latch) for finding in current):
            continue
        elif latch.reason == Reason.ANALYSIS_INCONCLUSIVE:
            text = f"{latch.policy}/{latch.rule} was inconclusive in {latch.decision}"
            found = _engine(Verdict.HOLD, Reason.ANALYSIS_INCONCLUSIVE, text)
        else:
            text = f"{latch.policy}/{latch.rule} recommended the rollback in {latch.decision}"
            found = _engine(Verdict.ROLLBACK_RECOMMENDED, Reason.ROLLBACK_LATCHED, text)
        findings.append(found._replace(mode=mode, rule=latch.rule, key=latch.policy))
    return findings


def _says(finding: Finding, latch: Latch) -> bool:
    """Say whether a finding binds at least as much as a latch of the same rule; a shadow's word does not."""
    same = (finding.policy, finding.rule) == (latch.policy, latch.rule)
    return same and (finding.mode is Mode.ENFORCE or not latch.enforced)


def _required(case: Case, enforced: list[_Judged]) -> list[Finding]:
    there = {one.policy.policy_id for one in enforced}
    missing = [policy for policy in case.place.required_policies if policy not in there]
    text = "the environment requires policy {} in ENFORCE mode, and it does not apply"
    return [
        _engine(Verdict.HOLD, Reason.REQUIRED_POLICY_MISSING, text.format(policy))._replace(key=policy)
        for policy in missing
    ]


def _enforcement(
    case: Case, judged: list[_Judged], enforced: list[_Judged]
) -> tuple[list[Finding], tuple[str, ...]]:
    """Return findings that bind the effective verdict alone, and what weakens the decision.

    Only ENFORCE policies can open anything; a person's observe-only binding is the one exception.
    """
    weakenings = ["DEV"] if case.dev else []
    if enforced:
        if case.stage is Stage.WATCH or any(one.findings for one in enforced):
            return [], tuple(weakenings)
        text = "an enforced policy matches, but none of its rules applies"
        return [_engine(Verdict.HOLD, Reason.NO_RULE_APPLIED, text)], tuple(weakenings)
    if case.place.observe_only is not None:
        return [], (*weakenings, OBSERVE_ONLY)
    if case.stage is Stage.WATCH and not judged:
        return [], tuple(weakenings)
    text = "no enforced policy matches, and only those can open a gate"
    return [_engine(Verdict.HOLD, Reason.NOTHING_ENFORCED, text)], tuple(weakenings)


def _valid_until(
    case: Case,
    enforced: list[_Judged],
    findings: list[Finding],
    overrides: tuple[Applied, ...],
    now: datetime,
) -> datetime:
    ends = [now + min([MAX_VALIDITY, *(one.policy.max_validity for one in enforced)])]
    if any(one.reads_now for one in enforced):
        ends.append(now + TIME_DEPENDENT_VALIDITY)
    ends.extend(f.stands_until for f in findings if f.stands_until is not None)
    if case.people is not NOBODY:
        ends.extend(acts_end(case.people, findings, overrides))
    if case.place.observe_only is not None and not enforced:
        ends.append(case.place.observe_only.expire_time)
    return min(ends)


def _next_eligible(findings: list[Finding]) -> datetime | None:
    return min((f.next_eligible_time for f in findings if f.next_eligible_time is not None), default=None)


def _latching(case: Case, of_rules: list[Finding]) -> tuple[Finding, ...]:
    """Return one finding of each rule that latches, the strictest, unless a latch of this attempt holds as much."""
    if case.stage is not Stage.WATCH or case.attempt is None:
        return ()
    held = [latch for latch in case.latches if latch.attempt == case.attempt.name]
    latching: dict[tuple[str, str], Finding] = {}
    for finding in of_rules:
        rolls_back = finding.verdict is Verdict.ROLLBACK_RECOMMENDED
        if not rolls_back and finding.reason is not Reason.ANALYSIS_INCONCLUSIVE:
            continue
        if any(_holds(latch, finding) for latch in held):
            continue
        key = (finding.policy, finding.rule)
        if key not in latching or finding.verdict > latching[key].verdict:
            latching[key] = finding
    return tuple(latching.values())


def _holds(latch: Latch, finding: Finding) -> bool:
    """Say whether a latch holds at least as much as this finding would: an inconclusive one recommends nothing."""
    same = (finding.policy, finding.rule) == (latch.policy, latch.rule)
    recommends = latch.reason != Reason.ANALYSIS_INCONCLUSIVE
    rolls_back = finding.verdict is Verdict.ROLLBACK_RECOMMENDED
    return same and (latch.enforced or finding.mode is not Mode.ENFORCE) and (recommends or not rolls_back)


def _unknown_place(case: Case) -> Outcome:
    place = case.place
    unknown = [f"service {place.service!r}"] if not place.service_known else []
    unknown += [f"environment {place.environment!r}"] if not place.environment_known else []
    finding = _engine(Verdict.HOLD, Reason.UNKNOWN_SERVICE, f"not registered: {' and '.join(unknown)}")
    weakenings = ("DEV",) if case.dev else ()
    return Outcome(case.stage, Verdict.HOLD, Verdict.HOLD, (finding,), (), weakenings=weakenings)


def _engine(verdict: Verdict, reason: Reason, message: str) -> Finding:
    action = "" if verdict.allows else next_action(reason)
    return Finding(verdict, reason, message, next_action=action)


def _order(finding: Finding) -> tuple[int, str, str, str, str]:
    return (-finding.verdict, finding.policy, finding.rule, finding.artifact, finding.key)
