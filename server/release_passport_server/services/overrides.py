"""Break-glass: let one release start against findings that stand, tell everybody, and have it reviewed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.act_names import OverrideName
from release_passport_server.domain.acts import BypassReport, Code, Override, OverrideFilter, OverrideRequest
from release_passport_server.domain.authors import is_person
from release_passport_server.domain.decide import decide
from release_passport_server.domain.errors import (
    Conflict,
    Denied,
    NotFound,
    Precondition,
    Violation,
    invalid,
)
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.people import code_of
from release_passport_server.domain.record import DecisionRecord, Listed, Page
from release_passport_server.domain.release import Attempt, Release
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.alerts import Alerts
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.judging import CaseKey, Conclusion, Judged, LoadedCase
from release_passport_server.ports.store import Reader, Store, Transaction, Written
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.cases import case_key
from release_passport_server.services.evaluate import Recorder
from release_passport_server.services.filling import filled
from release_passport_server.services.grants import GuardedStore
from release_passport_server.services.reconsider import reconsider_places, reconsider_release

# What was done by hand is recorded within this time.
RECORD_WITHIN = timedelta(hours=24)
# Clocks differ a little.
AHEAD = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Overrides:
    """Makes, records, ends, reviews and lists overrides."""

    store: Store
    access: Authorizer
    guarded: GuardedStore
    recorder: Recorder
    alerts: Alerts
    ids: Ids

    async def create(self, ask: Ask, wanted: OverrideRequest) -> tuple[Written[Override], Judged]:
        """Return the override, and the decision that stands under it.

        Raises Conflict `VERDICT_CHANGED` where the decision is not the newest or would come out differently now, and
        Precondition `STAGE_MISMATCH` once a rollout has started.
        """
        release = wanted.release

        def put(tx: Transaction) -> tuple[Override, str]:
            _require_person(ask.principal)
            found = _release(tx, release)
            overrules = self._overruled(tx, found, wanted.decision)
            name = OverrideName(release, self.ids.ulid(tx.now))
            stored = Override(
                name=str(name),
                service=release.service,
                environment=release.environment,
                release=found.name,
                release_digest=found.identity.digest,
                overrules=overrules,
                principal=ask.principal.id,
                ticket=wanted.ticket,
                reason=wanted.reason,
                decision=wanted.decision,
                create_time=tx.now,
                expire_time=tx.now + wanted.duration,
                maker_identities=ask.principal.identities,
            )
            _store(tx, ask, stored, overrules=[list(code) for code in overrules])
            return stored, name.override_id

        written = await self._change(ask, release, put, alert=True)
        return written, await self.store.judge(_Question(ask.principal, release, self.recorder))

    async def report(self, ask: Ask, told: BypassReport) -> Written[Override]:
        """Return the record of what was done by hand; it opens nothing, and is due for review like any other."""
        release = told.release

        def put(tx: Transaction) -> tuple[Override, str]:
            _require_person(ask.principal)
            if not tx.now - RECORD_WITHIN <= told.act_time <= tx.now + AHEAD:
                text = "must lie in the last 24 hours: what is older is for the incident's record"
                raise invalid([Violation("act_time", text)])
            found = _release(tx, release)
            _require_digests(found, told.artifact_digests)
            newest = tx.newest_decision(found.name)
            name = OverrideName(release, self.ids.ulid(tx.now))
            stored = Override(
                name=str(name),
                service=release.service,
                environment=release.environment,
                release=found.name,
                release_digest=found.identity.digest,
                overrules=(),
                principal=told.principal or ask.principal.id,
                ticket=told.ticket,
                reason=told.reason,
                decision=newest.name if newest else "",
                create_time=tx.now,
                expire_time=tx.now,
                retrospective=True,
                act_time=told.act_time,
                artifact_digests=told.artifact_digests,
                recorder=ask.principal.id,
                maker_identities=ask.principal.identities,
            )
            _store(tx, ask, stored, by=stored.principal, digests=list(told.artifact_digests))
            return stored, name.override_id

        return await self._change(ask, release, put, alert=True)

    async def withdraw(self, ask: Ask, name: OverrideName) -> Written[Override]:
        """Return the override, ended now; one that has ended already is returned as it is."""

        def put(tx: Transaction) -> tuple[Override, str]:
            before = _override(tx, name)
            if before.end_time is not None:
                return before, name.override_id
            stored = replace(before, end_time=tx.now, ended_by=ask.principal.id)
            _store(tx, ask, stored)
            return stored, name.override_id

        return await self._change(ask, name.release, put)

    async def review(self, ask: Ask, name: OverrideName, review: str) -> Written[Override]:
        """Return the override with its review; raise Denied `SELF_APPROVAL` for who made or recorded it."""

        def put(tx: Transaction) -> tuple[Override, str]:
            _require_person(ask.principal)
            before = _override(tx, name)
            if before.made_by(ask.principal.id, ask.principal.identities):
                text = f"{ask.principal.id} made {name}: somebody else has to review it"
                raise Denied("SELF_APPROVAL", text)
            if before.review_time is not None:
                text = f"{name} was reviewed by {before.reviewer} already"
                raise Precondition("ALREADY_ENDED", text)
            stored = replace(before, reviewer=ask.principal.id, review_time=tx.now, review=review)
            _store(tx, ask, stored, review=review)
            # Until then the service's next releases have to be approved.
            reconsider_places(tx, (stored.service,), (stored.environment,))
            return stored, name.override_id

        return await self._change(ask, name.release, put)

    async def list(self, principal: Principal, wanted: OverrideFilter, page: Page) -> Listed[Override]:
        """Return the overrides that the asker may see, newest first."""
        self.access.require_somewhere(principal, Verb.READ)
        scopes = self.access.allowed_scopes(principal, Verb.READ)
        whole = wanted.service and wanted.environment
        key = f"{wanted.service}/{wanted.environment}" if whole else ""

        def shown(one: Override) -> Override | None:
            seen = any(scope.covers(one.service, one.environment) for scope in scopes)
            return one if seen and wanted.fits(one) else None

        def act(reader: Reader) -> Listed[Override]:
            return filled(lambda part: reader.list_acts(Override, part, key=key, scopes=scopes), page, shown)

        return await self.store.read(principal.tenant, act)

    async def _change(
        self,
        ask: Ask,
        release: ReleaseName,
        put: Callable[[Transaction], tuple[Override, str]],
        *,
        alert: bool = False,
    ) -> Written[Override]:
        def act(tx: Transaction) -> tuple[Override, bool]:
            def again(override_id: str) -> Override:
                return _override(tx, OverrideName(release, override_id))

            return once(tx, ask, lambda: put(tx), again)

        def allow() -> None:
            place = {"service": release.service, "environment": release.environment}
            self.access.require(ask.principal, Verb.OVERRIDE, **place)

        written = await self.guarded.write(ask.principal, allow, act)
        stored, replayed = written.value
        if alert and not replayed:
            self._raise(ask, stored)
        return Written(stored, written.revision)

    def _raise(self, ask: Ask, override: Override) -> None:
        self.alerts.raised(
            "override",
            override=override.name,
            release=override.release,
            principal=override.principal,
            method=ask.method,
            ticket=override.ticket,
        )

    def _overruled(self, tx: Transaction, release: Release, decision: str) -> tuple[Code, ...]:
        """Return what stands against a release as the caller has seen it."""
        newest = tx.newest_decision(release.name)
        if newest is None:
            text = f"there is no decision about {release.name} yet: call Evaluate first"
            raise Precondition("NOTHING_ASKED", text)
        changed = {"newest": newest.name}
        if newest.name != decision:
            text = f"the newest decision is {newest.name}, not {decision}: look at that one first"
            raise Conflict("VERDICT_CHANGED", text, metadata=changed)
        loaded = tx.load_case(case_key(release, tx.attempts(release.name)), tx.now)
        if loaded.attempt is not None:
            text = f"{loaded.attempt.name} is under way: an override opens the start alone; acknowledge, or roll back"
            raise Precondition("STAGE_MISMATCH", text, metadata={"stage": "WATCH"})
        outcome = decide(self.recorder.cases.build(loaded), now=tx.now)
        if outcome.digest != newest.outcome_digest:
            text = f"{newest.name} would come out differently now: call Evaluate again"
            raise Conflict("VERDICT_CHANGED", text, metadata=changed)
        if outcome.effective_verdict.allows:
            text = f"{newest.name} lets the release start: there is nothing to overrule"
            raise Precondition("NOTHING_ASKED", text)
        codes = {code_of(finding) for finding in outcome.findings if not finding.verdict.allows}
        return tuple(sorted(codes))


@dataclass(slots=True)
class _Question:
    """What an override comes to, decided as if its maker had asked."""

    asker: Principal
    release: ReleaseName
    recorder: Recorder
    request_id: str = ""
    body_digest: str = ""
    writes: bool = False
    items: Sequence[EvidenceItem] = field(default=())

    @property
    def tenant(self) -> str:
        return self.release.tenant

    @property
    def about(self) -> str:
        return str(self.release)

    @property
    def principal(self) -> str:
        return self.asker.id

    def prepare(self, tx: Transaction) -> CaseKey:
        """Find the release."""
        release = _release(tx, self.release)
        return case_key(release, tx.attempts(release.name))

    def conclude(self, loaded: LoadedCase) -> Conclusion:
        """Decide at the stage that the release is in."""
        return self.recorder.conclude(loaded, self.asker.id)

    def recall(self, standing: DecisionRecord, attempt: Attempt | None, now: datetime) -> bool:
        """Say that it has to be decided anew: what was overridden just now counts."""
        return False


def _store(tx: Transaction, ask: Ask, override: Override, **more: object) -> None:
    """Store an override with all that its change means: feed, audit log, and what is decided anew."""
    tx.put_act(override)
    scopes = (f"release:{override.release}", f"workload:{override.service}/{override.environment}")
    told = {"ticket": override.ticket, "reason": override.reason, "decision": override.decision}
    record(tx, ask, override.name, scopes, **told, **more)
    reconsider_release(tx, override.release)


def _release(tx: Transaction, name: ReleaseName) -> Release:
    found = tx.find_release(name.service, name.environment, name.version)
    if found is None:
        raise NotFound("NOT_FOUND", f"there is no release {name}")
    return found


def _override(reader: Reader, name: OverrideName) -> Override:
    found = reader.find_act(Override, name.override_id)
    if found is None or found.name != str(name):
        raise NotFound("NOT_FOUND", f"there is no override {name}")
    return found


def _require_person(principal: Principal) -> None:
    if not is_person(principal.id):
        text = f"{principal.id} is no person: somebody has to answer for an override"
        raise Denied("ACCESS_DENIED", text)


def _require_digests(release: Release, digests: tuple[str, ...]) -> None:
    """Raise Invalid where other artifacts were put to run than the release has."""
    own = {artifact.digest for artifact in release.identity.artifacts}
    text = f"is no artifact of {release.name}: register the release that has it, and record it there"
    strange = [index for index, digest in enumerate(digests) if digest not in own]
    if strange:
        raise invalid([Violation(f"artifact_digests[{index}]", text) for index in strange])
