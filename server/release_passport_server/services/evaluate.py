"""Decide one release and record the decision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.blind import blind_time
from release_passport_server.domain.canonical import canonical, digest, stamp
from release_passport_server.domain.case import Case, case_record
from release_passport_server.domain.decide import decide
from release_passport_server.domain.errors import NotFound, Precondition
from release_passport_server.domain.evidence import EvidenceDraft, EvidenceItem
from release_passport_server.domain.ids import DecisionName, ReleaseName
from release_passport_server.domain.job import Timer
from release_passport_server.domain.notification import APPROVAL_ASKED, notification
from release_passport_server.domain.outcome import SEMANTICS_VERSION, Outcome, Reason
from release_passport_server.domain.record import AuditEntry, DecisionDraft, DecisionRecord, FeedEvent
from release_passport_server.domain.reevaluation import question_timer
from release_passport_server.domain.release import Attempt, Latch, ReleaseIdentity
from release_passport_server.domain.verdict import Mode, Stage, Verdict
from release_passport_server.domain.watch import Happening
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.judging import CaseKey, Conclusion, Judged, LoadedCase
from release_passport_server.ports.messages import Messages
from release_passport_server.ports.store import Store, Transaction
from release_passport_server.services.cases import Cases, case_key
from release_passport_server.services.create_release import place_release
from release_passport_server.services.intake import EvidenceIntake
from release_passport_server.services.refresh import Refresh
from release_passport_server.services.signing import Signing

# A case that nobody touches is decided anew after this long, whatever its times say.
SAME_FOR = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class EvaluateCommand:
    """What to decide: a release by name or by identity, with evidence to store with the decision."""

    principal: Principal
    release: ReleaseName | None = None
    identity: ReleaseIdentity | None = None
    stage: Stage | None = None
    evidence: Sequence[EvidenceDraft] = ()
    request_id: str = ""
    body_digest: str = ""
    # For how many seconds sources may be waited for; None: nothing is read for the question.
    refresh_seconds: float | None = None

    @property
    def place(self) -> tuple[str, str]:
        """Return the service and environment in question."""
        named = self.release or self.identity
        assert named is not None
        return named.service, named.environment


@dataclass(frozen=True, slots=True)
class Evaluate:
    """Decide one release at the stage that it is in, and record the decision."""

    store: Store
    access: Authorizer
    intake: EvidenceIntake
    recorder: Recorder
    refresh: Refresh

    async def __call__(self, command: EvaluateCommand) -> Judged:
        """Return the decision that stands; the same `request_id` returns the same decision."""
        service, environment = command.place
        principal = command.principal
        self.access.require(principal, Verb.EVALUATE, service=service, environment=environment)
        creates_in = self.access.allowed_scopes(principal, Verb.RELEASE)
        may_create = any(scope.covers(service, environment) for scope in creates_in)
        items = await self.intake.prepare(principal, command.evidence)
        if command.refresh_seconds is not None:
            await self.refresh(principal.tenant, service, environment, command.refresh_seconds)
        return await self.store.judge(_Question(command, items, may_create, self.intake, self.recorder))


@dataclass(frozen=True, slots=True)
class Recorder:
    """Decides a loaded case and makes the record of it."""

    cases: Cases
    messages: Messages
    ids: Ids
    signing: Signing
    engine_version: str

    def conclude(self, loaded: LoadedCase, principal: str, asked: datetime | None = None) -> Conclusion:
        """Return what to record: nothing where the standing decision says the same and is good for long enough.

        `asked` is when somebody asked last, where it is not now.
        """
        case = self.cases.build(loaded)
        outcome = decide(case, now=loaded.now)
        blind = blind_time(case, outcome, loaded.now)
        standing, times = loaded.standing, (outcome.valid_until, outcome.next_eligible_time, blind)
        same = standing is not None and standing.outcome_digest == outcome.digest
        if standing is not None and same and _stands(standing, outcome, loaded.now):
            until = _same_until(standing, outcome, loaded, times)
            return Conclusion(None, standing, times=times, same_until=until)
        draft_of_case = canonical(
            {
                **case_record(case),
                "now": stamp(loaded.now),
                "semanticsVersion": SEMANTICS_VERSION,
                "consideredRevision": loaded.read_revision,
            }
        )
        name = DecisionName(ReleaseName.parse(case.release.name), self.ids.ulid(loaded.now))
        draft = DecisionDraft(
            case=case,
            outcome=outcome,
            now=loaded.now,
            engine_version=self.engine_version,
            case_digest=digest(draft_of_case),
            considered_revision=loaded.read_revision,
            name=str(name),
            supersedes=standing.name if standing else "",
            renews=same,
        )
        record = self._record(draft, name.decision_id, draft_of_case)
        return Conclusion(
            record,
            record,
            latches=tuple(self._latches(case, outcome, record)),
            events=(_event(record, case, renews=same),),
            audit=(_audited(record, principal),),
            timers=(question_timer(record, asked or loaded.now, blind), *_asking(record, case, renews=same)),
            times=times,
        )

    def _record(self, draft: DecisionDraft, decision_id: str, case_body: bytes) -> DecisionRecord:
        identity, outcome = draft.case.release.identity, draft.outcome
        return DecisionRecord(
            decision_id=decision_id,
            name=draft.name,
            release=draft.case.release.name,
            service=identity.service,
            environment=identity.environment,
            stage=outcome.stage,
            verdict=outcome.verdict,
            effective_verdict=outcome.effective_verdict,
            outcome_digest=outcome.digest,
            decide_time=draft.now,
            valid_until=outcome.valid_until,
            next_eligible_time=outcome.next_eligible_time,
            considered_revision=draft.considered_revision,
            body=self.messages.decision_body(draft),
            case_body=case_body,
            evidence=_rests_on(outcome),
            envelope=self.signing.decision(draft),
            summary=self.signing.summary(draft),
        )

    def _latches(self, case: Case, outcome: Outcome, record: DecisionRecord) -> list[Latch]:
        assert case.attempt is not None or not outcome.latching
        return [
            Latch(
                name=self.ids.ulid(record.decide_time),
                policy=finding.policy,
                rule=finding.rule,
                decision=record.name,
                attempt=case.attempt.name if case.attempt else "",
                enforced=finding.mode is Mode.ENFORCE,
                reason=_latch_reason(finding.reason),
                create_time=record.decide_time,
            )
            for finding in outcome.latching
        ]


@dataclass(slots=True)
class _Question:
    """One Evaluate, answered inside the store's transaction."""

    command: EvaluateCommand
    items: tuple[EvidenceItem, ...]
    may_create: bool
    intake: EvidenceIntake
    recorder: Recorder
    writes: bool = field(init=False)

    def __post_init__(self) -> None:
        self.writes = bool(self.items) or self.command.identity is not None

    @property
    def tenant(self) -> str:
        return self.command.principal.tenant

    @property
    def about(self) -> str:
        identity = self.command.identity
        if identity is None:
            return str(self.command.release)
        return str(ReleaseName(self.tenant, identity.service, identity.environment, identity.version))

    @property
    def principal(self) -> str:
        return self.command.principal.id

    @property
    def request_id(self) -> str:
        return self.command.request_id

    @property
    def body_digest(self) -> str:
        return self.command.body_digest

    def prepare(self, tx: Transaction) -> CaseKey:
        """Find or create the release and store the evidence that came with the question."""
        command = self.command
        if command.identity is not None:
            release = place_release(tx, command.principal, command.identity, may_create=self.may_create)
        else:
            assert command.release is not None
            name = command.release
            found = tx.find_release(name.service, name.environment, name.version)
            if found is None:
                text = f"there is no release {name}: create it first, or send its identity"
                raise NotFound("NOT_FOUND", text)
            release = found
        if self.items:
            self.intake.put(tx, self.items, command.principal, "Evaluate")
        return case_key(release, tx.attempts(release.name))

    def conclude(self, loaded: LoadedCase) -> Conclusion:
        """Decide at the stage that the release is in; a caller who expects another one is told."""
        stage = Stage.PRE_ROLLOUT if loaded.attempt is None else Stage.WATCH
        if self.command.stage not in (None, stage):
            wanted = self.command.stage
            text = (
                f"the release is at {stage.name}, not {wanted.name if wanted else ''}: leave stage out, or "
            )
            text += (
                "start the rollout first" if stage is Stage.PRE_ROLLOUT else "finish the open attempt first"
            )
            raise Precondition("STAGE_MISMATCH", text, metadata={"stage": stage.name})
        return self.recorder.conclude(loaded, self.principal)

    def recall(self, standing: DecisionRecord, attempt: Attempt | None, now: datetime) -> bool:
        """Say that what stands at the stage that was asked for is the answer."""
        return self.command.stage in (None, standing.stage)


