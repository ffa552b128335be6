"""The long lists: releases, decisions and evidence, in the order of newest revisions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, FromClause, Select, Table, and_, select, true

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.codec import decision_of, item_of, release_of, subject_text
from release_passport_server.adapters.sql.lists import among
from release_passport_server.adapters.sql.newest import Behind, Rows, Streams, newest_first
from release_passport_server.adapters.sql.pairs import pairs
from release_passport_server.adapters.sql.statements import (
    decision_rows,
    evidence_rows,
    in_scopes,
)
from release_passport_server.domain.access import Scope
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.glob import is_exact
from release_passport_server.domain.record import DecisionRecord, Listed, Page
from release_passport_server.domain.release import Release
from release_passport_server.ports.store import DecisionFilter, EvidenceFilter, ReleaseFilter

T = TypeVar("T")
# Releases of an artifact are looked up one by one up to so many; a more frequent artifact is soon found in order.
_FEW = 1000
# So many rows are looked through before places are.
_NEAR = 1000


def list_releases(connection: Connection, tenant: str, wanted: ReleaseFilter, page: Page) -> Listed[Release]:
    """Return releases without what is computed of others."""
    listing = _Listing(connection, tenant, page, tables.releases, release_rows)
    if wanted.artifact_digest:
        rows = listing.plain(_with_artifact(connection, tenant, wanted))
    else:
        rows = listing.in_places(wanted)
    return _listed(rows, page, release_of, lambda release: f"{release.revision} {release.name}")


def list_decisions(
    connection: Connection, tenant: str, wanted: DecisionFilter, page: Page
) -> Listed[DecisionRecord]:
    """Return decisions without the bodies of their cases."""
    listing = _Listing(connection, tenant, page, tables.decisions, decision_rows)
    verdict = wanted.effective_verdict
    fixed = {} if verdict is None else {"effective_verdict": int(verdict)}
    if wanted.release:
        c = tables.decisions.c
        here = and_(c.release == wanted.release, _in_place(tables.decisions, wanted))
        rows = listing.plain(decision_rows().where(here, _has(tables.decisions, fixed)))
    else:
        rows = listing.in_places(wanted, fixed)
    return _listed(rows, page, decision_of, lambda decision: f"{decision.revision} {decision.name}")


def list_evidence(
    connection: Connection, tenant: str, wanted: EvidenceFilter, page: Page
) -> Listed[EvidenceItem]:
    """Return items with their facts."""
    listing = _Listing(connection, tenant, page, tables.evidence, evidence_rows)
    found: Sequence[tuple[str, ...]]
    if wanted.subjects:
        subjects = [subject_text(subject) for subject in wanted.subjects]
        found = _series(connection, tenant, subjects)
        columns: tuple[str, ...] = ("subject", "kind", "source")
    elif wanted.kind or wanted.source:
        kinds = {wanted.kind} if wanted.kind else None
        found = pairs(connection, tenant, tables.evidence, ("kind", "source"), kinds)
        columns = ("kind", "source")
    else:
        return _listed(listing.plain(evidence_rows()), page, item_of, _place_of_item)
    streams = [one for one in found if wanted.kind in ("", one[-2]) and wanted.source in ("", one[-1])]
    return _listed(listing.of(columns, streams), page, item_of, _place_of_item)


def release_rows(release: Any = tables.releases, source: FromClause | None = None) -> Select[Any]:
    """Return the select of releases; `source` is what they are joined to, if anything."""
    return select(*(release.c[one.name] for one in tables.releases.c)).select_from(
        release if source is None else source
    )


def _place_of_item(item: EvidenceItem) -> str:
    return f"{item.revision} {item.name}"


class _Listing:
    """One page of one table."""

    def __init__(self, connection: Connection, tenant: str, page: Page, table: Table, rows: Rows) -> None:
        self._connection = connection
        self._tenant = tenant
        self._behind = Behind.parse(page.after)
        # One more tells whether there is another page.
        self._count = page.size + 1
        self._table = table
        self._rows = rows

    def plain(self, rows: Select[Any]) -> list[Any]:
        """Return the page of rows whose order an index has."""
        c = self._table.c
        ordered = newest_first(rows.where(c.tenant == self._tenant), self._behind, c.revision, c.name)
        return list(self._connection.execute(ordered.limit(self._count)))

    def of(
        self,
        columns: tuple[str, ...],
        streams: Sequence[tuple[str, ...]],
        fixed: Mapping[str, int] = MappingProxyType({}),
    ) -> list[Any]:
        """Return the page of the rows of streams."""
        if not streams:
            return []
        given = Streams(self._table, self._rows, columns, streams, fixed)
        return given.page(self._connection, self._tenant, self._behind, self._count)

    def in_places(
        self, wanted: ReleaseFilter | DecisionFilter, fixed: Mapping[str, int] = MappingProxyType({})
    ) -> list[Any]:
        """Return the page of what lies in the scopes, the service and the environment."""
        rows = self._rows(self._table, self._table)
        if not wanted.service and not wanted.environment and _are_everything(wanted.scopes):
            return self.plain(rows.where(_has(self._table, fixed)))
        services = {wanted.service} if wanted.service else _services(wanted.scopes)
        if services is None:
            names = self._near(wanted, fixed)
            if len(names) == self._count:
                return self._named(rows, names)
        found = pairs(self._connection, self._tenant, tables.releases, ("service", "environment"), services)
        places = [
            place
            for place in found
            if wanted.environment in ("", place[1]) and any(scope.covers(*place) for scope in wanted.scopes)
        ]
        return self.of(("service", "environment"), places, fixed)

    def _named(self, rows: Select[Any], names: Sequence[str]) -> list[Any]:
        """Return rows by name, in order; with an order in the statement a planner might go through them all."""
        c = self._table.c
        named = rows.where(c.tenant == self._tenant, among(self._connection.dialect.name, c.name, "names"))
        found = self._connection.execute(named, {"names": names})
        return sorted(found, key=lambda row: (row.revision, row.name), reverse=True)

    def _near(self, wanted: ReleaseFilter | DecisionFilter, fixed: Mapping[str, int]) -> Sequence[str]:
        """Return the names on the page as far as they are among the next rows: what many see is frequent."""
        c = self._table.c
        rows = select(c.name, c.service, c.environment, c.revision, *(c[name] for name in fixed))
        ordered = newest_first(rows.where(c.tenant == self._tenant), self._behind, c.revision, c.name)
        near = ordered.limit(_NEAR).subquery("near")
        names = select(near.c.name).where(_in_place(near, wanted), _has(near, fixed))
        return self._connection.execute(names.limit(self._count)).scalars().all()


def _are_everything(scopes: Sequence[Scope]) -> bool:
    return any("*" in scope.services and "*" in scope.environments for scope in scopes)


def _services(scopes: Sequence[Scope]) -> set[str] | None:
    """Return the services that the scopes name, or None where they cover others too."""
    named = {glob for scope in scopes for glob in scope.services}
    return named if all(is_exact(glob) for glob in named) else None


def _listed(
    rows: Sequence[Any], page: Page, decode: Callable[[Any], T], place: Callable[[T], str]
) -> Listed[T]:
    items = tuple(decode(row) for row in rows[: page.size])
    return Listed(items, place(items[-1]) if len(rows) > page.size else "")


def _has(table: Any, values: Mapping[str, int]) -> ColumnElement[bool]:
    return and_(true(), *(table.c[name] == value for name, value in values.items()))


def _in_place(table: Any, wanted: ReleaseFilter | DecisionFilter) -> ColumnElement[bool]:
    """Return the condition that a row lies where the filter says."""
    c = table.c
    conditions = [in_scopes(wanted.scopes, c.service, c.environment)]
    conditions += [c.service == wanted.service] if wanted.service else []
    conditions += [c.environment == wanted.environment] if wanted.environment else []
    return and_(*conditions)


def _with_artifact(connection: Connection, tenant: str, wanted: ReleaseFilter) -> Select[Any]:
    a, c = tables.release_artifacts.c, tables.releases.c
    having = select(a.release).where(a.tenant == tenant, a.digest == wanted.artifact_digest)
    names = connection.execute(having.limit(_FEW + 1)).scalars().all()
    rows = release_rows().where(_in_place(tables.releases, wanted))
    if len(names) <= _FEW:
        return rows.where(c.name.in_(names))
    return rows.where(having.where(a.release == c.name).correlate(tables.releases).exists())


def _series(connection: Connection, tenant: str, subjects: Sequence[str]) -> list[tuple[str, ...]]:
    """Return what was observed of subjects, by kind and source."""
    c = tables.series.c
    rows = select(c.subject, c.kind, c.source).distinct().where(c.tenant == tenant, c.subject.in_(subjects))
    return [tuple(row) for row in connection.execute(rows)]
