"""The measurements' own parts: the load generator against a real server, and the check that its figures are honest."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from perf.honesty import require_recorded
from perf.load import EVALUATE, BadAnswer, Run, Target, closed_loop, exchanges, open_loop
from perf.report import Figure
from perf.servers import Served, echo, passport, sqlite_url
from perf.workload import Version, Workload, check, evaluate
from release_passport.v1 import decision_service_pb2

CALLS = 24


@dataclass(frozen=True)
class Measured:
    """A server in its own process that has answered some calls."""

    served: Served
    work: Workload
    versions: list[Version]
    run: Run
    answers: list[decision_service_pb2.EvaluateResponse]

    @property
    def database(self) -> Path:
        return Path(self.served.store_url.removeprefix("sqlite:///"))


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measured]:
    folder = tmp_path_factory.mktemp("bench")
    with passport(folder, sqlite_url(folder)) as served:
        yield asyncio.run(asked(served))


async def asked(served: Served) -> Measured:
    """Ask about some releases."""
    work = Workload(served.target, services=4)
    await work.set_up()
    versions = await work.versions(CALLS)
    calls = exchanges(EVALUATE, [evaluate(version) for version in versions])
    run = await closed_loop(work.target, calls, in_flight=8)
    return Measured(served, work, versions, run, check(versions, run))


def test_each_call_is_a_decision_on_record(measured: Measured) -> None:
    assert measured.run.statuses == {0: CALLS}
    require_recorded(measured.served.store_url, measured.answers)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("decisions", "1 missing"),
        ("audit", "1 missing"),
        ("feed", "1 missing"),
        ("idempotency", "request ids"),
    ],
)
def test_a_row_that_is_missing_is_noticed(measured: Measured, table: str, said: str) -> None:
    answer = measured.answers[3]
    which = {
        "decisions": ("name", answer.decision.name),
        "audit": ("subject", answer.decision.name),
        "feed": ("subject", answer.decision.name),
        "idempotency": ("request_id", f"gate-{measured.versions[3].number}-{measured.versions[3].service}"),
    }
    with without(measured.database, table, *which[table]), pytest.raises(BadAnswer, match=said):
        require_recorded(measured.served.store_url, measured.answers)


def test_a_decision_that_nobody_was_told_of_is_noticed(measured: Measured) -> None:
    with pytest.raises(BadAnswer, match="1 not answered"):
        require_recorded(measured.served.store_url, measured.answers[1:])


async def test_a_call_that_decides_nothing_new_is_noticed(measured: Measured) -> None:
    calls = exchanges(EVALUATE, [evaluate(version) for version in measured.versions[:2]])
    again = await closed_loop(measured.work.target, calls, in_flight=2)
    with pytest.raises(BadAnswer):
        check(measured.versions[:2], again)


async def test_a_refusal_is_noticed_with_its_status(measured: Measured) -> None:
    stranger = replace(measured.work.target, token="rp1_nobody")
    run = await closed_loop(stranger, exchanges(EVALUATE, [evaluate(measured.versions[0])] * 3), in_flight=2)
    assert run.statuses == {16: 3}
    with pytest.raises(BadAnswer, match="3 of 3 calls failed, with 16"):
        run.require_ok()


async def test_the_echo_answers_at_the_rate_that_is_asked_for(measured: Measured, tmp_path: Path) -> None:
    answer = measured.answers[0].SerializeToString()
    with echo(answer, tmp_path) as target:
        calls = exchanges(EVALUATE, [evaluate(measured.versions[0])] * 10)
        run = await open_loop(target, calls, rate=200)
    assert [exchange.message for exchange in run.exchanges] == [answer] * 10
    first, *_, last = run.exchanges
    assert last.intended - first.intended == pytest.approx(9 / 200)


async def test_calls_on_a_connection_that_is_lost_are_failures(measured: Measured, tmp_path: Path) -> None:
    with echo(b"", tmp_path) as target:
        gone = Target(target.host, target.port)
    with pytest.raises(OSError, match="Connect"):
        await closed_loop(gone, exchanges(EVALUATE, [b""]), in_flight=1)


def test_a_figure_is_judged_by_the_median_of_its_ratios() -> None:
    figure = Figure("speed", "/s", [50, 60, 90], [100, 100, 100], at_least=0.6)
    assert (figure.judged, figure.reached) == (0.6, True)
    assert replace(figure, at_least=None, at_most=0.5).reached is False


@contextmanager
def without(database: Path, table: str, column: str, value: str) -> Iterator[None]:
    """Take the rows out of a table for a while."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        where = f"WHERE {column} = ?"
        connection.execute(f"CREATE TABLE kept AS SELECT * FROM {table} {where}", (value,))
        taken = connection.execute(f"DELETE FROM {table} {where}", (value,)).rowcount
        try:
            assert taken == 1
            yield
        finally:
            connection.execute(f"INSERT INTO {table} SELECT * FROM kept")
            connection.execute("DROP TABLE kept")
