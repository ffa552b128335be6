"""Who asks, what there is to be allowed, and where a right counts."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from release_passport_server.domain.errors import NotFound
from release_passport_server.domain.glob import any_matches, is_exact, matches
from release_passport_server.domain.identity import is_federated_name
from release_passport_server.domain.ids import is_slug

# The domain of what lies above tenants. It can never be a tenant's id, because ids hold letters, digits and hyphens.
PLATFORM = "*platform*"

PRINCIPAL_RULE = (
    "must be sa:{id} for a service account, connector:{id} for a connector or user:{id} for a person; with "
    "{alias}/{name} in place of {id} it is one that an issuer vouches for"
)
GROUP = "group:"
_PRINCIPAL = re.compile(r"(?:sa|connector|user):([^/]+)(?:/(.+))?", re.DOTALL)


class Verb(StrEnum):
    """What a principal can be allowed to do: the one list."""

    READ = "read"
    AUDIT = "audit"
    SUBMIT = "submit"
    REVOKE = "revoke"
    RELEASE = "release"
    EVALUATE = "evaluate"
    START = "start"
    APPROVE = "approve"
    RESOLVE_REJECTION = "resolve-rejection"
    WAIVE = "waive"
    OVERRIDE = "override"
    FREEZE = "freeze"
    ACKNOWLEDGE = "acknowledge"
    GATE = "gate"
    OBSERVE_ONLY = "observe-only"
    REDEEM = "redeem"
    REPORT = "report"
    POLICIES = "policies"
    CONNECTORS = "connectors"
    ACCESS = "access"
    TRUST = "trust"
    RETENTION = "retention"
    TENANTS = "tenants"
    CATALOG = "catalog"


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a right counts: globs over service ids and over environment ids, each with `*` and `?` only."""

    services: tuple[str, ...] = ("*",)
    environments: tuple[str, ...] = ("*",)

    def covers(self, service: str, environment: str) -> bool:
        """Say whether the right counts there; an empty id means all of them, which `*` alone covers."""
        return any_matches(self.services, service) and any_matches(self.environments, environment)

    def contains(self, other: Scope) -> bool:
        """Say whether everything that the other scope covers is covered by this one."""
        return any_contains(self.services, other.services) and any_contains(
            self.environments, other.environments
        )


class Proof(StrEnum):
    """How somebody has proved who they are."""

    # By a token of this server, by one that an issuer has signed, by the certificate of the connection.
    OWN = "own"
    ISSUED = "issued"
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, as the credential proves it; the tenant is the credential's."""

    id: str
    tenant: str
    expire_time: datetime
    # What names the credential that was shown: the id of an API token, and of a token or certificate by another.
    credential: str = ""
    # The server runs in development mode.
    dev: bool = False
    # Groups by the credential, as group:{issuer}/{name}; a role binding and a group of voters can name them.
    groups: tuple[str, ...] = ()
    # What else the same person is known as, such as an e-mail address.
    identities: tuple[str, ...] = ()
    proof: Proof = Proof.OWN


@dataclass(frozen=True, slots=True)
class Grant:
    """A role given to a principal inside a scope; `kinds` narrows what it may submit, none means all of the role's."""

    principal: str
    role: str
    scope: Scope = Scope()
    kinds: tuple[str, ...] = ()


def is_principal(text: str) -> bool:
    """Say whether this can be a principal's id: ours, or one that an issuer vouches for, with its alias in front."""
    match = _PRINCIPAL.fullmatch(text)
    return match is not None and is_slug(match[1]) and (match[2] is None or is_federated_name(match[2]))


def is_local_principal(text: str) -> bool:
    """Say whether this can be the id of a principal that nobody but this server vouches for."""
    return "/" not in text and is_principal(text)


def is_group(text: str) -> bool:
    """Say whether this can be a group by an issuer: group:{alias}/{name}."""
    alias, slash, name = text.removeprefix(GROUP).partition("/")
    return text.startswith(GROUP) and bool(slash) and is_slug(alias) and is_federated_name(name)


def platform_principal(principal: Principal) -> Principal:
    """Return who the principal is above tenants: the same id in two tenants is two principals there, without groups."""
    return replace(principal, id=f"{principal.tenant}/{principal.id}", tenant=PLATFORM, groups=())


def same_tenant(principal: Principal, tenant: str) -> None:
    """Raise NotFound for a tenant other than the credential's; an empty one means the credential's."""
    # The text is the same whether the tenant exists or not, so that nobody learns who else is here.
    if tenant and tenant != principal.tenant:
        raise NotFound("NOT_FOUND", f"there is no tenant {tenant[:63]!r} for this credential")


def any_contains(wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    """Say whether each narrow glob lies inside one of the wide ones; may say no where several together would do."""
    return all(any(_contains(outer, inner) for outer in wide) for inner in narrow)


def _contains(outer: str, inner: str) -> bool:
    if outer == inner:
        return True
    # `?` stands for one character and would fit a `*` that is read as a character, which stands for many.
    return (is_exact(inner) or "?" not in outer) and matches(outer, inner)
