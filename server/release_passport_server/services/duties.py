"""Report who did what about releases: separation of duties, as it was recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from release_passport_server.domain.access import Principal, Scope, Verb
from release_passport_server.domain.acts import Exemption, Override, Vote, Waiver
from release_passport_server.domain.duties import History, ReleaseDuties, duties_of
from release_passport_server.domain.record import Listed, Page
from release_passport_server.domain.release import Release
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.policies import PolicyCompiler
from release_passport_server.ports.store import Reader, ReleaseFilter, Store
from release_passport_server.services.subjects import subjects_of
from release_passport_server.services.waivers import rule_of, stood_for

T = TypeVar("T", Vote, Waiver, Override, Exemption)

MAX_PAGE = 200
# So many lists of newer releases are passed over in one call, before whoever asks is told to go on.
_PASSED_OVER = 20
_ACTS = 1000


@dataclass(frozen=True, slots=True)
class DutiesFilter:
    """Which releases to report: created from one time on, and before another."""

    from_time: datetime | None = None
    to_time: datetime | None = None
    conflicts_only: bool = False

    def too_new(self, release: Release) -> bool:
        """Say whether a release was created too late to be told."""
        return self.to_time is not None and release.create_time >= self.to_time

    def too_old(self, release: Release) -> bool:
        """Say whether a release was created too early to be told."""
        return self.from_time is not None and release.create_time < self.from_time


@dataclass(frozen=True, slots=True)
class Duties:
    """Reports for those who have the verb `audit` in the whole tenant."""

    store: Store
    access: Authorizer
    compiler: PolicyCompiler
    clock: Clock

    async def list(self, principal: Principal, wanted: DutiesFilter, page: Page) -> Listed[ReleaseDuties]:
        """Return duties by release, newest first; the key alone says where the end is."""
        self.access.require(principal, Verb.AUDIT)
        now = self.clock.now()

        def act(reader: Reader) -> Listed[ReleaseDuties]:
            found = _releases(reader, wanted, Page(min(page.size, MAX_PAGE), page.after))
            told = [duties_of(self._history(reader, one, now), now) for one in found.items]
            shown = tuple(one for one in told if one.conflicts or not wanted.conflicts_only)
            return Listed(shown, found.next_after)

        return await self.store.read(principal.tenant, act)

    def _history(self, reader: Reader, release: Release, now: datetime) -> History:
        identity, name = release.identity, release.name
        place = f"{identity.service}/{identity.environment}"
        attempts = reader.attempts(name)
        wide = (one for one in _every(reader, Waiver, place) if stood_for(one, release))
        waivers = (*_every(reader, Waiver, name), *wide)
        return History(
            release,
            attempts,
            reader.evidence_about(subjects_of(release, attempts)),
            tuple(_every(reader, Vote, name)),
            waivers,
            tuple(one for one in _every(reader, Override, place) if one.release == name),
            tuple(_every(reader, Exemption, name)),
            frozenset(one.name for one in waivers if self._is_orphaned(reader, one, now)),
        )

    def _is_orphaned(self, reader: Reader, waiver: Waiver, now: datetime) -> bool:
        over = waiver.end_time is not None or waiver.expire_time <= now
        return not over and rule_of(reader, self.compiler, waiver) is None


def _releases(reader: Reader, wanted: DutiesFilter, page: Page) -> Listed[Release]:
    """Return the next releases of the time that is asked for; times never go back along revisions."""
    everything = ReleaseFilter((Scope(),))
    for _ in range(_PASSED_OVER):
        listed = reader.list_releases(everything, page)
        fitting = [one for one in listed.items if not wanted.too_new(one) and not wanted.too_old(one)]
        ended = not listed.next_after or any(wanted.too_old(one) for one in listed.items)
        if fitting or ended:
            return Listed(tuple(fitting), "" if ended else listed.next_after)
        page = Page(page.size, listed.next_after)
    return Listed((), page.after)


def _every(reader: Reader, kind: type[T], key: str) -> Iterator[T]:
    page = Page(_ACTS)
    while True:
        listed = reader.list_acts(kind, page, key=key)
        yield from listed.items
        if not listed.next_after:
            return
        page = Page(_ACTS, listed.next_after)
