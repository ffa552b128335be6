"""Loads the cases of many questions of one tenant, with one query for each kind of thing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, and_, func, select, tuple_

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.codec import (
    attempt_of,
    decision_of,
    item_of,
    policy_of,
    subject_text,
)
from release_passport_server.adapters.sql.documents import (
    BINDINGS,
    ENVIRONMENTS,
    LATCHES,
    SERVICES,
    Collection,
)
from release_passport_server.adapters.sql.statements import evidence_about
from release_passport_server.domain.catalog import ObserveOnlyBinding, PolicyDocument
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.record import DecisionRecord
from release_passport_server.domain.release import Attempt, Latch, Release
from release_passport_server.ports.store import CaseKey, LoadedCase

T = TypeVar("T")
Where = tuple[str, str]

# How far back rollouts of a service in an environment are looked at: previous release, restores, rollback target.
HISTORY = 1000

# Revisions of policies never change, so what was read once is kept.
PolicyCache = dict[tuple[str, str, int], PolicyDocument]
MAX_CACHED_POLICIES = 20_000


@dataclass(frozen=True, slots=True)
class _Rollout:
    """An attempt, and whose it was."""

    attempt: Attempt
    release: str
    content_digest: str


class Loader:
    """Loads cases through one connection."""

    def __init__(self, connection: Connection, tenant: str, cache: PolicyCache) -> None:
        self._connection = connection
        self._tenant = tenant
        self._cache = cache

    def load(self, keys: Sequence[CaseKey], read_revision: int, now: datetime) -> list[LoadedCase]:
        """Return the cases in the order of the keys; `now` is set again by whoever reads the clock later."""
        places = {_place(key.release) for key in keys}
        rollouts = self._rollouts(places)
        standing = self._standing([key.release.name for key in keys])
        services = self._documents(SERVICES, ids={service for service, _ in places})
        environments = self._documents(ENVIRONMENTS, ids={environment for _, environment in places})
        bindings = self._bindings(places, now)
        latches = self._latches({key.release.identity.content_digest for key in keys}, rollouts)
        evidence = self._evidence(keys)
        policies = self.policies()
        current = {key.release.name: _open(rollouts[_place(key.release)], key.release.name) for key in keys}
        grounds = self._grounds({attempt.ground for attempt in current.values() if attempt is not None})
        withdrawn = self._withdrawn(grounds.values())
        cases = []
        for key in keys:
            release, place = key.release, _place(key.release)
            attempt = current[release.name]
            ground = grounds.get(attempt.ground) if attempt is not None else None
            digest = release.identity.content_digest
            cases.append(
                LoadedCase(
                    release=_computed(release, rollouts[place]),
                    service=services.get(place[0]),
                    environment=environments.get(place[1]),
                    observe_only=bindings.get(place),
                    attempt=attempt,
                    previous_attempts=tuple(
                        r.attempt
                        for r in rollouts[place]
                        if r.content_digest == digest and r.attempt != attempt
                    ),
                    ground=ground,
                    ground_withdrawn=tuple(n for n in ground.evidence if n in withdrawn) if ground else (),
                    standing=standing.get(release.name),
                    policies=policies,
                    evidence=_of_subjects(evidence, key),
                    latches=tuple(latches.get(digest, ())),
                    rollback_target=_target(release, rollouts[place], latches),
                    read_revision=read_revision,
                    now=now,
                )
            )
        return cases

    def computed(self, releases: Sequence[Release]) -> list[Release]:
        """Return releases with what earlier rollouts say of them."""
        rollouts = self._rollouts({_place(release) for release in releases})
        return [_computed(release, rollouts[_place(release)]) for release in releases]

    def policies(self) -> tuple[PolicyDocument, ...]:
        """Return every policy that is not deleted, by id; only revisions not seen before are read."""
        c = tables.policy_revisions.c
        wanted = select(c.policy_id, c.revision).where(
            c.tenant == self._tenant, c.newest, c.delete_time.is_(None)
        )
        keys = [
            (row.policy_id, row.revision) for row in self._connection.execute(wanted.order_by(c.policy_id))
        ]
        unknown = [key for key in keys if (self._tenant, *key) not in self._cache]
        if len(self._cache) > MAX_CACHED_POLICIES:
            self._cache.clear()
            unknown = keys
        if unknown:
            rows = select(tables.policy_revisions).where(
                c.tenant == self._tenant, tuple_(c.policy_id, c.revision).in_(unknown)
            )
            for row in self._connection.execute(rows):
                self._cache[self._tenant, row.policy_id, row.revision] = policy_of(row)
        return tuple(self._cache[self._tenant, policy_id, revision] for policy_id, revision in keys)

    def _rollouts(self, places: Iterable[Where]) -> defaultdict[Where, list[_Rollout]]:
        """Return the newest attempts of each place, newest first, and every one that is open."""
        found: defaultdict[Where, list[_Rollout]] = defaultdict(list)
        table = tables.attempts
        for service, environment in sorted(places):
            rows = (
                select(table)
                .where(
                    table.c.tenant == self._tenant,
                    table.c.service == service,
                    table.c.environment == environment,
                )
                .order_by(table.c.start_time.desc(), table.c.number.desc())
                .limit(HISTORY)
            )
            found[service, environment] = [
                _Rollout(attempt_of(row), row.release, row.content_digest)
                for row in self._connection.execute(rows)
            ]
        return found

    def _standing(self, releases: Sequence[str]) -> dict[str, DecisionRecord]:
        table = tables.decisions
        newest = (
            select(table.c.release, func.max(table.c.revision).label("revision"))
            .where(table.c.tenant == self._tenant, table.c.release.in_(releases))
            .group_by(table.c.release)
            .subquery()
        )
        joined = table.join(
            newest, and_(table.c.release == newest.c.release, table.c.revision == newest.c.revision)
        )
        rows = select(table).select_from(joined).where(table.c.tenant == self._tenant)
        return {row.release: decision_of(row) for row in self._connection.execute(rows)}

    def _grounds(self, names: Iterable[str]) -> dict[str, DecisionRecord]:
        wanted = sorted(names)
        if not wanted:
            return {}
        c = tables.decisions.c
        rows = select(tables.decisions).where(c.tenant == self._tenant, c.name.in_(wanted))
        return {row.name: decision_of(row) for row in self._connection.execute(rows)}

    def _withdrawn(self, grounds: Iterable[DecisionRecord]) -> set[str]:
        names = sorted({name for ground in grounds for name in ground.evidence})
        if not names:
            return set()
        c = tables.evidence.c
        rows = select(c.name).where(c.tenant == self._tenant, c.name.in_(names), c.revoke_time.is_not(None))
        return {row.name for row in self._connection.execute(rows)}

    def _evidence(self, keys: Sequence[CaseKey]) -> dict[str, list[EvidenceItem]]:
        subjects = sorted({subject_text(subject) for key in keys for subject in key.subjects})
        found: defaultdict[str, list[EvidenceItem]] = defaultdict(list)
        for row in self._connection.execute(evidence_about(self._tenant, subjects)):
            found[row.subject].append(item_of(row))
        return found

    def _latches(self, digests: set[str], rollouts: dict[Where, list[_Rollout]]) -> dict[str, list[Latch]]:
        """Return the latches of what is judged and of what could be gone back to, by content digest."""
        wanted = digests | {rollout.content_digest for those in rollouts.values() for rollout in those}
        c = tables.documents.c
        rows = select(c.key, c.body).where(
            c.tenant == self._tenant, c.collection == LATCHES.name, c.key.in_(sorted(wanted))
        )
        found: defaultdict[str, list[Latch]] = defaultdict(list)
        for row in self._connection.execute(rows.order_by(c.id)):
            found[row.key].append(LATCHES.decode(row.body))
        return found

    def _bindings(self, places: Iterable[Where], now: datetime) -> dict[Where, ObserveOnlyBinding]:
        c = tables.documents.c
        keys = [f"{service}/{environment}" for service, environment in sorted(places)]
        rows = select(c.body).where(c.tenant == self._tenant, c.collection == BINDINGS.name, c.key.in_(keys))
        in_force: dict[Where, ObserveOnlyBinding] = {}
        for row in self._connection.execute(rows):
            binding = BINDINGS.decode(row.body)
            place = (binding.service, binding.environment)
            best = in_force.get(place)
            if binding.end_time is None and now < binding.expire_time:
                in_force[place] = binding if best is None else max(best, binding, key=lambda b: b.expire_time)
        return in_force

    def _documents(self, collection: Collection[T], *, ids: set[str]) -> dict[str, T]:
        c = tables.documents.c
        rows = select(c.id, c.body).where(
            c.tenant == self._tenant, c.collection == collection.name, c.id.in_(sorted(ids))
        )
        return {row.id: collection.decode(row.body) for row in self._connection.execute(rows)}


def _place(release: Release) -> Where:
    return release.identity.service, release.identity.environment


def _open(rollouts: Sequence[_Rollout], release: str) -> Attempt | None:
    return next((r.attempt for r in rollouts if r.release == release and r.attempt.finish_time is None), None)


def _computed(release: Release, rollouts: Sequence[_Rollout]) -> Release:
    others = [rollout for rollout in rollouts if rollout.release != release.name]
    digest = release.identity.content_digest
    return replace(
        release,
        previous=others[0].release if others else "",
        is_first=not others,
        is_restore=any(r.content_digest == digest and r.attempt.outcome == "PASSED" for r in others),
    )


def _target(release: Release, rollouts: Sequence[_Rollout], latches: dict[str, list[Latch]]) -> str:
    """Return the newest other release that passed here, whose digests differ and are not latched."""
    for rollout in rollouts:
        differs = rollout.content_digest != release.identity.content_digest
        if rollout.attempt.outcome == "PASSED" and differs and not latches.get(rollout.content_digest):
            return rollout.release
    return ""


def _of_subjects(evidence: dict[str, list[EvidenceItem]], key: CaseKey) -> tuple[EvidenceItem, ...]:
    items: list[Any] = []
    for subject in key.subjects:
        items.extend(evidence.get(subject_text(subject), ()))
    return tuple(items)
