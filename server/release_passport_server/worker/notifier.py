"""Messages are delivered at least once, in the order in which they could be."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport_server.domain.job import Claim
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.delivery import Delivery


@dataclass(frozen=True, slots=True)
class Notifier:
    """Delivers one message; whoever receives it tells by its id that it has come twice."""

    delivery: Delivery | None
    clock: Clock

    async def __call__(self, claim: Claim) -> None:
        """Deliver; where nothing is configured, nobody is told."""
        if self.delivery is not None:
            await self.delivery.deliver(claim.key, self.clock.now(), claim.payload)
