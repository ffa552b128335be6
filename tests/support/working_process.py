"""One of several worker processes: says each job that it begins, with its token; with `stuck` it never ends one."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta

from release_passport_server.adapters.sql.jobs import SQLJobs
from release_passport_server.domain.job import Claim
from release_passport_server.ports.store import Transaction
from release_passport_server.worker.runner import Done, Pace, Runner, Work
from support.store import a_release, opened, put_release

LEASE = timedelta(seconds=1)


async def work(url: str, holder: str, *, stuck: bool) -> None:
    """Work until standard input ends."""
    async with opened(url, lambda: datetime.now(UTC), pool_size=2) as store:

        async def handler(claim: Claim) -> Done:
            sys.stdout.write(f"{claim.key} {claim.token}\n")
            sys.stdout.flush()
            if stuck:
                await asyncio.Event().wait()

            def act(tx: Transaction) -> None:
                put_release(tx, a_release(f"{claim.key}-{claim.token}"))
                tx.finish_job(claim)

            await store.write(claim.tenant, act)
            return Done.RECORDED

        pace = Pace(look=timedelta(milliseconds=50), lease=LEASE)
        runner = Runner(SQLJobs(store.aside, store.write), {"test": Work(handler)}, holder, pace)
        runner.start()
        await asyncio.to_thread(sys.stdin.read)
        await runner.stop(timedelta(seconds=10))


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], sys.argv[2], stuck=sys.argv[2] == "stuck"))
