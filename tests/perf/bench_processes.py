"""How much more two processes decide than one: `python tests/perf/bench_processes.py`.

`passport-server serve --processes N` on PostgreSQL, one after the other in rounds, with as many new decisions each.
The generator and PostgreSQL run on the same machine, so with two processors the second process gets what they leave.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

_TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_TESTS)]

from perf.load import EVALUATE, Target, closed_loop, exchanges  # noqa: E402
from perf.servers import NotAvailable, new_database, postgresql  # noqa: E402
from perf.workload import Workload, check, evaluate  # noqa: E402
from support.server_process import COMMAND, environment, passport_server  # noqa: E402


@contextmanager
def served(folder: Path, url: str, processes: int) -> Iterator[Target]:
    """Serve a new store with so many processes."""
    ports = [_free() for _ in range(2)]
    given = {
        "PASSPORT_SERVER_STORE_URL": url,
        "PASSPORT_SERVER_GRPC_LISTEN": f"127.0.0.1:{ports[0]}",
        "PASSPORT_SERVER_HTTP_LISTEN": f"127.0.0.1:{ports[1]}",
    }
    made = passport_server(folder, "init", **given)
    if made.returncode:
        raise NotAvailable(f"passport-server init: {made.stderr}")
    with (folder / "server.log").open("w") as out:
        process = subprocess.Popen(
            [*COMMAND, "serve", "--processes", str(processes)],
            cwd=folder,
            env=environment(folder, **given),
            stderr=out,
            stdout=out,
        )
    try:
        while (folder / "server.log").read_text().count('"serving"') < processes:
            if process.poll() is not None:
                raise NotAvailable(f"the server ended: {(folder / 'server.log').read_text()[-2000:]}")
            time.sleep(0.1)
        yield Target("127.0.0.1", ports[0], made.stdout.strip())
    finally:
        process.terminate()
        process.wait(60)


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def decided(target: Target, count: int) -> float:
    """Return how many new decisions a second were made."""
    work = Workload(target)
    await work.set_up()
    # What was granted counts in every process within a second.
    await asyncio.sleep(2)
    for number in (128, count):
        versions = await work.versions(number)
        now = datetime.now(UTC)
        asked = [evaluate(version, now=now) for version in versions]
        run = await closed_loop(work.target, exchanges(EVALUATE, asked), in_flight=64)
        check(versions, run)
    return run.per_second


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    found: dict[int, list[float]] = {1: [], 2: []}
    with postgresql() as database:
        for _ in range(given.rounds):
            for processes, rates in found.items():
                with tempfile.TemporaryDirectory() as folder:
                    with served(Path(folder), new_database(database), processes) as target:
                        rates.append(asyncio.run(decided(target, given.calls)))
                    print(f"{processes} processes: {rates[-1]:.0f}/s", flush=True)
    print(f"two against one: {median(found[2]) / median(found[1]):.2f}")


if __name__ == "__main__":
    main()
