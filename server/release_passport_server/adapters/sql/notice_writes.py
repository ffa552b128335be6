"""What a tenant's transaction writes of notifications; see the port. It takes no revision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, update
from sqlalchemy.dialects import postgresql, sqlite

from release_passport_server.adapters.sql.notice_tables import notice_positions, notices
from release_passport_server.adapters.sql.scheduling import Scheduling
from release_passport_server.domain.notices import Notice, NoticeState, Position

_n = notices.c


class NoticeWrites(Scheduling):
    """Part of the transaction."""

    def put_position(self, channel_id: str, position: Position) -> None:
        """Say how far a channel has taken events up."""
        c, connection = notice_positions.c, self._changing()
        connection.execute(delete(notice_positions).where(c.tenant == self.tenant, c.channel == channel_id))
        connection.execute(
            notice_positions.insert().values(
                tenant=self.tenant,
                channel=channel_id,
                revision=position.revision,
                missed_until=position.missed_until,
            )
        )

    def add_notices(self, notices_: Sequence[Notice]) -> None:
        """Insert notices; one that is there stays as it is."""
        if not notices_:
            return
        connection = self._changing()
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(notices).on_conflict_do_nothing()
        connection.execute(statement, [self._row(one) for one in notices_])

    def change_notice(self, notice: Notice) -> None:
        """Say how telling a notice went."""
        mine = self._of(notice.channel_id) & (_n.revision == notice.revision) & (_n.index == notice.index)
        self._changing().execute(update(notices).where(mine).values(**_progress(notice)))

    def retry_notices(self, channel_id: str) -> None:
        """Let everything that waits be due now, as if it had never been tried."""
        waiting = self._of(channel_id) & (_n.state == NoticeState.PENDING.value) & _n.first_time.is_not(None)
        self._changing().execute(update(notices).where(waiting).values(first_time=None, next_time=None))

    def forget_notices(self, channel_id: str, revision: int) -> None:
        """Remove the notices of a revision and of all that follow."""
        self._changing().execute(delete(notices).where(self._of(channel_id), _n.revision >= revision))

    def drop_told(self, channel_id: str, before: datetime) -> None:
        """Remove what was told or given up before a time."""
        ended = _n.state.in_([NoticeState.DELIVERED.value, NoticeState.FAILED.value])
        old = (self._of(channel_id), ended, _n.end_time < before)
        self._changing().execute(delete(notices).where(*old))

    def _of(self, channel_id: str) -> ColumnElement[bool]:
        return (_n.tenant == self.tenant) & (_n.channel == channel_id)

    def _row(self, notice: Notice) -> Mapping[str, object]:
        return {
            "tenant": self.tenant,
            "channel": notice.channel_id,
            "revision": notice.revision,
            "index": notice.index,
            "subject": notice.event.subject,
            "event": notice.event.encode(),
            **_progress(notice),
        }


def _progress(notice: Notice) -> dict[str, object]:
    return {
        "state": notice.state.value,
        "attempts": notice.attempts,
        "last_status": notice.last_status,
        "last_failure": notice.last_failure[:512],
        "first_time": notice.first_time,
        "next_time": notice.next_time,
        "end_time": notice.end_time,
    }
