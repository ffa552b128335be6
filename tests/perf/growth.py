"""Measure a store with a long past against an empty one, side by side: Evaluate, GetPassport, and pages of every list.

Run: `python tests/perf/growth.py [--store sqlite|pg] [--decisions N] [--evidence N] [--only PART]…`; with
`--folder` the filled stores are kept, and used again by the next run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import make_url

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("server", "clients/python", "tests")]

from perf.fill import TENANT, Grown, fill, prepare  # noqa: E402
from perf.load import EVALUATE, Run, Target, closed_loop, exchanges  # noqa: E402
from perf.paging import PAGE, pages  # noqa: E402
from perf.past import Size  # noqa: E402
from perf.report import Figure, Report  # noqa: E402
from perf.servers import _serving_port, new_database, postgresql, sqlite_url  # noqa: E402
from perf.stage import NAMES, processor_seconds  # noqa: E402
from perf.workload import Version, check, evaluate  # noqa: E402
from release_passport.v1 import release_service_pb2  # noqa: E402
from release_passport_server import bootstrap  # noqa: E402
from release_passport_server.adapters.sql.store import SQLStore  # noqa: E402
from release_passport_server.adapters.system.clock import SystemClock  # noqa: E402
from support.server import free_ports  # noqa: E402
from support.server_process import environment  # noqa: E402

PARTS = ("evaluate", "one", "passport", "lists")
_PASSPORT = "/release_passport.v1.ReleaseService/GetPassport"
_AT_LEAST = 0.9
_AT_MOST_MS = 20.0
_WARM_UP = 256


@dataclass
class Side:
    """A server on one of the two stores, and what was asked of it."""

    url: str
    process: subprocess.Popen[bytes]
    work: Grown
    admin: Target
    last: list[Version] = field(default_factory=list)

    async def ask(self, count: int, *, in_flight: int) -> Run:
        """Evaluate so many new releases, with all but one kind of evidence inline."""
        versions = await self.work.versions(count)
        calls = exchanges(EVALUATE, [evaluate(version) for version in versions])
        run = await closed_loop(self.work.target, calls, in_flight=in_flight)
        check(versions, run)
        self.last = versions
        return run

    async def passports(self, versions: Sequence[Version], *, in_flight: int) -> Run:
        """Read the passports of releases."""
        requests = [
            release_service_pb2.GetPassportRequest(name=version.release).SerializeToString()
            for version in versions
        ]
        run = await closed_loop(self.admin, exchanges(_PASSPORT, requests), in_flight=in_flight)
        return run.require_ok()


def main() -> int:
    """Measure what was asked for, print the table, write the JSON; return 1 where a figure was missed."""
    options = _options()
    report = Report()
    for store in options.store:
        with ExitStack() as cleanup:
            folder = options.folder or Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
            server = options.postgres
            if store == "pg" and server is None:
                server = cleanup.enter_context(postgresql()).render_as_string(hide_password=False)
            stores = asyncio.run(_stores(store, folder, server, options.size))
            sides = {
                name: cleanup.enter_context(
                    served_store(folder / f"{store}-{name}", options.size.services, *made)
                )
                for name, made in stores.items()
            }
            measuring = Measuring(NAMES[store], sides, options, report)
            asyncio.run(measuring.all())
        if "lists" in options.only:
            asyncio.run(_lists(NAMES[store], stores["filled"][0], options.size, report))
    print("\n" + report.table())
    report.write(options.json)
    return 1 if options.strict and any(figure.reached is False for figure in report.figures) else 0


class Measuring:
    """Asks both servers the same, in turns."""

    def __init__(
        self, store: str, sides: dict[str, Side], options: argparse.Namespace, report: Report
    ) -> None:
        self._store = store
        self._sides = sides
        self._options = options
        self._report = report

    async def all(self) -> None:
        """Measure the parts that were asked for."""
        for side in self._sides.values():
            await side.ask(_WARM_UP, in_flight=64)
        if "evaluate" in self._options.only:
            await self._evaluate("64 in flight", self._options.calls, in_flight=64)
        if "one" in self._options.only:
            await self._evaluate("one at a time", self._options.calls // 4, in_flight=1)
        if "passport" in self._options.only:
            await self._passports()

    async def _evaluate(self, what: str, count: int, *, in_flight: int) -> None:
        found: defaultdict[str, list[float]] = defaultdict(list)
        used: defaultdict[str, list[float]] = defaultdict(list)
        for _ in range(self._options.rounds):
            for name, side in self._sides.items():
                before = processor_seconds(side.process.pid)
                found[name].append((await side.ask(count, in_flight=in_flight)).per_second)
                used[name].append((processor_seconds(side.process.pid) - before) / count * 1e6)
        name = f"{self._store}: Evaluate, {what}"
        self._report.add(
            Figure(f"{name}, empty", "/s", found["empty"]),
            Figure(f"{name}, filled", "/s", found["filled"], found["empty"], at_least=_AT_LEAST),
            Figure(f"{name}, filled, server's processor time a call", "µs", used["filled"], used["empty"]),
        )

    async def _passports(self) -> None:
        found: defaultdict[str, list[float]] = defaultdict(list)
        sizes: dict[str, int] = {}
        for _ in range(self._options.rounds):
            for name, side in self._sides.items():
                await side.ask(self._options.calls // 4, in_flight=64)
                run = await side.passports(side.last, in_flight=8)
                found[name].append(run.per_second)
                sizes[name] = len(run.exchanges[-1].message)
        name = f"{self._store}: GetPassport"
        self._report.add(
            Figure(f"{name}, empty", "/s", found["empty"], note=f"{sizes['empty']:,} bytes"),
            Figure(
                f"{name}, filled", "/s", found["filled"], found["empty"], at_least=_AT_LEAST,
                note=f"{sizes['filled']:,} bytes",
            ),
        )  # fmt: skip


async def _lists(store: str, url: str, size: Size, report: Report) -> None:
    opened = SQLStore.open(url, SystemClock().now)
    try:
        for one in await pages(opened, TENANT, size):
            deepest = ", ".join(f"{ms:.1f}" for ms in one.milliseconds.values())
            name = f"{store}: {PAGE} {one.name}"
            report.add(Figure(name, "ms", [one.worst], at_most=_AT_MOST_MS, note=f"by depth: {deepest}"))
    finally:
        await opened.close()


async def _stores(
    store: str, folder: Path, server: str | None, size: Size
) -> dict[str, tuple[str, str, str]]:
    """Return URL, pipeline's token and admin's token of a filled store and of an empty one."""
    kept = folder / f"{store}-filled.json"
    if not kept.exists():
        made = await prepare(new_store_url(store, folder / f"{store}-filled", server), size)
        fill(made, size)
        kept.write_text(json.dumps({"url": made.url, "tokens": made.tokens, "admin": made.admin}))
    filled = json.loads(kept.read_text())
    # It may have been filled by an earlier version.
    await bootstrap.migrate(free_ports(store={"url": filled["url"]}))
    empty = await prepare(
        new_store_url(store, folder / f"{store}-empty", server), Size(services=size.services)
    )
    return {
        "empty": (empty.url, empty.tokens[TENANT], empty.admin),
        "filled": (filled["url"], filled["tokens"][TENANT], filled["admin"]),
    }


def new_store_url(store: str, folder: Path, server: str | None) -> str:
    """Return the URL of a store that is not there yet; `server` is a PostgreSQL in which to make databases."""
    folder.mkdir(parents=True, exist_ok=True)
    if store == "sqlite":
        for old in folder.glob("passport.db*"):
            old.unlink()
        return sqlite_url(folder)
    assert server is not None
    return new_database(make_url(server))


@contextmanager
def served_store(folder: Path, services: int, url: str, token: str, admin: str) -> Iterator[Side]:
    """Serve a store that has been made, in a process of its own."""
    log = folder / "server.log"
    folder.mkdir(parents=True, exist_ok=True)
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "release_passport_server", "serve"],
            cwd=folder,
            # A log of a million entries that is begun at once would be what is measured.
            env=environment(folder, PASSPORT_SERVER_STORE_URL=url, PASSPORT_SERVER_WORKER_ENABLED="false"),
            stderr=out,
            stdout=out,
        )
    try:
        port = _serving_port(process, log)
        work = Grown(Target("127.0.0.1", port, token), services)
        yield Side(url, process, work, Target("127.0.0.1", port, admin))
    finally:
        process.terminate()
        process.wait(timeout=60)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    size = Size()
    for name in ("decisions", "evidence", "services"):
        parser.add_argument(f"--{name}", type=int, default=getattr(size, name))
    parser.add_argument("--store", action="append", choices=tuple(NAMES), help="on this store alone")
    parser.add_argument("--only", action="append", choices=PARTS, help="measure this part alone")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=1000, help="Evaluate calls of each round")
    parser.add_argument("--folder", type=Path, help="keep filled stores here")
    parser.add_argument(
        "--postgres", help="URL of a PostgreSQL in which to make databases, instead of an own one"
    )
    parser.add_argument("--strict", action="store_true", help="end with 1 where a figure was missed")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "growth.json")
    options = parser.parse_args()
    options.size = Size(options.decisions, options.evidence, options.services)
    options.store = options.store or list(NAMES)
    options.only = options.only or list(PARTS)
    return options


if __name__ == "__main__":
    sys.exit(main())
