"""Cases that come with a policy, read strictly and made into cases of the engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from release_passport.v1 import evidence_pb2, policy_service_pb2
from release_passport_server.domain.access import Scope
from release_passport_server.domain.case import Case
from release_passport_server.domain.errors import Violation
from release_passport_server.domain.evidence import EvidenceItem, Verification
from release_passport_server.domain.ids import (
    ULID_RANDOM_BYTES,
    AttemptName,
    DecisionName,
    EvidenceName,
    ReleaseName,
    ulid,
)
from release_passport_server.domain.kind import kind_named
from release_passport_server.domain.policy_case import ExpectedFinding, PolicyCase, PolicyCaseResult
from release_passport_server.domain.record import DecisionDraft
from release_passport_server.domain.release import Attempt, Ground, Place, Release, ReleaseIdentity
from release_passport_server.domain.verdict import Stage, Verdict
from release_passport_server.wire.decision import simulated_to_proto
from release_passport_server.wire.evidence import item_from_input
from release_passport_server.wire.evidence_input import check_subject
from release_passport_server.wire.facts import check_facts, facts_kind, time_problem
from release_passport_server.wire.fields import label_violations, refuse, text_violations
from release_passport_server.wire.messages import WireMessages
from release_passport_server.wire.release import check_identity, identity_from_proto
from release_passport_server.wire.subject import subject_type
from release_passport_server.wire.times import moment

MAX_CASES = 200
MAX_EVIDENCE = 100
MAX_EXPECTED = 100
MAX_AGE_SECONDS = 366 * 24 * 3600

# What a case's text may stand for: the name that the release would have in the caller's tenant.
RELEASE_PLACEHOLDER = "{release}"
_CREATOR = "sa:test"
_SIGNER = "key:test"
# The first moment that a name can hold.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VERIFICATIONS = {
    evidence_pb2.VERIFICATION_STATE_UNSPECIFIED: Verification.UNSIGNED,
    evidence_pb2.VERIFICATION_STATE_UNSIGNED: Verification.UNSIGNED,
    evidence_pb2.VERIFICATION_STATE_VERIFIED: Verification.VERIFIED,
    evidence_pb2.VERIFICATION_STATE_FAILED: Verification.FAILED,
}

_Given = policy_service_pb2.PolicyTestCase
_Item = policy_service_pb2.PolicyTestEvidence


def policy_cases(tenant: str, given: Sequence[_Given]) -> tuple[PolicyCase, ...]:
    """Return the cases of a request; raise Invalid with everything that is wrong with any of them."""
    if not 1 <= len(given) <= MAX_CASES:
        refuse([Violation("cases", f"must hold 1 to {MAX_CASES} cases")])
    resolved = [_resolved(tenant, case) for case in given]
    violations = [v for index, case in enumerate(resolved) for v in _case_violations(f"cases[{index}]", case)]
    ids = [case.case_id for case in given]
    for index, case_id in enumerate(ids):
        if case_id in ids[:index]:
            violations.append(Violation(f"cases[{index}].case_id", "is there twice"))
    refuse(violations)
    return tuple(_case(tenant, case) for case in resolved)


def case_result_to_proto(result: PolicyCaseResult) -> policy_service_pb2.PolicyTestResult:
    """Return how a case came out as a message."""
    draft = DecisionDraft(result.case, result.outcome, result.now, "", "", 0)
    return policy_service_pb2.PolicyTestResult(
        case_id=result.case_id,
        passed=result.passed,
        differences=result.differences,
        decision=simulated_to_proto(draft),
    )


def _resolved(tenant: str, given: _Given) -> _Given:
    """Return a copy in which the release's name stands for its placeholder."""
    case = _Given()
    case.CopyFrom(given)
    release = case.release
    name = str(ReleaseName(tenant, release.service, release.environment, release.version))
    for item in case.evidence:
        subject = item.input.subject
        field = subject.WhichOneof("subject")
        if field in ("release", "attempt"):
            setattr(subject, field, getattr(subject, field).replace(RELEASE_PLACEHOLDER, name, 1))
    return case


def _case_violations(path: str, case: _Given) -> Iterator[Violation]:
    yield from text_violations(case.case_id, f"{path}.case_id", most=256, least=1)
    yield from check_identity(case.release, f"{path}.release")
    yield from label_violations(case.service_labels, f"{path}.service_labels")
    yield from label_violations(case.environment_labels, f"{path}.environment_labels")
    if not case.HasField("now"):
        yield Violation(f"{path}.now", "is required: a case is decided at a time of its own")
    elif (problem := time_problem(case.now)) is not None:
        yield Violation(f"{path}.now", problem)
    if case.stage not in (0, Stage.PRE_ROLLOUT, Stage.WATCH):
        yield Violation(f"{path}.stage", "must be PRE_ROLLOUT or WATCH")
    if not 0 <= case.attempt_age_seconds <= MAX_AGE_SECONDS:
        yield Violation(f"{path}.attempt_age_seconds", f"must be 0 to {MAX_AGE_SECONDS}")
    yield from text_violations(case.way_back_from, f"{path}.way_back_from", most=128)
    if case.way_back_from and not case.is_restore:
        yield Violation(f"{path}.way_back_from", "goes with is_restore: one goes back to what passed before")
    yield from _expectation_violations(path, case)
    if len(case.evidence) > MAX_EVIDENCE:
        yield Violation(f"{path}.evidence", f"must hold at most {MAX_EVIDENCE} items")
    for index, item in enumerate(case.evidence[:MAX_EVIDENCE]):
        yield from _item_violations(f"{path}.evidence[{index}]", item)


