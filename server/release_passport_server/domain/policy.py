"""Policies as they are judged: defaults resolved, expressions compiled."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import NamedTuple

from release_passport_server.domain.expression import CompiledRule
from release_passport_server.domain.glob import any_matches, is_exact, matches
from release_passport_server.domain.kind import Kind, SubjectType, kind_named
from release_passport_server.domain.release import Place
from release_passport_server.domain.verdict import Mode, Stage, Verdict

MAX_VALIDITY = timedelta(minutes=15)


@dataclass(frozen=True)
class Need:
    """Evidence that a rule reads, and what makes it count.

    Policies are kept, and needs that say the same are one object in them; what follows from one is found out once.
    """

    kind: str
    max_age: timedelta
    keys: tuple[str, ...] = ("*",)
    artifacts: str = "*"
    verified: bool = False
    sources: tuple[str, ...] = ()
    min_samples: int = 0
    retries: int = 0
    allow_empty: bool = False

    @cached_property
    def of_kind(self) -> Kind:
        """Return the kind of the evidence."""
        return kind_named(self.kind)

    @cached_property
    def per_artifact(self) -> bool:
        """Say whether each artifact of the release needs evidence of its own."""
        binds = self.of_kind.binds
        return SubjectType.ARTIFACT in binds and len(binds) < len(SubjectType)

    @cached_property
    def exact_sources(self) -> tuple[str, ...]:
        """Return the sources that must each have sent evidence."""
        return tuple(source for source in self.sources if is_exact(source))

    @property
    def many_keys(self) -> bool:
        """Say whether the need may match more than one key."""
        keyed = self.of_kind.key_field is not None
        return keyed and (len(self.keys) > 1 or not is_exact(self.keys[0]))


@dataclass(frozen=True, slots=True)
class ApprovalGroup:
    """A number of votes out of one group; members of its delegates vote in its place."""

    group: str
    count: int
    delegates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Escalation:
    """A group that votes in the place of every other once a release has waited for so long."""

    group: str
    after: timedelta


@dataclass(frozen=True, slots=True)
class ApprovalRequirement:
    """What a rule asks of people."""

    groups: tuple[ApprovalGroup, ...]
    expires: timedelta = timedelta(hours=24)
    per_attempt: bool = False
    escalation: Escalation | None = None

    def open_to(self, mine: Collection[str], waited: timedelta) -> tuple[str, ...]:
        """Return for which groups somebody may vote who is in `mine`, when a release has waited for so long."""
        late = self.escalation
        if late is not None and late.group in mine and waited >= late.after:
            return tuple(one.group for one in self.groups)
        return tuple(one.group for one in self.groups if any(g in mine for g in (one.group, *one.delegates)))

    @property
    def who(self) -> tuple[str, ...]:
        """Return the groups that can act: those asked, with their delegates, and who it escalates to."""
        late = () if self.escalation is None else (self.escalation.group,)
        asked = (name for one in self.groups for name in (one.group, *one.delegates))
        return tuple(dict.fromkeys((*asked, *late)))


@dataclass(frozen=True, slots=True)
class WaiverLimits:
    """How long waivers of a policy's rules may last, and whether one may cover a service instead of one release."""

    max_duration: timedelta = timedelta(days=30)
    service_wide: bool = False


