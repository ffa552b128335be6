"""The tables of notifications: how far each channel is, and what it is told."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table

from release_passport_server.adapters.sql.tables import Moment, metadata

notice_positions = Table(
    "notice_positions",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("channel", String(26), primary_key=True),
    Column("revision", BigInteger, nullable=False),
    # The last revision that was removed from the feed before it could be told.
    Column("missed_until", BigInteger, nullable=False),
)

notices = Table(
    "notices",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("channel", String(26), primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("index", Integer, primary_key=True, autoincrement=False),
    Column("subject", String(512), nullable=False),
    Column("event", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("last_status", Integer, nullable=False),
    Column("last_failure", String(512), nullable=False),
    # When it was sent first, when it is sent again, and when it was taken or given up.
    Column("first_time", Moment, nullable=True),
    Column("next_time", Moment, nullable=True),
    Column("end_time", Moment, nullable=True),
    Index("ix_notices_subject", "tenant", "channel", "state", "subject", "revision", "index"),
    Index("ix_notices_end", "tenant", "channel", "state", "end_time"),
)
