"""Who somebody is by the word of another: what issuers and certificates claim, and whom that makes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from release_passport_server.domain.errors import Unauthenticated
from release_passport_server.domain.glob import any_matches

MAX_GROUPS = 200
MAX_IDENTITIES = 8

# What stands behind the source's alias in a principal or a group. No spaces, and nothing that a glob would read.
_NAME = re.compile(r"[A-Za-z0-9._@:/+=|~-]{1,200}")
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")

Claims = Mapping[str, object]


class Kind(StrEnum):
    """What sort of principal a source speaks of."""

    SERVICE_ACCOUNT = "sa"
    CONNECTOR = "connector"
    PERSON = "user"


@dataclass(frozen=True, slots=True)
class Admission:
    """Whom a source's word lets into a tenant: each claim must have one of its values, globs with `*` and `?`."""

    tenant: str
    when: Mapping[str, tuple[str, ...]]
    # A principal of this tenant by its id; empty: the one that the source's template names.
    principal: str = ""

    def admits(self, claims: Claims) -> bool:
        """Say whether the claims are those that the rule is for."""
        return all(_has(claims, path, wanted) for path, wanted in self.when.items())


@dataclass(frozen=True, slots=True)
class Source:
    """Somebody whose word about others counts: its name here, and how its claims are read."""

    alias: str
    kind: Kind
    # Names of claims in braces, such as {repository_id}; a path of claims is joined by slashes.
    name: str
    admissions: tuple[Admission, ...]
    require: Mapping[str, tuple[str, ...]]
    groups: str = ""
    # Claims that are other names of the same principal.
    identities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Identified:
    """Whom the claims are about."""

    tenant: str
    principal: str
    groups: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()


def identify(source: Source, claims: Claims) -> Identified:
    """Return whom the claims of a source are about; raise Unauthenticated where no rule lets them in."""
    for path, wanted in source.require.items():
        if not _has(claims, path, wanted):
            raise not_accepted(f"its {path} is not one that {source.alias} is trusted for")
    admission = next((one for one in source.admissions if one.admits(claims)), None)
    if admission is None:
        raise not_accepted(f"no rule of {source.alias} lets it into a tenant")
    principal = admission.principal or f"{source.kind}:{source.alias}/{_named(source, claims)}"
    return Identified(admission.tenant, principal, _groups(source, claims), _identities(source, claims))


def not_accepted(why: str) -> Unauthenticated:
    """Return the error of a credential by somebody else, with what is wrong with it."""
    text = f"the credential is not accepted: {why}; sign in again, or ask an administrator of this server"
    return Unauthenticated("CREDENTIAL_INVALID", text)


def is_federated_name(text: str) -> bool:
    """Say whether a text can stand behind an alias, in a principal or a group."""
    return _NAME.fullmatch(text) is not None


def placeholders(template: str) -> list[str]:
    """Return the claims that a template names."""
    return _PLACEHOLDER.findall(template)


def claim(claims: Claims, path: str) -> object:
    """Return a claim by its name, or by a path of names joined by slashes; None where it is missing."""
    if path in claims:
        return claims[path]
    for name, inner in claims.items():
        if isinstance(inner, Mapping) and path.startswith(f"{name}/"):
            return claim(inner, path.removeprefix(f"{name}/"))
    return None


def _named(source: Source, claims: Claims) -> str:
    def filled(match: re.Match[str]) -> str:
        value = _text(claim(claims, match[1]))
        if not value:
            raise not_accepted(f"it has no {match[1]}, which {source.alias} names callers by")
        return value

    name = _PLACEHOLDER.sub(filled, source.name)
    if not is_federated_name(name):
        raise not_accepted("the name that it gives has characters that a name here cannot have, or too many")
    return name


def _groups(source: Source, claims: Claims) -> tuple[str, ...]:
    if not source.groups:
        return ()
    names = [name for name in _texts(claim(claims, source.groups)) if is_federated_name(name)]
    return tuple(f"group:{source.alias}/{name}" for name in sorted(set(names))[:MAX_GROUPS])


def _identities(source: Source, claims: Claims) -> tuple[str, ...]:
    found: list[str] = []
    for path in source.identities:
        # An address that nobody has checked is a name that anybody can take.
        if path == "email" and claim(claims, "email_verified") is not True:
            continue
        found.extend(text for text in _texts(claim(claims, path)) if is_federated_name(text))
    return tuple(dict.fromkeys(found))[:MAX_IDENTITIES]


def _has(claims: Claims, path: str, wanted: tuple[str, ...]) -> bool:
    return any(any_matches(wanted, text) for text in _texts(claim(claims, path)))


def _texts(value: object) -> Iterable[str]:
    values = value if isinstance(value, list | tuple) else (value,)
    return [text for one in values[: 5 * MAX_GROUPS] if (text := _text(one))]


def _text(value: object) -> str:
    """Return the text of a claim that is one value; empty for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) and abs(value) < 1 << 63 else ""
