"""Ids and resource names: how each is written, and the strict reading of what callers send."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from release_passport_server.domain.errors import Invalid, Violation, invalid

ULID_RANDOM_BYTES = 10

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

_SLUG = "[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
_VERSION = "[A-Za-z0-9][A-Za-z0-9._+-]{0,126}"
# 128 bits are 25 characters and three bits: the first character stops at 7.
_ULID = "[0-7][0-9ABCDEFGHJKMNPQRSTVWXYZ]{25}"
_NUMBER = "[1-9][0-9]{0,8}"

_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]
_SLUG_RE = re.compile(_SLUG)
_VERSION_RE = re.compile(_VERSION)
_ULID_RE = re.compile(_ULID)

SLUG_RULE = (
    "1 to 63 characters: a lower-case letter, then lower-case letters, digits and hyphens, no hyphen last"
)
VERSION_RULE = "1 to 127 characters: a letter or digit, then letters, digits and . _ + -"
ULID_RULE = "a ULID: 26 characters of Crockford's base 32 in upper case"


def ulid(now: datetime, random: bytes) -> str:
    """Return the ULID of a time with zone and ten random bytes; later times sort later (ulid/spec)."""
    if len(random) != ULID_RANDOM_BYTES:
        raise ValueError(f"a ULID takes {ULID_RANDOM_BYTES} random bytes, not {len(random)}")
    milliseconds = (now - _EPOCH) // _MILLISECOND
    if not 0 <= milliseconds < 1 << 48:
        raise ValueError(f"a ULID cannot hold the time {now}")
    value = milliseconds << 80 | int.from_bytes(random, "big")
    return "".join([_PAIRS[value >> shift & 1023] for shift in range(120, -1, -10)])


def is_slug(text: str) -> bool:
    """Say whether this can be the id of a tenant, service, environment or policy."""
    return _SLUG_RE.fullmatch(text) is not None


def is_version(text: str) -> bool:
    """Say whether this can be the version of a release."""
    return _VERSION_RE.fullmatch(text) is not None


def is_ulid(text: str) -> bool:
    """Say whether this is a ULID as the server writes it."""
    return _ULID_RE.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class TenantName:
    """tenants/{tenant}"""

    tenant: str

    def __str__(self) -> str:
        return f"tenants/{self.tenant}"

    @classmethod
    def parse(cls, text: str, *, field: str = "name") -> TenantName:
        """Return the parts of a tenant's name; raise Invalid."""
        return cls(*parts(_TENANT, text, field))


@dataclass(frozen=True, slots=True)
class ServiceName:
    """tenants/{tenant}/services/{service}"""

    tenant: str
    service: str

    def __str__(self) -> str:
        return f"tenants/{self.tenant}/services/{self.service}"

    @classmethod
    def parse(cls, text: str, *, field: str = "name") -> ServiceName:
        """Return the parts of a service's name; raise Invalid."""
        return cls(*parts(_SERVICE, text, field))


@dataclass(frozen=True, slots=True)
class EnvironmentName:
    """tenants/{tenant}/environments/{environment}"""

    tenant: str
    environment: str

    def __str__(self) -> str:
        return f"tenants/{self.tenant}/environments/{self.environment}"

    @classmethod
    def parse(cls, text: str, *, field: str = "name") -> EnvironmentName:
        """Return the parts of an environment's name; raise Invalid."""
        return cls(*parts(_ENVIRONMENT, text, field))


@dataclass(frozen=True, slots=True)
class ReleaseName:
    """tenants/{tenant}/services/{service}/environments/{environment}/releases/{version}"""

    tenant: str
    service: str
    environment: str
    version: str

    def __str__(self) -> str:
        return (
            f"tenants/{self.tenant}/services/{self.service}"
            f"/environments/{self.environment}/releases/{self.version}"
        )

    @classmethod
    def parse(cls, text: str, *, field: str = "name") -> ReleaseName:
        """Return the parts of a release's name; raise Invalid."""
        return cls(*parts(_RELEASE, text, field))


@dataclass(frozen=True, slots=True)
class AttemptName:
    """{release}/attempts/{number}"""

    release: ReleaseName
    number: int

    def __str__(self) -> str:
        return f"{self.release}/attempts/{self.number}"

    @classmethod
    def parse(cls, text: str, *, field: str = "name") -> AttemptName:
        """Return the parts of an attempt's name; raise Invalid."""
        *release, number = parts(_ATTEMPT, text, field)
        return cls(ReleaseName(*release), int(number))


@dataclass(frozen=True, slots=True)
class DecisionName:
    """{release}/decisions/{ulid}"""

    release: ReleaseName
    decision_id: str

    def __str__(self) -> str:
        return f"{self.release}/decisions/{self.decision_id}"

    @classmethod
    def parse(cls, text: str, *, field: str = "name") -> DecisionName:
        """Return the parts of a decision's name; raise Invalid."""
        *release, decision_id = parts(_DECISION, text, field)
        return cls(ReleaseName(*release), decision_id)


@dataclass(frozen=True, slots=True)
class EvidenceName:
    """tenants/{tenant}/evidence/{ulid}"""

    tenant: str
    evidence_id: str

    def __str__(self) -> str:
        return f"tenants/{self.tenant}/evidence/{self.evidence_id}"

    @classmethod
    def parse(cls, text: str, *, field: str = "name") -> EvidenceName:
        """Return the parts of an evidence item's name; raise Invalid."""
        return cls(*parts(_EVIDENCE, text, field))


