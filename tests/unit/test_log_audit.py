"""An audit finds whatever was changed in rows, tiles, entries or checkpoints, and says where it begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from release_passport.log.audit import Fault, FaultCode, find_fault, find_fault_between, find_fork
from release_passport.log.checkpoint import Checkpoint
from support.logs import LogUnderTest, leaf

SIZE = 700


@pytest.fixture
def log(tmp_path: Path) -> LogUnderTest:
    made = LogUnderTest(tmp_path)
    made.grow(SIZE)
    return made


def fault(log: LogUnderTest) -> Fault | None:
    return find_fault(log.leaves.audit_rows(), log.read, log.checkpoint)


def said(found: Fault | None) -> tuple[int, FaultCode] | None:
    return None if found is None else (found.index, found.code)


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(bytes(content))


def test_a_sound_log_has_no_fault(log: LogUnderTest) -> None:
    assert fault(log) is None


def test_rows_that_are_not_in_the_tree_yet_are_no_fault(log: LogUnderTest) -> None:
    log.leaves.grow(5)
    assert fault(log) is None
    log.leaves.change(SIZE + 2, body=b"{}")
    assert said(fault(log)) == (SIZE + 2, FaultCode.ROW_ALTERED)


def test_a_purged_body_is_no_fault(log: LogUnderTest) -> None:
    log.leaves.change(300, body=None, salt=None)
    assert fault(log) is None


def swap(log: LogUnderTest) -> None:
    rows = log.leaves.rows
    rows[260], rows[270] = replace(rows[270], number=260), replace(rows[260], number=270)


TAMPERED: dict[str, tuple[Callable[[LogUnderTest], object], int, FaultCode]] = {
    "a body": (lambda log: log.leaves.change(260, body=b"{}"), 260, FaultCode.ROW_ALTERED),
    "a salt": (lambda log: log.leaves.change(260, salt=b"0" * 16), 260, FaultCode.ROW_ALTERED),
    "a body whose salt stays": (lambda log: log.leaves.change(260, body=None), 260, FaultCode.ROW_ALTERED),
    "a row with its leaf": (
        lambda log: log.leaves.rows.__setitem__(260, replace(leaf(9999), number=260)),
        260,
        FaultCode.LEAF_DIFFERS,
    ),
    "a leaf whose body was purged": (
        lambda log: log.leaves.change(260, leaf=b"0" * 32, body=None, salt=None),
        260,
        FaultCode.LEAF_DIFFERS,
    ),
    "two rows in each other's place": (swap, 260, FaultCode.LEAF_DIFFERS),
    "a row that was deleted": (lambda log: log.leaves.rows.pop(260), 260, FaultCode.ROW_MISSING),
    "the last rows cut off": (
        lambda log: log.leaves.rows.__delitem__(slice(690, None)),
        690,
        FaultCode.ROW_MISSING,
    ),
    "all rows gone": (lambda log: log.leaves.rows.clear(), 0, FaultCode.ROW_MISSING),
    "a hash in a whole tile": (
        lambda log: flip(log.folder / "tile/0/001", 10 * 32),
        266,
        FaultCode.LEAF_DIFFERS,
    ),
    "a hash in the last tile": (
        lambda log: flip(log.folder / "tile/0/002.p/188", 32),
        513,
        FaultCode.LEAF_DIFFERS,
    ),
    "a hash in a tile above": (
        lambda log: flip(log.folder / "tile/1/000.p/2", 32),
        256,
        FaultCode.TILE_ALTERED,
    ),
    "a tile that was cut": (
        lambda log: (log.folder / "tile/0/001").write_bytes(b"x"),
        256,
        FaultCode.TILE_ALTERED,
    ),
    "a tile that was deleted": (
        lambda log: (log.folder / "tile/0/001").unlink(),
        256,
        FaultCode.TILE_MISSING,
    ),
    "an entry": (lambda log: flip(log.folder / "tile/entries/001", 4 * 34 + 2), 260, FaultCode.ENTRY_DIFFERS),
    "entries that were cut": (
        lambda log: (log.folder / "tile/entries/001").write_bytes(b"\0"),
        256,
        FaultCode.ENTRY_DIFFERS,
    ),
    "entries that were deleted": (
        lambda log: (log.folder / "tile/entries/001").unlink(),
        256,
        FaultCode.TILE_MISSING,
    ),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_what_was_changed_is_found_where_it_begins(log: LogUnderTest, name: str) -> None:
    tamper, index, code = TAMPERED[name]
    tamper(log)
    assert said(fault(log)) == (index, code)


def test_a_row_and_its_tile_changed_together_do_not_fit_the_checkpoint(
    log: LogUnderTest, tmp_path: Path
) -> None:
    other = LogUnderTest(tmp_path / "other")
    other.leaves.grow(SIZE)
    other.leaves.rows[650] = replace(leaf(9999), number=650)
    other.grow(0)
    found = find_fault(other.leaves.audit_rows(), other.read, log.checkpoint)
    assert said(found) == (0, FaultCode.ROOT_DIFFERS)


def test_a_part_of_the_log_can_be_audited_alone(log: LogUnderTest) -> None:
    rows = log.leaves.audit_rows()
    assert find_fault_between(rows[256:400], log.read, log.checkpoint, first=256, end=400) is None
    altered = [*rows[256:300], replace(rows[300], body=b"{}"), *rows[301:400]]
    found = find_fault_between(altered, log.read, log.checkpoint, first=256, end=400)
    assert said(found) == (300, FaultCode.ROW_ALTERED)
    flip(log.folder / "tile/1/000.p/2", 0)
    found = find_fault_between(rows[256:400], log.read, log.checkpoint, first=256, end=400)
    assert said(found) == (0, FaultCode.ROOT_DIFFERS)


def test_a_part_begins_with_a_tile(log: LogUnderTest) -> None:
    with pytest.raises(ValueError, match="multiple of 256"):
        find_fault_between([], log.read, log.checkpoint, first=7, end=9)


def test_a_log_continues_the_checkpoints_that_were_held(log: LogUnderTest) -> None:
    held = log.checkpoint
    current = log.grow(100)
    assert find_fork(log.read, current, held) is None
    assert find_fork(log.read, current, current) is None


def test_a_log_that_was_rolled_back_is_found_by_a_held_checkpoint(log: LogUnderTest) -> None:
    assert said(find_fork(log.read, log.checkpoint, Checkpoint(log.checkpoint.origin, 701, b"0" * 32))) == (
        700,
        FaultCode.ROLLED_BACK,
    )


def test_a_log_that_was_forked_is_found_by_a_held_checkpoint(log: LogUnderTest) -> None:
    held = replace(log.checkpoint, root=b"0" * 32)
    assert said(find_fork(log.read, log.checkpoint, held)) == (0, FaultCode.FORKED)
    assert said(find_fork(log.read, log.grow(10), held)) == (0, FaultCode.FORKED)
