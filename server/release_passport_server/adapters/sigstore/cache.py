"""Keeps reports for bundles that come again: a least-recently-used cache that is bounded by what it holds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from release_passport_server.adapters.sigstore.report import Report

MAX_BYTES = 16 * 1024 * 1024
# What a report weighs beside its facts and its subjects, about.
_REPORT = 4096
_SUBJECT = 160


class ReportCache:
    """Reports by what they were made from."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._reports: OrderedDict[Hashable, Report] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable) -> Report | None:
        """Return the report that was kept, None if there is none."""
        report = self._reports.get(key)
        if report is not None:
            self._reports.move_to_end(key)
        return report

    def put(self, key: Hashable, report: Report) -> None:
        """Keep a report, and forget those that were not asked for the longest."""
        if key in self._reports:
            return
        self._reports[key] = report
        self._bytes += _weight(report)
        while self._bytes > self._max_bytes:
            _, oldest = self._reports.popitem(last=False)
            self._bytes -= _weight(oldest)

    def __len__(self) -> int:
        return len(self._reports)


def _weight(report: Report) -> int:
    return _REPORT + len(report.facts) + _SUBJECT * len(report.subjects)
