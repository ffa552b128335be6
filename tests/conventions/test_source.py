"""The code keeps the rules that keep it readable and the engine pure."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.tree import CLIENT, ROOT, SERVER, own_files, parsed, python_files, where

LONGEST_FILE = 400
CLOCK = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
ENVIRONMENT = {"os.environ", "os.environb", "os.getenv", "os.putenv"}
# The brackets keep these patterns from finding themselves.
NOTES = re.compile(r"\b([T]ODO|[F]IXME|[X]XX)\b")
MACHINE = re.compile(
    r"[/]root/|[/]home/[a-z]+/|[/]Users/[a-z]+/|[p]ypi\.org/simple|[f]iles\.pythonhosted|"
    rf"--(extra-)?[i]ndex-url[ =]|--[f]ind-links[ =]|{re.escape(str(ROOT))}\b"
)


def names_used(path: Path) -> Iterator[tuple[int, str]]:
    """Yield each dotted name that a file uses, with `from x import y` read as `x.y`."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Attribute):
            yield node.lineno, ".".join(ast.unparse(node).split(".")[-2:])
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{name.name}") for name in node.names)


def uses(names: set[str], *, below: Path, allowed: tuple[Path, ...]) -> list[str]:
    """Return where any of the names is used outside the allowed files and folders."""
    return [
        f"{where(path, line)}: {name}"
        for path in python_files(below)
        if not any(path.is_relative_to(place) for place in allowed)
        for line, name in names_used(path)
        if name in names
    ]


def matches(pattern: re.Pattern[str], paths: Iterator[Path]) -> list[str]:
    """Return the places whose line matches."""
    found = []
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        found += [
            f"{where(path, n)}: {text.strip()}" for n, text in enumerate(lines, 1) if pattern.search(text)
        ]
    return found


def test_no_file_is_longer_than_people_read() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    assert [where(path, n) for path, n in lengths.items() if n >= LONGEST_FILE] == []


def test_only_the_system_adapter_reads_the_clock() -> None:
    assert uses(CLOCK, below=SERVER, allowed=(SERVER / "adapters" / "system",)) == []


def test_only_the_settings_read_the_environment() -> None:
    assert uses(ENVIRONMENT, below=SERVER, allowed=(SERVER / "config.py",)) == []


def test_the_client_library_reads_neither_the_clock_nor_the_environment() -> None:
    assert uses(CLOCK | ENVIRONMENT, below=CLIENT, allowed=(CLIENT / "cli",)) == []


def test_the_domain_imports_the_standard_library_only() -> None:
    allowed = sys.stdlib_module_names | {"release_passport_server"}
    imported = [
        (path, node.lineno, name)
        for path in python_files(SERVER / "domain")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    ]
    foreign = [
        f"{where(path, line)}: {name}" for path, line, name in imported if name.split(".")[0] not in allowed
    ]
    assert imported
    assert foreign == []


def test_no_note_for_later_is_left_behind() -> None:
    assert matches(NOTES, iter(own_files())) == []


def test_no_path_of_a_machine_and_no_address_of_an_index_is_kept() -> None:
    assert matches(MACHINE, iter(own_files())) == []


@pytest.mark.parametrize("package", ["domain", "ports", "services", "wire", "transport", "adapters"])
def test_each_layer_is_there_to_be_checked(package: str) -> None:
    assert python_files(SERVER / package)
