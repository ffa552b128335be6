"""What one bench run has started: servers, databases, the echo, and what each has used."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import URL

from perf.load import Target
from perf.profiling import profiles_by_layer, sampled, samples_by_layer
from perf.report import Report
from perf.servers import NotAvailable, Served, echo, new_database, passport, postgresql, sqlite_url

NAMES = {"sqlite": "SQLite", "pg": "PostgreSQL"}


@dataclass
class Stage:
    """Starts things once, and ends them with the run."""

    folder: Path
    cleanup: ExitStack
    report: Report
    options: argparse.Namespace
    raw_database: str | None = field(default=None, init=False)
    _cluster: URL | None = field(default=None, init=False)

    def passport(self, store: str, *, program: str = "") -> Served:
        """Return a new server on a new store, "sqlite" or "pg"; raise NotAvailable."""
        folder = self.folder / f"{store}-{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        url = sqlite_url(folder) if store == "sqlite" else new_database(self.cluster())
        if self.options.profile:
            # The profiles are written when the server ends.
            self.cleanup.callback(_print_profiles, NAMES[store], folder / "profile")
        profile = self.options.profile and not program
        return self.cleanup.enter_context(passport(folder, url, profile=profile, program=program))

    async def watched(self, store: str, served: Served, act: Callable[[], Awaitable[object]]) -> None:
        """Do something once more under the profiler that was asked for, if one was."""
        if self.options.profile:
            os.kill(served.pid, signal.SIGUSR1)
            await act()
        elif self.options.sample:
            raw = self.folder / f"{store}.samples"
            with sampled(served.pid, raw):
                await act()
            print(f"\n== {NAMES[store]}: samples\n{samples_by_layer(raw)}\n", flush=True)

    def cluster(self) -> URL:
        """Return the one PostgreSQL of this run; raise NotAvailable."""
        if self._cluster is None:
            self._cluster = self.cleanup.enter_context(postgresql())
        return self._cluster

    def echo(self, answer: bytes) -> Target:
        """Return the echo, which answers with these bytes."""
        return self.cleanup.enter_context(echo(answer, self.folder))

    def stores(self) -> list[str]:
        """Return the stores to measure that are there."""
        found = []
        for store in self.options.store:
            try:
                if store == "pg":
                    self.cluster()
                found.append(store)
            except NotAvailable as missing:
                self.report.skip(NAMES[store], str(missing))
        return found


def _print_profiles(name: str, folder: Path) -> None:
    print(f"\n== {name}: profiles\n{profiles_by_layer(folder)}\n", flush=True)


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used; 0 where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
