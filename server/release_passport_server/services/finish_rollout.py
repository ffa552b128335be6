"""End an attempt and record how it ended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from release_passport_server.domain.access import Scope, Verb
from release_passport_server.domain.decide import decide
from release_passport_server.domain.errors import NotFound, Precondition
from release_passport_server.domain.evidence import EvidenceItem, Subject
from release_passport_server.domain.ids import AttemptName, EvidenceName
from release_passport_server.domain.kind import SubjectType
from release_passport_server.domain.outcome import Finding, Reason
from release_passport_server.domain.record import FeedEvent
from release_passport_server.domain.release import Attempt, Release
from release_passport_server.domain.verdict import Mode
from release_passport_server.domain.watch_window import (
    EXPIRE_WINDOW,
    Signal,
    first_exposure,
    seen_since,
    unseen,
)
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.messages import Messages
from release_passport_server.ports.store import Store, Transaction, Written
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.cases import Cases, case_key
from release_passport_server.services.intake import scope_of
from release_passport_server.services.reconsider import reconsider, workload
from release_passport_server.services.window_view import pass_time, read_looks

# The source of what the server itself observed.
SELF = "self"
_TELLING = ("PASSED", "ROLLED_BACK")


@dataclass(frozen=True, slots=True)
class FinishRollout:
    """End an attempt; how it ended becomes evidence about the artifacts, for promotion rules elsewhere."""

    store: Store
    access: Authorizer
    cases: Cases
    messages: Messages
    ids: Ids

    async def __call__(self, ask: Ask, name: AttemptName, outcome: str, reason: str) -> Written[Attempt]:
        """Return the ended attempt.

        Raises Precondition `ATTEMPT_FINISHED` where it has ended before, `VERDICT_CHANGED` for PASSED where what
        watches the rollout does not allow it now, or has not been watched for as long as its policies say.
        """
        release = name.release
        self.access.require(
            ask.principal, Verb.START, service=release.service, environment=release.environment
        )

        def act(tx: Transaction) -> Attempt:
            attempt, _ = once(
                tx, ask, lambda: self.end(tx, ask, name, outcome, reason), lambda _: _attempt(tx, name)
            )
            return attempt

        return await self.store.write(ask.principal.tenant, act)

    def end(
        self, tx: Transaction, ask: Ask, name: AttemptName, outcome: str, reason: str
    ) -> tuple[Attempt, str]:
        """End an attempt for who may; the second value is its name."""
        attempt = _attempt(tx, name)
        where = name.release
        release = tx.find_release(where.service, where.environment, where.version)
        assert release is not None
        if attempt.finish_time is not None:
            text = f"{attempt.name} ended as {attempt.outcome} before"
            raise Precondition("ATTEMPT_FINISHED", text, metadata={"outcome": attempt.outcome})
        if outcome == "PASSED":
            self._require_passing(tx, release, attempt)
        ended = replace(attempt, finish_time=tx.now, outcome=outcome, reason=reason)
        if outcome in _TELLING:
            self._tell(tx, release, ended)
        put_ended(tx, ask, release, ended)
        return ended, ended.name

    def _require_passing(self, tx: Transaction, release: Release, attempt: Attempt) -> None:
        """Raise Precondition `VERDICT_CHANGED` where the rollout is not seen to be healthy now."""
        if any(latch.attempt == attempt.name for latch in tx.latches(release.identity.content_digest)):
            text = f"{attempt.name} stands latched at ROLLBACK_RECOMMENDED and cannot end as PASSED"
            raise Precondition("VERDICT_CHANGED", text)
        loaded = tx.load_case(case_key(release, tx.attempts(release.name)), tx.now)
        # That it went back lets it go, and does not show that it is healthy.
        judged = replace(loaded, release=replace(loaded.release, way_back_from=""))
        answer = decide(self.cases.build(judged), now=tx.now)
        warming = any(f.reason is Reason.WARMING_UP and f.mode is Mode.ENFORCE for f in answer.findings)
        if not answer.effective_verdict.allows or warming:
            said = (
                "its canary gave no signal yet" if warming else f"it is {answer.effective_verdict.name} now"
            )
            text = f"{attempt.name} cannot end as PASSED: {said}; call Evaluate for the reasons"
            raise Precondition("VERDICT_CHANGED", text)
        required = () if answer.watch is None else answer.watch.required_rules
        signals = [_signal(finding) for finding in answer.findings]
        looks = tuple(read_looks(tx, self.messages, attempt, release, attempt.start_time))
        quiet = unseen(required, signals, first_exposure(attempt, looks))
        if quiet:
            text = f"{attempt.name} cannot end as PASSED without a signal of {', '.join(quiet)} since it took traffic"
            raise Precondition("VERDICT_CHANGED", text)
        ground = tx.find_decision(attempt.ground)
        watched = timedelta(0) if ground is None else self.messages.limits(ground.body).watched
        passes = pass_time(attempt, looks, watched)
        if passes is None or tx.now < passes:
            until = (
                "longer than it was exposed" if passes is None else f"until {passes:%Y-%m-%d %H:%M:%S} UTC"
            )
            text = f"{attempt.name} cannot end as PASSED: its policies have it watched {until}"
            raise Precondition("VERDICT_CHANGED", text)

    def _tell(self, tx: Transaction, release: Release, attempt: Attempt) -> None:
        facts, digest = self.messages.rollout_outcome(release, attempt, tx.now)
        items = [
            EvidenceItem(
                name=str(EvidenceName(tx.tenant, self.ids.ulid(tx.now))),
                kind="rollout_outcome",
                key=release.identity.environment,
                subject=Subject(SubjectType.ARTIFACT, artifact.digest),
                source=SELF,
                facts=facts,
                facts_digest=digest,
                observe_time=tx.now,
                receive_time=tx.now,
                scopes=(Scope((release.identity.service,), ("*",)),),
                external_id=attempt.name,
            )
            for artifact in release.identity.artifacts
        ]
        stored = tx.put_evidence(items)
        tx.emit(
            FeedEvent("evidence.submitted", stored[0].name, tuple(scope_of(item.subject) for item in stored))
        )
        reconsider(tx, [item.subject for item in stored])


def _signal(finding: Finding) -> Signal:
    since = seen_since((item.kind, item.observe_time) for item in finding.evidence)
    return Signal(finding.rule, finding.verdict, finding.reason, since)


def put_ended(tx: Transaction, ask: Ask, release: Release, ended: Attempt) -> None:
    """Store and record that an attempt has ended; what depends on it is decided anew."""
    identity = release.identity
    tx.put_attempt(release, ended)
    tx.unschedule(EXPIRE_WINDOW, ended.name)
    scopes = (
        f"release:{release.name}",
        f"digests:{identity.content_digest}",
        f"workload:{identity.service}/{identity.environment}",
    )
    record(tx, ask, ended.name, scopes, outcome=ended.outcome)
    reconsider(tx, [workload(identity.service, identity.environment)])


def _attempt(tx: Transaction, name: AttemptName) -> Attempt:
    found = tx.find_attempt(str(name))
    if found is None:
        raise NotFound("NOT_FOUND", f"there is no attempt {name}")
    return found
