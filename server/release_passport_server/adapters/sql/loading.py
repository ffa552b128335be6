"""Loads the cases of many questions of one tenant, with one query for each kind of thing."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, CursorResult, Select, bindparam, select

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.acts import joined, of_releases, of_releases_read, withdrawn
from release_passport_server.adapters.sql.catalog import Catalog, Catalogs
from release_passport_server.adapters.sql.codec import attempt_of, decision_of, subject_text
from release_passport_server.adapters.sql.documents import LATCHES
from release_passport_server.adapters.sql.item_rows import items_by_subject
from release_passport_server.adapters.sql.lists import among
from release_passport_server.adapters.sql.statements import (
    decision_rows,
    evidence_about,
    histories,
    newest_decisions,
)
from release_passport_server.adapters.sql.together import Read, together
from release_passport_server.domain.case import MAX_SERIES
from release_passport_server.domain.catalog import ObserveOnlyBinding, PolicyDocument
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.record import DecisionRecord
from release_passport_server.domain.release import Attempt, Latch, Release
from release_passport_server.ports.judging import CaseKey, LoadedCase
from release_passport_server.wire.history import FEW

Rows = CursorResult[Any] | None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a tenant without asking the database for it."""

    # The head's revision, and that of the last change of the catalogue; None while that is not committed yet.
    revision: int
    catalog_revision: int | None
    # What was written in this transaction and has not reached the database: items by subject, and releases.
    items: Mapping[str, Sequence[EvidenceItem]] = field(default_factory=dict)
    releases: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class _Rollout:
    """An attempt, and whose it was."""

    attempt: Attempt
    release: str


@dataclass(frozen=True, slots=True)
class _History:
    """What earlier rollouts in the same place say of a release."""

    previous: str
    target: str
    is_restore: bool
    overtaken_by: str
    way_back_from: str


