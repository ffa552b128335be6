"""What streams need of the store: the feed of one tenant, in the order of its revisions."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from release_passport_server.domain.record import DecisionRecord
from release_passport_server.domain.watch import FeedPart, Mark


class FeedReader(Protocol):
    """Reads the feed. A tenant's revisions are dense, so that a hole in what is kept is a broken history."""

    def feed_head(self) -> Mark:
        """Return the mark of the newest revision."""
        ...

    def feed_mark(self, revision: int) -> Mark | None:
        """Return the mark of a revision; None where it is not kept."""
        ...

    def feed_oldest(self) -> int:
        """Return the oldest revision that is kept, 0 where there is none."""
        ...

    def feed_after(self, revision: int, most: int) -> FeedPart:
        """Return what follows a revision, about `most` rows of it; raise OutOfRange where that is not kept."""
        ...

    def feed_from(self, before: Mark, most: int) -> FeedPart | None:
        """Return what follows a mark, as `feed_after` does; None where the feed does not hold just this mark."""
        ...

    def standing_decisions(
        self, releases: Collection[str], *, open_too: bool, most: int
    ) -> tuple[DecisionRecord, ...]:
        """Return the newest decisions of these releases, and with `open_too` of those whose question is open."""
        ...