@dataclass(frozen=True)
class Rule:
    """One question about a release, with the verdict for each way in which the answer can come out."""

    rule_id: str
    title: str
    stages: tuple[Stage, ...]
    needs: tuple[Need, ...]
    compiled: CompiledRule
    on_fail: Verdict | None = None
    on_missing: Verdict = Verdict.HOLD
    on_stale: Verdict = Verdict.HOLD
    on_unverified: Verdict = Verdict.HOLD
    on_conflict: Verdict = Verdict.HOLD
    on_error: Verdict = Verdict.HOLD
    failures: int = 3
    settle: timedelta = timedelta(0)
    next_action: str = ""
    controls: tuple[str, ...] = ()
    approval: ApprovalRequirement | None = None
    waivable: bool = True
    # Of the rule as its author wrote it: what votes and waivers are bound to.
    digest: str = ""

    def failing_verdict(self, stage: Stage) -> Verdict:
        """Return what a false `expect` means: in WATCH only facts of the canary itself recommend a rollback."""
        if self.on_fail is not None:
            return self.on_fail
        if stage is Stage.PRE_ROLLOUT:
            return Verdict.BLOCK
        bound = bool(self.needs) and all(need.of_kind.attempt_bound for need in self.needs)
        return Verdict.ROLLBACK_RECOMMENDED if bound else Verdict.HOLD

    @cached_property
    def artifact_globs(self) -> tuple[str, ...]:
        """Return which artifacts the rule is about, by name; nothing where it is about the release as a whole."""
        return tuple(dict.fromkeys(need.artifacts for need in self.needs if need.per_artifact))


@dataclass(frozen=True, slots=True)
class Match:
    """Which releases a policy applies to; all that is given must hold."""

    services: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    service_labels: tuple[tuple[str, str], ...] = ()
    environment_labels: tuple[tuple[str, str], ...] = ()

    def selects(self, place: Place) -> bool:
        """Say whether the policy applies to releases that go there."""
        return (
            (not self.services or any_matches(self.services, place.service))
            and (not self.environments or any_matches(self.environments, place.environment))
            and (not self.service_labels or _labelled(self.service_labels, place.service_labels))
            and (not self.environment_labels or _labelled(self.environment_labels, place.environment_labels))
        )


class HoldLimit(NamedTuple):
    """How long a rollout may be on hold, and whether a rollback is recommended then; no limit is that of the window."""

    limit: timedelta | None
    rolls_back: bool = True


@dataclass(frozen=True, slots=True)
class Watch:
    """The watch window that a policy asks for; several combine to the strictest."""

    duration: timedelta
    grace_period: timedelta
    interval: timedelta
    required_rules: tuple[str, ...] = ()
    # None where the policy leaves it to what is usual.
    hold: HoldLimit | None = None


@dataclass(frozen=True, slots=True)
class Canary:
    """How far a release may be exposed; several combine to the strictest."""

    max_weight: int = 100
    steps: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """One revision of a policy."""

    policy_id: str
    revision: int
    digest: str
    mode: Mode
    match: Match
    rules: tuple[Rule, ...]
    watch: Watch | None = None
    canary: Canary | None = None
    max_validity: timedelta = MAX_VALIDITY
    waivers: WaiverLimits = WaiverLimits()
    # Going back to what passed before is judged like any other release.
    judges_restores: bool = False


def combined_watch(watches: list[Watch]) -> Watch | None:
    """Return the longest duration, shortest interval and grace period, and all required rules."""
    if not watches:
        return None
    return Watch(
        max(w.duration for w in watches),
        min(w.grace_period for w in watches),
        min(w.interval for w in watches),
        tuple(sorted({rule for w in watches for rule in w.required_rules})),
        _combined_hold([w.hold for w in watches if w.hold is not None]),
    )


def _combined_hold(said: list[HoldLimit]) -> HoldLimit | None:
    if not said:
        return None
    limits = [one.limit for one in said if one.limit is not None]
    return HoldLimit(min(limits, default=None), any(one.rolls_back for one in said))


def combined_canary(canaries: list[Canary]) -> Canary | None:
    """Return the lowest maximum weight, and every step below it."""
    if not canaries:
        return None
    lowest = min(c.max_weight for c in canaries)
    return Canary(lowest, tuple(sorted({s for c in canaries for s in c.steps if s <= lowest})))


def _labelled(wanted: tuple[tuple[str, str], ...], labels: Mapping[str, str] | None) -> bool:
    have = labels or {}
    return all(key in have and matches(glob, have[key]) for key, glob in wanted)
