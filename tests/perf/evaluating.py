"""Evaluate beside the echo: many in flight, one at a time, and at half of the peak."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from statistics import median

from perf.honesty import require_recorded
from perf.load import EVALUATE, Run, Target, closed_loop, exchanges, open_loop
from perf.report import Figure
from perf.servers import Served, look_at_tables
from perf.stage import NAMES, Stage, processor_seconds
from perf.streaming import streams
from perf.workload import RULES, Version, Workload, check, evaluate
from release_passport.v1 import decision_service_pb2

_OF_ECHO = {"sqlite": 0.45, "pg": 0.55}
_TIMES_ECHO = {"sqlite": 3.5, "pg": 5.0}
_WARM_UP = 192


class Evaluating:
    """The servers with their workloads, and every answer that they gave."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._options = stage.options
        self._served: dict[str, Served] = {}
        self._work: dict[str, Workload] = {}
        self._answers: defaultdict[str, list[decision_service_pb2.EvaluateResponse]] = defaultdict(list)
        self._peak: dict[str, float] = {}
        self._echo: Target | None = None

    async def set_up(self) -> None:
        """Start the servers, warm them up, and start an echo with a real answer."""
        print("starting the servers", flush=True)
        for store in self._stage.stores():
            served = self._stage.passport(store)
            self._served[store] = served
            self._work[store] = Workload(served.target)
            await self._work[store].set_up()
            await self._ask(store, await self._versions(store, _WARM_UP))
            look_at_tables(served.store_url)
        real = next(iter(self._answers.values()))[-1]
        self._echo = self._stage.echo(real.SerializeToString())
        await self._echoed([evaluate(Version("warm", str(number))) for number in range(_WARM_UP)])
        asked = evaluate(Version("service-1", "1.0.0-warm"), inline=self._options.inline)
        print(f"  request {len(asked)} bytes, answer {real.ByteSize()} bytes", flush=True)

    async def throughput(self) -> None:
        """Measure Evaluate and the echo with many in flight, with the evidence that comes with each question."""
        await self._many(self._options.inline)
        await self._watch()

    async def stored(self) -> None:
        """Measure the same where one kind comes with the question, and connectors have sent the others before."""
        await self._many(1)

    async def _many(self, inline: int) -> None:
        count, rounds = self._options.calls, self._options.rounds
        what = f"{inline} of {RULES} kinds inline"
        print(
            f"Evaluate, {what}, {self._options.in_flight} in flight, {rounds} rounds of {count} calls",
            flush=True,
        )
        found: defaultdict[str, list[float]] = defaultdict(list)
        used: defaultdict[str, list[float]] = defaultdict(list)
        for _ in range(rounds):
            new = {store: await self._versions(store, count, inline) for store in self._work}
            run = await self._echoed(self._requests(next(iter(new.values())), inline))
            found["echo"].append(run.per_second)
            for store, versions in new.items():
                before = processor_seconds(self._served[store].pid)
                run = await self._ask(store, versions, inline=inline)
                found[store].append(run.per_second)
                used[store].append((processor_seconds(self._served[store].pid) - before) / count * 1e6)
        report = self._stage.report
        report.add(Figure(f"echo of the same messages, {what}", "/s", found["echo"]))
        for store in self._work:
            name = f"Evaluate on {NAMES[store]}, {what}"
            self._peak.setdefault(store, median(found[store]))
            report.add(
                Figure(name, "/s", found[store], found["echo"], at_least=_OF_ECHO[store]),
                Figure("  server's processor time a call", "µs", used[store]),
            )

    async def _watch(self) -> None:
        for store, served in self._served.items():
            versions = await self._versions(store, self._options.calls)
            await self._stage.watched(store, served, partial(self._ask, store, versions))

    async def one_at_a_time(self) -> None:
        """Measure the median of a lone caller."""
        count = min(300, self._options.calls // 4)
        print(f"Evaluate, one at a time, {self._options.rounds} rounds of {count} calls", flush=True)
        found: defaultdict[str, list[float]] = defaultdict(list)
        for _ in range(self._options.rounds):
            new = {store: await self._versions(store, count) for store in self._work}
            run = await self._echoed(self._requests(next(iter(new.values()))), in_flight=1)
            found["echo"].append(run.p50)
            for store, versions in new.items():
                found[store].append((await self._ask(store, versions, in_flight=1)).p50)
        self._stage.report.add(Figure("echo, one at a time, p50", "ms", found["echo"]))
        for store in self._work:
            name = f"Evaluate on {NAMES[store]}, one at a time, p50"
            self._stage.report.add(
                Figure(name, "ms", found[store], found["echo"], at_most=_TIMES_ECHO[store])
            )

    async def half_of_peak(self) -> None:
        """Measure how far p99 is from p50 at half of the peak, counted from when each call was due."""
        print(f"Evaluate at half of its peak, {self._options.rounds} rounds", flush=True)
        for store in self._work:
            if store not in self._peak:
                self._peak[store] = (await self._ask(store, await self._versions(store, 1000))).per_second
            rate = self._peak[store] / 2
            count = int(rate * (2 if self._options.quick else 10))
            p50, p99 = [], []
            for _ in range(self._options.rounds):
                versions = await self._versions(store, count)
                calls = exchanges(EVALUATE, self._requests(versions))
                run = await open_loop(self._work[store].target, calls, rate=rate)
                self._answers[store] += check(versions, run)
                p50.append(run.p50)
                p99.append(run.milliseconds(0.99))
            name = f"Evaluate on {NAMES[store]} at half of its peak"
            self._stage.report.add(
                Figure(f"{name}, p50", "ms", p50),
                Figure(f"{name}, p99 (of its p50)", "ms", p99, p50, at_most=4, note=f"{rate:,.0f}/s"),
            )

    async def streams(self) -> None:
        """Measure client streams of evidence into the same stores."""
        await streams(self._stage, {store: (self._served[store], self._work[store]) for store in self._work})

    def check_records(self) -> None:
        """Raise BadAnswer unless the databases hold exactly what was answered."""
        for store, answers in self._answers.items():
            require_recorded(self._served[store].store_url, answers)
            self._stage.report.checks.append(
                f"{NAMES[store]}: {len(answers):,} Evaluate calls, as many new decisions, audit rows, request ids and "
                "events, each at a revision of its own; the feed is dense"
            )

    async def _versions(self, store: str, count: int, inline: int | None = None) -> list[Version]:
        inline = self._options.inline if inline is None else inline
        work = self._work[store]
        versions = await work.versions(count)
        if inline < RULES - 1:
            await work.submit_rest(versions, inline=inline)
        return versions

    def _requests(self, versions: Sequence[Version], inline: int | None = None) -> list[bytes]:
        inline = self._options.inline if inline is None else inline
        now = datetime.now(UTC)
        return [evaluate(version, inline=inline, now=now) for version in versions]

    async def _ask(
        self, store: str, versions: Sequence[Version], *, in_flight: int = 0, inline: int | None = None
    ) -> Run:
        calls = exchanges(EVALUATE, self._requests(versions, inline))
        run = await closed_loop(
            self._work[store].target, calls, in_flight=in_flight or self._options.in_flight
        )
        self._answers[store] += check(versions, run)
        return run

    async def _echoed(self, requests: Sequence[bytes], *, in_flight: int = 0) -> Run:
        assert self._echo is not None
        calls = exchanges(EVALUATE, requests)
        run = await closed_loop(self._echo, calls, in_flight=in_flight or self._options.in_flight)
        return run.require_ok()
