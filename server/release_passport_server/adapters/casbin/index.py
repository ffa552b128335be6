"""Answers who may do what, from an index over each tenant's enforcer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock

from release_passport_server.adapters.casbin.enforcer import PRINCIPAL_PREFIX, TenantEnforcer, role_of
from release_passport_server.adapters.casbin.roles import Role, load_roles
from release_passport_server.adapters.casbin.rulings import ruling_of
from release_passport_server.domain.access import (
    Grant,
    Principal,
    Scope,
    Verb,
    any_contains,
)
from release_passport_server.domain.access_review import AccessQuestion, Ruling
from release_passport_server.domain.errors import Denied, Violation, invalid
from release_passport_server.domain.glob import any_matches, is_exact

_EVERYTHING = ("*",)
_EVERYWHERE = Scope()
_NOT_LOADED = -1


@dataclass(frozen=True, slots=True)
class _Right:
    """One rule of the enforcer, ready to be asked."""

    scope: Scope
    kinds: tuple[str, ...]
    narrowed: tuple[str, ...]
    unlimited: bool

    def takes(self, kind: str) -> bool:
        return self.unlimited or (any_matches(self.kinds, kind) and any_matches(self.narrowed, kind))

    def covers(self, service: str, environment: str, kind: str) -> bool:
        return self.unlimited or (self.scope.covers(service, environment) and self.takes(kind))


_Rights = dict[tuple[str, Verb], tuple[_Right, ...]]


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """All that is known of one tenant at one generation; never changed, only replaced."""

    generation: int
    rights: Mapping[tuple[str, Verb], tuple[_Right, ...]]
    roles: Mapping[str, frozenset[str]]

    def names(self, principal: Principal) -> tuple[str, ...]:
        """Return the names that roles are given to which count for a principal: its own, and those of its groups."""
        return (principal.id, *(group for group in principal.groups if group in self.roles))


class AccessIndex:
    """The authorizer: one snapshot a tenant, swapped whole when its grants change."""

    def __init__(self, rbac: Path) -> None:
        self._model = rbac / "model.conf"
        self._roles = load_roles(rbac / "default_roles.csv")
        self._snapshots: dict[str, _Snapshot] = {}
        self._lock = Lock()

    def replace(self, tenant: str, generation: int, grants: Iterable[Grant]) -> bool:
        """Answer from these grants from now on, all at once; return False where newer ones are loaded already."""
        enforcer = TenantEnforcer(self._model, self._roles, tenant, grants)
        snapshot = _Snapshot(generation, _rights_of(enforcer), _roles_of(enforcer))
        with self._lock:
            if generation < self.generation(tenant):
                return False
            self._snapshots[tenant] = snapshot
            return True

    def forget(self, tenant: str) -> None:
        """Deny everything in the tenant until grants are loaded again."""
        with self._lock:
            self._snapshots.pop(tenant, None)

    def generation(self, tenant: str) -> int:
        """Return the generation of the tenant's grants that answers are given from; -1 where none is loaded."""
        snapshot = self._snapshots.get(tenant)
        return _NOT_LOADED if snapshot is None else snapshot.generation

    def require(
        self,
        principal: Principal,
        verb: Verb,
        *,
        service: str = "",
        environment: str = "",
        kind: str = "",
    ) -> None:
        """Raise Denied unless the principal may do this there."""
        for right in self._rights(principal, verb):
            if right.covers(service, environment, kind):
                return
        raise self._denied(principal, verb, _place(service, environment), kind)

    def require_somewhere(self, principal: Principal, verb: Verb, *, kind: str = "") -> None:
        """Raise Denied unless the principal may do this in some scope."""
        if not any(right.takes(kind) for right in self._rights(principal, verb)):
            raise self._denied(principal, verb, "anywhere in this tenant", kind)

    def require_grantable(self, principal: Principal, grant: Grant) -> None:
        """Raise Denied unless the principal itself holds all that the grant would give; Invalid for no such role."""
        names = self.role_names(principal.tenant)
        if grant.role not in names:
            known = ", ".join(sorted(names))
            raise invalid(
                [Violation("role", f"there is no role {grant.role[:63]!r} here: use one of {known}")]
            )
        for permission in self._roles[grant.role].permissions:
            wanted = _granted_kinds(permission.kinds, grant.kinds)
            for kind in wanted if permission.verb is Verb.SUBMIT else _EVERYTHING:
                if not self._holds(principal, permission.verb, grant.scope, kind):
                    raise Denied(
                        "ACCESS_DENIED",
                        f"{principal.id} cannot grant {grant.role}: it takes `{permission.verb}` in the whole scope "
                        "of the grant, which they do not have themselves; an admin of this tenant can grant it",
                        metadata={"verb": permission.verb.value, "role": grant.role},
                    )

    def allowed_scopes(self, principal: Principal, verb: Verb, *, kind: str = "") -> tuple[Scope, ...]:
        """Return where the principal may do this, the widest alone where it is everywhere; empty is nowhere."""
        scopes = dict.fromkeys(right.scope for right in self._rights(principal, verb) if right.takes(kind))
        return (_EVERYWHERE,) if _EVERYWHERE in scopes else tuple(scopes)

    def verbs(self, principal: Principal) -> frozenset[Verb]:
        """Return what the principal may do in some scope."""
        return frozenset(verb for verb in Verb if self._rights(principal, verb))

    def roles(self, principal: Principal) -> frozenset[str]:
        """Return the names of the principal's roles."""
        snapshot = self._snapshots.get(principal.tenant)
        if snapshot is None:
            return frozenset()
        return frozenset().union(*(snapshot.roles.get(name, ()) for name in snapshot.names(principal)))

    def role_names(self, tenant: str) -> frozenset[str]:
        """Return the roles that can be granted in this tenant."""
        return frozenset(role.name for role in self._roles.values() if role.grantable_in(tenant))

    def ruling(self, tenant: str, grant: Grant, question: AccessQuestion) -> Ruling:
        """Return what a grant alone says to a question."""
        return ruling_of(self._roles, tenant, grant, question)

    def role_rights(self, tenant: str, role: str) -> Mapping[Verb, tuple[str, ...]]:
        """Return what a role allows, with the kinds of evidence of each verb; nothing for no such role."""
        found = self._roles.get(role)
        if found is None or not found.grantable_in(tenant):
            return {}
        rights: dict[Verb, tuple[str, ...]] = {}
        for line in found.permissions:
            rights[line.verb] = (*rights.get(line.verb, ()), *line.kinds)
        return rights

    def _rights(self, principal: Principal, verb: Verb) -> tuple[_Right, ...]:
        snapshot = self._snapshots.get(principal.tenant)
        if snapshot is None:
            return ()
        if not principal.groups:
            return snapshot.rights.get((principal.id, verb), ())
        return tuple(
            right for name in snapshot.names(principal) for right in snapshot.rights.get((name, verb), ())
        )

    def _holds(self, principal: Principal, verb: Verb, scope: Scope, kind: str) -> bool:
        return any(
            right.unlimited
            or (
                right.scope.contains(scope)
                and any_contains(right.kinds, (kind,))
                and any_contains(right.narrowed, (kind,))
            )
            for right in self._rights(principal, verb)
        )

    def _denied(self, principal: Principal, verb: Verb, place: str, kind: str) -> Denied:
        what = f"`{verb}` {kind}".rstrip()
        roles = ", ".join(sorted(_roles_with(self._roles, principal.tenant, verb, kind)))
        advice = (
            f"an admin of this tenant can grant a role that may: {roles}" if roles else "no role here may"
        )
        return Denied(
            "ACCESS_DENIED",
            f"{principal.id} may not {what} {place}; {advice}",
            metadata={"verb": verb.value, "kind": kind} if kind else {"verb": verb.value},
        )


