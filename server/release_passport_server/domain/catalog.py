"""What is registered: tenants, services, environments, bindings, policies as documents, tokens and grants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Tenant:
    """An isolation boundary."""

    tenant_id: str
    title: str
    create_time: datetime
    suspended: bool = False
    # Two people for what weakens a policy.
    second_person: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """A registered service; its labels are the only ones that policies see."""

    service_id: str
    create_time: datetime
    update_time: datetime
    title: str = ""
    owner: str = ""
    labels: Mapping[str, str] | None = None
    platforms: tuple[str, ...] = ()
    # Public keys in PEM.
    signers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Environment:
    """A registered environment."""

    environment_id: str
    create_time: datetime
    update_time: datetime
    title: str = ""
    labels: Mapping[str, str] | None = None
    required_policies: tuple[str, ...] = ()
    progressive: bool = False


@dataclass(frozen=True, slots=True)
class ObserveOnlyBinding:
    """A person's record that nothing is enforced yet for a service in an environment."""

    binding_id: str
    service: str
    environment: str
    owner: str
    reason: str
    expire_time: datetime
    creator: str
    create_time: datetime
    end_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """One revision of a policy as its author wrote it; `spec` is a PolicySpec message."""

    policy_id: str
    revision: int
    digest: str
    spec: object
    author: str
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class RoleBinding:
    """A role given to a principal inside a scope."""

    binding_id: str
    principal: str
    role: str
    create_time: datetime
    creator: str
    services: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    evidence_kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ban:
    """Nobody gets in as this principal; with a credential's name, nobody with that credential."""

    ban_id: str
    principal: str
    credential: str
    reason: str
    create_time: datetime
    creator: str
    end_time: datetime | None = None

    def holds(self, credential: str) -> bool:
        """Say whether somebody with that credential is refused."""
        return self.end_time is None and self.credential in {"", credential}


@dataclass(frozen=True, slots=True)
class APIToken:
    """A bearer credential; only the secret's hash is kept."""

    token_id: str
    title: str
    principal: str
    secret_hash: bytes
    create_time: datetime
    expire_time: datetime
    creator: str
    revoke_time: datetime | None = None