def _rests_on(outcome: Outcome) -> tuple[str, ...]:
    """Return the evidence that the findings used, and the acts without which the decision would be stricter."""
    used = dict.fromkeys(item.name for finding in outcome.findings for item in finding.evidence)
    passing = [finding for finding in outcome.findings if finding.verdict.allows and finding.lifted_by]
    acts = [act.name for finding in passing for act in finding.lifted_by]
    return (*used, *dict.fromkeys((*acts, *(act.name for act in outcome.overrides))))


def _stands(standing: DecisionRecord, outcome: Outcome, now: datetime) -> bool:
    """Say whether a decision with the same outcome is good for long enough, or a new one would be for no longer."""
    if standing.valid_until is None or outcome.valid_until is None:
        return standing.valid_until == outcome.valid_until
    half = standing.decide_time + (standing.valid_until - standing.decide_time) / 2
    if standing.valid_until == outcome.valid_until:
        return now < standing.valid_until
    return now < half and standing.valid_until < outcome.valid_until


def _same_until(
    standing: DecisionRecord, outcome: Outcome, loaded: LoadedCase, times: Iterable[datetime | None]
) -> datetime | None:
    """Return until when the same case would come to the same; who may vote or waive is asked anew each time."""
    acts = loaded.acts
    if acts.votes or acts.waivers or acts.overrides or acts.exemptions:
        return None
    ends = [loaded.now + SAME_FOR]
    ends += [one for one in times if one is not None and one > loaded.now]
    if standing.valid_until is not None:
        ends.append(standing.valid_until)
        if standing.valid_until != outcome.valid_until:
            ends.append(standing.decide_time + (standing.valid_until - standing.decide_time) / 2)
    return min(ends)


