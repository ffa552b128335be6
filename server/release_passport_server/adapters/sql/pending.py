"""Rows that wait to be inserted together, so that a batch costs one statement for each table, or one in all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, Table

from release_passport_server.adapters.sql.bulk import Beside, insert_rows
from release_passport_server.adapters.sql.codec import Values, subject_text
from release_passport_server.domain.evidence import EvidenceItem


class Pending:
    """Rows by table, in the order in which they came, and the evidence among them by tenant and subject."""

    def __init__(self) -> None:
        self._rows: defaultdict[Table, list[Values]] = defaultdict(list)
        self._items: defaultdict[str, defaultdict[str, list[EvidenceItem]]] = defaultdict(_lists)
        # Something that waited here has reached the database.
        self.flushed = False
        # How many rows did.
        self.put = 0

    def __bool__(self) -> bool:
        return bool(self._rows)

    def add(self, table: Table, rows: Sequence[Values]) -> None:
        """Let rows wait."""
        if rows:
            self._rows[table].extend(rows)

    def add_item(self, tenant: str, item: EvidenceItem) -> None:
        """Remember an item whose rows wait."""
        self._items[tenant][subject_text(item.subject)].append(item)

    def items(self, tenant: str) -> Mapping[str, Sequence[EvidenceItem]]:
        """Return the items whose rows wait, by subject."""
        return self._items.get(tenant, {})

    def only(self, unread: Collection[Table]) -> bool:
        """Say whether rows wait for these tables alone."""
        return self._rows.keys() <= set(unread)

    def take(self, other: Pending) -> None:
        """Take over what waits elsewhere."""
        for table, rows in other._rows.items():
            self._rows[table].extend(rows)
        for tenant, by_subject in other._items.items():
            for subject, items in by_subject.items():
                self._items[tenant][subject].extend(items)
        other._rows.clear()
        other._items.clear()
        self.flushed = self.flushed or other.flushed
        self.put += other.put

    def flush(self, connection: Connection, beside: Sequence[Beside] = ()) -> None:
        """Insert everything that waits, and on PostgreSQL do what goes along with it."""
        if self._rows or beside:
            insert_rows(connection, self._rows, beside)
            self.flushed = True
            self.put += sum(map(len, self._rows.values()))
        self._rows.clear()
        self._items.clear()


def _lists() -> defaultdict[str, list[EvidenceItem]]:
    return defaultdict(list)
