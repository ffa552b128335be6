"""Show how rollouts are watched, take people's answers to what was recommended, and end what nobody ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.authors import is_person
from release_passport_server.domain.errors import Conflict, Denied, NotFound, Precondition
from release_passport_server.domain.evidence import EvidenceItem, Subject
from release_passport_server.domain.ids import AttemptName, ReleaseName
from release_passport_server.domain.kind import SubjectType
from release_passport_server.domain.record import Listed, Page
from release_passport_server.domain.reevaluation import WORKER
from release_passport_server.domain.release import Attempt, Release
from release_passport_server.domain.watch_window import EXPIRED, Acknowledgement, WatchWindow, first_exposure
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.messages import Messages
from release_passport_server.ports.store import EvidenceFilter, Reader, Store, Transaction, Written
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.ballots import Ballots
from release_passport_server.services.finish_rollout import FinishRollout
from release_passport_server.services.grants import GuardedStore
from release_passport_server.services.reconsider import reconsider, workload

# So many observations of a rollout are read at once.
_OBSERVATIONS, _READINESS = Page(1000), Page(5)
_ACKNOWLEDGEMENTS = Page(100)
_FAR = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class WatchWindows:
    """The watch windows of attempts."""

    store: Store
    access: Authorizer
    guarded: GuardedStore
    messages: Messages
    ballots: Ballots
    finish: FinishRollout
    ids: Ids

    async def get(self, principal: Principal, name: AttemptName) -> WatchWindow:
        """Return the window of an attempt; raise NotFound."""
        self._allow(principal, Verb.READ, name.release)
        return await self.store.read(
            principal.tenant, lambda reader: self._window(reader, _attempt(reader, name))
        )

    async def list(
        self, principal: Principal, service: str, environment: str, page: Page
    ) -> Listed[WatchWindow]:
        """Return the windows of the rollouts that are under way and that the asker may see, by name."""
        self.access.require_somewhere(principal, Verb.READ)
        scopes = self.access.allowed_scopes(principal, Verb.READ)

        def shown(attempt: Attempt) -> bool:
            release = AttemptName.parse(attempt.name).release
            return attempt.name > page.after and any(
                scope.covers(release.service, release.environment) for scope in scopes
            )

        def act(reader: Reader) -> Listed[WatchWindow]:
            under_way = sorted(
                filter(shown, reader.open_attempts(service, environment)), key=lambda one: one.name
            )
            found = under_way[: page.size]
            after = found[-1].name if len(under_way) > page.size else ""
            return Listed(tuple(self._window(reader, one) for one in found), after)

        return await self.store.read(principal.tenant, act)

    async def acknowledge(self, ask: Ask, name: AttemptName, reason: str) -> Written[WatchWindow]:
        """Return the window after what latched on its digests was cleared.

        Raises Denied `SELF_APPROVAL` for an author, Precondition `NOTHING_ASKED` where nothing is latched.
        """
        principal, release = ask.principal, name.release

        def put(tx: Transaction) -> tuple[WatchWindow, str]:
            attempt = _attempt(tx, name)
            self._require_other(tx, principal, release)
            self._clear(tx, ask, attempt, reason)
            return self._window(tx, attempt), str(name)

        def act(tx: Transaction) -> WatchWindow:
            return once(tx, ask, lambda: put(tx), lambda _: self._window(tx, _attempt(tx, name)))[0]

        def allow() -> None:
            self._allow(principal, Verb.ACKNOWLEDGE, release)

        return await self.guarded.write(principal, allow, act)

    async def close(self, ask: Ask, name: AttemptName, outcome: str, reason: str) -> Written[WatchWindow]:
        """Return the window after its rollout was ended by hand; what latched stands."""

        def put(tx: Transaction) -> tuple[WatchWindow, str]:
            ended, _ = self.finish.end(tx, ask, name, outcome, reason)
            return self._window(tx, ended), str(name)

        def act(tx: Transaction) -> WatchWindow:
            return once(tx, ask, lambda: put(tx), lambda _: self._window(tx, _attempt(tx, name)))[0]

        def allow() -> None:
            self._allow(ask.principal, Verb.ACKNOWLEDGE, name.release)

        return await self.guarded.write(ask.principal, allow, act)

    async def expire(self, tenant: str, name: AttemptName) -> None:
        """End a window whose time is over: as PASSED where its rollout is seen to be healthy."""
        ask = Ask(Principal(WORKER, tenant, _FAR), "ExpireWatchWindow")

        def act(tx: Transaction) -> None:
            attempt = tx.find_attempt(str(name))
            if attempt is None or attempt.finish_time is not None:
                return
            reason = "the watch window is over, and nobody ended the rollout"
            if self._window(tx, attempt).open_time is not None:
                try:
                    self.finish.end(tx, ask, name, "PASSED", reason)
                except (Precondition, Conflict):
                    pass
                else:
                    return
            self.finish.end(tx, ask, name, EXPIRED, reason)

        await self.store.write(tenant, act)

    def _window(self, reader: Reader, attempt: Attempt) -> WatchWindow:
        name = AttemptName.parse(attempt.name).release
        release = reader.find_release(name.service, name.environment, name.version)
        ground, newest = reader.find_decision(attempt.ground), reader.newest_decision(str(name))
        assert release is not None
        limits = None if ground is None else self.messages.limits(ground.body)
        content = release.identity.content_digest
        return WatchWindow(
            attempt,
            *((limits.watched, limits.max_weight, limits.steps) if limits else (timedelta(0), 100, ())),
            open_time=first_exposure(attempt, list(self._seen(reader, attempt, release))),
            latches=reader.latches(content),
            acknowledgements=reader.list_acts(Acknowledgement, _ACKNOWLEDGEMENTS, key=content).items,
            decision="" if newest is None else newest.name,
            effective_verdict=None if newest is None else newest.effective_verdict,
            rollback_target="" if newest is None else self.messages.rollback_target(newest.body),
            release_digest=release.identity.digest,
            readiness=_readiness(reader, release),
        )

    def _seen(self, reader: Reader, attempt: Attempt, release: Release) -> Iterator[tuple[datetime, bool]]:
        """Yield when the attempt was looked at since it began, and whether it was exposed."""
        identity, page = release.identity, _OBSERVATIONS
        of_place = Subject(SubjectType.WORKLOAD, f"{identity.service}/{identity.environment}")
        wanted = EvidenceFilter(
            "rollout_status", subjects=(Subject(SubjectType.ATTEMPT, attempt.name), of_place)
        )
        digests = frozenset(artifact.digest for artifact in identity.artifacts)
        while True:
            listed = reader.list_evidence(wanted, page)
            for item in listed.items:
                if item.revocation is None:
                    # What is said of the place says by its images which release it is about.
                    of_these = digests if item.subject == of_place else frozenset()
                    yield item.observe_time, self.messages.exposed(item, of_these)
            if not listed.next_after or listed.items[-1].receive_time < attempt.start_time:
                return
            page = Page(_OBSERVATIONS.size, listed.next_after)

    def _clear(self, tx: Transaction, ask: Ask, attempt: Attempt, reason: str) -> None:
        where = AttemptName.parse(attempt.name).release
        release = tx.find_release(where.service, where.environment, where.version)
        assert release is not None
        content = release.identity.content_digest
        latches = tx.latches(content)
        if not latches:
            raise Precondition("NOTHING_ASKED", f"nothing is latched on the digests of {where}")
        said = Acknowledgement(
            name=f"{where}/acknowledgements/{self.ids.ulid(tx.now)}",
            content_digest=content,
            principal=ask.principal.id,
            reason=reason,
            time=tx.now,
            latches=tuple(one.name for one in latches),
            decision=latches[0].decision,
        )
        tx.put_act(said)
        tx.clear_latches(content)
        scopes = (f"release:{where}", f"digests:{content}", f"workload:{where.service}/{where.environment}")
        told = {"reason": reason, "decision": said.decision, "latches": list(said.latches)}
        record(tx, ask, attempt.name, scopes, release=str(where), **told)
        reconsider(tx, [workload(where.service, where.environment)])

    def _require_other(self, tx: Transaction, principal: Principal, release: ReleaseName) -> None:
        if not is_person(principal.id):
            raise Denied("ACCESS_DENIED", f"{principal.id} is no person: somebody has to answer for this")
        if self.ballots.authors(tx, release).include(principal.id, principal.identities):
            text = f"{principal.id} is an author of {release}: somebody else has to acknowledge it"
            raise Denied("SELF_APPROVAL", text)

    def _allow(self, principal: Principal, verb: Verb, release: ReleaseName) -> None:
        self.access.require(principal, verb, service=release.service, environment=release.environment)


def _attempt(reader: Reader, name: AttemptName) -> Attempt:
    found = reader.find_attempt(str(name))
    if found is None:
        raise NotFound("NOT_FOUND", f"there is no attempt {name}")
    return found


def _readiness(reader: Reader, release: Release) -> EvidenceItem | None:
    wanted = EvidenceFilter("rollback_readiness", subjects=(Subject(SubjectType.RELEASE, release.name),))
    found = [one for one in reader.list_evidence(wanted, _READINESS).items if one.revocation is None]
    return found[0] if found else None
