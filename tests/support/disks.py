"""Disks that are small enough to be filled: in memory, where this user may mount, else by a limit of the process."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class Disk:
    """A file system in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Leave no room at all."""
        with self._filler.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                return

    def free(self) -> None:
        """Give the room back."""
        self._filler.unlink()

    def take_no_writes(self) -> None:
        """Be read-only, for as long as nobody has anything open to write."""
        subprocess.run(["mount", "-o", "remount,ro", str(self.folder)], check=True)

    def take_writes(self) -> None:
        """Be writable again."""
        subprocess.run(["mount", "-o", "remount,rw", str(self.folder)], check=True)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Disk]:
    """Mount a disk at a folder; skip the test where this user may not."""
    folder.mkdir(exist_ok=True)
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip(f"this user may not mount a file system: {made.stderr.strip() or os.geteuid()}")
    try:
        yield Disk(folder)
    finally:
        # Lazily, for processes that have yet to let go of it.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def takes_no_writes(*files: Path) -> Iterator[None]:
    """Let files take no writes though they are open; skip the test where their file system cannot do so."""
    names = [str(one) for one in files]
    made = subprocess.run(["chattr", "+i", *names], capture_output=True, text=True, check=False)
    try:
        if made.returncode != 0:
            pytest.skip(f"files cannot be frozen here: {made.stderr.strip()}")
        yield
    finally:
        subprocess.run(["chattr", "-i", *names], capture_output=True, check=made.returncode == 0)
