"""What a tenant's policies and catalogue say: kept in memory until the tenant's catalogue changes."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, select, tuple_, union_all

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.acts import OVERRIDES, WAIVERS, of_tenant
from release_passport_server.adapters.sql.codec import policy_of
from release_passport_server.adapters.sql.documents import BINDINGS, ENVIRONMENTS, SERVICES
from release_passport_server.adapters.sql.trust import newest_trust
from release_passport_server.domain.acts import Acts, Override, Waiver
from release_passport_server.domain.catalog import Environment, ObserveOnlyBinding, PolicyDocument, Service
from release_passport_server.domain.release import ReleaseIdentity
from release_passport_server.domain.trust import Trust
from release_passport_server.wire.history import depths

MAX_POLICIES = 20_000
MAX_TENANTS = 2_000

_PolicyKey = tuple[str, str, int, str]
_policy = tables.policy_revisions.c
_ACTIVE_POLICIES = (
    select(_policy.policy_id, _policy.revision, _policy.digest)
    .where(_policy.tenant == bindparam("tenant"), _policy.newest, _policy.delete_time.is_(None))
    .order_by(_policy.policy_id)
)


def _documents_of(collection: str, column: ColumnElement[str], names: str) -> Select[Any]:
    c = tables.documents.c
    return select(c.collection, c.id, c.key, c.body).where(
        c.tenant == bindparam("tenant"),
        c.collection == collection,
        column.in_(bindparam(names, expanding=True)),
    )


# Look-ups by key in one statement: one condition with OR would read all that the tenant has.
_DOCUMENTS = union_all(
    _documents_of(SERVICES.name, tables.documents.c.id, "services"),
    _documents_of(ENVIRONMENTS.name, tables.documents.c.id, "environments"),
    _documents_of(BINDINGS.name, tables.documents.c.key, "places"),
    _documents_of(OVERRIDES.name, tables.documents.c.key, "places"),
    _documents_of(WAIVERS.name, tables.documents.c.key, "places"),
)


@dataclass(slots=True)
class Catalog:
    """A tenant's policies, and what was looked up of its services, environments and observe-only bindings."""

    policies: tuple[PolicyDocument, ...]
    # How many of the newest observations of a kind its policies look at, where that is more than one.
    depths: Mapping[str, int]
    # What the tenant trusts, without the roots' contents.
    trust: Trust
    # Freezes and groups, which count everywhere.
    acts: Acts
    services: dict[str, Service | None] = field(default_factory=dict)
    environments: dict[str, Environment | None] = field(default_factory=dict)
    bindings: dict[str, tuple[ObserveOnlyBinding, ...]] = field(default_factory=dict)
    # Overrides, and waivers for more than one release, by place.
    exceptions: dict[str, tuple[Override | Waiver, ...]] = field(default_factory=dict)
    # Its policies, and the revisions that judge rollouts under way, by id and revision.
    revisions: dict[tuple[str, int], PolicyDocument] = field(default_factory=dict)

    def learn(self, connection: Connection, tenant: str, places: Iterable[ReleaseIdentity]) -> None:
        """Look up what is not known yet of the places that releases go to."""
        unknown = [one for one in places if f"{one.service}/{one.environment}" not in self.bindings]
        if not unknown:
            return
        given = {
            "tenant": tenant,
            "services": sorted({one.service for one in unknown}),
            "environments": sorted({one.environment for one in unknown}),
            "places": sorted({f"{one.service}/{one.environment}" for one in unknown}),
        }
        services: dict[str, Service] = {}
        environments: dict[str, Environment] = {}
        bindings: defaultdict[str, list[ObserveOnlyBinding]] = defaultdict(list)
        exceptions: defaultdict[str, list[Override | Waiver]] = defaultdict(list)
        for row in sorted(connection.execute(_DOCUMENTS, given), key=lambda row: str(row.id)):
            match row.collection:
                case SERVICES.name:
                    services[row.id] = SERVICES.decode(row.body)
                case ENVIRONMENTS.name:
                    environments[row.id] = ENVIRONMENTS.decode(row.body)
                case OVERRIDES.name:
                    exceptions[row.key].append(OVERRIDES.decode(row.body))
                case WAIVERS.name:
                    exceptions[row.key].append(WAIVERS.decode(row.body))
                case _:
                    bindings[row.key].append(BINDINGS.decode(row.body))
        self.services.update({one: services.get(one) for one in given["services"]})
        self.environments.update({one: environments.get(one) for one in given["environments"]})
        self.exceptions.update({place: tuple(exceptions[place]) for place in given["places"]})
        # Last, because whoever finds a place here takes the others for known.
        self.bindings.update({place: tuple(bindings[place]) for place in given["places"]})


