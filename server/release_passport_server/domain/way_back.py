"""Ways back: to which release one could go back from another, by the server's own record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from release_passport_server.domain.release import Release


@dataclass(frozen=True, slots=True)
class WayBack:
    """The way back from a release; `target` is None where no release of other content ever passed there."""

    release: str
    target: Release | None = None
    # When the target's last rollout there ended well.
    last_healthy_time: datetime | None = None
    # When somebody last went back in this place, whichever release that was about.
    last_exercised_time: datetime | None = None
    # Every artifact of the target has an attestation that was verified and not revoked; None where some have none.
    verified: bool | None = None