class Loader:
    """Loads cases through one connection."""

    def __init__(self, connection: Connection, tenant: str, catalogs: Catalogs) -> None:
        self._connection = connection
        self._dialect = connection.dialect.name
        self._tenant = tenant
        self._catalogs = catalogs

    def load(self, keys: Sequence[CaseKey], known: Known, now: datetime) -> list[LoadedCase]:
        """Return the cases in the order of the keys; `at` sets the time where the clock is read later."""
        releases = [key.release for key in keys]
        catalog = self._catalogs.of(self._connection, self._tenant, known.catalog_revision)
        catalog.learn(self._connection, self._tenant, [release.identity for release in releases])
        there = sorted({one.name for one in releases} - set(known.releases))
        # Whoever supposes policies of their own may look back on any kind.
        depths = None if any(key.every_history for key in keys) else catalog.depths
        subjects = sorted({subject_text(one) for key in keys for one in key.subjects})
        found = together(
            self._connection,
            [
                Read(_latches_of(self._dialect), self._digests(releases)),
                self._histories_read(releases),
                Read(_rollouts_of(self._dialect), self._digests(releases)),
                self._newest_read(there),
                of_releases_read(self._dialect, self._tenant, there),
                self._about_read(subjects, depths),
            ],
        )
        latches, histories_ = _latches(found[0]), _histories(found[1])
        rollouts, standing, acts = _rollouts(found[2]), _by_release(found[3]), of_releases(found[4])
        items: Sequence[tuple[str, EvidenceItem]] = _newest(found[5], subjects, depths, known.items)
        current = {key.attempt_of: _open(rollouts, key) for key in keys}
        self._catalogs.keep(self._connection, self._tenant, catalog, _policies_of(current.values()))
        if depths is not None and catalog.depths != depths:
            # They look further back than the policies of now.
            items = self.about(subjects, catalog.depths, known.items)
        evidence = _by_subject(items)
        grounds = self.decisions({attempt.ground for attempt in current.values() if attempt is not None})
        gone = self._withdrawn(grounds.values(), now)
        cases = []
        for key in keys:
            release, identity = key.release, key.release.identity
            attempt = current[key.attempt_of]
            ground = grounds.get(attempt.ground) if attempt is not None else None
            same = rollouts[identity.content_digest]
            place = f"{identity.service}/{identity.environment}"
            cases.append(
                LoadedCase(
                    release=_computed(release, histories_[release.name]),
                    service=catalog.services[identity.service],
                    environment=catalog.environments[identity.environment],
                    observe_only=in_force(catalog.bindings[place], now),
                    attempt=attempt,
                    previous_attempts=tuple(one.attempt for one in same if one.attempt != attempt),
                    ground=ground,
                    ground_withdrawn=tuple(n for n in ground.evidence if n in gone) if ground else (),
                    standing=standing.get(release.name),
                    policies=catalog.policies,
                    evidence=tuple(_of_subjects(evidence, key)),
                    latches=tuple(latches[identity.content_digest]),
                    rollback_target=histories_[release.name].target,
                    read_revision=known.revision,
                    now=now,
                    trust=catalog.trust,
                    acts=joined(catalog.acts, catalog.exceptions[place], acts.get(release.name)),
                    kept_policies=_kept(catalog, attempt),
                )
            )
        return cases

    def computed(self, releases: Sequence[Release]) -> list[Release]:
        """Return releases with what earlier rollouts say of them."""
        (rows,) = together(self._connection, [self._histories_read(releases)])
        found = _histories(rows)
        return [_computed(release, found[release.name]) for release in releases]

    def policies(self) -> tuple[PolicyDocument, ...]:
        """Return every policy that is not deleted, by id."""
        return self._catalogs.policies(self._connection, self._tenant)

    def newest_decisions(self, releases: Iterable[str]) -> dict[str, DecisionRecord]:
        """Return the newest decision of each release that has one, without the case's body."""
        (rows,) = together(self._connection, [self._newest_read(sorted(releases))])
        return _by_release(rows)

    def decisions(self, names: Iterable[str]) -> dict[str, DecisionRecord]:
        """Return decisions by name, without the case's body."""
        wanted = sorted(set(names))
        if not wanted:
            return {}
        c = tables.decisions.c
        rows = decision_rows().where(c.tenant == self._tenant, c.name.in_(wanted))
        return {row.name: decision_of(row) for row in self._connection.execute(rows)}

    def about(
        self,
        subjects: Iterable[str],
        depths: Mapping[str, int] | None = None,
        written: Mapping[str, Sequence[EvidenceItem]] = MappingProxyType({}),
    ) -> Sequence[tuple[str, EvidenceItem]]:
        """Return the observations about any of the subjects, with its subject, oldest first.

        Of each series so many as `depths` says of its kind, or one (None means MAX_SERIES of all), the newest.
        `written` holds what belongs to them and has not reached the database.
        """
        wanted = sorted(set(subjects))
        (rows,) = together(self._connection, [self._about_read(wanted, depths)])
        return _newest(rows, wanted, depths, written)

    def _about_read(self, subjects: Sequence[str], depths: Mapping[str, int] | None) -> Read | None:
        given = {
            "tenant": self._tenant,
            "subjects": subjects,
            "few": [kind for kind, depth in (depths or {}).items() if depth <= FEW],
            "many": [kind for kind, depth in (depths or {}).items() if depth > FEW],
        }
        return Read(evidence_about(self._dialect, every=depths is None), given) if subjects else None

    def _newest_read(self, releases: Sequence[str]) -> Read | None:
        asked = json.dumps([{"release": release} for release in releases])
        given = {"tenant": self._tenant, "asked": asked}
        return Read(newest_decisions(self._dialect), given) if releases else None

    def _histories_read(self, releases: Sequence[Release]) -> Read | None:
        asked = [
            {
                "release": release.name,
                "service": release.identity.service,
                "environment": release.identity.environment,
                "content": release.identity.content_digest,
            }
            for release in {release.name: release for release in releases}.values()
        ]
        given = {"tenant": self._tenant, "asked": json.dumps(asked)}
        return Read(histories(self._dialect), given) if asked else None

    def _digests(self, releases: Sequence[Release]) -> dict[str, object]:
        digests = sorted({release.identity.content_digest for release in releases})
        return {"tenant": self._tenant, "digests": digests}

    def _withdrawn(self, grounds: Iterable[DecisionRecord], now: datetime) -> set[str]:
        """Return the evidence that was revoked, and the acts that were ended, of all that decisions rest on."""
        names = sorted({name for ground in grounds for name in ground.evidence})
        if not names:
            return set()
        c = tables.evidence.c
        rows = select(c.name).where(c.tenant == self._tenant, c.name.in_(names), c.revoke_time.is_not(None))
        revoked = {row.name for row in self._connection.execute(rows)}
        return revoked | withdrawn(self._connection, self._tenant, names, now)


def _by_release(rows: Rows) -> dict[str, DecisionRecord]:
    return {row.release: decision_of(row) for row in rows or ()}


