"""Make exceptions to findings: asked for by one person, granted by another, and ended by time or by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.act_names import WaiverName
from release_passport_server.domain.acts import Waiver, WaiverFilter, WaiverRequest, WaiverState, same_person
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
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.outcome import Finding
from release_passport_server.domain.people import fingerprint, waivable
from release_passport_server.domain.policy import Policy, Rule
from release_passport_server.domain.record import Listed, Page
from release_passport_server.domain.release import Release
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.policies import PolicyCompiler
from release_passport_server.ports.store import Reader, Store, Transaction, Written
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.cases import Cases, case_key
from release_passport_server.services.filling import filled
from release_passport_server.services.grants import GuardedStore
from release_passport_server.services.people import authors_in, fingerprints_of
from release_passport_server.services.reconsider import reconsider_places, reconsider_release

# So long before its end a waiver is shown as one that somebody has to think of.
EXPIRING = timedelta(days=7)
# No exception for all releases of a service lasts longer, whatever a policy says.
MAX_SERVICE_WIDE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class ShownWaiver:
    """A waiver, and where it stands now."""

    waiver: Waiver
    state: WaiverState


@dataclass(frozen=True, slots=True)
class Waivers:
    """Takes requests for waivers, and grants, shows and ends waivers."""

    store: Store
    access: Authorizer
    guarded: GuardedStore
    cases: Cases
    clock: Clock
    ids: Ids

    async def request(self, ask: Ask, wanted: WaiverRequest) -> Written[ShownWaiver]:
        """Return the request, about facts as they stand now.

        Raises Precondition `NOTHING_ASKED` where there is no such finding, `NOT_WAIVABLE` where nothing may cover it,
        and Conflict where the newest decision would come out differently now.
        """

        def put(tx: Transaction) -> tuple[Waiver, str]:
            finding, policy, rule, mark = self._finding(tx, wanted)
            _require_limits(wanted.expire_time, policy, tx.now, service_wide=wanted.service_wide)
            name = WaiverName(tx.tenant, self.ids.ulid(tx.now))
            stored = Waiver(
                name=str(name),
                service=wanted.release.service,
                environment=wanted.release.environment,
                release="" if wanted.service_wide else str(wanted.release),
                policy=policy.policy_id,
                rule=rule.rule_id,
                rule_digest=rule.digest,
                finding_reason=finding.reason.value,
                artifact=finding.artifact,
                key=finding.key,
                fingerprint=mark,
                owner=wanted.owner or ask.principal.id,
                ticket=wanted.ticket,
                reason=wanted.reason,
                requester=ask.principal.id,
                create_time=tx.now,
                expire_time=wanted.expire_time,
                requester_identities=ask.principal.identities,
            )
            self._store(tx, ask, stored)
            return stored, name.waiver_id

        return await self._change(ask, lambda: self._allow_request(ask.principal, wanted.release), put)

    async def grant(self, ask: Ask, name: WaiverName) -> Written[ShownWaiver]:
        """Return the waiver, in force; raise Denied `SELF_APPROVAL` for who asked for it and for authors."""

        def put(tx: Transaction) -> tuple[Waiver, str]:
            before = self._seen(tx, ask.principal, name)
            self._require(ask.principal, Verb.WAIVE, before)
            _require_open(before, tx.now)
            if before.grant_time is not None:
                return before, name.waiver_id
            _require_second_person(tx, ask.principal, before)
            found = self._rule(tx, before)
            if found is None:
                text = f"{before.policy}/{before.rule} is gone or says something else now: request another waiver"
                raise Precondition("NOT_WAIVABLE", text)
            _require_limits(before.expire_time, found[0], tx.now, service_wide=not before.release)
            stored = replace(
                before,
                granter=ask.principal.id,
                granter_identities=ask.principal.identities,
                grant_time=tx.now,
            )
            self._store(tx, ask, stored)
            return stored, name.waiver_id

        def allow() -> None:
            self.access.require_somewhere(ask.principal, Verb.WAIVE)

        return await self._change(ask, allow, put)

    async def revoke(self, ask: Ask, name: WaiverName, reason: str) -> Written[ShownWaiver]:
        """Return the waiver, ended now; one that has ended already is returned as it is."""

        def put(tx: Transaction) -> tuple[Waiver, str]:
            before = self._seen(tx, ask.principal, name)
            if before.requester != ask.principal.id:
                self._require(ask.principal, Verb.WAIVE, before)
            if before.end_time is not None:
                return before, name.waiver_id
            stored = replace(before, end_time=tx.now, ended_by=ask.principal.id, end_reason=reason)
            self._store(tx, ask, stored, ended=reason)
            return stored, name.waiver_id

        def allow() -> None:
            asks = any(self.access.allowed_scopes(ask.principal, verb) for verb in _ASKING)
            if not asks:
                self.access.require_somewhere(ask.principal, Verb.WAIVE)

        return await self._change(ask, allow, put)

    async def get(self, principal: Principal, name: WaiverName) -> ShownWaiver:
        """Return a waiver."""
        self.access.require_somewhere(principal, Verb.READ)
        now = self.clock.now()

        def act(reader: Reader) -> ShownWaiver:
            return self._shown(reader, self._seen(reader, principal, name), now)

        return await self.store.read(principal.tenant, act)

    async def list(self, principal: Principal, wanted: WaiverFilter, page: Page) -> Listed[ShownWaiver]:
        """Return the waivers that the asker may see, newest first."""
        self.access.require_somewhere(principal, Verb.READ)
        now = self.clock.now()

        scopes = self.access.allowed_scopes(principal, Verb.READ)

        def act(reader: Reader) -> Listed[ShownWaiver]:
            def shown(one: Waiver) -> ShownWaiver | None:
                if not (self._sees(principal, one) and wanted.fits(one)):
                    return None
                found = self._shown(reader, one, now)
                return found if wanted.state in (None, found.state) else None

            return filled(
                lambda part: reader.list_acts(Waiver, part, key=wanted.release, scopes=scopes), page, shown
            )

        return await self.store.read(principal.tenant, act)

    async def _change(
        self, ask: Ask, allow: Callable[[], None], put: Callable[[Transaction], tuple[Waiver, str]]
    ) -> Written[ShownWaiver]:
        def act(tx: Transaction) -> ShownWaiver:
            def again(waiver_id: str) -> Waiver:
                return self._seen(tx, ask.principal, WaiverName(tx.tenant, waiver_id))

            stored = once(tx, ask, lambda: put(tx), again)[0]
            return self._shown(tx, stored, tx.now)

        return await self.guarded.write(ask.principal, allow, act)

    def _store(self, tx: Transaction, ask: Ask, waiver: Waiver, **more: object) -> None:
        """Store a waiver with all that its change means: feed, audit log, and what is decided anew."""
        tx.put_act(waiver)
        place = f"workload:{waiver.service}/{waiver.environment}"
        told = {
            name: getattr(waiver, name) for name in ("policy", "rule", "artifact", "key", "owner", "ticket")
        }
        scopes = (f"release:{waiver.release}",) if waiver.release else (place,)
        record(tx, ask, waiver.name, scopes, **told, reason=waiver.reason, release=waiver.release, **more)
        if waiver.grant_time is None:
            return
        if waiver.release:
            reconsider_release(tx, waiver.release)
        else:
            reconsider_places(tx, (waiver.service,), (waiver.environment,))

    def _finding(self, tx: Transaction, wanted: WaiverRequest) -> tuple[Finding, Policy, Rule, str]:
        """Return the finding as it stands now, without what waivers and votes do to it, and what identifies it."""
        name = wanted.release
        release = tx.find_release(name.service, name.environment, name.version)
        if release is None:
            raise NotFound("NOT_FOUND", f"there is no release {name}")
        newest = tx.newest_decision(release.name)
        if newest is None:
            text = f"there is no decision about {name} yet: call Evaluate first"
            raise Precondition("NOTHING_ASKED", text)
        case = self.cases.build(tx.load_case(case_key(release, tx.attempts(release.name)), tx.now))
        outcome = decide(case, now=tx.now)
        if outcome.digest != newest.outcome_digest:
            text = f"{newest.name} would come out differently now: call Evaluate again"
            raise Conflict("VERDICT_CHANGED", text, metadata={"newest": newest.name})
        if case.people.waivers or case.people.votes:
            # An exception that stands is renewed before it ends.
            bare = replace(case.people, waivers=(), votes=())
            outcome = decide(replace(case, people=bare), now=tx.now)
        finding = _chosen(wanted, outcome.findings)
        policy = next(one for one in case.policies if one.policy_id == finding.policy)
        rule = next(one for one in policy.rules if one.rule_id == finding.rule)
        if not waivable(finding, rule):
            text = f"{rule.rule_id} says {finding.reason.value}, which no waiver covers: {finding.message}"
            raise Precondition("NOT_WAIVABLE", text)
        marks = fingerprints_of(finding.evidence, self.cases.messages)
        return finding, policy, rule, fingerprint(finding, marks, rule.compiled.expect.source)

    def _allow_request(self, principal: Principal, release: ReleaseName) -> None:
        """Raise Denied unless somebody may ask about the release, or make it, or waive there."""
        scopes = [scope for verb in _ASKING for scope in self.access.allowed_scopes(principal, verb)]
        if not any(scope.covers(release.service, release.environment) for scope in scopes):
            place = {"service": release.service, "environment": release.environment}
            self.access.require(principal, Verb.EVALUATE, **place)

    def _require(self, principal: Principal, verb: Verb, waiver: Waiver) -> None:
        self.access.require(principal, verb, service=waiver.service, environment=waiver.environment)

    def _seen(self, reader: Reader, principal: Principal, name: WaiverName) -> Waiver:
        """Return a waiver that the principal may know of; one that they may not is as absent as one that is not."""
        found = reader.find_act(Waiver, name.waiver_id)
        if found is None or not self._sees(principal, found):
            raise NotFound("NOT_FOUND", f"there is no waiver {name}")
        return found

    def _sees(self, principal: Principal, waiver: Waiver) -> bool:
        scopes = self.access.allowed_scopes(principal, Verb.READ)
        return any(scope.covers(waiver.service, waiver.environment) for scope in scopes)

    def _shown(self, reader: Reader, waiver: Waiver, now: datetime) -> ShownWaiver:
        return shown_waiver(reader, self.cases.compiler, waiver, now)

    def _rule(self, reader: Reader, waiver: Waiver) -> tuple[Policy, Rule] | None:
        return rule_of(reader, self.cases.compiler, waiver)


def shown_waiver(reader: Reader, compiler: PolicyCompiler, waiver: Waiver, now: datetime) -> ShownWaiver:
    """Return a waiver with where it stands."""
    return ShownWaiver(waiver, _state(reader, compiler, waiver, now))


def stood_for(waiver: Waiver, release: Release) -> bool:
    """Say whether a waiver for a whole service was in force at any time since a release was created."""
    end = min(one for one in (waiver.end_time, waiver.expire_time) if one is not None)
    return waiver.grant_time is not None and end > release.create_time


def _state(reader: Reader, compiler: PolicyCompiler, waiver: Waiver, now: datetime) -> WaiverState:
    if waiver.end_time is not None:
        return WaiverState.ENDED
    if waiver.expire_time <= now:
        return WaiverState.EXPIRED
    if rule_of(reader, compiler, waiver) is None:
        return WaiverState.ORPHANED
    if waiver.grant_time is None:
        return WaiverState.REQUESTED
    return WaiverState.EXPIRING if waiver.expire_time - now <= EXPIRING else WaiverState.ACTIVE


_ASKING = (Verb.EVALUATE, Verb.RELEASE, Verb.WAIVE)


def rule_of(reader: Reader, compiler: PolicyCompiler, waiver: Waiver) -> tuple[Policy, Rule] | None:
    """Return the policy and the rule that a waiver is about, None where they are gone or say something else."""
    document = reader.find_policy(waiver.policy)
    if document is None or document.delete_time is not None:
        return None
    policy = compiler.compile(document)
    rule = next((one for one in policy.rules if one.rule_id == waiver.rule), None)
    permitted = bool(waiver.release) or policy.waivers.service_wide
    return (policy, rule) if rule and rule.digest == waiver.rule_digest and permitted else None


def _chosen(wanted: WaiverRequest, findings: tuple[Finding, ...]) -> Finding:
    """Return the one finding that a request names; raise Precondition or Invalid where it is none or not one."""
    named = (wanted.policy, wanted.rule)
    of_rule = [one for one in findings if (one.policy, one.rule) == named and not one.verdict.allows]
    meant = [one for one in of_rule if wanted.artifact in ("", one.artifact) and wanted.key in ("", one.key)]
    if not meant:
        text = f"no finding of {wanted.policy}/{wanted.rule} like that stands against {wanted.release}"
        raise Precondition("NOTHING_ASKED", text)
    if len(meant) > 1:
        shown = ", ".join(sorted(f"artifact {one.artifact!r} key {one.key!r}" for one in meant[:10]))
        text = f"several findings of {wanted.rule} do not pass; name one of them: {shown}"
        raise invalid([Violation("artifact", text)])
    return meant[0]


def _require_limits(end: datetime, policy: Policy, now: datetime, *, service_wide: bool) -> None:
    """Raise Invalid or Precondition where a policy does not permit a waiver of this kind for so long."""
    longest = policy.waivers.max_duration
    if service_wide:
        if not policy.waivers.service_wide:
            text = f"policy {policy.policy_id} permits no waiver for all releases of a service"
            raise Precondition("NOT_WAIVABLE", text)
        longest = min(longest, MAX_SERVICE_WIDE)
    if not now < end <= now + longest:
        text = f"must be in the future, and at most {longest} ahead by policy {policy.policy_id}"
        raise invalid([Violation("expire_time", text)])


def _require_open(waiver: Waiver, now: datetime) -> None:
    if waiver.end_time is not None or waiver.expire_time <= now:
        raise Precondition("ALREADY_ENDED", f"{waiver.name} has ended: request another one")


def _require_second_person(tx: Transaction, principal: Principal, waiver: Waiver) -> None:
    """Raise Denied for machines, for who asked for the waiver and for the release's authors."""
    if not is_person(principal.id):
        text = f"{principal.id} is no person: somebody has to answer for an exception"
        raise Denied("ACCESS_DENIED", text)
    asked = (waiver.requester, *waiver.requester_identities)
    if same_person(asked, (principal.id, *principal.identities)):
        text = f"{principal.id} asked for {waiver.name}: somebody else has to grant it"
        raise Denied("SELF_APPROVAL", text)
    if not waiver.release:
        # For each release it counts only where its granter is no author of that one.
        return
    name = ReleaseName.parse(waiver.release)
    release = tx.find_release(name.service, name.environment, name.version)
    if release is None or authors_in(tx, release).include(principal.id, principal.identities):
        text = f"{principal.id} is an author of {waiver.release}: somebody else has to grant the waiver"
        raise Denied("SELF_APPROVAL", text)
