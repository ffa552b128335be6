"""Read what is recorded: one thing or a page of it, as far as the asker may see."""

from __future__ import annotations

from dataclasses import dataclass, replace

from release_passport_server.domain.access import Principal, Scope, Verb
from release_passport_server.domain.errors import NotFound
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.ids import DecisionName, EvidenceName, ReleaseName
from release_passport_server.domain.record import DecisionRecord, Listed, Page
from release_passport_server.domain.release import Attempt, Latch, Release
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.store import DecisionFilter, EvidenceFilter, Reader, ReleaseFilter, Store
from release_passport_server.services.filling import filled
from release_passport_server.services.intake import place_of
from release_passport_server.services.subjects import subjects_of

PASSPORT_DECISIONS = 200
PASSPORT_EVIDENCE = 500


@dataclass(frozen=True, slots=True)
class Passport:
    """All of a release; decisions and evidence newest first."""

    release: Release
    attempts: tuple[Attempt, ...]
    decisions: tuple[DecisionRecord, ...]
    evidence: tuple[EvidenceItem, ...]
    latches: tuple[Latch, ...]
    truncated: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads releases, decisions, evidence and passports."""

    store: Store
    access: Authorizer

    async def release(self, principal: Principal, name: ReleaseName) -> tuple[Release, tuple[Attempt, ...]]:
        """Return a release with what the server computes of it, and its attempts, oldest first."""
        self._may_read(principal, name)

        def act(reader: Reader) -> tuple[Release, tuple[Attempt, ...]]:
            return _release(reader, name), reader.attempts(str(name))

        return await self.store.read(principal.tenant, act)

    async def releases(self, principal: Principal, wanted: ReleaseFilter, page: Page) -> Listed[Release]:
        """Return the releases that the asker may see, newest first."""
        self.access.require_somewhere(principal, Verb.READ)
        seen = replace(wanted, scopes=self.access.allowed_scopes(principal, Verb.READ))
        return await self.store.read(principal.tenant, lambda reader: reader.list_releases(seen, page))

    async def decision(self, principal: Principal, name: DecisionName) -> tuple[DecisionRecord, bool]:
        """Return a decision, and whether it is the newest of its release."""
        self._may_read(principal, name.release)

        def act(reader: Reader) -> tuple[DecisionRecord, bool]:
            found = reader.find_decision(str(name))
            if found is None:
                raise NotFound("NOT_FOUND", f"there is no decision {name}")
            newest = reader.newest_decision(str(name.release))
            return found, newest is not None and newest.name == found.name

        return await self.store.read(principal.tenant, act)

    async def decisions(
        self, principal: Principal, wanted: DecisionFilter, page: Page
    ) -> Listed[DecisionRecord]:
        """Return the decisions that the asker may see, newest first."""
        self.access.require_somewhere(principal, Verb.READ)
        seen = replace(wanted, scopes=self.access.allowed_scopes(principal, Verb.READ))
        return await self.store.read(principal.tenant, lambda reader: reader.list_decisions(seen, page))

    async def evidence(self, principal: Principal, name: EvidenceName) -> EvidenceItem:
        """Return an item."""
        self.access.require_somewhere(principal, Verb.READ)
        item = await self.store.read(principal.tenant, lambda reader: reader.find_evidence(str(name)))
        if item is None or not self._sees(principal, item):
            raise NotFound("NOT_FOUND", f"there is no evidence {name}")
        return item

    async def list_evidence(
        self, principal: Principal, wanted: EvidenceFilter, release: ReleaseName | None, page: Page
    ) -> Listed[EvidenceItem]:
        """Return the items that the asker may see, newest first; those that could count for a release."""
        self.access.require_somewhere(principal, Verb.READ)
        if release is not None:
            self._may_read(principal, release)

        def shown(item: EvidenceItem) -> EvidenceItem | None:
            return item if self._sees(principal, item) else None

        def act(reader: Reader) -> Listed[EvidenceItem]:
            chosen = wanted
            if release is not None:
                subjects = subjects_of(_release(reader, release), reader.attempts(str(release)))
                both = tuple(one for one in subjects if one in wanted.subjects)
                if wanted.subjects and not both:
                    return Listed((), "")
                chosen = replace(wanted, subjects=both or subjects)
            return filled(lambda part: reader.list_evidence(chosen, part), page, shown)

        return await self.store.read(principal.tenant, act)

    def _may_read(self, principal: Principal, name: ReleaseName) -> None:
        self.access.require(principal, Verb.READ, service=name.service, environment=name.environment)

    def _sees(self, principal: Principal, item: EvidenceItem) -> bool:
        service, environment = place_of(principal.tenant, item.subject)
        if not service:
            return True
        scopes = self.access.allowed_scopes(principal, Verb.READ)
        return any(scope.covers(service, environment) for scope in scopes)


def _release(reader: Reader, name: ReleaseName) -> Release:
    found = reader.find_release(name.service, name.environment, name.version)
    if found is None:
        raise NotFound("NOT_FOUND", f"there is no release {name}")
    return found


def read_passport(reader: Reader, name: ReleaseName) -> Passport:
    """Return all of a release; raise NotFound."""
    release = _release(reader, name)
    attempts = reader.attempts(release.name)
    everything = DecisionFilter((Scope(),), release=release.name)
    decisions = reader.list_decisions(everything, Page(PASSPORT_DECISIONS))
    about = reader.evidence_about(subjects_of(release, attempts))
    evidence = sorted(about, key=lambda item: item.order, reverse=True)
    return Passport(
        release,
        attempts,
        decisions.items,
        tuple(evidence[:PASSPORT_EVIDENCE]),
        reader.latches(release.identity.content_digest),
        truncated=bool(decisions.next_after) or len(evidence) > PASSPORT_EVIDENCE,
    )
