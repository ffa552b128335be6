"""The names of logs: one for each tenant, and a new one for each epoch that begins with a restored store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from release_passport_server.ports.log import LogIdentity

FIRST_EPOCH = 1


@dataclass(frozen=True, slots=True)
class LogNames:
    """Says which log of a tenant goes on: `<name>/<tenant>`, and `<name>/<tenant>/<epoch>` after a restore."""

    name: str
    epochs: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def found(cls, name: str, origins: Iterable[str]) -> LogNames:
        """Return the names where these logs were begun; those of another service are left out."""
        epochs: dict[str, int] = {}
        for origin in origins:
            if (read := parsed(name, origin)) is not None:
                tenant, epoch = read
                epochs[tenant] = max(epoch, epochs.get(tenant, FIRST_EPOCH))
        return cls(name, epochs)

    def __call__(self, tenant: str) -> LogIdentity:
        """Return the tenant's log."""
        return self.of(tenant, self.epochs.get(tenant, FIRST_EPOCH))

    def of(self, tenant: str, epoch: int) -> LogIdentity:
        """Return the tenant's log of an epoch."""
        first = f"{self.name}/{tenant}"
        return LogIdentity(tenant, first if epoch == FIRST_EPOCH else f"{first}/{epoch}")


def parsed(name: str, origin: str) -> tuple[str, int] | None:
    """Return tenant and epoch of a log, None for the log of another service."""
    if not origin.startswith(f"{name}/"):
        return None
    tenant, slash, epoch = origin.removeprefix(f"{name}/").partition("/")
    if not slash:
        return tenant, FIRST_EPOCH
    whole = epoch.isascii() and epoch.isdecimal() and int(epoch) > FIRST_EPOCH
    return (tenant, int(epoch)) if whole else None
