"""One of several processes that write to one store: acts of several rows, acts that fail, and questions.

Prints each revision that was acknowledged, as soon as it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from datetime import UTC, datetime

from release_passport_server.ports.store import Transaction
from support.store import TENANT, Question, a_release, an_item, opened, put_item, put_release

TASKS = 4
SERVICES = 4


class Aborted(Exception):
    """This act changes its mind."""


async def write(url: str, name: str, rounds: int) -> None:
    """Write until the rounds are over."""
    async with opened(url, lambda: datetime.now(UTC), pool_size=2) as store:

        def say(revision: int) -> None:
            sys.stdout.write(f"{revision}\n")
            sys.stdout.flush()

        async def work(task: int) -> None:
            for n in range(rounds):
                service = f"service-{n % SERVICES}"
                release = a_release(f"{name}-{task}-{n}", service=service)

                def act(tx: Transaction, n: int = n, service: str = service) -> None:
                    put_item(tx, an_item(n % 2, source=f"{name}-{task}", at=tx.now))
                    put_release(tx, a_release(f"{name}-{task}-{n}-act", service=service))
                    if n % 5 == 0:
                        # Some have read their own rows by then, so that these are in the database already.
                        tx.attempts("nothing")
                    if n % 3 == 0:
                        raise Aborted

                with contextlib.suppress(Aborted):
                    say((await store.write(TENANT, act)).revision)
                item = an_item(n % 2, source=f"{name}-{task}")
                question = Question(
                    release, f"{name}-{task}-{n}", items=(item,) if n % 2 else (), creates=True
                )
                say((await store.judge(question)).revision)

        await asyncio.gather(*(work(task) for task in range(TASKS)))


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], sys.argv[2], int(sys.argv[3])))
