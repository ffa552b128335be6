"""Reads one tenant's data through one connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, and_, select

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.acts import collection_of
from release_passport_server.adapters.sql.audit_rows import entries_at, leaf_count, list_audit
from release_passport_server.adapters.sql.catalog import Catalogs
from release_passport_server.adapters.sql.codec import (
    attempt_of,
    decision_of,
    item_of,
    policy_of,
    release_of,
    subject_text,
)
from release_passport_server.adapters.sql.documents import (
    BANS,
    BINDINGS,
    ENVIRONMENTS,
    LATCHES,
    ROLE_BINDINGS,
    SERVICES,
    TENANTS,
    TOKENS,
    Collection,
)
from release_passport_server.adapters.sql.feed_reading import FeedReading
from release_passport_server.adapters.sql.jobs import dead_jobs
from release_passport_server.adapters.sql.key_scopes import keys_in_scopes
from release_passport_server.adapters.sql.listing import list_decisions, list_evidence, list_releases
from release_passport_server.adapters.sql.loading import Known, Loader, in_force
from release_passport_server.adapters.sql.newest import revision_after
from release_passport_server.adapters.sql.statements import evidence_rows
from release_passport_server.adapters.sql.trust import trust_page, trust_revision_of, trust_rows
from release_passport_server.domain.access import Scope
from release_passport_server.domain.catalog import (
    APIToken,
    Ban,
    Environment,
    ObserveOnlyBinding,
    PolicyDocument,
    RoleBinding,
    Service,
    Tenant,
)
from release_passport_server.domain.evidence import EvidenceItem, Subject
from release_passport_server.domain.job import DeadJob
from release_passport_server.domain.record import DecisionRecord, Listed, LoggedEntry, Page
from release_passport_server.domain.release import Attempt, Latch, Release
from release_passport_server.domain.trust import TrustRevision
from release_passport_server.ports.judging import CaseKey, LoadedCase
from release_passport_server.ports.people import T as A
from release_passport_server.ports.store import AuditFilter, DecisionFilter, EvidenceFilter, ReleaseFilter

T = TypeVar("T")


class SQLReader(FeedReading):
    """Reads one tenant's data; see the port for what each method returns."""

    def __init__(self, connection: Connection, tenant: str, catalogs: Catalogs) -> None:
        self.tenant = tenant
        self._database = connection
        self._catalogs = catalogs

    @property
    def _connection(self) -> Connection:
        """Return the connection to read through."""
        return self._database

    def revision(self) -> int:
        """Return the tenant's head revision."""
        head = self._one(select(tables.heads.c.revision).where(tables.heads.c.tenant == self.tenant))
        return 0 if head is None else int(head.revision)

    def find_release(self, service: str, environment: str, version: str) -> Release | None:
        """Return a release with what is computed of other releases there."""
        c = tables.releases.c
        row = self._one(
            select(tables.releases).where(
                c.tenant == self.tenant,
                c.service == service,
                c.environment == environment,
                c.version == version,
            )
        )
        return None if row is None else self._loader().computed([release_of(row)])[0]

    def list_releases(self, wanted: ReleaseFilter, page: Page) -> Listed[Release]:
        """Return releases, newest first."""
        listed = list_releases(self._connection, self.tenant, wanted, page)
        return Listed(tuple(self._loader().computed(listed.items)), listed.next_after)

    def attempts(self, release: str) -> tuple[Attempt, ...]:
        """Return the attempts of a release, oldest first."""
        c = tables.attempts.c
        rows = select(tables.attempts).where(c.tenant == self.tenant, c.release == release)
        return tuple(attempt_of(row) for row in self._connection.execute(rows.order_by(c.number)))

    def find_attempt(self, name: str) -> Attempt | None:
        """Return one attempt."""
        release, _, number = name.rpartition("/attempts/")
        c = tables.attempts.c
        row = self._one(
            select(tables.attempts).where(
                c.tenant == self.tenant, c.release == release, c.number == int(number)
            )
        )
        return None if row is None else attempt_of(row)

    def open_attempts(self, service: str = "", environment: str = "") -> tuple[Attempt, ...]:
        """Return every attempt of any release there that has no outcome."""
        c = tables.attempts.c
        rows = select(tables.attempts).where(c.tenant == self.tenant, c.finish_time.is_(None))
        if service:
            rows = rows.where(c.service == service)
        if environment:
            rows = rows.where(c.environment == environment)
        return tuple(attempt_of(row) for row in self._connection.execute(rows.order_by(c.start_time)))

    def find_decision(self, name: str) -> DecisionRecord | None:
        """Return one decision."""
        c = tables.decisions.c
        row = self._one(select(tables.decisions).where(c.tenant == self.tenant, c.name == name))
        return None if row is None else decision_of(row)

    def newest_decision(self, release: str) -> DecisionRecord | None:
        """Return the newest decision of a release."""
        c = tables.decisions.c
        rows = select(tables.decisions).where(c.tenant == self.tenant, c.release == release)
        row = self._one(rows.order_by(c.revision.desc()).limit(1))
        return None if row is None else decision_of(row)

    def list_decisions(self, wanted: DecisionFilter, page: Page) -> Listed[DecisionRecord]:
        """Return decisions, newest first, without the bodies of their cases."""
        return list_decisions(self._connection, self.tenant, wanted, page)

    def find_evidence(self, name: str) -> EvidenceItem | None:
        """Return one item."""
        c = tables.evidence.c
        row = self._one(evidence_rows().where(c.tenant == self.tenant, c.name == name))
        return None if row is None else item_of(row)

    def list_evidence(self, wanted: EvidenceFilter, page: Page) -> Listed[EvidenceItem]:
        """Return items, newest first."""
        return list_evidence(self._connection, self.tenant, wanted, page)

    def evidence_bodies(self, digests: Sequence[str]) -> Mapping[str, bytes]:
        """Return the stored facts by digest."""
        c = tables.bodies.c
        rows = select(c.digest, c.body).where(
            c.tenant == self.tenant, c.digest.in_(digests), c.body.is_not(None)
        )
        return {row.digest: row.body for row in self._connection.execute(rows)}

    def evidence_bundles(self, names: Sequence[str]) -> Mapping[str, bytes]:
        """Return the envelopes of items by the items' names."""
        c, body = tables.evidence.c, tables.bodies.c
        same = and_(body.tenant == c.tenant, body.digest == c.bundle_digest)
        rows = select(c.name, body.body).join_from(tables.evidence, tables.bodies, same)
        wanted = rows.where(c.tenant == self.tenant, c.name.in_(names), body.body.is_not(None))
        return {row.name: row.body for row in self._connection.execute(wanted)}

    def evidence_about(self, subjects: Sequence[Subject]) -> tuple[EvidenceItem, ...]:
        """Return every item about any of the subjects, oldest first."""
        found = self._loader().about(subject_text(subject) for subject in subjects)
        return tuple(item for _, item in found)

    def load_case(self, key: CaseKey, now: datetime) -> LoadedCase:
        """Return everything that a question about a release needs."""
        return self._loader().load([key], self._known(), now)[0]

    def dead_jobs(self, page: Page) -> Listed[DeadJob]:
        """Return dead jobs by kind and key."""
        return dead_jobs(self._connection, self.tenant, page)

    def latches(self, content_digest: str) -> tuple[Latch, ...]:
        """Return the standing latches of these digests, all of the tenant for none."""
        return self._documents(LATCHES, key=content_digest)

    def find_service(self, service_id: str) -> Service | None:
        """Return one service."""
        return self._document(SERVICES, service_id)

    def list_services(self, page: Page) -> Listed[Service]:
        """Return services by id."""
        return self._documents_page(SERVICES, page)

    def find_environment(self, environment_id: str) -> Environment | None:
        """Return one environment."""
        return self._document(ENVIRONMENTS, environment_id)

    def list_environments(self, page: Page) -> Listed[Environment]:
        """Return environments by id."""
        return self._documents_page(ENVIRONMENTS, page)

    def observe_only(self, service: str, environment: str, now: datetime) -> ObserveOnlyBinding | None:
        """Return the binding that is in force there, if any."""
        bindings = self._documents(BINDINGS, key=f"{service}/{environment}")
        return in_force(bindings, now)

    def find_observe_only(self, binding_id: str) -> ObserveOnlyBinding | None:
        """Return one binding."""
        return self._document(BINDINGS, binding_id)

    def list_observe_only(
        self, page: Page, *, scopes: Sequence[Scope] | None = None
    ) -> Listed[ObserveOnlyBinding]:
        """Return bindings, newest first."""
        return self._documents_page(BINDINGS, page, newest_first=True, scopes=scopes)

    def find_act(self, kind: type[A], act_id: str) -> A | None:
        """Return one act of a type by the last part of its name."""
        return self._document(collection_of(kind), act_id)

    def list_acts(
        self, kind: type[A], page: Page, *, key: str = "", scopes: Sequence[Scope] | None = None
    ) -> Listed[A]:
        """Return acts of a type, newest first."""
        return self._documents_page(collection_of(kind), page, key=key, newest_first=True, scopes=scopes)

    def find_policy(self, policy_id: str) -> PolicyDocument | None:
        """Return the newest revision, deleted or not."""
        c = tables.policy_revisions.c
        row = self._one(
            select(tables.policy_revisions).where(c.tenant == self.tenant, c.newest, c.policy_id == policy_id)
        )
        return None if row is None else policy_of(row)

    def list_policies(self, page: Page, *, deleted: bool = False) -> Listed[PolicyDocument]:
        """Return newest revisions by id."""
        c = tables.policy_revisions.c
        rows = select(tables.policy_revisions).where(
            c.tenant == self.tenant, c.newest, c.policy_id > page.after
        )
        if not deleted:
            rows = rows.where(c.delete_time.is_(None))
        return self._page(rows.order_by(c.policy_id), page, policy_of, lambda p: p.policy_id)

    def active_policies(self) -> tuple[PolicyDocument, ...]:
        """Return every policy that is not deleted, by id."""
        return self._loader().policies()

    def policy_revision(self, policy_id: str, revision: int) -> PolicyDocument | None:
        """Return one revision."""
        c = tables.policy_revisions.c
        row = self._one(
            select(tables.policy_revisions).where(
                c.tenant == self.tenant, c.policy_id == policy_id, c.revision == revision
            )
        )
        return None if row is None else policy_of(row)

    def list_policy_revisions(self, policy_id: str, page: Page) -> Listed[PolicyDocument]:
        """Return revisions, newest first."""
        c = tables.policy_revisions.c
        rows = select(tables.policy_revisions).where(c.tenant == self.tenant, c.policy_id == policy_id)
        if page.after:
            rows = rows.where(c.revision < revision_after(page.after))
        return self._page(rows.order_by(c.revision.desc()), page, policy_of, lambda p: str(p.revision))

    def find_role_binding(self, binding_id: str) -> RoleBinding | None:
        """Return one binding."""
        return self._document(ROLE_BINDINGS, binding_id)

    def list_role_bindings(self, principal: str, page: Page) -> Listed[RoleBinding]:
        """Return bindings, newest first; an empty principal means all."""
        return self._documents_page(ROLE_BINDINGS, page, key=principal, newest_first=True)

    def all_role_bindings(self) -> tuple[RoleBinding, ...]:
        """Return every binding."""
        return self._documents(ROLE_BINDINGS)

    def access_generation(self) -> int:
        """Return a number that grows with every change of tokens, grants or the tenant's state."""
        c = tables.heads.c
        head = self._one(select(c.access_generation).where(c.tenant == self.tenant))
        return 0 if head is None else int(head.access_generation)

    def find_token(self, token_id: str) -> APIToken | None:
        """Return one token."""
        return self._document(TOKENS, token_id)

    def list_tokens(self, page: Page) -> Listed[APIToken]:
        """Return tokens, newest first."""
        return self._documents_page(TOKENS, page, newest_first=True)

    def tokens_of(self, principal: str) -> tuple[APIToken, ...]:
        """Return every token of a principal, revoked and expired ones too."""
        return self._documents(TOKENS, key=principal)

    def find_ban(self, ban_id: str) -> Ban | None:
        """Return one ban."""
        return self._document(BANS, ban_id)

    def bans_of(self, principal: str) -> tuple[Ban, ...]:
        """Return every ban of a principal, ended ones too."""
        return self._documents(BANS, key=principal)

    def list_bans(self, principal: str, page: Page) -> Listed[Ban]:
        """Return bans, newest first; an empty principal means all."""
        return self._documents_page(BANS, page, key=principal, newest_first=True)

    def find_tenant(self) -> Tenant | None:
        """Return the tenant."""
        return self._document(TENANTS, self.tenant)

    def find_trust(self, revision: int = 0) -> TrustRevision | None:
        """Return one revision of what the tenant trusts, or the newest."""
        row = self._one(trust_rows(self.tenant, revision))
        return None if row is None else trust_revision_of(row)

    def list_trust(self, page: Page) -> Listed[TrustRevision]:
        """Return revisions of what the tenant trusts, newest first, without the roots' contents."""
        listed = self._page(
            trust_page(self.tenant, page), page, trust_revision_of, lambda one: str(one.trust.revision)
        )
        return replace(
            listed, items=tuple(replace(one, trust=one.trust.without_contents()) for one in listed.items)
        )

    def leaf_count(self) -> int:
        """Return how many entries the audit log has."""
        return leaf_count(self._connection, self.tenant)

    def list_audit(self, wanted: AuditFilter, page: Page) -> Listed[LoggedEntry]:
        """Return entries by leaf, oldest first."""
        return list_audit(self._connection, self.tenant, wanted, page)

    def audited_at(self, revisions: Sequence[int]) -> tuple[LoggedEntry, ...]:
        """Return the entries that were written at these revisions, by leaf."""
        return entries_at(self._connection, self.tenant, revisions)

    def _known(self) -> Known:
        """Return what is known of the tenant before its case is loaded."""
        c = tables.heads.c
        head = self._one(select(c.revision, c.catalog_revision).where(c.tenant == self.tenant))
        return Known(0, 0) if head is None else Known(head.revision, head.catalog_revision)

    def _loader(self) -> Loader:
        return Loader(self._connection, self.tenant, self._catalogs)

    def _one(self, rows: Select[Any]) -> Any:
        return self._connection.execute(rows).first()

    def _page(
        self, rows: Select[Any], page: Page, decode: Callable[[Any], T], place: Callable[[T], str]
    ) -> Listed[T]:
        found = [decode(row) for row in self._connection.execute(rows.limit(page.size + 1))]
        more = len(found) > page.size
        items = tuple(found[: page.size])
        return Listed(items, place(items[-1]) if more else "")

    def _document(self, collection: Collection[T], document_id: str) -> T | None:
        c = tables.documents.c
        row = self._one(
            select(c.body).where(
                c.tenant == self.tenant, c.collection == collection.name, c.id == document_id
            )
        )
        return None if row is None else collection.decode(row.body)

    def _documents(self, collection: Collection[T], *, key: str = "") -> tuple[T, ...]:
        c = tables.documents.c
        rows = select(c.body).where(c.tenant == self.tenant, c.collection == collection.name)
        if key:
            rows = rows.where(c.key == key)
        return tuple(collection.decode(row.body) for row in self._connection.execute(rows.order_by(c.id)))

    def _documents_page(
        self,
        collection: Collection[T],
        page: Page,
        *,
        key: str = "",
        newest_first: bool = False,
        scopes: Sequence[Scope] | None = None,
    ) -> Listed[T]:
        c = tables.documents.c
        rows = select(c.body).where(c.tenant == self.tenant, c.collection == collection.name)
        if key:
            rows = rows.where(c.key == key)
        if scopes is not None:
            rows = rows.where(keys_in_scopes(self.tenant, scopes, c.key))
        if page.after:
            rows = rows.where(c.id < page.after if newest_first else c.id > page.after)
        rows = rows.order_by(c.id.desc() if newest_first else c.id)
        return self._page(rows, page, lambda row: collection.decode(row.body), collection.id_of)
