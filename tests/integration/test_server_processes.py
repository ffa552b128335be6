"""`serve --processes N`: one port, several processes, any of which may die, and an end of all of them together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from release_passport.client import Client
from release_passport.target import Target
from release_passport.v1 import catalog_pb2, catalog_service_pb2
from support.server_process import COMMAND, environment, passport_server


@pytest.fixture
def url(postgres_url: str) -> str:
    """Give the URL of the module's database as the settings take it."""
    return postgres_url.replace("postgresql+psycopg:", "postgresql:")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def settings(url: str) -> dict[str, str]:
    ports = {name: f"127.0.0.1:{free_port()}" for name in ("GRPC", "HTTP")}
    return {f"PASSPORT_SERVER_{name}_LISTEN": at for name, at in ports.items()} | {
        "PASSPORT_SERVER_STORE_URL": url
    }


def children(process: subprocess.Popen[bytes]) -> list[int]:
    """Return the processes that serve."""
    with suppress(FileNotFoundError):
        text = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii")
        return [int(one) for one in text.split()]
    return []


def until(holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to be")


def listeners(address: str) -> int:
    """Return how many sockets listen on a port."""
    wanted = f":{int(address.rpartition(':')[2]):04X}"
    tables = [Path(f"/proc/net/{name}").read_text(encoding="ascii") for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table.splitlines()[1:]]
    return sum(row[1].endswith(wanted) and row[3] == "0A" for row in rows)


@contextmanager
def served(folder: Path, given: dict[str, str], *words: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [*COMMAND, "serve", "--processes", "2", *words],
        cwd=folder,
        env=environment(folder, **given),
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: listeners(given["PASSPORT_SERVER_GRPC_LISTEN"]) == 2)
        yield process
    finally:
        for one in [*children(process), process.pid]:
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        process.wait()


def client_of(given: dict[str, str], token: str) -> Client:
    return Client(Target(given["PASSPORT_SERVER_GRPC_LISTEN"], token=token, plaintext=True))


# Asked to end while a process is begun that nobody knows yet; the third is the one that takes a dead one's place.
INTERRUPTED = """
import os, signal, sys
from release_passport_server.commands.processes import Processes
class Interrupted(Processes):
    begun = []
    def _begun(self):
        child = Processes._begun(self)
        self.begun.append(child)
        if len(self.begun) == 2 and sys.argv[1] == "3":
            self.begun[0].kill()
        if len(self.begun) == int(sys.argv[1]):
            os.kill(os.getpid(), signal.SIGTERM)
        return child
print(Interrupted(2, ["sleep", "600"]).run(), [one.poll() is None for one in Interrupted.begun].count(True))
"""


@pytest.mark.parametrize("nth", ["1", "3"])
def test_who_is_asked_to_end_while_it_begins_a_process_ends_that_too(tmp_path: Path, nth: str) -> None:
    done = subprocess.run(
        [COMMAND[0], "-c", INTERRUPTED, nth],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.stdout.split() == ["0", "0"], done.stderr


@pytest.mark.postgres
def test_what_will_never_start_is_not_tried_again(url: str, tmp_path: Path) -> None:
    # The first in this file: nobody has made the schema yet.
    refused = passport_server(tmp_path, "serve", "--processes", "2", **settings(url))
    assert refused.returncode == 2
    assert "passport-server migrate" in refused.stderr


@pytest.mark.postgres
def test_one_that_is_killed_loses_nothing_and_is_begun_again(url: str, tmp_path: Path) -> None:
    given = settings(url)
    token = passport_server(tmp_path, "init", **given).stdout.strip()
    with served(tmp_path, given, "--roles", "worker,watch,api") as process:
        first = children(process)
        assert len(first) == 2
        # Each has the roles that all were given.
        commands = [Path(f"/proc/{one}/cmdline").read_bytes().split(b"\0") for one in first]
        assert [words[words.index(b"--roles") + 1] for words in commands] == [b"worker,watch,api"] * 2
        for number in range(20):
            # Each on a connection of its own, so that both processes are asked.
            with client_of(given, token) as client:
                service = catalog_pb2.Service(service_id=f"service-{number}")
                client.create_service(catalog_service_pb2.CreateServiceRequest(service=service), timeout=30)
            if number == 5:
                os.kill(first[0], signal.SIGKILL)
        until(lambda: len(set(children(process)) - {first[0]}) == 2)
        until(lambda: listeners(given["PASSPORT_SERVER_GRPC_LISTEN"]) == 2)
        with client_of(given, token) as client:
            listed = client.list_services(catalog_service_pb2.ListServicesRequest(page_size=100), timeout=30)
            assert len(listed.services) == 20
        last = children(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert not [one for one in last if Path(f"/proc/{one}").exists()]


@pytest.mark.postgres
def test_another_server_on_the_port_is_told_of_at_once(url: str, tmp_path: Path) -> None:
    given = settings(url)
    host, _, port = given["PASSPORT_SERVER_GRPC_LISTEN"].rpartition(":")
    with socket.create_server((host, int(port))):
        refused = passport_server(tmp_path, "serve", "--processes", "2", **given)
    assert refused.returncode == 2
    assert "grpc.listen" in refused.stderr


def test_the_embedded_store_belongs_to_one_process(tmp_path: Path) -> None:
    passport_server(tmp_path, "init")
    refused = passport_server(tmp_path, "serve", "--processes", "2")
    assert refused.returncode == 2
    assert "PostgreSQL" in refused.stderr
    refused = passport_server(tmp_path, "serve", "--processes", "2", "--dev")
    assert refused.returncode == 2


@pytest.mark.postgres
def test_a_free_port_is_none_that_processes_can_share(url: str, tmp_path: Path) -> None:
    refused = passport_server(tmp_path, "serve", "--processes", "2", PASSPORT_SERVER_STORE_URL=url)
    assert refused.returncode == 2
    assert "any free port" in refused.stderr