class Catalogs:
    """Catalogues by tenant, each as of the revision of its last change; several threads may use them."""

    def __init__(self) -> None:
        # Revisions of policies never change, so what was read once is kept.
        self._policies: dict[_PolicyKey, PolicyDocument] = {}
        self._known: OrderedDict[str, tuple[int, Catalog]] = OrderedDict()
        self._keeping = Lock()

    def of(self, connection: Connection, tenant: str, revision: int | None) -> Catalog:
        """Return the catalogue as the connection sees it; `revision` is None where it is not committed yet."""
        known = self._known.get(tenant)
        if known is not None and known[0] == revision:
            return known[1]
        policies = self.policies(connection, tenant)
        looked_at = depths(policy.spec for policy in policies)  # type: ignore[misc]
        catalog = Catalog(
            policies,
            looked_at,
            newest_trust(connection, tenant),
            of_tenant(connection, tenant),
            revisions={(one.policy_id, one.revision): one for one in policies},
        )
        if revision is not None:
            self._known[tenant] = (revision, catalog)
            while len(self._known) > MAX_TENANTS:
                self._known.popitem(last=False)
        return catalog

    def keep(
        self, connection: Connection, tenant: str, catalog: Catalog, wanted: Iterable[tuple[str, int]]
    ) -> None:
        """Have a catalogue know the revisions that judge rollouts under way; its `depths` are theirs as well."""
        unknown = {one for one in wanted if one not in catalog.revisions}
        if not unknown:
            return
        read = select(tables.policy_revisions).where(
            _policy.tenant == tenant, tuple_(_policy.policy_id, _policy.revision).in_(sorted(unknown))
        )
        found = {(row.policy_id, row.revision): policy_of(row) for row in connection.execute(read)}
        with self._keeping:
            specs = [one.spec for one in (*catalog.revisions.values(), *found.values())]
            # First, because whoever finds a revision takes the depths for those that it needs.
            catalog.depths = depths(specs)  # type: ignore[arg-type]
            catalog.revisions.update(found)

    def policies(self, connection: Connection, tenant: str) -> tuple[PolicyDocument, ...]:
        """Return every policy that is not deleted, by id; only revisions not seen before are read."""
        rows = connection.execute(_ACTIVE_POLICIES, {"tenant": tenant})
        keys: Sequence[_PolicyKey] = [(tenant, row.policy_id, row.revision, row.digest) for row in rows]
        # Other threads use the same cache: what was found in it must not be looked up again.
        found = {key: policy for key in keys if (policy := self._policies.get(key)) is not None}
        unknown = [key[1:3] for key in keys if key not in found]
        if unknown:
            read = select(tables.policy_revisions).where(
                _policy.tenant == tenant, tuple_(_policy.policy_id, _policy.revision).in_(unknown)
            )
            for row in connection.execute(read):
                found[tenant, row.policy_id, row.revision, row.digest] = policy_of(row)
            if len(self._policies) > MAX_POLICIES:
                self._policies.clear()
            self._policies.update(found)
        return tuple(found[key] for key in keys)
