"""Open an attempt to roll a release out, on a decision that still allows it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from release_passport_server.domain.access import Verb
from release_passport_server.domain.decide import decide
from release_passport_server.domain.errors import Conflict, NotFound, Precondition
from release_passport_server.domain.ids import AttemptName, ReleaseName
from release_passport_server.domain.policy import Policy
from release_passport_server.domain.record import DecisionRecord
from release_passport_server.domain.release import Attempt, Release
from release_passport_server.domain.verdict import Stage
from release_passport_server.domain.watch_window import expiry
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.store import Store, Transaction, Written
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.cases import Cases, case_key
from release_passport_server.services.finish_rollout import FinishRollout
from release_passport_server.services.reconsider import reconsider, workload


@dataclass(frozen=True, slots=True)
class StartRollout:
    """Open an attempt; what is allowed is looked at again under the tenant's head."""

    store: Store
    access: Authorizer
    cases: Cases
    finish: FinishRollout

    async def __call__(self, ask: Ask, release: ReleaseName, decision: str) -> Written[Attempt]:
        """Return the open attempt.

        Raises Conflict `VERDICT_CHANGED` where the newest decision is another one, does not allow, has expired,
        or would not be made again now; Precondition `ATTEMPT_OPEN` where something is being rolled out there, unless
        the release is what one goes back to from it: then that ends as ROLLED_BACK.
        """
        service, environment = release.service, release.environment
        self.access.require(ask.principal, Verb.START, service=service, environment=environment)

        def act(tx: Transaction) -> Attempt:
            def again(name: str) -> Attempt:
                found = tx.find_attempt(name)
                assert found is not None
                return found

            attempt, _ = once(tx, ask, lambda: self.open(tx, ask, release, decision), again)
            return attempt

        return await self.store.write(ask.principal.tenant, act)

    def open(self, tx: Transaction, ask: Ask, name: ReleaseName, decision: str) -> tuple[Attempt, str]:
        """Open an attempt for who may; the second value is its name."""
        release = tx.find_release(name.service, name.environment, name.version)
        if release is None:
            raise NotFound("NOT_FOUND", f"there is no release {name}")
        others = tx.open_attempts(name.service, name.environment)
        for other in others:
            if self._goes_back(tx, release) and differs(tx, name, other):
                continue
            text = f"{other.name} is open: finish it before another rollout of {name.service} starts there"
            raise Precondition("ATTEMPT_OPEN", text, metadata={"attempt": other.name})
        ground, policies = self._ground(tx, release, decision)
        for other in others:
            ended = replace(ask, method="FinishRollout", request_id="")
            reason = f"{ask.principal.id} went back to {name.version}"
            self.finish.end(tx, ended, AttemptName.parse(other.name), "ROLLED_BACK", reason)
        number = len(tx.attempts(release.name)) + 1
        attempt = Attempt(
            name=str(AttemptName(name, number)),
            number=number,
            ground=ground.name,
            start_time=tx.now,
            starter=ask.principal.id,
            starter_identities=ask.principal.identities,
            policies=tuple((one.policy_id, one.revision) for one in policies),
        )
        tx.put_attempt(release, attempt)
        scopes = (
            f"release:{release.name}",
            f"digests:{release.identity.content_digest}",
            f"workload:{name.service}/{name.environment}",
        )
        record(tx, ask, attempt.name, scopes, ground=ground.name)
        watched = self.cases.messages.limits(ground.body).watched
        timer = expiry(attempt, f"{name.service}/{name.environment}", watched)
        if timer is not None:
            tx.schedule(timer)
        reconsider(tx, [workload(name.service, name.environment)])
        return attempt, attempt.name

    def _goes_back(self, tx: Transaction, release: Release) -> bool:
        newest = tx.newest_decision(release.name)
        return newest is not None and self.cases.messages.limits(newest.body).restores

    def _ground(
        self, tx: Transaction, release: Release, decision: str
    ) -> tuple[DecisionRecord, tuple[Policy, ...]]:
        """Return the decision to start on, and the policies that it is made of."""
        newest = tx.newest_decision(release.name)
        if newest is None:
            raise _changed("there is no decision yet: call Evaluate first", "")
        if decision and decision != newest.name:
            raise _changed(f"the newest decision is {newest.name}, not {decision}", newest.name)
        if newest.stage is not Stage.PRE_ROLLOUT or not newest.effective_verdict.allows:
            text = f"{newest.name} says {newest.effective_verdict.name} at {newest.stage.name}"
            raise _changed(text, newest.name)
        if newest.valid_until is None or newest.valid_until <= tx.now:
            raise _changed(f"{newest.name} has expired: call Evaluate again", newest.name)
        loaded = tx.load_case(case_key(release, tx.attempts(release.name)), tx.now)
        case = self.cases.build(loaded)
        outcome = decide(case, now=tx.now)
        if not outcome.effective_verdict.allows:
            text = f"it would be {outcome.effective_verdict.name} now: call Evaluate for the reasons"
            raise _changed(text, newest.name)
        if outcome.digest != newest.outcome_digest:
            # What the attempt stands on is frozen, so it has to be what is true at the start.
            text = f"{newest.name} would have other findings or limits now: call Evaluate again"
            raise _changed(text, newest.name)
        return newest, case.policies


def differs(tx: Transaction, name: ReleaseName, other: Attempt) -> bool:
    """Say whether a rollout is one of other content than a release."""
    found = (
        tx.find_release(r.service, r.environment, r.version)
        for r in (name, AttemptName.parse(other.name).release)
    )
    return len({release.identity.content_digest for release in found if release is not None}) > 1


def _changed(text: str, newest: str) -> Conflict:
    return Conflict("VERDICT_CHANGED", f"the rollout may not start: {text}", metadata={"newest": newest})
