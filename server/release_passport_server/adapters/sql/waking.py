"""Open questions that changes concern are due at once: one statement for each tenant of a batch.

What is read are indices by subject, so it costs the same however many releases there are.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from sqlalchemy import Connection

from release_passport_server.adapters.sql.bulk import Beside
from release_passport_server.adapters.sql.codec import subject_text
from release_passport_server.adapters.sql.tables import microseconds
from release_passport_server.domain.evidence import Subject
from release_passport_server.domain.ids import AttemptName
from release_passport_server.domain.job import REEVALUATE, REST
from release_passport_server.domain.kind import SubjectType

# Of one place so many, those that were asked last: older ones will not be rolled out.
MOST_OF_PLACE = 8
# Of one other subject so many; the others are decided anew when their timers say so.
MOST_OF_ONE = 1000

# The first change is due at once; what follows within the rest is one more run when the rest is over.
_SET = """UPDATE jobs SET generation = jobs.generation + 1, attempts = 0, error = '', dead_time = NULL,
due_time = CASE WHEN jobs.holder = '' AND jobs.due_time < {due} THEN jobs.due_time ELSE {due} END,
available_time = CASE WHEN jobs.holder <> '' THEN jobs.available_time
WHEN jobs.due_time < {due} THEN jobs.due_time ELSE {due} END,
rest_until = CASE WHEN jobs.rest_until > {now} THEN jobs.rest_until ELSE {now} + {rest} END"""
_REST = REST.seconds * 1_000_000 + REST.microseconds

_GIVEN_TO_POSTGRESQL = """WITH given AS MATERIALIZED (SELECT * FROM json_to_record(%s::json) AS one(tenant text,
now bigint, kind text, most bigint, newest bigint,
releases json, artifacts json, subjects json, places json, asked json))"""
_SET_ON_POSTGRESQL = _SET.format(
    due="greatest(given.now, coalesce(jobs.rest_until, 0))", now="given.now", rest=_REST
)
_ON_POSTGRESQL = f"""{_GIVEN_TO_POSTGRESQL} {_SET_ON_POSTGRESQL}
FROM given WHERE jobs.tenant = given.tenant AND jobs.kind = given.kind AND jobs."key" = ANY (ARRAY(
SELECT value FROM given, json_array_elements_text(given.releases) AS value
UNION SELECT found.release FROM given, json_array_elements_text(given.artifacts) AS value CROSS JOIN LATERAL (
    SELECT release FROM release_artifacts AS one
    WHERE one.tenant = given.tenant AND one.digest = value LIMIT given.most) AS found
UNION SELECT found.release FROM given, json_array_elements_text(given.subjects) AS value CROSS JOIN LATERAL (
    SELECT release FROM release_subjects AS one
    WHERE one.tenant = given.tenant AND one.subject = value LIMIT given.most) AS found
UNION SELECT found."key" FROM given, json_array_elements_text(given.places) AS value CROSS JOIN LATERAL (
    SELECT "key" FROM jobs AS one
    WHERE one.tenant = given.tenant AND one.kind = given.kind AND one.place = value
    ORDER BY one.open_time DESC LIMIT given.newest) AS found
EXCEPT SELECT value FROM given, json_array_elements_text(given.asked) AS value))"""  # noqa: S608

_SET_ON_SQLITE = _SET.format(due="max(:now, coalesce(jobs.rest_until, 0))", now=":now", rest=_REST)
_ON_SQLITE = f"""{_SET_ON_SQLITE} WHERE tenant = :tenant AND kind = :kind AND "key" IN (
SELECT value FROM json_each(:releases)
UNION SELECT one.release FROM json_each(:artifacts) AS given CROSS JOIN release_artifacts AS one
    WHERE one.tenant = :tenant AND one.digest = given.value
UNION SELECT one.release FROM json_each(:subjects) AS given CROSS JOIN release_subjects AS one
    WHERE one.tenant = :tenant AND one.subject = given.value
UNION SELECT one."key" FROM json_each(:places) AS given CROSS JOIN jobs AS one
    WHERE one.tenant = :tenant AND one.kind = :kind AND one.place = given.value AND one.open_time >= coalesce(
        (SELECT open_time FROM jobs WHERE tenant = :tenant AND kind = :kind AND place = given.value
        ORDER BY open_time DESC LIMIT 1 OFFSET :newest - 1), 0)
EXCEPT SELECT value FROM json_each(:asked))"""  # noqa: S608


class Waking:
    """What the requests of a batch have changed, by tenant, and which releases were decided in it after all that."""

    def __init__(self) -> None:
        self._of: defaultdict[str, _Touched] = defaultdict(_Touched)
        # Kinds of other jobs that were scheduled for now.
        self._due: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._of)

    def add(self, tenant: str, subjects: Iterable[Subject]) -> None:
        """Let the releases that these subjects belong to be woken."""
        for subject in subjects:
            self._of[tenant].add(subject)

    def add_releases(self, tenant: str, names: Collection[str]) -> None:
        """Let these releases be woken."""
        if names:
            self._of[tenant].releases.update(names)

    def add_due(self, kind: str) -> None:
        """Remember that a job of this kind is due at once."""
        self._due.add(kind)

    @property
    def due(self) -> frozenset[str]:
        """Return the kinds of jobs that may be due at once."""
        return frozenset({*self._due, REEVALUATE} if self else self._due)

    def take(self, other: Waking) -> None:
        """Take over what another one gathered."""
        for tenant, touched in other._of.items():
            self._of[tenant].take(touched)
        self._due |= other._due

    def run(self, connection: Connection, now: datetime, asked: Collection[tuple[str, str]]) -> None:
        """Wake on SQLite; the releases that were asked about have seen everything."""
        for given in self._given(now, asked):
            del given["most"]
            values = {name: json.dumps(one) if isinstance(one, list) else one for name, one in given.items()}
            connection.exec_driver_sql(_ON_SQLITE, values)

    def beside(self, now: datetime, asked: Collection[tuple[str, str]]) -> list[Beside]:
        """Return what wakes on PostgreSQL, to go along with the batch's rows."""
        return [
            Beside(f"woken_{number}", _ON_POSTGRESQL, json.dumps(given))
            for number, given in enumerate(self._given(now, asked))
        ]

    def _given(self, now: datetime, asked: Collection[tuple[str, str]]) -> Iterator[dict[str, object]]:
        for tenant, touched in self._of.items():
            mine = sorted(name for of, name in asked if of == tenant)
            fixed = {
                "kind": REEVALUATE,
                "most": MOST_OF_ONE,
                "newest": MOST_OF_PLACE,
                "now": microseconds(now),
            }
            yield {"tenant": tenant, "asked": mine, **fixed, **touched.given}


class _Touched:
    """Subjects, by what finds the releases that they belong to."""

    def __init__(self) -> None:
        self.releases: set[str] = set()
        self.artifacts: set[str] = set()
        self.subjects: set[str] = set()
        self.places: set[str] = set()

    def add(self, subject: Subject) -> None:
        match subject.type:
            case SubjectType.RELEASE:
                self.releases.add(subject.value)
            case SubjectType.ATTEMPT:
                self.releases.add(str(AttemptName.parse(subject.value).release))
            case SubjectType.ARTIFACT:
                self.artifacts.add(subject.value)
            case SubjectType.WORKLOAD:
                self.places.add(subject.value)
            case SubjectType.SOURCE | SubjectType.MANIFEST:
                self.subjects.add(subject_text(subject))

    def take(self, other: _Touched) -> None:
        self.releases |= other.releases
        self.artifacts |= other.artifacts
        self.subjects |= other.subjects
        self.places |= other.places

    @property
    def given(self) -> dict[str, object]:
        return {
            "releases": sorted(self.releases),
            "artifacts": sorted(self.artifacts),
            "subjects": sorted(self.subjects),
            "places": sorted(self.places),
        }
