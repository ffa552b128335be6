"""Loads the cases of many questions of one tenant, with one query for each kind of thing."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, Select, bindparam, select, tuple_, union_all

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.codec import (
    attempt_of,
    decision_of,
    item_of,
    policy_of,
    subject_text,
)
from release_passport_server.adapters.sql.documents import BINDINGS, ENVIRONMENTS, LATCHES, SERVICES
from release_passport_server.adapters.sql.statements import (
    decision_rows,
    evidence_about,
    histories,
    newest_decisions,
)
from release_passport_server.domain.case import MAX_SERIES
from release_passport_server.domain.catalog import Environment, ObserveOnlyBinding, PolicyDocument, Service
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.record import DecisionRecord
from release_passport_server.domain.release import Attempt, Latch, Release
from release_passport_server.ports.store import CaseKey, LoadedCase

# Revisions of policies never change, so what was read once is kept.
PolicyCache = dict[tuple[str, str, int, str], PolicyDocument]
MAX_CACHED_POLICIES = 20_000


def _list(name: str) -> BindParameter[Any]:
    return bindparam(name, expanding=True)


def _documents_of(collection: str, column: ColumnElement[str], names: str) -> Select[Any]:
    c = tables.documents.c
    return select(c.collection, c.id, c.key, c.body).where(
        c.tenant == bindparam("tenant"), c.collection == collection, column.in_(_list(names))
    )


# Four look-ups by key in one statement: one condition with OR would read all that the tenant has.
_DOCUMENTS = union_all(
    _documents_of(SERVICES.name, tables.documents.c.id, "services"),
    _documents_of(ENVIRONMENTS.name, tables.documents.c.id, "environments"),
    _documents_of(BINDINGS.name, tables.documents.c.key, "places"),
    _documents_of(LATCHES.name, tables.documents.c.key, "digests"),
)
_attempt = tables.attempts.c
_ROLLOUTS = (
    select(tables.attempts)
    .where(_attempt.tenant == bindparam("tenant"), _attempt.content_digest.in_(_list("digests")))
    .order_by(_attempt.start_time.desc())
)
_policy = tables.policy_revisions.c
_ACTIVE_POLICIES = (
    select(_policy.policy_id, _policy.revision, _policy.digest)
    .where(_policy.tenant == bindparam("tenant"), _policy.newest, _policy.delete_time.is_(None))
    .order_by(_policy.policy_id)
)


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


@dataclass(frozen=True, slots=True)
class _Documents:
    """What the catalogue and the latches say of the questions."""

    services: dict[str, Service]
    environments: dict[str, Environment]
    bindings: dict[str, list[ObserveOnlyBinding]]
    latches: dict[str, list[Latch]]


class Loader:
    """Loads cases through one connection."""

    def __init__(self, connection: Connection, tenant: str, cache: PolicyCache) -> None:
        self._connection = connection
        self._tenant = tenant
        self._cache = cache

    def load(self, keys: Sequence[CaseKey], read_revision: int, now: datetime) -> list[LoadedCase]:
        """Return the cases in the order of the keys; `at` sets the time where the clock is read later."""
        releases = [key.release for key in keys]
        documents = self._documents(releases)
        policies = self.policies()
        histories_ = self._histories(releases)
        rollouts = self._rollouts(releases)
        standing = self.newest_decisions({release.name for release in releases})
        evidence = self._evidence(keys)
        current = {key.attempt_of: _open(rollouts, key) for key in keys}
        grounds = self.decisions({attempt.ground for attempt in current.values() if attempt is not None})
        withdrawn = self._withdrawn(grounds.values())
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
                    service=documents.services.get(identity.service),
                    environment=documents.environments.get(identity.environment),
                    observe_only=in_force(documents.bindings[place], now),
                    attempt=attempt,
                    previous_attempts=tuple(one.attempt for one in same if one.attempt != attempt),
                    ground=ground,
                    ground_withdrawn=tuple(n for n in ground.evidence if n in withdrawn) if ground else (),
                    standing=standing.get(release.name),
                    policies=policies,
                    evidence=tuple(_of_subjects(evidence, key)),
                    latches=tuple(documents.latches[identity.content_digest]),
                    rollback_target=histories_[release.name].target,
                    read_revision=read_revision,
                    now=now,
                )
            )
        return cases

    def computed(self, releases: Sequence[Release]) -> list[Release]:
        """Return releases with what earlier rollouts say of them."""
        found = self._histories(releases)
        return [_computed(release, found[release.name]) for release in releases]

    def policies(self) -> tuple[PolicyDocument, ...]:
        """Return every policy that is not deleted, by id; only revisions not seen before are read."""
        c = tables.policy_revisions.c
        rows = self._connection.execute(_ACTIVE_POLICIES, {"tenant": self._tenant})
        keys = [(self._tenant, row.policy_id, row.revision, row.digest) for row in rows]
        # Other threads use the same cache: what was found in it must not be looked up again.
        found = {key: policy for key in keys if (policy := self._cache.get(key)) is not None}
        unknown = [key[1:3] for key in keys if key not in found]
        if unknown:
            read = select(tables.policy_revisions).where(
                c.tenant == self._tenant, tuple_(c.policy_id, c.revision).in_(unknown)
            )
            for row in self._connection.execute(read):
                found[self._tenant, row.policy_id, row.revision, row.digest] = policy_of(row)
            if len(self._cache) > MAX_CACHED_POLICIES:
                self._cache.clear()
            self._cache.update(found)
        return tuple(found[key] for key in keys)

    def newest_decisions(self, releases: Iterable[str]) -> dict[str, DecisionRecord]:
        """Return the newest decision of each release that has one, without the case's body."""
        asked = json.dumps([{"release": release} for release in sorted(releases)])
        rows = self._connection.execute(
            newest_decisions(self._connection.dialect.name), {"tenant": self._tenant, "asked": asked}
        )
        return {row.release: decision_of(row) for row in rows}

    def decisions(self, names: Iterable[str]) -> dict[str, DecisionRecord]:
        """Return decisions by name, without the case's body."""
        wanted = sorted(set(names))
        if not wanted:
            return {}
        c = tables.decisions.c
        rows = decision_rows().where(c.tenant == self._tenant, c.name.in_(wanted))
        return {row.name: decision_of(row) for row in self._connection.execute(rows)}

    def about(self, subjects: Iterable[str]) -> Iterator[tuple[str, EvidenceItem]]:
        """Yield the newest observations of every series about any of the subjects, with its subject, oldest first."""
        wanted = sorted(set(subjects))
        if not wanted:
            return
        rows = list(self._connection.execute(evidence_about(), {"tenant": self._tenant, "subjects": wanted}))
        counts: defaultdict[tuple[str, ...], int] = defaultdict(int)
        for row in rows:
            counts[row.subject, row.kind, row.key, row.source] += 1
        for row in rows:
            series = (row.subject, row.kind, row.key, row.source)
            counts[series] -= 1
            if counts[series] < MAX_SERIES:
                yield row.subject, item_of(row)

    def _histories(self, releases: Sequence[Release]) -> dict[str, _History]:
        if not releases:
            return {}
        asked = [
            {
                "release": release.name,
                "service": release.identity.service,
                "environment": release.identity.environment,
                "content": release.identity.content_digest,
            }
            for release in {release.name: release for release in releases}.values()
        ]
        rows = self._connection.execute(
            histories(self._connection.dialect.name), {"tenant": self._tenant, "asked": json.dumps(asked)}
        )
        return {
            row.release: _History(row.previous or "", row.target or "", bool(row.is_restore)) for row in rows
        }

    def _rollouts(self, releases: Sequence[Release]) -> defaultdict[str, list[_Rollout]]:
        """Return all attempts of the same digests in the same place, by content digest, newest first."""
        digests = sorted({release.identity.content_digest for release in releases})
        rows = self._connection.execute(_ROLLOUTS, {"tenant": self._tenant, "digests": digests})
        found: defaultdict[str, list[_Rollout]] = defaultdict(list)
        for row in rows:
            found[row.content_digest].append(_Rollout(attempt_of(row), row.release))
        return found

    def _withdrawn(self, grounds: Iterable[DecisionRecord]) -> set[str]:
        names = sorted({name for ground in grounds for name in ground.evidence})
        if not names:
            return set()
        c = tables.evidence.c
        rows = select(c.name).where(c.tenant == self._tenant, c.name.in_(names), c.revoke_time.is_not(None))
        return {row.name for row in self._connection.execute(rows)}

    def _evidence(self, keys: Sequence[CaseKey]) -> dict[str, list[EvidenceItem]]:
        found: defaultdict[str, list[EvidenceItem]] = defaultdict(list)
        for subject, item in self.about(subject_text(one) for key in keys for one in key.subjects):
            found[subject].append(item)
        return found

    def _documents(self, releases: Sequence[Release]) -> _Documents:
        identities = [release.identity for release in releases]
        given = {
            "tenant": self._tenant,
            "services": sorted({i.service for i in identities}),
            "environments": sorted({i.environment for i in identities}),
            "places": sorted({f"{i.service}/{i.environment}" for i in identities}),
            "digests": sorted({i.content_digest for i in identities}),
        }
        found = _Documents({}, {}, defaultdict(list), defaultdict(list))
        for row in sorted(self._connection.execute(_DOCUMENTS, given), key=lambda row: str(row.id)):
            match row.collection:
                case SERVICES.name:
                    found.services[row.id] = SERVICES.decode(row.body)
                case ENVIRONMENTS.name:
                    found.environments[row.id] = ENVIRONMENTS.decode(row.body)
                case BINDINGS.name:
                    found.bindings[row.key].append(BINDINGS.decode(row.body))
                case _:
                    found.latches[row.key].append(LATCHES.decode(row.body))
        return found


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


def _computed(release: Release, history: _History) -> Release:
    return replace(
        release,
        previous=history.previous,
        is_first=not history.previous,
        is_restore=history.is_restore,
    )


def _of_subjects(evidence: dict[str, list[EvidenceItem]], key: CaseKey) -> Iterator[Any]:
    for subject in dict.fromkeys(key.subjects):
        yield from evidence.get(subject_text(subject), ())
