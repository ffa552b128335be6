"""What people recorded, as documents: found by id, by release, by place or all of a tenant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Row, Select, bindparam, select

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.documents import BANS, Collection
from release_passport_server.adapters.sql.lists import among
from release_passport_server.adapters.sql.together import Read
from release_passport_server.domain.acts import (
    MAX_OVERRIDE,
    Acts,
    Exemption,
    Freeze,
    Group,
    Override,
    Vote,
    Waiver,
)
from release_passport_server.domain.connector import Connector, ConnectorHealth
from release_passport_server.domain.gate import Gate, GateAnswer
from release_passport_server.domain.notices import Channel
from release_passport_server.domain.policy_change import PolicyChange
from release_passport_server.domain.watch_window import Acknowledgement
from release_passport_server.ports.people import Act

T = TypeVar("T", bound=Act)


def _id(name: str) -> str:
    return name.rpartition("/")[2]


VOTES = Collection("votes", Vote, lambda one: _id(one.name), lambda one: one.release)
WAIVERS = Collection(
    "waivers",
    Waiver,
    lambda one: _id(one.name),
    lambda one: one.release or f"{one.service}/{one.environment}",
)
OVERRIDES = Collection(
    "overrides", Override, lambda one: _id(one.name), lambda one: f"{one.service}/{one.environment}"
)
EXEMPTIONS = Collection("exemptions", Exemption, lambda one: _id(one.name), lambda one: one.release)
FREEZES = Collection("freezes", Freeze, lambda one: _id(one.name))
GROUPS = Collection("groups", Group, lambda one: one.group_id)
POLICY_CHANGES = Collection(
    "policy_changes", PolicyChange, lambda one: _id(one.name), lambda one: one.policy_id
)

GATES = Collection("gates", Gate, lambda one: one.gate_id, lambda one: f"{one.service}/{one.environment}")
GATE_ANSWERS = Collection("gate_answers", GateAnswer, lambda one: one.answer_id, lambda one: one.gate_id)

ACKNOWLEDGEMENTS = Collection(
    "acknowledgements", Acknowledgement, lambda one: _id(one.name), lambda one: one.content_digest
)
CHANNELS = Collection("notification_channels", Channel, lambda one: one.channel_id)
CONNECTORS = Collection(
    "connectors", Connector, lambda one: one.connector_id, lambda one: f"{one.service}/{one.environment}"
)
CONNECTOR_HEALTH = Collection("connector_health", ConnectorHealth, lambda one: one.connector_id)

_ALL: Mapping[type, Collection[Any]] = {
    one.type: one
    for one in (
        *(VOTES, WAIVERS, OVERRIDES, EXEMPTIONS, FREEZES, GROUPS, POLICY_CHANGES),
        *(GATES, GATE_ANSWERS, CHANNELS, ACKNOWLEDGEMENTS, CONNECTORS, CONNECTOR_HEALTH),
    )
}
_OF_RELEASES = (VOTES.name, WAIVERS.name, EXEMPTIONS.name)
# How names say what kind of act a decision rests on, and where these are kept.
_RESTED_ON = frozenset({"approvals", "waivers", "overrides", "freezeExemptions"})
_c = tables.documents.c
_RESTED = select(_c.collection, _c.body).where(
    _c.tenant == bindparam("tenant"),
    _c.collection.in_([*_OF_RELEASES, OVERRIDES.name]),
    _c.id.in_(bindparam("ids", expanding=True)),
)


def collection_of(kind: type[T]) -> Collection[T]:
    """Return how acts of a type are kept."""
    return cast("Collection[T]", _ALL[kind])


def in_catalogue(act: Act) -> bool:
    """Say whether an act is kept in memory with the tenant's catalogue, because it is about more than one release."""
    return isinstance(act, Freeze | Group | Override) or (isinstance(act, Waiver) and not act.release)


def of_tenant(connection: Connection, tenant: str) -> Acts:
    """Return what counts everywhere in a tenant: freezes that nobody ended, groups, and who is banned."""
    c = tables.documents.c
    kept = {one.name: one for one in (FREEZES, GROUPS, BANS)}
    rows = select(c.collection, c.body).where(c.tenant == tenant, c.collection.in_(kept))
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(rows.order_by(c.collection, c.id)):
        found[row.collection].append(kept[row.collection].decode(row.body))
    return Acts(
        freezes=tuple(freeze for freeze in found[FREEZES.name] if freeze.end_time is None),
        groups=tuple(found[GROUPS.name]),
        # Who is refused with one credential alone is still who they are.
        banned=frozenset(ban.principal for ban in found[BANS.name] if ban.holds("")),
    )


def of_releases_read(dialect: str, tenant: str, names: Sequence[str]) -> Read | None:
    """Return what reads what people recorded about each of these releases alone."""
    return Read(_of_releases(dialect), {"tenant": tenant, "releases": names}) if names else None


def of_releases(rows: Iterable[Row[Any]] | None) -> dict[str, Acts]:
    """Return what was read of releases, by release."""
    found: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in rows or ():
        found[row.key, row.collection].append(_kept(row.collection).decode(row.body))
    return {
        name: Acts(
            votes=tuple(found[name, VOTES.name]),
            waivers=tuple(found[name, WAIVERS.name]),
            exemptions=tuple(found[name, EXEMPTIONS.name]),
        )
        for name in {name for name, _ in found}
    }


def withdrawn(connection: Connection, tenant: str, names: Iterable[str], now: datetime) -> set[str]:
    """Return those acts that decisions rest on and that somebody has ended since; other names are left out.

    An override carries a rollout no longer than the longest that one may last.
    """
    wanted = {_id(name): name for name in names if name.split("/")[-2] in _RESTED_ON}
    if not wanted:
        return set()
    given = {"tenant": tenant, "ids": sorted(wanted)}
    return {
        act.name
        for row in connection.execute(_RESTED, given)
        if (act := _kept(row.collection).decode(row.body)).name in wanted.values()
        and (act.end_time is not None or _outlived(act, now))
    }


def _outlived(act: Act, now: datetime) -> bool:
    return isinstance(act, Override) and act.create_time + MAX_OVERRIDE <= now


def _kept(collection: str) -> Collection[Any]:
    return next(one for one in _ALL.values() if one.name == collection)


def joined(tenant: Acts, place: Iterable[Any], release: Acts | None) -> Acts:
    """Return all acts that could count for one release."""
    waivers = [one for one in place if isinstance(one, Waiver)]
    overrides = tuple(one for one in place if isinstance(one, Override))
    own = Acts() if release is None else release
    waived, all_of = (*waivers, *own.waivers), (tenant.freezes, tenant.groups, tenant.banned)
    return Acts(own.votes, waived, overrides, own.exemptions, *all_of)


@lru_cache
def _of_releases(dialect: str) -> Select[Any]:
    c = tables.documents.c
    return (
        select(c.collection, c.key, c.body)
        .where(
            c.tenant == bindparam("tenant"),
            c.collection.in_(_OF_RELEASES),
            among(dialect, c.key, "releases"),
        )
        .order_by(c.id)
    )
