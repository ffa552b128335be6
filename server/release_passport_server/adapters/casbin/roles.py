"""The table of roles: what each may do, as `policies/rbac/default_roles.csv` says it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from release_passport_server.domain.access import PLATFORM, Verb

_PLANES = ("tenant", "platform")


class RolesInvalid(ValueError):
    """The table of roles cannot be used."""


@dataclass(frozen=True, slots=True)
class Permission:
    """One line of the table: a verb, and for submit the kinds of evidence as globs."""

    verb: Verb
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Role:
    """What a role allows."""

    name: str
    plane: str
    permissions: tuple[Permission, ...]

    def grantable_in(self, tenant: str) -> bool:
        """Say whether the role exists in this domain: tenants have theirs, the platform has its own."""
        return (self.plane == "platform") == (tenant == PLATFORM)


def load_roles(path: Path) -> Mapping[str, Role]:
    """Return the roles by name; raise RolesInvalid with the line of the first fault."""
    roles: dict[str, Role] = {}
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.startswith("#"):
            name, plane, permission = _read_line(line, f"{path}, line {number}")
            known = roles.get(name, Role(name, plane, ()))
            if known.plane != plane:
                raise RolesInvalid(f"{path}, line {number}: role {name} is in two planes; give it one")
            roles[name] = Role(name, plane, (*known.permissions, permission))
    return MappingProxyType(roles)


def _read_line(line: str, place: str) -> tuple[str, str, Permission]:
    cells = [cell.strip() for cell in next(csv.reader([line]))]
    if len(cells) != 5 or cells[0] != "p" or not all(cells):
        raise RolesInvalid(f"{place}: expected `p, role, plane, verb, kinds`")
    _, name, plane, verb, kinds = cells
    if plane not in _PLANES:
        raise RolesInvalid(f"{place}: unknown plane {plane!r}; use one of {', '.join(_PLANES)}")
    if verb not in tuple(Verb):
        raise RolesInvalid(f"{place}: unknown verb {verb!r}; use one of {', '.join(Verb)}")
    if verb != Verb.SUBMIT and kinds != "*":
        raise RolesInvalid(f"{place}: only `submit` is narrowed by kinds; write `*`")
    return name, plane, Permission(Verb(verb), tuple(kinds.split()))
