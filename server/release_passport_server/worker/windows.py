"""Ends watch windows whose time is over."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport_server.domain.ids import AttemptName
from release_passport_server.domain.job import Claim
from release_passport_server.services.watch_windows import WatchWindows


@dataclass(frozen=True, slots=True)
class WindowKeeper:
    """Ends one window; one that has ended is left as it is."""

    windows: WatchWindows

    async def __call__(self, claim: Claim) -> None:
        """End the window of the job's attempt."""
        await self.windows.expire(claim.tenant, AttemptName.parse(claim.key))
