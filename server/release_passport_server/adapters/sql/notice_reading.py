"""The part of a reader that notifications use; see the port for what each method returns."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, or_, select

from release_passport_server.adapters.sql.notice_tables import notice_positions, notices
from release_passport_server.adapters.sql.tables import feed, feed_scopes
from release_passport_server.domain.notices import Event, FeedRow, Notice, NoticeState, Position
from release_passport_server.domain.record import Listed, Page

# More subjects are not begun at once: each that ends makes room for others.
_MOST_SUBJECTS = 100_000
_n = notices.c
# A row has a method of the name of the column `index`.
_ROWS: Select[Any] = select(notices, _n.index.label("place"))


class NoticeReading:
    """Reads one tenant's events and notices."""

    tenant: str

    def events_after(self, revision: int, most: int) -> tuple[FeedRow, ...]:
        """Return the feed's events of at most so many revisions that follow one."""
        c, s = feed.c, feed_scopes.c
        # Revisions are dense: whole ones alone are read.
        end = revision + most
        rows = select(c.revision, c.index.label("place"), c.type, c.subject, c.time)
        rows = rows.where(c.tenant == self.tenant, c.revision > revision, c.revision <= end)
        found = self._connection.execute(rows.order_by(c.revision, c.index)).all()
        if not found:
            return ()
        scopes: defaultdict[int, list[str]] = defaultdict(list)
        named = select(s.revision, s.scope).where(
            s.tenant == self.tenant, s.revision > revision, s.revision <= end
        )
        for row in self._connection.execute(named.order_by(s.revision, s.scope)):
            scopes[row.revision].append(row.scope)
        return tuple(
            FeedRow(row.revision, row.place, row.type, row.subject, row.time, tuple(scopes[row.revision]))
            for row in found
        )

    def first_event_at(self, time: datetime) -> int:
        """Return the first revision of a time or later."""
        c = feed.c
        rows = select(func.min(c.revision)).where(c.tenant == self.tenant, c.time >= time)
        return self._connection.execute(rows).scalar() or 0

    def position(self, channel_id: str) -> Position:
        """Return how far a channel has taken events up."""
        c = notice_positions.c
        rows = select(c.revision, c.missed_until).where(c.tenant == self.tenant, c.channel == channel_id)
        row = self._connection.execute(rows).first()
        return Position(0) if row is None else Position(row.revision, row.missed_until)

    def next_notice(self, channel_id: str, subject: str) -> Notice | None:
        """Return the oldest notice of a subject that was not told yet."""
        rows = _ROWS.where(*self._pending(channel_id), _n.subject == subject)
        row = self._connection.execute(rows.order_by(_n.revision, _n.index).limit(1)).first()
        return None if row is None else notice_of(row)

    def pending_subjects(self, channel_id: str) -> tuple[str, ...]:
        """Return the subjects that something waits for."""
        rows = select(_n.subject).where(*self._pending(channel_id)).distinct().limit(_MOST_SUBJECTS)
        return tuple(self._connection.execute(rows).scalars())

    def told_since(self, channel_id: str, time: datetime) -> bool:
        """Say whether a channel took anything since a time."""
        rows = select(_n.revision).where(
            _n.tenant == self.tenant,
            _n.channel == channel_id,
            _n.state == NoticeState.DELIVERED.value,
            _n.end_time >= time,
        )
        return self._connection.execute(rows.limit(1)).first() is not None

    def list_notices(self, channel_id: str, page: Page, state: NoticeState | None) -> Listed[Notice]:
        """Return what a channel is told, newest first."""
        wanted = [_n.tenant == self.tenant, _n.channel == channel_id]
        if state is not None:
            wanted.append(_n.state == state.value)
        if page.after:
            revision, _, index = page.after.partition("-")
            same = and_(_n.revision == int(revision), _n.index < int(index))
            wanted.append(or_(_n.revision < int(revision), same))
        rows = _ROWS.where(*wanted).order_by(_n.revision.desc(), _n.index.desc())
        found = [notice_of(row) for row in self._connection.execute(rows.limit(page.size + 1))]
        items = tuple(found[: page.size])
        last = f"{items[-1].revision}-{items[-1].index}" if len(found) > page.size else ""
        return Listed(items, last)

    def _pending(self, channel_id: str) -> tuple[Any, ...]:
        pending = _n.state == NoticeState.PENDING.value
        return (_n.tenant == self.tenant, _n.channel == channel_id, pending)

    @property
    def _connection(self) -> Connection:
        raise NotImplementedError


def notice_of(row: Row[Any]) -> Notice:
    """Return the notice of a row."""
    return Notice(
        row.channel,
        row.revision,
        row.place,
        Event.decode(bytes(row.event)),
        NoticeState(row.state),
        row.attempts,
        row.last_status,
        row.last_failure,
        row.first_time,
        row.next_time,
        row.end_time,
    )
