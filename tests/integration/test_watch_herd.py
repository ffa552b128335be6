"""A hundred watchers whose server dies or drains: each goes on by itself, and no call of others fails."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path

from release_passport import AsyncClient, Target
from support.herd import OTHER, WATCHED, WITHOUT_GOODBYE, Herd, decided, herd, live, set_up
from support.server_process import ServerProcess, passport_server, served

STREAMS = 100
CALLERS = 4


def settings(url: str) -> dict[str, str]:
    """Return the settings of servers that share a port, which many may watch."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        ports = [listener.getsockname()[1] for listener in (one, other)]
    return {
        "PASSPORT_SERVER_STORE_URL": url.replace("postgresql+psycopg:", "postgresql:"),
        "PASSPORT_SERVER_GRPC_LISTEN": f"127.0.0.1:{ports[0]}",
        "PASSPORT_SERVER_HTTP_LISTEN": f"127.0.0.1:{ports[1]}",
        "PASSPORT_SERVER_LIMITS_WATCH_OF_PRINCIPAL": str(STREAMS),
        "PASSPORT_SERVER_WORKER_ENABLED": "false",
    }


def _soon() -> float:
    """Let all of them come back at once, again and again."""
    return 0.02


@contextmanager
def logged(folder: Path, *words: str, **given: str) -> Iterator[tuple[ServerProcess, list[str]]]:
    """Serve, and read what is logged: a full pipe would stop the server."""
    lines: list[str] = []
    with served(folder, *words, **given) as process:
        stderr = process.process.stderr
        assert stderr is not None
        reading = threading.Thread(target=lambda: lines.extend(stderr))
        reading.start()
        try:
            yield process, lines
        finally:
            process.process.kill()
            reading.join()


class Calls:
    """Callers that decide one release after the other; whatever fails is raised by `more`."""

    def __init__(self, client: AsyncClient) -> None:
        self.answered = 0
        self._numbers = count()
        self._client = client
        self._news = asyncio.Event()
        self._tasks = [asyncio.create_task(self._ask()) for _ in range(CALLERS)]

    async def _ask(self) -> None:
        for number in self._numbers:
            await decided(self._client, OTHER, f"2.{number}.0")
            self.answered += 1
            self._news.set()

    async def more(self) -> None:
        """Return once each caller was answered again."""
        wanted = self.answered + 2 * CALLERS
        while self.answered < wanted:
            self._news.clear()
            news = asyncio.create_task(self._news.wait())
            done, _ = await asyncio.wait({news, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
            news.cancel()
            for task in done - {news}:
                task.result()

    async def stop(self) -> None:
        """Ask no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def calling(address: str, token: str) -> AsyncIterator[tuple[AsyncClient, Calls]]:
    """Give a client for what is watched, and callers that ask all the time."""
    async with AsyncClient(Target(address, token=token, plaintext=True)) as client:
        await set_up(client)
        calls = Calls(client)
        try:
            yield client, calls
        finally:
            await calls.stop()


async def test_all_watchers_of_a_killed_server_go_on_where_they_were_while_calls_are_answered(
    own_postgres_url: str, tmp_path: Path
) -> None:
    watching = settings(own_postgres_url)
    asked = {key: value for key, value in watching.items() if "LISTEN" not in key}
    address = watching["PASSPORT_SERVER_GRPC_LISTEN"]
    token = passport_server(tmp_path, "init", **asked).stdout.strip()
    with logged(tmp_path, "--roles", "api", **asked) as (api, _):
        async with calling(api.where["grpc"], token) as (client, calls):
            with logged(tmp_path, "--roles", "watch", **watching) as (doomed, _):
                async with herd(address, token, STREAMS, chance=_soon) as watchers:
                    before = await decided(client, WATCHED, "1.1.0")
                    await watchers.heard([before])
                    doomed.process.kill()
                    doomed.process.wait()
                    meanwhile = [await decided(client, WATCHED, f"1.{number}.0") for number in (2, 3)]
                    await calls.more()
                    with logged(tmp_path, "--roles", "watch", **watching):
                        await resumed(watchers)
                        after = await decided(client, WATCHED, "1.4.0")
                        await watchers.heard([before, *meanwhile, after])
                        await calls.more()
                    assert watchers.ends[f"UNAVAILABLE {WITHOUT_GOODBYE}"] == STREAMS


async def resumed(watchers: Herd) -> None:
    """Return once each watcher is live on another stream than its first."""
    await watchers.until(lambda member: member.streams > 1 and live(member))


async def test_a_drained_server_says_goodbye_to_each_stream_and_no_call_fails(
    own_postgres_url: str, tmp_path: Path
) -> None:
    given = settings(own_postgres_url)
    address = given["PASSPORT_SERVER_GRPC_LISTEN"]
    token = passport_server(tmp_path, "init", **given).stdout.strip()
    with logged(tmp_path, "--shared-ports", **given) as (leaving, lines):
        async with (
            calling(address, token) as (client, calls),
            herd(address, token, STREAMS, chance=_soon) as watchers,
        ):
            await calls.more()
            with logged(tmp_path, "--shared-ports", **given):
                leaving.process.send_signal(signal.SIGTERM)
                during = [await decided(client, WATCHED, f"1.{number}.0") for number in range(3)]
                assert await asyncio.to_thread(leaving.process.wait, 45) == 0
                await resumed(watchers)
                after = await decided(client, WATCHED, "1.9.0")
                await watchers.heard([*during, after])
                await calls.more()
            assert all(member.goodbyes == 1 for member in watchers.members)
            assert not any(end.endswith(WITHOUT_GOODBYE) for end in watchers.ends)
    ends = [json.loads(line) for line in lines if '"stopped"' in line]
    assert [end["finished"] for end in ends] == [True]
