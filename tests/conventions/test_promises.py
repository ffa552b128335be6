"""The table of promises names tests that there are, and says each promise once."""

from __future__ import annotations

import ast
import re

import pytest

from support.tree import ROOT, parsed

TABLE = (ROOT / "tests" / "PROMISES.md").read_text(encoding="utf-8")
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split(" | "))
    for line in TABLE.splitlines()
    if line.startswith("| ") and not line.startswith("| promise |")
]
NAMED = re.compile(r"`([a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`")


def _tests(file: str) -> set[str]:
    return {
        node.name
        for node in ast.walk(parsed(ROOT / "tests" / file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_each_row_says_what_holds_and_names_its_tests() -> None:
    assert len(ROWS) > 50
    for row in ROWS:
        assert len(row) == 3, row
        _, holds, kept = row
        assert len(holds) > 20, row
        assert NAMED.sub("", kept).replace(",", "").strip() == "", row


def test_each_promise_is_made_once() -> None:
    titles = [title for title, _, _ in ROWS if title]
    assert len(titles) == len(set(titles))
    sentences = [holds for _, holds, _ in ROWS]
    assert len(sentences) == len(set(sentences))


@pytest.mark.parametrize("file", sorted({file for file, _ in NAMED.findall(TABLE)}))
def test_the_tests_that_keep_promises_exist(file: str) -> None:
    assert (ROOT / "tests" / file).is_file(), file
    missing = {name for one, name in NAMED.findall(TABLE) if one == file} - _tests(file)
    assert not missing
