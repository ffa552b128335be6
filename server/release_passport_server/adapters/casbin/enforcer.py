"""One tenant's grants as a Casbin enforcer: the meaning that the index answers for."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import casbin

from release_passport_server.adapters.casbin.roles import Permission, Role
from release_passport_server.domain.access import Grant, Principal, Verb
from release_passport_server.domain.glob import any_matches

PRINCIPAL_PREFIX = "principal:"
_ROLE_PREFIX = "role:"
_ALL = "*"
# Globs stand in one cell with spaces between. One with other characters fits no id, and must not become two.
_GLOB = re.compile(r"[A-Za-z0-9._:/+*?-]+")


class TenantEnforcer:
    """A Casbin enforcer with the rules of one tenant and no other."""

    def __init__(self, model: Path, roles: Mapping[str, Role], tenant: str, grants: Iterable[Grant]) -> None:
        # Casbin logs every denial with its subject, and all of its rules, through loggers of its own.
        logging.getLogger("casbin").setLevel(logging.CRITICAL + 1)
        self._tenant = tenant
        self._casbin = casbin.Enforcer(str(model))
        self._casbin.add_function("fits", _fits)
        self._fill(roles, grants)

    def enforce(self, principal: Principal, verb: Verb, service: str, environment: str, kind: str) -> bool:
        """Return Casbin's own answer; slow, the index gives the same one."""
        return bool(
            self._casbin.enforce(
                PRINCIPAL_PREFIX + principal.id, principal.tenant, service, environment, verb.value, kind
            )
        )

    def rules(self) -> list[list[str]]:
        """Return the rules: role, tenant, services, environments, verb, kinds, narrowed."""
        return list(self._casbin.get_policy())

    def memberships(self) -> list[list[str]]:
        """Return who has which role: principal, role, tenant."""
        return list(self._casbin.get_grouping_policy())

    def _fill(self, roles: Mapping[str, Role], grants: Iterable[Grant]) -> None:
        rules: dict[str, list[list[str]]] = {}
        memberships: dict[tuple[str, str], None] = {}
        for grant in grants:
            role = roles.get(grant.role)
            # An unknown role, or one of the other plane, gives nothing.
            if role is None or not role.grantable_in(self._tenant):
                continue
            name = _instance(grant)
            rules.setdefault(name, [rule_of(self._tenant, grant, line) for line in role.permissions])
            memberships[PRINCIPAL_PREFIX + grant.principal, name] = None
        # Casbin's own way to add rules looks through all of them for each; these are distinct already.
        self._casbin.model["p"]["p"].policy.extend(rule for lines in rules.values() for rule in lines)
        self._casbin.model["g"]["g"].policy.extend([who, role, self._tenant] for who, role in memberships)
        self._casbin.build_role_links()


def rule_of(tenant: str, grant: Grant, permission: Permission) -> list[str]:
    """Return the rule that one line of a role becomes under a grant."""
    services, environments, narrowed = _scope_cells(grant)
    return [
        _instance(grant),
        tenant,
        services,
        environments,
        permission.verb.value,
        " ".join(permission.kinds),
        narrowed if permission.verb is Verb.SUBMIT else _ALL,
    ]


def role_of(instance: str) -> str:
    """Return the name of the role that a role with its scope stands for."""
    return instance.removeprefix(_ROLE_PREFIX).partition("|")[0]


def _instance(grant: Grant) -> str:
    return _ROLE_PREFIX + "|".join((grant.role, *_scope_cells(grant)))


def _scope_cells(grant: Grant) -> tuple[str, str, str]:
    """Return services, environments and kinds of a grant, each as globs with spaces between."""
    return (
        _cell(grant.scope.services),
        _cell(grant.scope.environments),
        _cell(grant.kinds) if grant.kinds else _ALL,
    )


def _cell(globs: tuple[str, ...]) -> str:
    return " ".join(glob for glob in globs if _GLOB.fullmatch(glob))


def _fits(globs: str, value: str) -> bool:
    return any_matches(tuple(globs.split()), value)