def _event(record: DecisionRecord, case: Case, *, renews: bool) -> FeedEvent:
    scopes = (f"release:{record.release}", f"digests:{case.release.identity.content_digest}")
    kind = Happening.RENEWED if renews else Happening.CHANGED
    body = {"verdict": record.verdict.name, "effectiveVerdict": record.effective_verdict.name}
    return FeedEvent(kind, record.name, scopes, body)


def expired(record: DecisionRecord, content_digest: str) -> FeedEvent:
    """Return what tells that a decision's validity has passed, and that nobody decides it anew."""
    scopes = (f"release:{record.release}", f"digests:{content_digest}")
    return FeedEvent(Happening.EXPIRED, record.name, scopes)


def _asking(record: DecisionRecord, case: Case, *, renews: bool) -> tuple[Timer, ...]:
    """Return what tells people that a decision asks them; a renewal asks nobody again."""
    if renews or record.effective_verdict is not Verdict.REQUIRE_APPROVAL:
        return ()
    tenant = ReleaseName.parse(case.release.name).tenant
    told = notification(APPROVAL_ASKED, tenant, record.name, record.decide_time, release=record.release)
    return (told,)


def _audited(record: DecisionRecord, principal: str) -> AuditEntry:
    detail: dict[str, object] = {
        "verdict": record.verdict.name,
        "effectiveVerdict": record.effective_verdict.name,
        "outcomeDigest": record.outcome_digest,
        "bodyDigest": digest(record.body),
        "envelopeDigest": digest(record.envelope),
    }
    if record.summary:
        detail["summaryDigest"] = digest(record.summary)
    return AuditEntry(principal, "Evaluate", record.name, detail)


def _latch_reason(reason: Reason) -> str:
    inconclusive = reason is Reason.ANALYSIS_INCONCLUSIVE
    return Reason.ANALYSIS_INCONCLUSIVE.value if inconclusive else "ROLLBACK_RECOMMENDED"