def _expectation_violations(path: str, case: _Given) -> Iterator[Violation]:
    if case.expected_verdict not in range(1, 7):
        yield Violation(f"{path}.expected_verdict", "is required: say what the policy must say")
    if case.expected_effective_verdict not in range(7):
        yield Violation(f"{path}.expected_effective_verdict", "is no verdict")
    if len(case.expected_findings) > MAX_EXPECTED:
        yield Violation(f"{path}.expected_findings", f"must hold at most {MAX_EXPECTED} findings")
    for index, finding in enumerate(case.expected_findings[:MAX_EXPECTED]):
        if finding.verdict not in range(7):
            yield Violation(f"{path}.expected_findings[{index}].verdict", "is no verdict")


def _item_violations(path: str, item: _Item) -> Iterator[Violation]:
    given = item.input
    found = [
        *check_subject(given.subject, f"{path}.input.subject"),
        *check_facts(given.facts, f"{path}.input.facts"),
    ]
    yield from found
    if not given.HasField("observe_time"):
        yield Violation(f"{path}.input.observe_time", "is required: when the facts were so")
    for field in ("observe_time", "expire_time"):
        if given.HasField(field) and (problem := time_problem(getattr(given, field))) is not None:
            yield Violation(f"{path}.input.{field}", problem)
    if given.bundle:
        yield Violation(
            f"{path}.input.bundle", "is not read in a test: say which verification the item is to have"
        )
    if item.verification not in _VERIFICATIONS:
        yield Violation(f"{path}.verification", "is no state of verification")
    yield from text_violations(item.source, f"{path}.source", most=128)
    if not found:
        kind = kind_named(facts_kind(given.facts))
        if subject_type(given.subject) not in kind.binds:
            yield Violation(f"{path}.input.subject", f"{kind.name} binds to: {', '.join(kind.binds)}")


def _case(tenant: str, given: _Given) -> PolicyCase:
    identity = identity_from_proto(given.release)
    now = moment(given.now)
    name = ReleaseName(tenant, identity.service, identity.environment, identity.version)
    release = Release(
        str(name),
        identity,
        _CREATOR,
        now,
        is_first=given.is_first,
        is_restore=given.is_restore,
        way_back_from=given.way_back_from and str(replace(name, version=given.way_back_from)),
    )
    stage = Stage(given.stage) if given.stage else Stage.PRE_ROLLOUT
    place = _place(given, identity)
    messages = WireMessages()
    age = timedelta(seconds=given.attempt_age_seconds)
    attempt = _attempt(name, now - age) if stage is Stage.WATCH else None
    case = Case(
        release=release,
        place=place,
        stage=stage,
        policies=(),
        evidence=_evidence(tenant, given.evidence),
        release_facts=messages.release_facts(release, place, stage),
        attempt=attempt,
        attempt_facts=None if attempt is None else messages.attempt_facts(attempt, ""),
        ground=None if attempt is None else Ground(attempt.ground, Verdict.ALLOW, Verdict.ALLOW),
    )
    expected = tuple(
        ExpectedFinding(one.rule, Verdict(one.verdict) if one.verdict else None, one.reason)
        for one in given.expected_findings
    )
    effective = given.expected_effective_verdict
    return PolicyCase(
        given.case_id,
        case,
        now,
        Verdict(given.expected_verdict),
        expected,
        Verdict(effective) if effective else None,
    )


def _place(given: _Given, identity: ReleaseIdentity) -> Place:
    return Place(
        service=identity.service,
        environment=identity.environment,
        service_labels=dict(given.service_labels),
        environment_labels=dict(given.environment_labels),
        signers=(_SIGNER,),
    )


def _attempt(release: ReleaseName, start_time: datetime) -> Attempt:
    ground = DecisionName(release, ulid(start_time, bytes(ULID_RANDOM_BYTES)))
    return Attempt(str(AttemptName(release, 1)), 1, str(ground), start_time, _CREATOR)


def _evidence(tenant: str, given: Sequence[_Item]) -> dict[str, tuple[EvidenceItem, ...]]:
    items = [_item(tenant, index, one) for index, one in enumerate(given)]
    items.sort(key=lambda item: item.order)
    kinds: dict[str, tuple[EvidenceItem, ...]] = {}
    for item in items:
        kinds[item.kind] = (*kinds.get(item.kind, ()), item)
    return kinds


def _item(tenant: str, index: int, given: _Item) -> EvidenceItem:
    observed = moment(given.input.observe_time)
    # Names in the order of the list, so that items of one moment keep it.
    name = EvidenceName(tenant, ulid(max(observed, _EPOCH), index.to_bytes(ULID_RANDOM_BYTES, "big")))
    item = item_from_input(
        given.input, name=str(name), source=given.source, scopes=(Scope(),), receive_time=observed
    )
    verification = _VERIFICATIONS[given.verification]
    return replace(
        item,
        verification=verification,
        verification_reason="the case says so" if verification is Verification.FAILED else "",
        signer=_SIGNER if verification is Verification.VERIFIED else "",
    )
