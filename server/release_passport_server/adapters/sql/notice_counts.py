"""Counts what the channels of all tenants are told, and which of them are switched off."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, and_, func, select

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.acts import CHANNELS
from release_passport_server.adapters.sql.aside import Aside
from release_passport_server.adapters.sql.notice_tables import notices
from release_passport_server.domain.notices import NoticeCounts, NoticeState

# Counting ends here.
MOST = 10_000


class SQLNoticeCounts:
    """Looks at all tenants."""

    def __init__(self, aside: Aside) -> None:
        self._aside = aside

    async def counts(self) -> NoticeCounts:
        """Return how many messages of channels are in each state, and how many channels are switched off."""

        def act(connection: Connection, _: datetime) -> NoticeCounts:
            return NoticeCounts(_by_state(connection), _switched_off(connection))

        return await self._aside.read(act)


def _by_state(connection: Connection) -> Mapping[NoticeState, int]:
    # Channel by channel: the index of messages begins with theirs.
    d, c = tables.documents.c, notices.c
    found = {}
    for state in NoticeState:
        of_channel = and_(c.tenant == d.tenant, c.channel == d.id, c.state == state.value)
        some = select(c.revision).join_from(tables.documents, notices, of_channel)
        some = some.where(d.collection == CHANNELS.name).limit(MOST)
        found[state] = connection.execute(select(func.count()).select_from(some.subquery())).scalar_one()
    return found


def _switched_off(connection: Connection) -> int:
    c = tables.documents.c
    bodies = connection.execute(select(c.body).where(c.collection == CHANNELS.name).limit(MOST)).scalars()
    channels = map(CHANNELS.decode, bodies)
    return sum(one.disable_time is not None and one.delete_time is None for one in channels)
