"""Show all of a release: what is recorded of it, and what people did about it, ended or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.acts import Exemption, Override, Vote, Waiver
from release_passport_server.domain.approving import CastVote
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.record import Page
from release_passport_server.domain.release import Release
from release_passport_server.domain.watch_window import WatchWindow
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.store import Reader, Store
from release_passport_server.services.ballots import Ballots
from release_passport_server.services.reading import Passport, read_passport
from release_passport_server.services.waivers import ShownWaiver, shown_waiver, stood_for
from release_passport_server.services.window_view import read_window

T = TypeVar("T", Vote, Waiver, Override, Exemption)

# So many acts of each kind are shown; the newest.
PASSPORT_ACTS = 200
# So many watch windows are shown; the newest.
PASSPORT_WINDOWS = 20
_LIST = 1000


@dataclass(frozen=True, slots=True)
class ReleaseActs:
    """What people did about a release, newest first."""

    votes: tuple[CastVote, ...]
    waivers: tuple[ShownWaiver, ...]
    overrides: tuple[Override, ...]
    exemptions: tuple[Exemption, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """All of a release: what is recorded of it, what people did, and how its rollouts are watched."""

    passport: Passport
    acts: ReleaseActs
    # The newest first.
    windows: tuple[WatchWindow, ...]


@dataclass(frozen=True, slots=True)
class ShowPassport:
    """Shows passports to who may read the release."""

    store: Store
    access: Authorizer
    ballots: Ballots
    clock: Clock

    async def __call__(self, principal: Principal, name: ReleaseName) -> Shown:
        """Return all of a release as of one revision; raise NotFound."""
        self.access.require(principal, Verb.READ, service=name.service, environment=name.environment)
        now = self.clock.now()

        def act(reader: Reader) -> Shown:
            passport = read_passport(reader, name)
            acts, more = self._acts(reader, passport.release, now)
            tried = sorted(passport.attempts, key=lambda one: one.number, reverse=True)
            more = more or len(tried) > PASSPORT_WINDOWS
            messages = self.ballots.cases.messages
            windows = tuple(read_window(reader, messages, one) for one in tried[:PASSPORT_WINDOWS])
            return Shown(replace(passport, truncated=passport.truncated or more), acts, windows)

        return await self.store.read(principal.tenant, act)

    def _acts(self, reader: Reader, release: Release, now: datetime) -> tuple[ReleaseActs, bool]:
        name, place = release.name, f"{release.identity.service}/{release.identity.environment}"
        votes = _newest(reader, Vote, name)
        own = _newest(reader, Waiver, name)
        wide = _newest(reader, Waiver, place, lambda one: stood_for(one, release))
        waivers = sorted((*own, *wide), key=lambda one: one.name, reverse=True)
        overrides = _newest(reader, Override, place, lambda one: one.release == name)
        exemptions = _newest(reader, Exemption, name)
        compiler = self.ballots.cases.compiler
        most = PASSPORT_ACTS
        counted = self.ballots.counted(reader, ReleaseName.parse(name), votes[:most], now) if votes else ()
        shown = tuple(shown_waiver(reader, compiler, one, now) for one in waivers[:most])
        acts = ReleaseActs(counted, shown, tuple(overrides[:most]), tuple(exemptions[:most]))
        return acts, any(len(one) > most for one in (votes, waivers, overrides, exemptions))


def _newest(reader: Reader, kind: type[T], key: str, wanted: Callable[[T], bool] = lambda _: True) -> list[T]:
    """Return the newest acts that are wanted, and one more than are shown where there are more."""
    found: list[T] = []
    for one in _every(reader, kind, key):
        if wanted(one):
            found.append(one)
        if len(found) > PASSPORT_ACTS:
            break
    return found


def _every(reader: Reader, kind: type[T], key: str) -> Iterator[T]:
    page = Page(_LIST)
    while True:
        listed = reader.list_acts(kind, page, key=key)
        yield from listed.items
        if not listed.next_after:
            return
        page = Page(_LIST, listed.next_after)