@dataclass(frozen=True, slots=True)
class PolicyName:
    """tenants/{tenant}/policies/{policy}"""

    tenant: str
    policy: str

    def __str__(self) -> str:
        return f"tenants/{self.tenant}/policies/{self.policy}"

    @classmethod
    def parse(cls, text: str, *, field: str = "name") -> PolicyName:
        """Return the parts of a policy's name; raise Invalid."""
        return cls(*parts(_POLICY, text, field))


@dataclass(frozen=True, slots=True)
class APITokenName:
    """tenants/{tenant}/apiTokens/{ulid}"""

    tenant: str
    token_id: str

    def __str__(self) -> str:
        return f"tenants/{self.tenant}/apiTokens/{self.token_id}"

    @classmethod
    def parse(cls, text: str, *, field: str = "name") -> APITokenName:
        """Return the parts of a token's name; raise Invalid."""
        return cls(*parts(_API_TOKEN, text, field))


@dataclass(frozen=True, slots=True)
class BanName:
    """tenants/{tenant}/bans/{ulid}"""

    tenant: str
    ban_id: str

    def __str__(self) -> str:
        return f"tenants/{self.tenant}/bans/{self.ban_id}"

    @classmethod
    def parse(cls, text: str, *, field: str = "name") -> BanName:
        """Return the parts of a ban's name; raise Invalid."""
        return cls(*parts(_BAN, text, field))


@dataclass(frozen=True, slots=True)
class RoleBindingName:
    """tenants/{tenant}/roleBindings/{ulid}"""

    tenant: str
    binding_id: str

    def __str__(self) -> str:
        return f"tenants/{self.tenant}/roleBindings/{self.binding_id}"

    @classmethod
    def parse(cls, text: str, *, field: str = "name") -> RoleBindingName:
        """Return the parts of a role binding's name; raise Invalid."""
        return cls(*parts(_ROLE_BINDING, text, field))


@dataclass(frozen=True, slots=True)
class ObserveOnlyBindingName:
    """tenants/{tenant}/services/{service}/environments/{environment}/observeOnlyBindings/{ulid}"""

    tenant: str
    service: str
    environment: str
    binding_id: str

    def __str__(self) -> str:
        return (
            f"tenants/{self.tenant}/services/{self.service}"
            f"/environments/{self.environment}/observeOnlyBindings/{self.binding_id}"
        )

    @classmethod
    def parse(cls, text: str, *, field: str = "name") -> ObserveOnlyBindingName:
        """Return the parts of an observe-only binding's name; raise Invalid."""
        return cls(*parts(_OBSERVE_ONLY_BINDING, text, field))


@dataclass(frozen=True, slots=True)
class Template:
    """How one kind of name is read: its pattern, its form for people, and a length above which it is not read."""

    pattern: re.Pattern[str]
    form: str
    max_length: int


_VARIABLE = re.compile(r"\{([a-z]+)\}")
_PART_PATTERNS = {"version": _VERSION, "ulid": _ULID, "number": _NUMBER}


def template(form: str) -> Template:
    """Return how names of a form are read."""
    # The fixed parts of a form are letters and slashes: nothing in them needs escaping.
    pattern = _VARIABLE.sub(lambda match: f"({_PART_PATTERNS.get(match[1], _SLUG)})", form)
    return Template(re.compile(pattern), form, len(form) + 128 * form.count("{"))


RELEASE_FORM = "tenants/{tenant}/services/{service}/environments/{environment}/releases/{version}"
_TENANT = template("tenants/{tenant}")
_SERVICE = template("tenants/{tenant}/services/{service}")
_ENVIRONMENT = template("tenants/{tenant}/environments/{environment}")
_RELEASE = template(RELEASE_FORM)
_ATTEMPT = template(f"{RELEASE_FORM}/attempts/{{number}}")
_DECISION = template(f"{RELEASE_FORM}/decisions/{{ulid}}")
_EVIDENCE = template("tenants/{tenant}/evidence/{ulid}")
_POLICY = template("tenants/{tenant}/policies/{policy}")
_API_TOKEN = template("tenants/{tenant}/apiTokens/{ulid}")
_BAN = template("tenants/{tenant}/bans/{ulid}")
_ROLE_BINDING = template("tenants/{tenant}/roleBindings/{ulid}")
_OBSERVE_ONLY_BINDING = template(
    "tenants/{tenant}/services/{service}/environments/{environment}/observeOnlyBindings/{ulid}"
)


def parts(template: Template, text: str, field: str) -> Sequence[str]:
    """Return the variable parts of a name; the whole of it must fit, to the last character."""
    if len(text) <= template.max_length:
        match = template.pattern.fullmatch(text)
        if match is not None:
            return match.groups()
    raise _refused(template, text, field)


def _refused(template: Template, text: str, field: str) -> Invalid:
    if not text:
        return invalid([Violation(field, f"required: {template.form}")])
    shown = ascii(text[:80]) + ("…" if len(text) > 80 else "")
    return invalid([Violation(field, f"{shown} is not a resource name of the form {template.form}")])
