"""Downloads what an audit of the log compares: the entries in pages, and the tiles many at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

from release_passport.cli.session import Session
from release_passport.log.audit import AuditRow, Fault, FaultCode
from release_passport.log.tiles import WIDTH, bundle_path, tile_path, tile_width
from release_passport.v1 import audit_pb2, audit_service_pb2

PAGE = 500
# Tiles and bundles of so many tiles are asked for at once.
AHEAD = 32
_ENTRY_BYTES = 34
_HASH_BYTES = 32


class Rows:
    """The entries from a leaf on, as the audit reads them; remembers the first whose columns deny its body."""

    def __init__(self, session: Session, first: int, end: int | None) -> None:
        self._session = session
        self._first = first
        self._end = end
        self.fault: Fault | None = None
        self.count = 0

    def __iter__(self) -> Iterator[AuditRow]:
        request = audit_service_pb2.ListAuditEntriesRequest(
            tenant=self._session.tenant, from_leaf=self._first, page_size=PAGE
        )
        while True:
            answer = self._session.client.list_audit_entries(request)
            for entry in answer.entries:
                if self._end is not None and entry.leaf_index >= self._end:
                    return
                yield self._row(entry)
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token

    def _row(self, entry: audit_pb2.AuditEntry) -> AuditRow:
        self.count += 1
        if self.fault is None and entry.body and (told := _told_otherwise(entry)):
            text = f"the row of leaf {entry.leaf_index} has another {told} than its body"
            self.fault = Fault(entry.leaf_index, FaultCode.ROW_ALTERED, text)
        return AuditRow(entry.leaf_index, entry.leaf, entry.salt or None, entry.body or None)


def _told_otherwise(entry: audit_pb2.AuditEntry) -> str:
    """Return which column of an entry says something else than the body that its leaf commits to."""
    try:
        body = json.loads(entry.body)
        for name, value in (
            ("principal", entry.principal),
            ("action", entry.action),
            ("subject", entry.subject),
            ("revision", entry.revision),
        ):
            if body[name] != value:
                return name
        same = datetime.fromisoformat(body["time"]) == datetime.fromisoformat(entry.time.ToJsonString())
        return "" if same else "time"
    except (ValueError, KeyError, TypeError):
        return "form"


class Files:
    """The files of a log of one size; `read` asks for those that come next along with one."""

    def __init__(self, session: Session, size: int) -> None:
        self._session = session
        self._size = size
        self._ahead: dict[str, bytes] = {}

    def read(self, path: str) -> bytes | None:
        """Return the content of a path, None where there is none."""
        if path not in self._ahead and path.startswith(("tile/0/", "tile/entries/")):
            self._ahead = self._fetched(list(self._from(_number(path))))
        found = self._ahead.get(path)
        return self._one(path) if found is None else found

    def _from(self, number: int) -> Iterator[str]:
        for index in range(number, number + AHEAD):
            if width := tile_width(0, index, self._size):
                yield tile_path(0, index, width)
                yield bundle_path(index, width)

    def _one(self, path: str) -> bytes | None:
        found = self._fetched([path]).get(path)
        whole, partial, width = path.partition(".p/")
        if found is not None or not partial:
            return found
        # The log has grown since: what was the beginning of a file is part of the whole one now.
        grown = self._fetched([whole]).get(whole)
        each = _ENTRY_BYTES if "/entries/" in path else _HASH_BYTES
        return None if grown is None else grown[: int(width) * each]

    def _fetched(self, paths: list[str]) -> dict[str, bytes]:
        request = audit_service_pb2.GetLogFilesRequest(tenant=self._session.tenant, paths=paths)
        return {file.path: file.content for file in self._session.client.get_log_files(request).files}


def _number(path: str) -> int:
    digits = path.partition(".p/")[0].split("/")[2:]
    return int("".join(digits).replace("x", ""))


def first_of_tile(leaf: int) -> int:
    """Return the first leaf of the tile that a leaf is in: an audit begins with a tile."""
    return leaf // WIDTH * WIDTH
