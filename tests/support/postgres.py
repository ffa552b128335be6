"""A PostgreSQL of the tests' own: started once a session, with a fresh database for each module."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
from sqlalchemy import URL, make_url

VARIABLE = "PASSPORT_TEST_PG_URL"
_SETTINGS = {
    "fsync": "on",
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
}


class Cluster:
    """A PostgreSQL cluster in a temporary folder, on a free port of the loopback address."""

    def __init__(self, programs: Path, **settings: str) -> None:
        self._programs = programs
        self._settings = _SETTINGS | settings
        self._folder = Path(tempfile.mkdtemp(prefix="passport-pg-"))
        self._port = 0
        # PostgreSQL refuses to run as root, so that root runs it as the package's own user.
        self._prefix: list[str] = []
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
            self._prefix = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]

    @property
    def data(self) -> Path:
        """Return the folder of the data."""
        return self._folder / "data"

    @property
    def url(self) -> URL:
        """Return the address of the maintenance database."""
        return URL.create(
            "postgresql+psycopg", "postgres", host="127.0.0.1", port=self._port, database="postgres"
        )

    def start(self) -> URL:
        """Make and start the cluster; return the address of its maintenance database."""
        self._run(
            "initdb",
            "-D",
            self.data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        )
        for attempt in range(3):
            self._port = _free_port()
            try:
                self.start_again()
            except subprocess.CalledProcessError:
                # Somebody else may have taken the port since it was found free.
                if attempt == 2:
                    log = (self._folder / "log").read_text()
                    raise RuntimeError(f"PostgreSQL does not start: {log}") from None
            else:
                return self.url
        raise AssertionError("unreachable")

    def start_again(self) -> None:
        """Start the cluster that is there, on its port, and return when it takes connections."""
        settings = self._settings | {
            "port": str(self._port),
            "unix_socket_directories": str(self._folder),
        }
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        log = self._folder / "log"
        self._run("pg_ctl", "-D", self.data, "-l", log, "-o", options, "-w", "-t", "60", "start")

    def kill(self) -> None:
        """End the cluster without letting it finish anything."""
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")

    def keep_copy(self) -> Path:
        """Return a copy of the data as it is, which has to be that of a cluster that does not run."""
        kept = self._folder / "kept"
        shutil.rmtree(kept, ignore_errors=True)
        subprocess.run(["cp", "-a", self.data, kept], check=True)
        return kept

    def put_back(self, kept: Path) -> None:
        """Have the data be what it was when it was copied; the cluster does not run."""
        shutil.rmtree(self.data)
        subprocess.run(["cp", "-a", kept, self.data], check=True)

    def stop(self) -> None:
        """Stop the cluster, if it runs, and remove it."""
        with suppress(subprocess.CalledProcessError):
            # It may have been killed, or never have been started.
            self._run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str | Path) -> None:
        # Output goes to a file: the server would keep a pipe open, and the call would never end.
        with (self._folder / "output").open("ab") as output:
            subprocess.run(
                [*self._prefix, self._programs / program, *arguments],
                cwd=self._folder,
                env={name: value for name, value in os.environ.items() if not name.startswith("PG")},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=True,
            )


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """Give the maintenance database of a PostgreSQL in which databases may be made."""
    if given := os.environ.get(VARIABLE):
        yield make_url(given).set(drivername="postgresql+psycopg")
        return
    programs = _programs()
    if programs is None:
        _do_without(f"PostgreSQL is not installed (no initdb) and {VARIABLE} is not set")
    cluster = Cluster(programs)
    try:
        yield cluster.start()
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def postgres_programs() -> Path:
    """Give the folder of PostgreSQL's programs, for clusters of a test's own."""
    programs = _programs()
    if programs is None:
        _do_without("PostgreSQL is not installed (no initdb)")
    return programs


@pytest.fixture(scope="module")
def postgres_url(postgres_server: URL) -> Iterator[str]:
    """Give the URL of a fresh, empty database, dropped after the module."""
    with _database(postgres_server) as url:
        yield url


@pytest.fixture
def own_postgres_url(postgres_server: URL) -> Iterator[str]:
    """Give the URL of a fresh, empty database, dropped after the test."""
    with _database(postgres_server) as url:
        yield url


@contextmanager
def _database(cluster: URL) -> Iterator[str]:
    name = f"passport_test_{uuid.uuid4().hex[:12]}"
    server = cluster.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            yield cluster.set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def _programs() -> Path | None:
    """Return the folder of the newest PostgreSQL's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _do_without(reason: str) -> NoReturn:
    """Skip where somebody works; fail where the result counts."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"{reason}, which CI requires", pytrace=False)
    pytest.skip(reason)
