"""The part of a reader that streams use: the feed, and the decisions that stand."""

from __future__ import annotations

from collections.abc import Collection

from release_passport_server.adapters.sql import feed_rows
from release_passport_server.adapters.sql.loading import Loader
from release_passport_server.adapters.sql.notice_reading import NoticeReading
from release_passport_server.domain.record import DecisionRecord
from release_passport_server.domain.watch import FeedPart, Mark

_AT_ONCE = 500


class FeedReading(NoticeReading):
    """Reads one tenant's feed; see the port for what each method returns."""

    def feed_head(self) -> Mark:
        """Return the mark of the newest revision."""
        return feed_rows.head_of(self._connection, self.tenant)

    def feed_mark(self, revision: int) -> Mark | None:
        """Return the mark of a revision."""
        return feed_rows.mark_of(self._connection, self.tenant, revision)

    def feed_oldest(self) -> int:
        """Return the oldest revision that is kept."""
        return feed_rows.oldest(self._connection, self.tenant)

    def feed_after(self, revision: int, most: int) -> FeedPart:
        """Return what follows a revision."""
        return feed_rows.part_after(self._connection, self.tenant, revision, most)

    def feed_from(self, before: Mark, most: int) -> FeedPart | None:
        """Return what follows a mark, None where it is of another history."""
        return feed_rows.part_from(self._connection, self.tenant, before, most)

    def standing_decisions(
        self, releases: Collection[str], *, open_too: bool, most: int
    ) -> tuple[DecisionRecord, ...]:
        """Return the newest decisions of these releases, and of those whose question is open, oldest first."""
        names = set(releases)
        if open_too:
            names.update(feed_rows.open_releases(self._connection, self.tenant, most))
        wanted, found = sorted(names)[:most], list[DecisionRecord]()
        for start in range(0, len(wanted), _AT_ONCE):
            found += self._loader().newest_decisions(wanted[start : start + _AT_ONCE]).values()
        return tuple(sorted(found, key=lambda record: record.revision))

    def _loader(self) -> Loader:
        raise NotImplementedError
