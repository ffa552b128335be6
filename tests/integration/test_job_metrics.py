"""Whoever watches the server sees jobs that wait and jobs that are dead."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from release_passport_server.adapters.sql.jobs import SQLJobs
from release_passport_server.adapters.system.clock import SystemClock
from release_passport_server.domain.errors import Unavailable
from release_passport_server.domain.job import Backlog, Timer
from release_passport_server.worker.job_status import EVERY, JobStatus
from support.server import real_server
from support.store import SetClock


class Told:
    """Jobs that answer what the test says."""

    def __init__(self) -> None:
        self.asked = 0
        self.away = False

    async def backlogs(self, kinds: object) -> dict[str, Backlog]:
        """Return one dead job, and one that has been due for as long as the clock of the test goes."""
        self.asked += 1
        if self.away:
            raise Unavailable("STORE_UNAVAILABLE", "away")
        return {"notify": Backlog(1, SetClock().time, 1)}


class Clock:
    """The host's clock, moved by the test."""

    def __init__(self) -> None:
        self.time = SetClock().time

    def now(self) -> object:
        """Return the time."""
        return self.time


async def test_dead_and_due_jobs_are_shown_by_kind(tmp_path: Path) -> None:
    async with real_server(tmp_path, worker={"enabled": False}) as server:
        jobs = SQLJobs(server.store.aside, server.store.write)
        now = SystemClock().now()

        def act(tx: object) -> None:
            for key in ("a", "b"):
                tx.schedule(Timer("notify", key, now - timedelta(minutes=2)))  # type: ignore[attr-defined]

        await server.store.write("default", act)
        claims = await jobs.claim(["notify"], "one", most=1, lease=timedelta(seconds=60))
        assert await jobs.fail(claims[0], "no route", None)
        async with httpx.AsyncClient() as client:
            text = (await client.get(f"http://127.0.0.1:{server.process.http_port}/metrics")).text
    shown = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("rp_jobs_"))
    assert (shown['rp_jobs_due{kind="notify"}'], shown['rp_jobs_dead{kind="notify"}']) == ("1.0", "1.0")
    assert float(shown['rp_jobs_oldest_due_seconds{kind="notify"}']) >= 120
    assert shown['rp_jobs_dead{kind="reevaluate"}'] == "0.0"


async def test_the_store_is_asked_rarely_and_what_was_seen_last_stays(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told, clock = Told(), Clock()
    status = JobStatus(told, ("notify",), clock)  # type: ignore[arg-type]
    assert status.oldest_seconds("notify") == 0
    for _ in range(3):
        await status.refresh()
    assert told.asked == 1
    clock.time += EVERY
    told.away = True
    await status.refresh()
    assert told.asked == 2
    assert status.backlogs["notify"].dead == 1
    assert status.oldest_seconds("notify") == EVERY.total_seconds()
    assert "the jobs cannot be counted" in caplog.text
