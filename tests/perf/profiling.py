"""Where the time of a server goes, layer by layer: from samples of py-spy or from profiles of cProfile."""

from __future__ import annotations

import pstats
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

# The first pattern that a file's path contains says which layer it is.
_LAYERS = (
    ("release_passport_server/transport/grpc/dispatcher", "dispatcher"),
    ("release_passport_server/transport/metrics", "dispatcher"),
    ("release_passport_server/logs", "log"),
    ("/logging/", "log"),
    ("release_passport_server/transport", "transport"),
    ("release_passport_server/wire", "wire"),
    ("release_passport_server/adapters/sql", "store"),
    ("release_passport_server/adapters/cel", "CEL"),
    ("release_passport_server/adapters/casbin", "access"),
    ("casbin/", "access"),
    ("release_passport_server/services/access", "access"),
    ("release_passport_server/services/authenticate", "access"),
    ("release_passport_server/adapters/dsse", "attestations"),
    ("cryptography/", "attestations"),
    ("release_passport_server/adapters", "other adapters"),
    ("release_passport_server/domain/canonical", "canonical"),
    ("release_passport_server/domain/outcome", "canonical"),
    ("release_passport_server/domain/trace", "canonical"),
    ("release_passport_server/domain", "decide"),
    ("release_passport_server/services", "services"),
    ("sqlalchemy/", "SQLAlchemy"),
    ("psycopg", "driver"),
    ("sqlite3", "driver"),
    ("cel_expr_python", "CEL"),
    ("grpc/", "gRPC"),
    ("google/protobuf", "protobuf"),
    ("prometheus_client", "dispatcher"),
    ("/asyncio/", "asyncio"),
    ("threading.py", "asyncio"),
    ("json/", "JSON"),
)
# What has no file of its own counts for the layer that calls it, but for these.
_BUILT_IN = (("sqlite3", "driver"), ("psycopg", "driver"), ("cel_expr", "CEL"), ("grpc", "gRPC"))
# Waiting is no work.
_WAITS = ("of 'select.epoll' objects", "of '_queue.SimpleQueue' objects", "of '_thread.lock' objects")
_IDLE = ("_worker (concurrent", "EpollSelector.select", "Thread.run (threading", "wait (threading")
_LINE = re.compile(r":\d+\)$")
TOP = 25


def layer_of(path: str) -> str:
    """Return the layer that a file belongs to; empty for what is no file of ours or of a library that we name."""
    return next((layer for pattern, layer in _LAYERS if pattern in path), "")


@contextmanager
def sampled(pid: int, out: Path) -> Iterator[None]:
    """Sample a process with py-spy meanwhile, if it is installed."""
    program = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")
    if program is None:
        raise FileNotFoundError("py-spy is not installed")
    command = [program, "record", "--pid", str(pid), "--rate", "200", "--threads"]
    command += ["--format", "raw", "--output", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    time.sleep(1.5)
    try:
        yield
    finally:
        process.send_signal(2)
        _, said = process.communicate(timeout=60)
        if not out.exists():
            raise RuntimeError(f"py-spy found nothing: {said[-500:]}")


def samples_by_layer(raw: Path) -> str:
    """Return a table of the layers in samples, and the functions that most samples are in."""
    layers: Counter[tuple[str, str]] = Counter()
    functions: Counter[str] = Counter()
    inside: Counter[str] = Counter()
    for line in raw.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        frames = [_LINE.sub(")", frame) for frame in stack.split(";")]
        if frames[-1].startswith(_IDLE):
            continue
        thread = "writer" if "passport-writer" in frames[0] else "loop" if "MainThread" in stack else "other"
        found = next((layer for frame in reversed(frames) if (layer := layer_of(frame))), "else")
        layers[thread, found] += int(count)
        functions[frames[-1]] += int(count)
        for frame in {frame for frame in frames if "release_passport_server" in frame}:
            inside[frame] += int(count)
    total = max(1, sum(layers.values()))
    tops = (_top("in it or below it", inside, total), _top("in it", functions, total))
    return "\n".join([_table(layers), *tops])


def profiles_by_layer(folder: Path) -> str:
    """Return a table of the layers in profiles, and the functions that take most."""
    layers: Counter[tuple[str, str]] = Counter()
    text = ""
    for path in sorted(folder.glob("*.pstats")):
        stats = cast("dict[Any, Any]", pstats.Stats(str(path)).stats)  # type: ignore[attr-defined]
        own: Counter[str] = Counter()
        for (file, line, name), (_, calls, spent, _, callers) in stats.items():
            if any(wait in name for wait in _WAITS):
                continue
            where = f"{_short(file)}:{line} {name} ({calls:,} calls)"
            own[where] += round(spent * 1e3)
            if layer := layer_of(file) or _built_in(name):
                layers[path.stem, layer] += round(spent * 1e3)
                continue
            for (caller, _, _), (_, _, part, _) in callers.items():
                layers[path.stem, layer_of(caller) or "else"] += round(part * 1e3)
        text += "\n" + _top(f"{path.stem}, ms in it", own, max(1, sum(own.values())))
    return _table(layers) + text


def _built_in(name: str) -> str:
    return next((layer for pattern, layer in _BUILT_IN if pattern in name), "")


def _short(path: str) -> str:
    return "/".join(path.split("/")[-3:])


def _table(layers: Counter[tuple[str, str]]) -> str:
    total = sum(layers.values()) or 1
    lines = [f"{'thread':8} {'layer':16} share"]
    lines += [
        f"{thread:8} {layer:16} {count / total:5.1%}" for (thread, layer), count in layers.most_common()
    ]
    return "\n".join(lines)


def _top(title: str, functions: Counter[str], total: int) -> str:
    lines = [f"-- {title}"]
    lines += [f"{count:8} {count / total:6.1%}  {name}" for name, count in functions.most_common(TOP)]
    return "\n".join(lines)
