"""What notifications need: rows of the store, a box for secrets, and somebody who sends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from release_passport_server.domain.notice_format import Message
from release_passport_server.domain.notices import (
    Answer,
    FeedRow,
    Notice,
    NoticeCounts,
    NoticeState,
    Position,
)
from release_passport_server.domain.record import Listed, Page


class NoticeReader(Protocol):
    """Reads what channels are told."""

    def events_after(self, revision: int, most: int) -> tuple[FeedRow, ...]:
        """Return the feed's events of at most so many revisions that follow one, in order."""
        ...

    def first_event_at(self, time: datetime) -> int:
        """Return the first revision of a time or later that is kept; 0 where there is none."""
        ...

    def position(self, channel_id: str) -> Position:
        """Return how far a channel has taken events up."""
        ...

    def next_notice(self, channel_id: str, subject: str) -> Notice | None:
        """Return the oldest notice of a subject that was not told yet."""
        ...

    def pending_subjects(self, channel_id: str) -> tuple[str, ...]:
        """Return the subjects that something waits for."""
        ...

    def told_since(self, channel_id: str, time: datetime) -> bool:
        """Say whether a channel took anything since a time."""
        ...

    def list_notices(self, channel_id: str, page: Page, state: NoticeState | None) -> Listed[Notice]:
        """Return what a channel is told, newest first."""
        ...


class NoticeWriter(Protocol):
    """Changes what channels are told. It takes no revision: no decision sees it, and the feed does not tell it."""

    def put_position(self, channel_id: str, position: Position) -> None:
        """Say how far a channel has taken events up."""
        ...

    def add_notices(self, notices: Sequence[Notice]) -> None:
        """Insert notices; one that is there stays as it is."""
        ...

    def change_notice(self, notice: Notice) -> None:
        """Say how telling a notice went; nothing happens where it is gone."""
        ...

    def retry_notices(self, channel_id: str) -> None:
        """Let everything that waits be due now, as if it had never been tried."""
        ...

    def forget_notices(self, channel_id: str, revision: int) -> None:
        """Remove the notices of a revision and of all that follow."""
        ...

    def drop_told(self, channel_id: str, before: datetime) -> None:
        """Remove what was told or given up before a time."""
        ...


class NoticeCounting(Protocol):
    """Counts for all tenants."""

    async def counts(self) -> NoticeCounts:
        """Return how telling channels goes; counts end at 10,000."""
        ...


class SecretBox(Protocol):
    """Keeps secrets in the store such that the store alone does not give them away."""

    def seal(self, secret: bytes, context: str) -> str:
        """Return a secret sealed for one context."""
        ...

    def open(self, sealed: str, context: str) -> bytes:
        """Return a secret; raise Unavailable where this server's key does not open it."""
        ...


class NoticeSender(Protocol):
    """Posts messages."""

    def check(self, url: str) -> str:
        """Return what is wrong with an address, empty where it may be gone to."""
        ...

    async def send(self, url: str, message: Message, secrets: Sequence[bytes]) -> Answer:
        """Return what came of it; a receiver that is away is an answer too."""
        ...