def _rights_of(enforcer: TenantEnforcer) -> _Rights:
    """Return the enforcer's rules by principal and verb."""
    by_role: dict[str, list[tuple[Verb, _Right]]] = {}
    for role, _, services, environments, verb, kinds, narrowed in enforcer.rules():
        by_role.setdefault(role, []).append((Verb(verb), _right(services, environments, kinds, narrowed)))
    rights: _Rights = {}
    for who, role, _ in enforcer.memberships():
        for verb, right in by_role[role]:
            key = (who.removeprefix(PRINCIPAL_PREFIX), verb)
            rights[key] = (*rights.get(key, ()), right)
    return rights


def _roles_of(enforcer: TenantEnforcer) -> dict[str, frozenset[str]]:
    """Return the names of each principal's roles."""
    roles: dict[str, frozenset[str]] = {}
    for who, role, _ in enforcer.memberships():
        principal = who.removeprefix(PRINCIPAL_PREFIX)
        roles[principal] = roles.get(principal, frozenset()) | {role_of(role)}
    return roles


@lru_cache(maxsize=4096)
def _right(services: str, environments: str, kinds: str, narrowed: str) -> _Right:
    scope = Scope(tuple(services.split()), tuple(environments.split()))
    right_kinds, right_narrowed = tuple(kinds.split()), tuple(narrowed.split())
    unlimited = scope == _EVERYWHERE and right_kinds == right_narrowed == _EVERYTHING
    return _Right(scope, right_kinds, right_narrowed, unlimited)


def _granted_kinds(kinds: tuple[str, ...], narrowed: tuple[str, ...]) -> tuple[str, ...]:
    """Return the kinds that a grant gives at most."""
    if narrowed and all(is_exact(kind) for kind in narrowed):
        return tuple(kind for kind in narrowed if any_matches(kinds, kind))
    return kinds


def _roles_with(roles: Mapping[str, Role], tenant: str, verb: Verb, kind: str) -> Iterable[str]:
    for role in roles.values():
        if role.grantable_in(tenant) and any(
            line.verb is verb and any_matches(line.kinds, kind) for line in role.permissions
        ):
            yield role.name


def _place(service: str, environment: str) -> str:
    """Return the place in words."""
    if not service and not environment:
        return "for the tenant as a whole"
    return f"for {f'service {service}' if service else 'all services'}" + (
        f" in environment {environment}" if environment else " in all environments"
    )
