"""Measure a server that is asked for five times what it can do: `python tests/perf/overload.py [--seconds 60]`.

The server is a process of its own, and so is each sender. They send at a rate that heeds nothing: half of the peak,
then five times the peak, then half of it again. Every call asks for a new decision about a new release.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("server", "clients/python", "tests")]

from perf.flood import (  # noqa: E402
    NANOSECONDS,
    OVERLOADED,
    PLACE,
    WINDOW_SECONDS,
    numbered,
    read_templates,
)
from perf.load import EVALUATE, closed_loop, exchanges, percentile  # noqa: E402
from perf.servers import Served, new_database, passport, postgresql, sqlite_url  # noqa: E402
from perf.workload import ENVIRONMENT, Version, Workload, evidence  # noqa: E402
from release_passport.v1 import decision_service_pb2, release_pb2  # noqa: E402

CALM_SECONDS = 5
AFTER_SECONDS = 10
SERVICES = 1000
# Beyond what the calm took: places, queues and answers under way.
MORE_MEMORY_MIB = 64
# Calls of one process have numbers of their own.
_SERIES = 16_000_000


@dataclass(frozen=True, slots=True)
class Sample:
    """What the server's process used up to a moment."""

    time: float
    processor: float
    loop: float
    resident: int


class Watcher(threading.Thread):
    """Looks at a process twice a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._ended = threading.Event()
        self.samples: list[Sample] = []

    def run(self) -> None:
        """Take samples until ended."""
        while not self._ended.is_set():
            self.samples.append(self._sample())
            self._ended.wait(0.5)

    def end(self) -> None:
        """Take no more."""
        self._ended.set()
        self.join()

    def _sample(self) -> Sample:
        process = Path(f"/proc/{self._pid}")
        loop = _ticks(process / "task" / str(self._pid) / "stat")
        pages = int((process / "statm").read_text().split()[1])
        return Sample(time.time(), _ticks(process / "stat"), loop, pages * os.sysconf("SC_PAGE_SIZE"))


def template(service: str) -> bytes:
    """Return an Evaluate with eleven kinds of evidence about a new release, numbered where PLACE stands."""
    place = PLACE.decode()
    version = Version(service, f"1.{place}.0")
    image, commit = f"sha256:{place * 8}", place * 5
    identity = release_pb2.ReleaseIdentity(
        service=service,
        environment=ENVIRONMENT,
        version=version.number,
        source_revision=commit,
        artifacts=[release_pb2.Artifact(name=f"registry.example/{service}", digest=image)],
        manifest_digest=image,
    )
    request = decision_service_pb2.EvaluateRequest(
        identity=identity, evidence=evidence(version, datetime.now(UTC)), request_id=f"gate-{place}"
    )
    for item in request.evidence:
        item.external_id = f"{place}-{item.external_id[:16]}"
        item.observe_time.FromSeconds(item.observe_time.seconds - 1)
        item.observe_time.nanos = NANOSECONDS
    raw = request.SerializeToString()
    for known, new in ((version.image, image), (version.commit, commit), (version.manifests, image)):
        raw = raw.replace(known.encode(), new.encode())
    return raw


class Overload:
    """One run against one server."""

    def __init__(self, served: Served, folder: Path, options: argparse.Namespace) -> None:
        self._served = served
        self._folder = folder
        self._options = options
        # So many that what is on record about a service hardly grows meanwhile, and with it the time of a decision.
        self._work = Workload(served.target, services=SERVICES)
        self._templates = folder / "requests"

    async def set_up(self) -> None:
        """Make policies and the caller."""
        await self._work.set_up()
        self._templates.mkdir()
        for number in range(self._work.services):
            name = f"service-{number}"
            (self._templates / name).write_bytes(template(name))

    async def peak(self) -> float:
        """Return the decisions a second with 64 in flight, the median of three rounds."""
        templates, found = read_templates(self._templates), []
        for series in range(3):
            numbers = range(series * 100_000, series * 100_000 + self._options.calls)
            calls = exchanges(EVALUATE, [numbered(templates, number) for number in numbers])
            run = await closed_loop(self._work.target, calls, in_flight=64)
            run.require_ok()
            found.append(run.per_second)
        print("peak of each round:", ", ".join(f"{one:,.0f}/s" for one in found), flush=True)
        return sorted(found)[1]

    def flood(
        self, phases: Sequence[tuple[float, float]]
    ) -> tuple[list[dict[str, Any]], float, list[Sample]]:
        """Run the phases; return the windows of all senders together, their processor seconds, and the samples."""
        watcher, start = Watcher(self._served.pid), time.time() + 1.5
        watcher.start()
        senders = [self._sender(index, phases, start) for index in range(self._options.senders)]
        try:
            told = [json.loads(sender.communicate()[0]) for sender in senders]
        finally:
            for sender in senders:
                sender.kill()
            watcher.end()
        windows = [_merged(list(same)) for same in zip(*(one["windows"] for one in told), strict=True)]
        return windows, sum(one["processor_seconds"] for one in told), watcher.samples

    def _sender(
        self, index: int, phases: Sequence[tuple[float, float]], start: float
    ) -> subprocess.Popen[str]:
        count = self._options.senders
        orders = {
            "port": self._served.target.port,
            "token": self._work.target.token,
            "templates": str(self._templates),
            "first": _SERIES * (index + 1),
            "start": start,
            "phases": [(seconds, rate / count) for seconds, rate in phases],
            "connections": max(1, self._options.connections // count),
        }
        sender = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "flood.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert sender.stdin is not None
        sender.stdin.write(json.dumps(orders) + "\n")
        sender.stdin.flush()
        return sender


def _merged(same: list[dict[str, Any]]) -> dict[str, Any]:
    statuses: Counter[str] = Counter()
    for one in same:
        statuses.update(one["statuses"])
    return {
        "sent": sum(one["sent"] for one in same),
        "done": sum(one["done"] for one in same),
        "late": sum(one["late"] for one in same),
        "statuses": statuses,
        "answered": [value for one in same for value in one["answered"]],
        "refused": [value for one in same for value in one["refused"]],
    }


def _ticks(path: Path) -> float:
    fields = path.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(served: Served, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of one run."""
    overload = Overload(served, folder, options)
    asyncio.run(overload.set_up())
    peak = asyncio.run(overload.peak())
    phases = [(CALM_SECONDS, peak / 2), (options.seconds, peak * options.times), (AFTER_SECONDS, peak / 2)]
    windows, sending, samples = overload.flood(phases)
    calm, under, after = _phases(windows, options.seconds)
    seconds = options.seconds
    statuses: Counter[str] = Counter()
    for window in under:
        statuses.update(window["statuses"])
    goodput = sum(window["done"] for window in under) / seconds
    refused = sorted(value for window in under for value in window["refused"])
    answered = sorted(value for window in under for value in window["answered"])
    calm_p99 = percentile([value for window in calm for value in window["answered"]], 0.99)
    busy = [one for one in samples if 0 <= one.time - samples[0].time - 1.5 - CALM_SECONDS <= seconds]
    spent = busy[-1].time - busy[0].time
    more = max(one.resident for one in busy) - busy[0].resident
    return {
        "peak": round(peak),
        "offered": round(sum(window["sent"] for window in under) / seconds),
        "late": sum(window["late"] for window in under),
        "goodput": round(goodput),
        "goodput_ratio": round(goodput / peak, 3),
        "statuses": dict(statuses),
        "answered_ms": _shares(answered),
        "refused_ms": _shares(refused),
        "calm_p99_ms": round(calm_p99 * 1000, 1),
        "recovery_seconds": _recovery(after, calm_p99),
        "more_memory_mib": round(more / 2**20),
        "resident_mib": [round(one.resident / 2**20) for one in samples[:: max(1, len(samples) // 16)]],
        "server_processors": round((busy[-1].processor - busy[0].processor) / spent, 2),
        "server_loop_thread": round((busy[-1].loop - busy[0].loop) / spent, 2),
        "senders_processors": round(sending / (seconds + CALM_SECONDS + AFTER_SECONDS), 2),
        "goodput_each_second": [
            round(sum(window["done"] for window in under[at : at + 4])) for at in range(0, len(under), 4)
        ],
    }


def _phases(windows: list[dict[str, Any]], seconds: float) -> Iterator[list[dict[str, Any]]]:
    at = 0
    for length in (CALM_SECONDS, seconds, AFTER_SECONDS):
        count = int(length / WINDOW_SECONDS)
        yield windows[at : at + count]
        at += count


def _recovery(after: Sequence[dict[str, Any]], calm_p99: float) -> float | None:
    """Return after how many seconds everything was answered, three times as late as in the calm at most."""
    bound = max(3 * calm_p99, 0.05)
    well = [
        set(window["statuses"]) <= {"OK"} and percentile(window["answered"] or [0.0], 0.99) <= bound
        for window in after
    ]
    for index in range(len(well)):
        if all(well[index : index + 4]):
            return index * WINDOW_SECONDS
    return None


def _shares(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p999": 0.999}
    found = {name: round(percentile(values, share) * 1000, 1) for name, share in shares.items()}
    return found | {"max": round(values[-1] * 1000, 1)}


def main() -> int:
    """Measure, print the figures, and return 1 where one was missed."""
    options = _options()
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="passport-overload-")))
        url = sqlite_url(folder)
        if options.store == "pg":
            url = new_database(cleanup.enter_context(postgresql()))
        served = cleanup.enter_context(passport(folder, url))
        figures = measure(served, folder, options)
    for name, value in figures.items():
        print(f"{name:22} {value}")
    bad = [name for name in figures["statuses"] if name not in {"OK", OVERLOADED}]
    reached = {
        "goodput ≥ 0.8 of the peak": figures["goodput_ratio"] >= 0.8,
        "refused within 50 ms (p99)": figures["refused_ms"].get("p99", 0.0) <= 50,
        "only OK or OVERLOADED with RetryInfo": not bad,
        f"at most {MORE_MEMORY_MIB} MiB more memory": figures["more_memory_mib"] <= MORE_MEMORY_MIB,
        "recovered within 5 s": (figures["recovery_seconds"] or 0.0) <= 5
        and figures["recovery_seconds"] is not None,
    }
    for name, yes in reached.items():
        print(f"{'reached' if yes else 'MISSED ':8} {name}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0 if all(reached.values()) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the load stays")
    parser.add_argument("--times", type=float, default=5.0, help="how many times the peak is offered")
    parser.add_argument("--store", choices=("sqlite", "pg"), default="sqlite")
    parser.add_argument("--senders", type=int, default=1, help="processes that send")
    parser.add_argument("--connections", type=int, default=8, help="connections of all senders together")
    parser.add_argument("--calls", type=int, default=3000, help="calls of each round that finds the peak")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
