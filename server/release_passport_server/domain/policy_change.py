"""Changes of policies that one person proposes and another one applies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# So long a proposal waits for another person.
PROPOSED_FOR = timedelta(days=7)


class ChangeState(StrEnum):
    """Where a proposed change stands."""

    PROPOSED = "PROPOSED"
    APPLIED = "APPLIED"
    EXPIRED = "EXPIRED"
    OUTDATED = "OUTDATED"
    WITHDRAWN = "WITHDRAWN"


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """What a policy would say, or that it would be deleted, made from one revision of it.

    `places` are the first of those that would have no ENFORCE policy left, `places_digest` is of all of them.
    """

    name: str
    policy_id: str
    base_revision: int
    # The spec as the store keeps it; empty where the policy would be deleted.
    spec: bytes
    digest: str
    places: tuple[str, ...]
    place_count: int
    places_digest: str
    reason: str
    proposer: str
    proposer_identities: tuple[str, ...]
    create_time: datetime
    expire_time: datetime
    applier: str = ""
    apply_time: datetime | None = None
    withdrawn_by: str = ""
    withdraw_time: datetime | None = None
    withdraw_reason: str = ""
    # What the change takes back of what the policy asked, in words.
    weakenings: tuple[str, ...] = ()

    @property
    def deletes(self) -> bool:
        """Say whether the policy would be deleted."""
        return not self.digest

    def state(self, newest_revision: int, now: datetime) -> ChangeState:
        """Return where the change stands while the policy has this revision."""
        if self.apply_time is not None:
            return ChangeState.APPLIED
        if self.withdraw_time is not None:
            return ChangeState.WITHDRAWN
        if newest_revision != self.base_revision:
            return ChangeState.OUTDATED
        return ChangeState.EXPIRED if self.expire_time <= now else ChangeState.PROPOSED


@dataclass(frozen=True, slots=True)
class ShownChange:
    """A proposed change, what the policy would say, and where the change stands."""

    change: PolicyChange
    spec: object | None
    state: ChangeState
