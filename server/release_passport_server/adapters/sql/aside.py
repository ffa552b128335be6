"""Small transactions beside the batches, across tenants: none of them holds a head."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from release_passport_server.adapters.sql.failures import begins_anew, told

logger = logging.getLogger(__name__)
T = TypeVar("T")


class Aside:
    """Runs acts off the event loop, each with the database's time, in a transaction of its own."""

    def __init__(
        self,
        engine: Engine,
        threads: Executor,
        time: Callable[[Connection], datetime],
        turn: AbstractContextManager[object] | None = None,
    ) -> None:
        self._engine = engine
        self._threads = threads
        self._time = time
        # Held while something is written, where the database takes one writer at a time.
        self._turn = turn or nullcontext()

    async def write(self, act: Callable[[Connection, datetime], T]) -> T:
        """Run an act and commit it; once more where the database broke off."""
        return await self._off_loop(act, reads=False)

    async def read(self, act: Callable[[Connection, datetime], T]) -> T:
        """Run an act that only reads."""
        return await self._off_loop(act, reads=True)

    async def _off_loop(self, act: Callable[[Connection, datetime], T], *, reads: bool) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._told, act, reads)

    def _told(self, act: Callable[[Connection, datetime], T], reads: bool) -> T:
        try:
            try:
                return self._run(act, reads)
            except DBAPIError as error:
                if not begins_anew(error):
                    raise
                return self._run(act, reads)
        except SQLAlchemyError as error:
            logger.exception("a small transaction failed")
            raise told(error) from error

    def _run(self, act: Callable[[Connection, datetime], T], reads: bool) -> T:
        options = {"passport_reads": reads}
        turn = nullcontext() if reads else self._turn
        with turn, self._engine.connect().execution_options(**options) as connection, connection.begin():
            return act(connection, self._time(connection))
