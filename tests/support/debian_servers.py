"""Servers of Debian packages, each as a process of its own: skipped by name where one is missing, failed in CI."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

_PATIENCE = 30.0


@contextmanager
def debian_server(package: str, folder: Path, arguments: Callable[[str], Sequence[str]]) -> Iterator[str]:
    """Run the program of a package on a free address, which its arguments are made of; give its URL."""
    program = shutil.which(package)
    if program is None:
        reason = f"{package} is not installed (Debian package {package})"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(f"{reason}, which CI requires", pytrace=False)
        pytest.skip(reason)
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    log = folder / f"{package}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [program, *arguments(address)], stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd=folder
        )
    try:
        _await_listening(process, address, log)
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def prometheus(folder: Path, target: str, rules: Path | None = None) -> Iterator[str]:
    """Run a Prometheus that scrapes one target (`host:port`) each second, with a file of rules; give its URL."""
    config = folder / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
        f"scrape_configs: [{{job_name: shop, static_configs: [{{targets: ['{target}']}}]}}]\n"
        f"rule_files: {[str(rules)] if rules else []}\n"
    )

    def arguments(address: str) -> Sequence[str]:
        return (
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address={address}",
        )

    with debian_server("prometheus", folder, arguments) as url:
        yield url


@contextmanager
def alertmanager(folder: Path) -> Iterator[str]:
    """Run an Alertmanager that tells nobody; give its URL."""
    config = folder / "alertmanager.yml"
    config.write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")

    def arguments(address: str) -> Sequence[str]:
        return (
            f"--config.file={config}",
            f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address={address}",
            "--cluster.listen-address=",
        )

    with debian_server("prometheus-alertmanager", folder, arguments) as url:
        yield url


def _await_listening(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    host, _, port = address.rpartition(":")
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    process.kill()
    raise RuntimeError(f"{log.stem} does not start: {log.read_text()[-2000:]}")
