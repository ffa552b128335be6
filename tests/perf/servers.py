"""The processes that are measured: `passport-server serve` on either store as people run it, and the echo."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import URL

from perf.load import Target
from support.postgres import Cluster, _programs
from support.server_process import environment, passport_server

_HERE = Path(__file__).parent


class NotAvailable(Exception):
    """Something that a measurement needs is not on this machine."""


@dataclass(frozen=True, slots=True)
class Served:
    """A server in its own process, with its store."""

    target: Target
    store_url: str
    pid: int
    profile: Path | None = None


@contextmanager
def echo(answer: bytes, folder: Path) -> Iterator[Target]:
    """Serve the reference, which answers with these bytes."""
    path = folder / "answer.bin"
    path.write_bytes(answer)
    process = subprocess.Popen(
        [sys.executable, str(_HERE / "echo.py"), str(path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield Target("127.0.0.1", int(process.stdout.readline()))
    finally:
        process.kill()
        process.communicate()


@contextmanager
def passport(
    folder: Path, store_url: str, *, profile: bool = False, program: str = "", **more: str
) -> Iterator[Served]:
    """Make the store, and serve it as users do; the token is that of the first admin.

    `program` is a file here that serves in another way, `more` are settings as variables.
    """
    variables = {"PASSPORT_SERVER_STORE_URL": store_url, **more}
    made = passport_server(folder, "init", **variables)
    if made.returncode:
        raise NotAvailable(f"passport-server init: {made.stderr}")
    dumped = folder / "profile" if profile else None
    words = [str(_HERE / program)] if program else ["-m", "release_passport_server"]
    if profile:
        words = [str(_HERE / "profiled.py"), str(dumped)]
    # The log goes where a file takes it, as it does in production: a pipe would have to be read meanwhile.
    log = folder / "server.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, *words, "serve"],
            cwd=folder,
            env=environment(folder, **variables),
            stderr=out,
            stdout=out,
        )
    try:
        port = _serving_port(process, log)
        yield Served(Target("127.0.0.1", port, made.stdout.strip()), store_url, process.pid, dumped)
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def sqlite_url(folder: Path) -> str:
    """Return the URL of an embedded store in the folder."""
    return f"sqlite:///{folder / 'passport.db'}"


@contextmanager
def postgresql() -> Iterator[URL]:
    """Run a PostgreSQL with fsync and synchronous_commit on; give its maintenance database."""
    programs = _programs()
    if programs is None:
        raise NotAvailable("PostgreSQL is not installed (no initdb)")
    cluster = Cluster(programs)
    try:
        yield cluster.start().set(drivername="postgresql")
    finally:
        cluster.stop()


def new_database(server: URL) -> str:
    """Return the URL of a new, empty database; raise NotAvailable where it would lose what it acknowledged."""
    name = f"bench_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            found = connection.execute(f"SHOW {setting}".encode()).fetchone()
            if found != ("on",):
                raise NotAvailable(f"PostgreSQL's {setting} is {found}, and has to be on")
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return server.set(database=name).render_as_string(hide_password=False)


def look_at_tables(store_url: str) -> None:
    """Have PostgreSQL know its tables, as it does from a minute after the first rows on: until then its plans guess."""
    if not store_url.startswith("sqlite"):
        with psycopg.connect(
            store_url.replace("postgresql+psycopg", "postgresql"), autocommit=True
        ) as connection:
            connection.execute("ANALYZE")


def _serving_port(process: subprocess.Popen[bytes], log: Path) -> int:
    import json
    import time

    while process.poll() is None:
        for line in log.read_text().splitlines():
            if line.startswith("{") and line.endswith("}"):
                said = json.loads(line)
                if said["message"] == "serving":
                    return int(str(said["grpc"]).rpartition(":")[2])
        time.sleep(0.05)
    raise NotAvailable(f"the server ended with {process.returncode}: {log.read_text()[-2000:]}")
