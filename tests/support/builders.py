"""Cases for the engine's own tests: facts are numbers, and a rule expects them to be below a limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from release_passport_server.domain.case import Case
from release_passport_server.domain.evidence import EvidenceItem, Subject, Verification
from release_passport_server.domain.expression import (
    CompiledRule,
    ExpressionContext,
    ExpressionFailure,
    MissingFact,
)
from release_passport_server.domain.kind import SubjectType
from release_passport_server.domain.policy import Match, Need, Policy, Rule, Watch
from release_passport_server.domain.release import (
    Artifact,
    Attempt,
    Ground,
    Place,
    Release,
    ReleaseIdentity,
)
from release_passport_server.domain.verdict import Mode, Stage, Verdict

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
RELEASE = "tenants/acme/services/checkout/environments/prod/releases/1.4.2"
ATTEMPT = f"{RELEASE}/attempts/1"
DIGESTS = tuple(f"sha256:{digit * 64}" for digit in "abc")
SIGNER = "key:sha256:" + "0" * 64

Answer = bool | MissingFact | ExpressionFailure


@dataclass(frozen=True, slots=True)
class Expect:
    """A condition written in Python."""

    answer: Callable[[ExpressionContext], Answer]
    source: str = "value < 10"

    def __call__(self, context: ExpressionContext) -> Answer:
        return self.answer(context)


def below_ten(context: ExpressionContext) -> Answer:
    """Say whether every number is below ten; None is a fact that is absent."""
    for kind, value in context.evidence.items():
        if value is None:
            return MissingFact(f"evidence.{kind}.value")
        if not float(str(value)) < 10:
            return False
    return True


def need(kind: str = "incident_state", **more: object) -> Need:
    """Return a need with an hour of age."""
    return replace(Need(kind, timedelta(hours=1)), **more)  # type: ignore[arg-type]


def rule(
    rule_id: str = "rule",
    *needs: Need,
    stage: Stage = Stage.PRE_ROLLOUT,
    expect: Callable[[ExpressionContext], Answer] = below_ten,
    when: Callable[[ExpressionContext], Answer] | None = None,
    **more: object,
) -> Rule:
    """Return a rule that expects all its facts to be below ten."""
    asked = needs or (need(),)
    compiled = CompiledRule(
        None if when is None else Expect(when, "when"),
        Expect(expect),
        None,
        frozenset(one.kind for one in asked),
        False,
    )
    return replace(Rule(rule_id, rule_id, (stage,), asked, compiled), **more)  # type: ignore[arg-type]


def policy(*rules: Rule, policy_id: str = "policy", mode: Mode = Mode.ENFORCE, **more: object) -> Policy:
    """Return a policy that matches everything."""
    made = Policy(policy_id, 1, "sha256:" + "1" * 64, mode, Match(), rules or (rule(),))
    return replace(made, **more)  # type: ignore[arg-type]


def watching(*rules: Rule, grace: timedelta = timedelta(0), **more: Any) -> Policy:
    """Return a policy with a watch window."""
    return policy(*rules, watch=Watch(timedelta(hours=1), grace, timedelta(seconds=30)), **more)


def item(
    value: object = 1,
    kind: str = "incident_state",
    *,
    age: timedelta = timedelta(minutes=1),
    subject: Subject | None = None,
    name: str = "",
    **more: object,
) -> EvidenceItem:
    """Return an item about the service in its environment, observed a minute ago."""
    about = subject or Subject(SubjectType.WORKLOAD, "checkout/prod")
    made = EvidenceItem(
        name=name or f"tenants/acme/evidence/{kind}-{int(age.total_seconds())}-{value}",
        kind=kind,
        key=str(more.pop("key", "")),
        subject=about,
        source=str(more.pop("source", "connector:test")),
        facts=value,
        facts_digest="sha256:" + "2" * 64,
        observe_time=NOW - age,
        receive_time=NOW - age,
        verification=Verification.UNSIGNED,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def about(index: int) -> Subject:
    """Return the subject of one of the release's artifacts."""
    return Subject(SubjectType.ARTIFACT, DIGESTS[index])


def about_attempt() -> Subject:
    """Return the subject of the open attempt."""
    return Subject(SubjectType.ATTEMPT, ATTEMPT)


def case(
    policies: Iterable[Policy] = (),
    evidence: Iterable[EvidenceItem] = (),
    *,
    artifacts: int = 1,
    watch: bool = False,
    ground: Verdict = Verdict.ALLOW_WITH_CANARY,
    attempt_age: timedelta = timedelta(minutes=30),
    place: Place | None = None,
    **more: object,
) -> Case:
    """Return a case of one release, at PRE_ROLLOUT or with an attempt open."""
    identity = ReleaseIdentity(
        "checkout",
        "prod",
        "1.4.2",
        "c0ffee" * 6,
        tuple(Artifact(f"registry/app-{n}", DIGESTS[n]) for n in range(artifacts)),
        "sha256:" + "d" * 64,
    )
    kinds: dict[str, tuple[EvidenceItem, ...]] = {}
    for one in sorted(evidence, key=lambda one: one.order):
        kinds[one.kind] = (*kinds.get(one.kind, ()), one)
    made = Case(
        release=Release(RELEASE, identity, "sa:ci", NOW - timedelta(hours=1)),
        place=place or Place("checkout", "prod", signers=(SIGNER,)),
        stage=Stage.WATCH if watch else Stage.PRE_ROLLOUT,
        policies=tuple(policies),
        evidence=kinds,
        release_facts=None,
        attempt=Attempt(ATTEMPT, 1, f"{RELEASE}/decisions/ground", NOW - attempt_age) if watch else None,
        ground=Ground(f"{RELEASE}/decisions/ground", ground, ground) if watch else None,
    )
    return replace(made, **more)  # type: ignore[arg-type]
