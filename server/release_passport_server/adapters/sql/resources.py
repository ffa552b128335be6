"""What a tenant's transaction writes of its catalogue, its policies, its trust and its access."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import Delete, Table, Update, delete, update

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.acts import (
    CONNECTOR_HEALTH,
    GROUPS,
    collection_of,
    in_catalogue,
)
from release_passport_server.adapters.sql.codec import Values, policy_values
from release_passport_server.adapters.sql.documents import (
    BANS,
    BINDINGS,
    ENVIRONMENTS,
    ROLE_BINDINGS,
    SERVICES,
    TENANTS,
    TOKENS,
    Collection,
)
from release_passport_server.adapters.sql.notice_writes import NoticeWrites
from release_passport_server.adapters.sql.trust import trust_values
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
from release_passport_server.domain.connector import ConnectorHealth
from release_passport_server.domain.trust import TrustRevision
from release_passport_server.ports.people import Act

T = TypeVar("T")


class ResourceWrites(NoticeWrites):
    """Part of the transaction: small resources, and what has to be known of their change."""

    # What others keep in memory is stale once this is committed.
    _access_changed = False
    _catalog_changed = False

    def put_service(self, service: Service) -> None:
        """Insert or replace a service."""
        self._put(SERVICES, service)
        self._catalog_changed = True

    def put_environment(self, environment: Environment) -> None:
        """Insert or replace an environment."""
        self._put(ENVIRONMENTS, environment)
        self._catalog_changed = True

    def put_observe_only(self, binding: ObserveOnlyBinding) -> None:
        """Insert or replace a binding."""
        self._put(BINDINGS, binding)
        self._catalog_changed = True

    def put_policy(self, policy: PolicyDocument) -> None:
        """Insert a new revision and make it the newest."""
        c = tables.policy_revisions.c
        self._change(
            update(tables.policy_revisions)
            .where(c.tenant == self.tenant, c.policy_id == policy.policy_id, c.newest)
            .values(newest=False)
        )
        self._insert(tables.policy_revisions, policy_values(self.tenant, policy))
        self._catalog_changed = True

    def put_trust(self, revision: TrustRevision) -> None:
        """Insert a revision of what the tenant trusts."""
        self._insert(tables.trust_revisions, trust_values(self.tenant, revision))
        self._catalog_changed = True

    def put_role_binding(self, binding: RoleBinding) -> None:
        """Insert a grant."""
        self._put(ROLE_BINDINGS, binding)
        self._access_changed = True

    def delete_role_binding(self, binding_id: str) -> None:
        """Delete a grant."""
        c = tables.documents.c
        self._change(
            delete(tables.documents).where(
                c.tenant == self.tenant, c.collection == ROLE_BINDINGS.name, c.id == binding_id
            )
        )
        self._access_changed = True

    def put_act(self, act: Act) -> None:
        """Insert an act, or replace it when it has ended."""
        self._put(collection_of(type(act)), act)
        self._catalog_changed = self._catalog_changed or in_catalogue(act)

    def put_connector_health(self, health: ConnectorHealth) -> None:
        """Say how the readings of a connector went; it takes no revision."""
        self._mine.pending.add(tables.documents, [self._row_of(CONNECTOR_HEALTH, health)])

    def delete_group(self, group_id: str) -> None:
        """Delete a group."""
        c = tables.documents.c
        self._change(
            delete(tables.documents).where(
                c.tenant == self.tenant, c.collection == GROUPS.name, c.id == group_id
            )
        )
        self._catalog_changed = True

    def put_token(self, token: APIToken) -> None:
        """Insert or replace a token."""
        self._put(TOKENS, token)
        self._access_changed = True

    def put_ban(self, ban: Ban) -> None:
        """Insert or replace a ban."""
        self._put(BANS, ban)
        self._access_changed = self._catalog_changed = True

    def put_tenant(self, tenant: Tenant) -> None:
        """Insert or replace the tenant."""
        self._put(TENANTS, tenant)
        self._access_changed = True

    def _put(self, collection: Collection[T], value: T, *, key: str = "") -> None:
        self._insert(tables.documents, self._row_of(collection, value, key=key))

    def _row_of(self, collection: Collection[T], value: T, *, key: str = "") -> Values:
        return {
            "tenant": self.tenant,
            "collection": collection.name,
            "id": collection.id_of(value),
            "key": key or collection.key_of(value),
            "body": collection.encode(value),
        }

    def _insert(self, table: Table, *rows: Values) -> None:
        raise NotImplementedError

    def _change(self, statement: Update | Delete) -> None:
        raise NotImplementedError
