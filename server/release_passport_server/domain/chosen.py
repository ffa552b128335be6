"""The evidence that counts for a rule, and what it lacks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.outcome import Reason
from release_passport_server.domain.policy import Need


class Series(NamedTuple):
    """Observations of one need, key, subject and source, oldest first; there is at least one."""

    need: Need
    source: str
    items: tuple[EvidenceItem, ...]

    @property
    def newest(self) -> EvidenceItem:
        """Return the observation that counts."""
        return self.items[-1]

    @property
    def stale_time(self) -> datetime:
        """Return when the need stops being met: its newest observation is too old, or too few are fresh."""
        need, newest = self.need, self.items[-1]
        end = newest.stale_time(need.max_age)
        if not 1 < need.min_samples <= len(self.items) or newest.samples is not None:
            return end
        ends = sorted((item.stale_time(need.max_age) for item in self.items), reverse=True)
        return min(end, ends[need.min_samples - 1])


class Lack(NamedTuple):
    """Why a need is not met, before anything is evaluated."""

    reason: Reason
    message: str
    need: Need
    items: tuple[EvidenceItem, ...] = ()
    path: str = ""


class Chosen(NamedTuple):
    """What counts for one or several needs of a rule: for each the series, one for each source, or what lacks.

    `newest` holds the newest observation of every series, `until` is when the first of them goes stale, and
    `history` says whether any has earlier observations.
    """

    groups: tuple[tuple[Series, ...], ...] = ()
    newest: tuple[EvidenceItem, ...] = ()
    until: datetime | None = None
    lacks: tuple[Lack, ...] = ()
    history: bool = False


def together(parts: Sequence[Chosen]) -> Chosen:
    """Return what counts for several needs."""
    return Chosen(
        groups=tuple(group for part in parts for group in part.groups),
        newest=tuple(item for part in parts for item in part.newest),
        until=min((part.until for part in parts if part.until is not None), default=None),
        lacks=tuple(lack for part in parts for lack in part.lacks),
        history=any(part.history for part in parts),
    )