def _latches(rows: Rows) -> defaultdict[str, list[Latch]]:
    found: defaultdict[str, list[Latch]] = defaultdict(list)
    for row in rows or ():
        found[row.key].append(LATCHES.decode(row.body))
    return found


def _rollouts(rows: Rows) -> defaultdict[str, list[_Rollout]]:
    """Return all attempts of the same digests in the same place, by content digest, newest first."""
    found: defaultdict[str, list[_Rollout]] = defaultdict(list)
    for row in rows or ():
        found[row.content_digest].append(_Rollout(attempt_of(row), row.release))
    return found


def _histories(rows: Rows) -> dict[str, _History]:
    return {
        row.release: _History(
            row.previous or "",
            row.target or "",
            bool(row.is_restore),
            row.overtaken_by or "",
            row.way_back_from or "",
        )
        for row in rows or ()
    }


def _newest(
    rows: Rows,
    subjects: Sequence[str],
    depths: Mapping[str, int] | None,
    written: Mapping[str, Sequence[EvidenceItem]],
) -> list[tuple[str, EvidenceItem]]:
    """Return of each series as many as `depths` says of its kind, with its subject, oldest first."""
    items = [] if rows is None else items_by_subject(rows)
    fresh = [(subject, item) for subject in subjects for item in written.get(subject, ())]
    if fresh:
        items = sorted([*items, *fresh], key=lambda one: one[1].order)
    counts: defaultdict[tuple[str, ...], int] = defaultdict(int)
    newest = []
    for one in reversed(items):
        subject, item = one
        series = (subject, item.kind, item.key, item.source)
        counts[series] += 1
        if counts[series] <= (MAX_SERIES if depths is None else depths.get(item.kind, 1)):
            newest.append(one)
    newest.reverse()
    return newest


def _by_subject(items: Iterable[tuple[str, EvidenceItem]]) -> dict[str, list[EvidenceItem]]:
    found: defaultdict[str, list[EvidenceItem]] = defaultdict(list)
    for subject, item in items:
        found[subject].append(item)
    return found


@lru_cache
def _rollouts_of(dialect: str) -> Select[Any]:
    c = tables.attempts.c
    wanted = select(tables.attempts).where(
        c.tenant == bindparam("tenant"), among(dialect, c.content_digest, "digests")
    )
    return wanted.order_by(c.start_time.desc())


@lru_cache
def _latches_of(dialect: str) -> Select[Any]:
    c = tables.documents.c
    wanted = select(c.key, c.body).where(
        c.tenant == bindparam("tenant"), c.collection == LATCHES.name, among(dialect, c.key, "digests")
    )
    return wanted.order_by(c.id)


def at(case: LoadedCase, now: datetime) -> LoadedCase:
    """Return a case at a later time than it was loaded for."""
    binding = case.observe_only
    ended = binding is None or now >= binding.expire_time
    return replace(case, now=now, observe_only=None if ended else binding)


def in_force(bindings: Iterable[ObserveOnlyBinding], now: datetime) -> ObserveOnlyBinding | None:
    """Return the binding that counts now: of several the one that ends last."""
    counting = [one for one in bindings if one.end_time is None and now < one.expire_time]
    return max(counting, key=lambda one: one.expire_time, default=None)


def _open(rollouts: dict[str, list[_Rollout]], key: CaseKey) -> Attempt | None:
    same = rollouts.get(key.release.identity.content_digest, ())
    return next(
        (r.attempt for r in same if r.release == key.attempt_of and r.attempt.finish_time is None), None
    )


def _policies_of(attempts: Iterable[Attempt | None]) -> set[tuple[str, int]]:
    return {one for attempt in attempts if attempt is not None for one in attempt.policies or ()}


def _kept(catalog: Catalog, attempt: Attempt | None) -> tuple[PolicyDocument, ...] | None:
    if attempt is None or attempt.policies is None:
        return None
    return tuple(catalog.revisions[one] for one in attempt.policies)


def _computed(release: Release, history: _History) -> Release:
    return replace(
        release,
        previous=history.previous,
        is_first=not history.previous,
        is_restore=history.is_restore,
        overtaken_by=history.overtaken_by,
        way_back_from=history.way_back_from,
    )


def _of_subjects(evidence: dict[str, list[EvidenceItem]], key: CaseKey) -> Iterator[Any]:
    for subject in dict.fromkeys(key.subjects):
        yield from evidence.get(subject_text(subject), ())
