"""Measure what grows sideways: policies in one tenant, and tenants in one store.

Run: `python tests/perf/wide.py [--store sqlite|pg] [--only policies|tenants]`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("server", "clients/python", "tests")]

from perf.fill import Grown, fill, prepare  # noqa: E402
from perf.growth import Side, new_store_url, served_store  # noqa: E402
from perf.load import EVALUATE, Run, closed_loop, exchanges  # noqa: E402
from perf.past import Size, service_id  # noqa: E402
from perf.report import Figure, Report  # noqa: E402
from perf.servers import postgresql  # noqa: E402
from perf.stage import NAMES, processor_seconds  # noqa: E402
from perf.workload import ENVIRONMENT, POLICIES, Version, evaluate  # noqa: E402
from release_passport.policy_file import load_policy_file  # noqa: E402
from release_passport.v1 import policy_pb2  # noqa: E402

# The policies of all measurements, with 12 rules; more have one rule each.
BASE = 4
SETS = (4, 12, 50, 500)
TENANTS = 1000
AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class TenantsVersion(Version):
    """A release of another tenant than the first."""

    tenant: str = ""

    @property
    def release(self) -> str:
        """Return the release's resource name."""
        place = f"services/{self.service}/environments/{ENVIRONMENT}"
        return f"tenants/{self.tenant}/{place}/releases/{self.number}"


@dataclass
class Tenant(Grown):
    """The workload of one of many tenants."""

    tenant: str = ""

    async def versions(self, count: int) -> list[Version]:
        """Return new releases of this tenant."""
        return await self.registered(
            TenantsVersion(service_id(number % self.services), f"2.{number}.0-{self.series}", self.tenant)
            for number in islice(self._numbers, count)
        )


async def policies(side: Side, options: argparse.Namespace, report: Report, *, matching: bool) -> None:
    """Measure Evaluate with more and more policies: such that match, or such that are for others."""
    base: list[float] = []
    admin = replace(side.work, target=side.admin)
    for before, size in zip((BASE, *SETS), SETS, strict=False):
        await admin.create(_policy(number, matching=matching) for number in range(before, size))
        await _timed(side, 128)
        runs = [await _timed(side, options.calls // 2) for _ in range(options.rounds)]
        base = base or [per_second for per_second, _ in runs]
        name = f"Evaluate with {size} policies, {'all' if matching else BASE} match"
        report.add(
            Figure(name, "/s", [per_second for per_second, _ in runs], base),
            Figure(f"{name}, server's processor time a call", "µs", [used for _, used in runs]),
        )


async def tenants(
    first: Side, tokens: Mapping[str, str], options: argparse.Namespace, report: Report
) -> None:
    """Measure Evaluate in one tenant, and in 64 of a thousand at once, others each time."""
    others = [
        replace(
            first, work=Tenant(replace(first.work.target, token=token), first.work.services, tenant=tenant)
        )
        for tenant, token in tokens.items()
    ]
    each = max(1, options.calls // AT_ONCE)
    one, many, again = [], [], []
    for turn in range(options.rounds):
        one.append((await _timed(first, options.calls))[0])
        chosen = others[turn * AT_ONCE : (turn + 1) * AT_ONCE]
        many.append(await _together(chosen, each))
        again.append(await _together(chosen, each))
    report.add(
        Figure("Evaluate, 64 in flight in one of 1,000 tenants", "/s", one),
        Figure("Evaluate, one in flight in each of 64 tenants, for the first time", "/s", many, one),
        Figure("Evaluate, one in flight in each of 64 tenants, again", "/s", again, one),
    )


async def _together(sides: Sequence[Side], each: int) -> float:
    asked = [await side.work.versions(each) for side in sides]
    began = perf_counter()
    both = zip(sides, asked, strict=True)
    await asyncio.gather(*(_questions(side, versions, in_flight=1) for side, versions in both))
    return each * len(sides) / (perf_counter() - began)


async def _timed(side: Side, calls: int) -> tuple[float, float]:
    versions = await side.work.versions(calls)
    before = processor_seconds(side.process.pid)
    run = await _questions(side, versions, in_flight=AT_ONCE)
    return run.per_second, (processor_seconds(side.process.pid) - before) / calls * 1e6


async def _questions(side: Side, versions: Sequence[Version], *, in_flight: int) -> Run:
    now = datetime.now(UTC)
    calls = exchanges(EVALUATE, [evaluate(version, now=now) for version in versions])
    return (await closed_loop(side.work.target, calls, in_flight=in_flight)).require_ok()


def _policy(number: int, *, matching: bool) -> policy_pb2.Policy:
    """Return one more policy of one rule, for everybody or for services that there are none of."""
    policy = load_policy_file(POLICIES / "change.yaml")
    policy.policy_id = f"extra-{number}"
    del policy.spec.rules[:-1]
    if not matching:
        policy.spec.match.CopyFrom(policy_pb2.PolicyMatch(service_labels={"team": f"team-{number}"}))
    return policy


def main() -> int:
    """Measure what was asked for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--store", choices=tuple(NAMES), default="pg")
    parser.add_argument("--only", action="append", choices=("policies", "tenants"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--calls", type=int, default=640)
    parser.add_argument(
        "--postgres", help="URL of a PostgreSQL in which to make databases, instead of an own one"
    )
    options = parser.parse_args()
    report = Report()
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        server = options.postgres
        if options.store == "pg" and server is None:
            server = cleanup.enter_context(postgresql()).render_as_string(hide_password=False)
        parts = options.only or ["policies", "tenants"]
        if "policies" in parts:
            for matching in (False, True):
                place = folder / f"policies-{matching}"
                size = Size(services=20)
                made = asyncio.run(prepare(new_store_url(options.store, place, server), size))
                with served_store(place, size.services, made.url, made.tokens["default"], made.admin) as side:
                    asyncio.run(policies(side, options, report, matching=matching))
        if "tenants" in parts:
            place = folder / "tenants"
            size = Size(20_000, 100_000, services=20, tenants=TENANTS)
            made = asyncio.run(prepare(new_store_url(options.store, place, server), size))
            fill(made, size)
            with served_store(place, size.services, made.url, made.tokens["default"], made.admin) as side:
                asyncio.run(tenants(side, made.tokens, options, report))
    print("\n" + report.table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
