"""A bounded pool of processes that verify: begun when needed, ended when idle, replaced when one breaks.

Each is a fresh interpreter with an empty environment: it inherits no secret, no open file and no HOME.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from release_passport_server.adapters.sigstore.frames import HEAD, FrameInvalid, length, pack, unpack

logger = logging.getLogger(__name__)

WORKER = "release_passport_server.adapters.sigstore.checks.worker"


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """How many processes verify, and what each may use."""

    workers: int = 2
    # Bundles that wait for a process; beyond that the answer is to come back later.
    queue: int = 256
    # Seconds that one bundle may take, and that a process may take to begin.
    timeout: float = 5.0
    start_timeout: float = 30.0
    # After so many bundles a process is replaced, and after so many idle seconds it is ended.
    bundles: int = 10_000
    idle: float = 120.0
    memory_bytes: int = 768 * 1024 * 1024


class PoolBusy(Exception):
    """Too much is waiting, or the pool is closed."""


class WorkerTimeout(Exception):
    """A process took too long over a bundle, and was ended."""


class WorkerCrashed(Exception):
    """A process ended over a bundle, or did not begin."""


class Pool:
    """Hands messages to processes, one at a time to each."""

    def __init__(self, settings: PoolSettings, *, module: str = WORKER) -> None:
        self._settings = settings
        self._module = module
        self._slots = asyncio.Semaphore(settings.workers)
        self._idle: list[_Worker] = []
        self._tasks: set[asyncio.Task[list[bytes]]] = set()
        self._closed = False

    async def run(self, parts: Sequence[bytes]) -> list[bytes]:
        """Return the answer to a message; raise PoolBusy, WorkerTimeout or WorkerCrashed.

        A caller that goes away does not stop the work: ending a process costs more than letting it finish.
        """
        if self._closed or len(self._tasks) >= self._settings.queue + self._settings.workers:
            raise PoolBusy
        task = asyncio.create_task(self._served(pack(parts)))
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """End all processes; what is under way fails."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        idle, self._idle = self._idle, []
        for worker in idle:
            await worker.end()

    @property
    def processes(self) -> tuple[int, ...]:
        """Return the ids of the processes that wait for work."""
        return tuple(worker.process.pid for worker in self._idle)

    def _done(self, task: asyncio.Task[list[bytes]]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            # Read, so that work whose caller went away is not reported as forgotten.
            task.exception()

    async def _served(self, message: bytes) -> list[bytes]:
        async with self._slots:
            worker = self._waiting() or await self._begun()
            try:
                answer = await asyncio.wait_for(worker.ask(message), self._settings.timeout)
            except TimeoutError as error:
                await worker.end()
                logger.error("a verification took too long", extra={"seconds": self._settings.timeout})  # noqa: TRY400
                raise WorkerTimeout from error
            except (OSError, asyncio.IncompleteReadError, FrameInvalid) as error:
                code = await worker.end()
                logger.error("a verification ended its process", extra={"exit_code": code})  # noqa: TRY400
                raise WorkerCrashed from error
            except asyncio.CancelledError:
                await worker.end()
                raise
            await self._back(worker)
            return answer

    def _waiting(self) -> _Worker | None:
        while self._idle:
            worker = self._idle.pop()
            worker.stop_clock()
            if worker.process.returncode is None:
                return worker
        return None

    async def _back(self, worker: _Worker) -> None:
        if worker.served >= self._settings.bundles:
            await worker.end()
            return
        self._idle.append(worker)
        worker.start_clock(self._settings.idle, self._expire)

    def _expire(self, worker: _Worker) -> None:
        if worker in self._idle:
            self._idle.remove(worker)
            # It ends by itself when nobody can ask any more.
            worker.hang_up()

    async def _begun(self) -> _Worker:
        """Return a new process that is ready."""
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", self._module, str(self._settings.memory_bytes)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env={"PYTHONPATH": _search_path()},
                start_new_session=True,
            )
        except OSError as error:
            raise WorkerCrashed from error
        worker = _Worker(process)
        try:
            await asyncio.wait_for(worker.answer(), self._settings.start_timeout)
        except (OSError, asyncio.IncompleteReadError, FrameInvalid) as error:
            code = await worker.end()
            logger.error("a process for verification did not begin", extra={"exit_code": code})  # noqa: TRY400
            raise WorkerCrashed from error
        except asyncio.CancelledError:
            await worker.end()
            raise
        return worker


def _search_path() -> str:
    """Return where this interpreter finds modules, for another one in any folder."""
    return os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)


class _Worker:
    """One process, and how many bundles it has seen."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.served = 0
        self._clock: asyncio.TimerHandle | None = None

    async def ask(self, message: bytes) -> list[bytes]:
        assert self.process.stdin is not None
        self.served += 1
        self.process.stdin.write(message)
        await self.process.stdin.drain()
        return await self.answer()

    async def answer(self) -> list[bytes]:
        assert self.process.stdout is not None
        head = await self.process.stdout.readexactly(HEAD)
        return unpack(await self.process.stdout.readexactly(length(head)))

    def start_clock(self, seconds: float, expire: Callable[[_Worker], None]) -> None:
        self._clock = asyncio.get_running_loop().call_later(seconds, expire, self)

    def stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def hang_up(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    async def end(self) -> int:
        """End the process and return its exit code."""
        self.stop_clock()
        with suppress(ProcessLookupError):
            self.process.kill()
        self.hang_up()
        return await self.process.wait()
