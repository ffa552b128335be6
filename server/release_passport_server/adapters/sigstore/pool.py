"""A bounded pool of processes that verify: begun when needed, ended when idle, replaced when one breaks.

Each is a fresh interpreter with an empty environment: it inherits no secret, no open file and no HOME.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections import deque
from collections.abc import Sequence
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


Answer = asyncio.Future[list[bytes]]


@dataclass(frozen=True, slots=True)
class _Job:
    message: bytes
    answer: Answer


class Pool:
    """Hands messages to processes, one at a time to each.

    It works by callbacks and not by tasks: between two bundles a process waits for one turn of the event loop.
    """

    def __init__(self, settings: PoolSettings, *, module: str = WORKER) -> None:
        self._settings = settings
        self._module = module
        self._jobs: deque[_Job] = deque()
        self._workers: set[_Worker] = set()
        self._idle: list[_Worker] = []
        self._starting: set[asyncio.Task[None]] = set()
        self._closed = False

    def submit(self, parts: Sequence[bytes]) -> Answer:
        """Return the answer to come; raise PoolBusy. It may end in WorkerTimeout or WorkerCrashed.

        Who cancels it does not stop the work: ending a process costs more than letting it finish.
        """
        if self._closed or len(self._jobs) >= self._settings.queue:
            raise PoolBusy
        answer: Answer = asyncio.get_running_loop().create_future()
        self._jobs.append(_Job(pack(parts), answer))
        self._hand_out()
        return answer

    async def close(self) -> None:
        """End all processes; what is under way fails."""
        self._closed = True
        while self._jobs:
            self._jobs.popleft().answer.cancel()
        starting, workers = list(self._starting), list(self._workers)
        for task in starting:
            task.cancel()
        for worker in workers:
            worker.kill()
        await asyncio.gather(*starting, *(worker.ended for worker in workers), return_exceptions=True)

    @property
    def processes(self) -> tuple[int, ...]:
        """Return the ids of the processes."""
        return tuple(worker.pid for worker in self._workers)

    def _hand_out(self) -> None:
        """Give waiting jobs to idle processes, and begin processes for the others as long as there may be more."""
        while self._jobs and self._idle:
            job = self._jobs.popleft()
            if not job.answer.done():
                self._idle.pop().work(job, self._settings.timeout)
        running = len(self._workers) + len(self._starting)
        for _ in range(min(len(self._jobs) - len(self._starting), self._settings.workers - running)):
            task = asyncio.create_task(self._begin())
            self._starting.add(task)
            task.add_done_callback(self._starting.discard)

    async def _begin(self) -> None:
        try:
            await asyncio.get_running_loop().subprocess_exec(
                lambda: _Worker(self),
                *(sys.executable, "-P", "-m", self._module, str(self._settings.memory_bytes)),
                stderr=None,
                env={"PYTHONPATH": _search_path()},
                start_new_session=True,
            )
        except OSError:
            logger.exception("a process for verification could not be begun")
            self._fail_one()

    def began(self, worker: _Worker) -> None:
        """Take note of a process, which has to say soon that it is ready."""
        self._workers.add(worker)
        worker.expect(self._settings.start_timeout)
        if self._closed:
            worker.kill()

    def free(self, worker: _Worker) -> None:
        """Use a process that is ready for more."""
        if self._closed or worker.served >= self._settings.bundles:
            worker.kill()
            return
        self._idle.append(worker)
        self._hand_out()
        if worker in self._idle:
            worker.expect(self._settings.idle)

    def gone(self, worker: _Worker) -> None:
        """Take note that a process ended, and go on without it."""
        self._workers.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        if not worker.ready:
            self._fail_one()
        if not self._closed:
            self._hand_out()

    def _fail_one(self) -> None:
        """Fail a job for which a process was begun in vain, so that nobody waits for ever."""
        while self._jobs:
            job = self._jobs.popleft()
            if not job.answer.done():
                _fail(job.answer, WorkerCrashed())
                return


class _Worker(asyncio.SubprocessProtocol):
    """One process: what it works on, and what of its answer is there."""

    def __init__(self, pool: Pool) -> None:
        self.served = 0
        self.ready = False
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pool = pool
        self._job: _Job | None = None
        self._received = bytearray()
        self._clock: asyncio.TimerHandle | None = None
        self._transport: asyncio.SubprocessTransport | None = None

    @property
    def pid(self) -> int:
        assert self._transport is not None
        return self._transport.get_pid()

    def work(self, job: _Job, seconds: float) -> None:
        """Begin a job that has to be done in so many seconds."""
        assert self._transport is not None
        requests = self._transport.get_pipe_transport(0)
        assert isinstance(requests, asyncio.WriteTransport)
        self._job = job
        self.served += 1
        self.expect(seconds)
        requests.write(job.message)

    def expect(self, seconds: float) -> None:
        """End the process if nothing comes of it in so many seconds."""
        self._stop_clock()
        self._clock = asyncio.get_running_loop().call_later(seconds, self._late, seconds)

    def kill(self) -> None:
        """End the process."""
        self._stop_clock()
        assert self._transport is not None
        with suppress(ProcessLookupError):
            self._transport.kill()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._transport = transport
        self._pool.began(self)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._received += data
        if len(self._received) < HEAD:
            return
        try:
            whole = HEAD + length(bytes(self._received[:HEAD]))
            if len(self._received) < whole:
                return
            parts = unpack(bytes(self._received[HEAD:whole]))
        except FrameInvalid:
            self.kill()
            return
        if len(self._received) > whole or (self.ready and self._job is None):
            # More than was asked for: it does not keep to the format.
            self.kill()
            return
        self._received.clear()
        self._stop_clock()
        self._answered(parts)

    def process_exited(self) -> None:
        self._stop_clock()
        assert self._transport is not None
        code = self._transport.get_returncode()
        job, self._job = self._job, None
        if job is not None:
            logger.error("a verification ended its process", extra={"exit_code": code})
            _fail(job.answer, WorkerCrashed())
        elif not self.ready:
            logger.error("a process for verification did not begin", extra={"exit_code": code})
        self._transport.close()
        self._pool.gone(self)
        if not self.ended.done():
            self.ended.set_result(None)

    def _answered(self, parts: list[bytes]) -> None:
        job, self._job = self._job, None
        self.ready = True
        if job is not None and not job.answer.done():
            job.answer.set_result(parts)
        self._pool.free(self)

    def _late(self, seconds: float) -> None:
        job, self._job = self._job, None
        if job is not None:
            logger.error("a verification took too long", extra={"seconds": seconds})
            _fail(job.answer, WorkerTimeout())
        self.kill()

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None


def _fail(answer: Answer, error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
        # Read, so that an answer that nobody waits for any more is not reported as forgotten.
        answer.exception()


def _search_path() -> str:
    """Return where this interpreter finds modules, for another one in any folder."""
    return os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
