"""Measure the service against bare references, side by side in one run: `make bench`.

Run: `python tests/perf/bench.py [--quick] [--only NAME]… [--sample] [--json FILE]`. README.md here tells more.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("server", "clients/python", "tests")]

from perf.deciding import deciding  # noqa: E402
from perf.evaluating import Evaluating  # noqa: E402
from perf.peers import opa, sigstore  # noqa: E402
from perf.raw import raw_commits  # noqa: E402
from perf.report import Report  # noqa: E402
from perf.signing import signing  # noqa: E402
from perf.stage import Stage  # noqa: E402

SERVED = ("evaluate", "stored", "one", "half", "stream")
ALONE = {"raw": raw_commits, "decide": deciding, "sigstore": sigstore, "opa": opa}
PARTS = (*SERVED, "signing", *ALONE)


def main() -> int:
    """Measure what was asked for, print the table, write the JSON; return 1 where a figure was missed."""
    options = _options()
    report = Report()
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="passport-bench-")))
        stage = Stage(folder, cleanup, report, options)
        parts = options.only or PARTS
        if set(parts) & set(SERVED):
            asyncio.run(_measure_server(stage, parts))
        if "signing" in parts:
            asyncio.run(signing(stage))
        for name, measure in ALONE.items():
            if name in parts:
                measure(stage)
    print("\n" + report.table())
    report.write(options.json)
    print(f"\nwrote {options.json}")
    missed = [figure.name for figure in report.figures if figure.reached is False]
    return 1 if missed and options.strict else 0


async def _measure_server(stage: Stage, parts: Collection[str]) -> None:
    evaluating = Evaluating(stage)
    await evaluating.set_up()
    for name, measure in (
        ("evaluate", evaluating.throughput),
        ("stored", evaluating.stored),
        ("one", evaluating.one_at_a_time),
        ("half", evaluating.half_of_peak),
        ("stream", evaluating.streams),
    ):
        if name in parts:
            await measure()
    evaluating.check_records()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument(
        "--only", action="append", choices=PARTS, help="measure this part alone; may be repeated"
    )
    parser.add_argument(
        "--store", action="append", choices=("sqlite", "pg"), help="on this store alone; may be repeated"
    )
    parser.add_argument("--rounds", type=int, help="rounds of each measurement")
    parser.add_argument("--calls", type=int, help="Evaluate calls of each round")
    parser.add_argument("--in-flight", type=int, default=64, help="Evaluate calls in flight")
    parser.add_argument(
        "--inline", type=int, default=11, help="kinds of evidence that come with the question, 0 to 11"
    )
    parser.add_argument(
        "--profile", action="store_true", help="one more round with cProfile in the server's two threads"
    )
    parser.add_argument("--sample", action="store_true", help="one more round sampled by py-spy")
    parser.add_argument("--strict", action="store_true", help="end with 1 where a figure was missed")
    parser.add_argument(
        "--json", type=Path, default=ROOT / "build" / "bench.json", help="file for everything that was found"
    )
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 5)
    options.calls = options.calls or (320 if options.quick else 2000)
    options.store = options.store or ["sqlite", "pg"]
    return options


if __name__ == "__main__":
    sys.exit(main())
