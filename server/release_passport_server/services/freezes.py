"""Keep the times in which nothing starts, and the exemptions that people make for one release."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from release_passport_server.domain.access import Principal, Scope, Verb
from release_passport_server.domain.act_names import FreezeExemptionName, FreezeName
from release_passport_server.domain.acts import Exemption, ExemptionRequest, Freeze, FreezeTimes
from release_passport_server.domain.authors import is_person
from release_passport_server.domain.errors import Denied, NotFound, Precondition, Violation, invalid
from release_passport_server.domain.etags import freeze_etag, require_etag
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.record import Listed, Page
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.calendar import Calendar
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.store import Reader, Store, Transaction, Written
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.filling import filled
from release_passport_server.services.grants import GuardedStore
from release_passport_server.services.people import authors_in
from release_passport_server.services.reconsider import reconsider_places, reconsider_release

MAX_DURATION = timedelta(days=366)
MAX_EXEMPTION = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ShownFreeze:
    """A freeze, and when it is on."""

    freeze: Freeze
    times: FreezeTimes


@dataclass(frozen=True, slots=True)
class Freezes:
    """Makes, changes, shows and ends freezes, and exemptions from them."""

    store: Store
    access: Authorizer
    guarded: GuardedStore
    calendar: Calendar
    clock: Clock
    ids: Ids

    async def create(self, ask: Ask, freeze: Freeze) -> Written[tuple[ShownFreeze, tuple[str, ...]]]:
        """Return the freeze, with the attempts that are under way in its scope."""
        self._check(freeze)

        def put(tx: Transaction) -> tuple[Freeze, str]:
            if freeze.until_time is not None and freeze.until_time <= tx.now:
                raise invalid([Violation("freeze.until_time", "is over already")])
            name = FreezeName(tx.tenant, self.ids.ulid(tx.now))
            stored = replace(freeze, name=str(name), creator=ask.principal.id, create_time=tx.now)
            tx.put_act(stored)
            record(tx, ask, stored.name, ("tenant",), title=stored.title, reason=stored.reason)
            reconsider_places(tx, stored.services, stored.environments)
            return stored, name.freeze_id

        def act(tx: Transaction) -> tuple[ShownFreeze, tuple[str, ...]]:
            stored = once(tx, ask, lambda: put(tx), lambda found: _freeze(tx, found))[0]
            return self._shown(stored, tx.now), _in_flight(tx, stored)

        return await self.guarded.write(ask.principal, lambda: self._allow(ask.principal, freeze), act)

    async def update(self, ask: Ask, freeze: Freeze, etag: str) -> Written[ShownFreeze]:
        """Return the freeze with everything replaced; raise Conflict where it was changed meanwhile."""
        self._check(freeze)
        freeze_id = FreezeName.parse(freeze.name).freeze_id

        def put(tx: Transaction) -> tuple[Freeze, str]:
            before = _freeze(tx, freeze_id)
            self._allow(ask.principal, before)
            require_etag(etag, freeze_etag(before), before.name)
            if before.end_time is not None:
                raise Precondition("ALREADY_ENDED", f"{before.name} has ended: make another one")
            stored = replace(freeze, creator=before.creator, create_time=before.create_time)
            tx.put_act(stored)
            record(tx, ask, stored.name, ("tenant",), title=stored.title, reason=stored.reason)
            reconsider_places(tx, stored.services, stored.environments)
            return stored, freeze_id

        def act(tx: Transaction) -> ShownFreeze:
            stored = once(tx, ask, lambda: put(tx), lambda found: _freeze(tx, found))[0]
            return self._shown(stored, tx.now)

        return await self.guarded.write(ask.principal, lambda: self._allow(ask.principal, freeze), act)

    async def end(self, ask: Ask, name: FreezeName, reason: str) -> Written[ShownFreeze]:
        """Return the freeze, ended now; one that has ended already is returned as it is."""

        def put(tx: Transaction) -> tuple[Freeze, str]:
            before = _freeze(tx, name.freeze_id)
            self._allow(ask.principal, before)
            if before.end_time is not None:
                return before, name.freeze_id
            stored = replace(before, end_time=tx.now, ended_by=ask.principal.id)
            tx.put_act(stored)
            record(tx, ask, stored.name, ("tenant",), reason=reason)
            reconsider_places(tx, stored.services, stored.environments)
            return stored, name.freeze_id

        def act(tx: Transaction) -> ShownFreeze:
            stored = once(tx, ask, lambda: put(tx), lambda found: _freeze(tx, found))[0]
            return self._shown(stored, tx.now)

        def allow() -> None:
            self.access.require_somewhere(ask.principal, Verb.FREEZE)

        return await self.guarded.write(ask.principal, allow, act)

    async def get(self, principal: Principal, name: FreezeName) -> ShownFreeze:
        """Return a freeze; whoever may read anything may know when nothing starts."""
        self.access.require_somewhere(principal, Verb.READ)
        found = await self.store.read(principal.tenant, lambda reader: _freeze(reader, name.freeze_id))
        return self._shown(found, self.clock.now())

    async def list(self, principal: Principal, page: Page, *, current: bool) -> Listed[ShownFreeze]:
        """Return freezes, newest first; a page may hold fewer where only current ones are wanted."""
        self.access.require_somewhere(principal, Verb.READ)
        now = self.clock.now()
        listed = await self.store.read(principal.tenant, lambda reader: reader.list_acts(Freeze, page))
        shown = [self._shown(one, now) for one in listed.items]
        wanted = [one for one in shown if not current or _is_current(one)]
        return Listed(tuple(wanted), listed.next_after)

    async def exempt(self, ask: Ask, wanted: ExemptionRequest) -> Written[Exemption]:
        """Return the exemption of one release; raise Denied for its authors and for machines."""
        release = wanted.release

        def put(tx: Transaction) -> tuple[Exemption, str]:
            digest = self._exempted(tx, ask.principal, release)
            freeze = _freeze(tx, wanted.freeze.freeze_id)
            if freeze.end_time is not None:
                raise Precondition("ALREADY_ENDED", f"{freeze.name} has ended: nothing is held by it")
            name = FreezeExemptionName(release, self.ids.ulid(tx.now))
            stored = Exemption(
                name=str(name),
                freeze=freeze.name,
                release=str(release),
                release_digest=digest,
                reason=wanted.reason,
                ticket=wanted.ticket,
                creator=ask.principal.id,
                create_time=tx.now,
                expire_time=_exemption_end(wanted.expire_time, tx.now),
            )
            tx.put_act(stored)
            told = {"freeze": freeze.name, "ticket": wanted.ticket, "reason": wanted.reason}
            record(tx, ask, stored.name, (f"release:{release}",), **told)
            reconsider_release(tx, str(release))
            return stored, name.exemption_id

        def act(tx: Transaction) -> Exemption:
            return once(tx, ask, lambda: put(tx), lambda found: _exemption(tx, found))[0]

        return await self.guarded.write(ask.principal, lambda: self._allow_at(ask.principal, release), act)

    async def end_exemption(self, ask: Ask, name: FreezeExemptionName) -> Written[Exemption]:
        """Return the exemption, ended now."""

        def put(tx: Transaction) -> tuple[Exemption, str]:
            before = _exemption(tx, name.exemption_id)
            if before.name != str(name):
                raise _absent("exemption", str(name))
            if before.end_time is not None:
                return before, name.exemption_id
            stored = replace(before, end_time=tx.now, ended_by=ask.principal.id)
            tx.put_act(stored)
            record(tx, ask, stored.name, (f"release:{name.release}",))
            reconsider_release(tx, str(name.release))
            return stored, name.exemption_id

        def act(tx: Transaction) -> Exemption:
            return once(tx, ask, lambda: put(tx), lambda found: _exemption(tx, found))[0]

        return await self.guarded.write(
            ask.principal, lambda: self._allow_at(ask.principal, name.release), act
        )

    async def exemptions(
        self, principal: Principal, release: str, freeze: str, page: Page
    ) -> Listed[Exemption]:
        """Return the exemptions that the asker may see, newest first."""
        self.access.require_somewhere(principal, Verb.READ)
        scopes = self.access.allowed_scopes(principal, Verb.READ)

        def shown(one: Exemption) -> Exemption | None:
            return one if freeze in ("", one.freeze) and _sees(scopes, one) else None

        def act(reader: Reader) -> Listed[Exemption]:
            return filled(
                lambda part: reader.list_acts(Exemption, part, key=release, scopes=scopes), page, shown
            )

        return await self.store.read(principal.tenant, act)

    def _check(self, freeze: Freeze) -> None:
        self.calendar.check(freeze)
        once_until = freeze.until_time if not freeze.rrule else None
        if once_until is not None and once_until - freeze.start_time > MAX_DURATION:
            text = "is more than 366 days after start_time: a freeze that never ends gets switched off"
            raise invalid([Violation("freeze.until_time", text)])

    def _allow(self, principal: Principal, freeze: Freeze) -> None:
        """Raise Denied unless the principal may freeze everything that the freeze covers."""
        wanted = Scope(freeze.services or ("*",), freeze.environments or ("*",))
        scopes = self.access.allowed_scopes(principal, Verb.FREEZE)
        if not any(scope.contains(wanted) for scope in scopes):
            text = f"{principal.id} may not `freeze` all that this freeze covers: ask an admin who may"
            raise Denied("ACCESS_DENIED", text)

    def _allow_at(self, principal: Principal, release: ReleaseName) -> None:
        place = {"service": release.service, "environment": release.environment}
        self.access.require(principal, Verb.FREEZE, **place)

    def _exempted(self, tx: Transaction, principal: Principal, name: ReleaseName) -> str:
        """Return the digest of a release that the asker may exempt."""
        release = tx.find_release(name.service, name.environment, name.version)
        if release is None:
            raise NotFound("NOT_FOUND", f"there is no release {name}")
        if not is_person(principal.id):
            text = f"{principal.id} is no person: somebody has to answer for an exemption"
            raise Denied("ACCESS_DENIED", text)
        if authors_in(tx, release).include(principal.id, principal.identities):
            text = f"{principal.id} is an author of {name}: somebody else has to exempt it"
            raise Denied("SELF_APPROVAL", text)
        return release.identity.digest

    def _shown(self, freeze: Freeze, now: datetime) -> ShownFreeze:
        return ShownFreeze(freeze, self.calendar.times(freeze, now))


def _is_current(shown: ShownFreeze) -> bool:
    times = shown.times
    return shown.freeze.end_time is None and (times.until_time is not None or times.next_start is not None)


def _in_flight(tx: Transaction, freeze: Freeze) -> tuple[str, ...]:
    """Return the open attempts in a freeze's scope; labels are left out of it, which names too many at worst."""
    scope = Scope(freeze.services or ("*",), freeze.environments or ("*",))
    return tuple(one.name for one in tx.open_attempts() if _covers(scope, one.name))


def _covers(scope: Scope, attempt: str) -> bool:
    release = ReleaseName.parse(attempt.rpartition("/attempts/")[0])
    return scope.covers(release.service, release.environment)


def _sees(scopes: tuple[Scope, ...], exemption: Exemption) -> bool:
    release = ReleaseName.parse(exemption.release)
    return any(scope.covers(release.service, release.environment) for scope in scopes)


def _exemption_end(wanted: datetime | None, now: datetime) -> datetime:
    latest = now + MAX_EXEMPTION
    if wanted is None:
        return latest
    if not now < wanted <= latest:
        raise invalid([Violation("expire_time", "must be in the future, at most 7 days ahead")])
    return wanted


def _freeze(reader: Reader, freeze_id: str) -> Freeze:
    found = reader.find_act(Freeze, freeze_id)
    if found is None:
        raise _absent("freeze", freeze_id)
    return found


def _exemption(reader: Reader, exemption_id: str) -> Exemption:
    found = reader.find_act(Exemption, exemption_id)
    if found is None:
        raise _absent("exemption", exemption_id)
    return found


def _absent(what: str, name: str) -> NotFound:
    return NotFound("NOT_FOUND", f"there is no {what} {name}")
