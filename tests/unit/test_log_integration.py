"""The log grows out of the audit table: the same tree whatever the batches, whatever crashes, one writer at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from release_passport.log.merkle import ProofInvalid, leaf_hash, verify_consistency
from release_passport.log.note import NoteInvalid, VerifierKey
from release_passport.log.proof import verify_proof
from release_passport.log.tiles import CHECKPOINT, decode_bundle
from release_passport.log.tree import TileTree
from release_passport_server.adapters.tlog import folder as folder_module
from release_passport_server.adapters.tlog.anchor_file import AnchorFile
from release_passport_server.adapters.tlog.integrator import entries
from release_passport_server.domain.errors import Conflict, NotFound, Unavailable
from release_passport_server.domain.signing_key import KeyState, Purpose
from release_passport_server.ports.log import LogBroken, LogIdentity, Publication
from support.attesting import MemorySigner
from support.builders import NOW
from support.logs import LOG, LogUnderTest


@pytest.fixture
def log(tmp_path: Path) -> LogUnderTest:
    return LogUnderTest(tmp_path)


def tree_files(log: LogUnderTest) -> dict[str, bytes]:
    return {
        str(path.relative_to(log.folder)): path.read_bytes()
        for path in log.folder.rglob("*")
        if path.is_file() and "tile" in path.parts and not path.name.endswith(".new")
    }


def test_the_tree_is_the_same_whatever_the_batches(tmp_path: Path) -> None:
    one, other = LogUnderTest(tmp_path / "1"), LogUnderTest(tmp_path / "2")
    one.grow(700)
    other.grow(1, 254, 1, 1, 300, 143)
    assert one.checkpoint == other.checkpoint
    whole = {path: content for path, content in tree_files(one).items() if ".p/" not in path}
    assert whole.items() <= tree_files(other).items()


def test_every_older_checkpoint_is_continued(log: LogUnderTest) -> None:
    seen = [log.grow(count) for count in (1, 6, 249, 1, 300)]
    for older in seen:
        proof = log.proofs.consistency(LOG, older.size, seen[-1].size)
        verify_consistency(older.size, seen[-1].size, proof, older.root, seen[-1].root)


def test_a_proof_shows_one_entry_and_no_other(log: LogUnderTest) -> None:
    log.grow(300)
    [first, second] = entries(log.leaves.rows[7:9], 7)
    text = log.proofs.inclusion(LOG, 7)
    assert verify_proof(text, first, LOG.origin, log.keys) == (7, log.checkpoint)
    with pytest.raises(ProofInvalid, match="does not lead to the root"):
        verify_proof(text, second, LOG.origin, log.keys)
    with pytest.raises(ProofInvalid):
        verify_proof(text.replace("index 7", "index 8"), first, LOG.origin, log.keys)
    with pytest.raises(NoteInvalid, match="no known key"):
        verify_proof(text, first, LOG.origin, [VerifierKey(LOG.origin, b"\x01" * 32)])


def test_entry_bundles_hold_the_commitments(log: LogUnderTest) -> None:
    log.grow(300)
    bundle = log.read("tile/entries/000")
    assert bundle is not None
    assert [leaf_hash(one) for one in decode_bundle(bundle)] == [row.leaf for row in log.leaves.rows[:256]]


def test_partial_tiles_go_when_the_whole_one_is_there(log: LogUnderTest) -> None:
    log.grow(5, 250)
    assert any("000.p/" in path for path in tree_files(log))
    log.grow(2)
    assert [path for path in tree_files(log) if "000.p/" in path] == ["tile/1/000.p/1"]


def test_a_leaf_that_is_not_in_the_tree_yet_is_not_found(log: LogUnderTest) -> None:
    with pytest.raises(NotFound, match="no checkpoint yet"):
        log.proofs.checkpoint(LOG)
    log.grow(3)
    log.leaves.grow(1)
    with pytest.raises(NotFound, match="leaf 3 is not in the log"):
        log.proofs.inclusion(LOG, 3)


def test_a_log_after_a_restore_begins_at_its_own_leaf(log: LogUnderTest) -> None:
    log.grow(10)
    epoch = replace(LOG, origin=f"{LOG.origin}/2", first_leaf=4)
    assert log.integrator.integrate(epoch, 1, NOW) is not None
    index, checkpoint = verify_proof(
        log.proofs.inclusion(epoch, 4),
        entries(log.leaves.rows[4:5], 4)[0],
        epoch.origin,
        [VerifierKey(epoch.origin, key.public) for key in log.keys],
    )
    assert (index, checkpoint.size) == (0, 6)


class Crash(Exception):
    """The process is gone."""


def crashing_after(writes: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the process die after some files were put in place."""
    real, left = folder_module.put, writes

    def put(path: Path, content: bytes) -> None:
        nonlocal left
        if left == 0:
            raise Crash
        left -= 1
        real(path, content)

    monkeypatch.setattr(folder_module, "put", put)
    yield
    monkeypatch.setattr(folder_module, "put", real)


@pytest.mark.parametrize("writes", range(7))
def test_a_crash_between_tiles_and_checkpoint_loses_and_changes_nothing(
    log: LogUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    before = log.grow(250)
    crash = crashing_after(writes, monkeypatch)
    next(crash)
    log.leaves.grow(20)
    with pytest.raises(Crash):
        log.integrator.integrate(LOG, 1, NOW)
    next(crash, None)
    assert log.checkpoint == before
    assert TileTree(log.read, before.size).root() == before.root
    # What comes after the crash need not end where the interrupted batch would have ended.
    after = log.grow(3)
    sound = LogUnderTest(tmp_path / "sound")
    assert after.root == sound.grow(273).root
    assert tree_files(sound).items() <= tree_files(log).items()


def test_a_writer_with_an_older_token_is_fenced(log: LogUnderTest) -> None:
    log.grow(5, token=7)
    log.leaves.grow(1)
    with pytest.raises(Conflict, match="token 7") as refused:
        log.integrator.integrate(LOG, 6, NOW)
    assert refused.value.reason == "LOG_FENCED"
    assert log.checkpoint.size == 5
    assert log.grow(0, token=8).size == 6


def test_of_two_writers_that_read_the_same_checkpoint_one_publishes(log: LogUnderTest) -> None:
    log.grow(5)
    log.leaves.grow(3)
    slow = log.integrator

    class Overtaken(type(log.tiles)):  # type: ignore[misc]
        def publish(self, log_: LogIdentity, content: dict[str, bytes], change: Publication) -> None:
            log.grow(0)
            super().publish(log_, content, change)

    with pytest.raises(Conflict, match="8 leaves, not the 5"):
        replace(slow, store=Overtaken(log.folder.parent)).integrate(LOG, 1, NOW)
    assert log.checkpoint.size == 8


def test_without_a_key_nothing_is_published(log: LogUnderTest) -> None:
    before = log.grow(5)
    log.leaves.grow(1)
    log.signer.fail = True
    with pytest.raises(Unavailable):
        log.integrator.integrate(LOG, 1, NOW)
    assert log.checkpoint == before


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"body": b"{}"}, "body of leaf 6 is not"),
        ({"salt": b"0" * 16}, "body of leaf 6 is not"),
        ({"leaf": b"0" * 32}, "body of leaf 6 is not"),
        ({"number": 9}, "leaf 6 is missing"),
        ({"body": None, "salt": None}, "leaf 6 was purged"),
    ],
)
def test_a_leaf_that_does_not_fit_its_row_is_never_signed(
    log: LogUnderTest, change: dict[str, object], text: str
) -> None:
    before = log.grow(5)
    log.leaves.grow(3)
    log.leaves.change(6, **change)
    with pytest.raises(LogBroken, match=text):
        log.integrator.integrate(LOG, 1, NOW)
    assert log.checkpoint == before


def test_nothing_is_built_on_a_tile_that_was_changed(log: LogUnderTest) -> None:
    log.grow(5)
    path = log.folder / "tile" / "0" / "000.p" / "5"
    path.write_bytes(b"\0" + path.read_bytes()[1:])
    log.leaves.grow(1)
    with pytest.raises(LogBroken, match="do not lead to the root"):
        log.integrator.integrate(LOG, 1, NOW)


def test_nothing_is_built_on_a_checkpoint_that_was_changed(log: LogUnderTest) -> None:
    log.grow(5)
    path = log.folder / CHECKPOINT
    path.write_text(path.read_text().replace("\n5\n", "\n4\n"))
    with pytest.raises(LogBroken, match="does not fit the text"):
        log.integrator.integrate(LOG, 1, NOW)


def test_a_store_that_was_rolled_back_signs_no_fork(log: LogUnderTest) -> None:
    log.grow(5)
    old = (log.folder / CHECKPOINT).read_bytes()
    log.grow(3)
    (log.folder / CHECKPOINT).write_bytes(old)
    with pytest.raises(LogBroken, match="restored or rolled back"):
        log.integrator.integrate(LOG, 2, NOW)


def test_two_roots_of_one_size_stop_the_log(log: LogUnderTest, tmp_path: Path) -> None:
    log.grow(5)
    other = LogUnderTest(tmp_path / "other")
    other.signer = log.signer
    other.leaves.grow(1)
    other.leaves.rows *= 5
    other.leaves.rows = [replace(row, number=n) for n, row in enumerate(other.leaves.rows)]
    other.grow(0)
    log.anchor.anchor(LOG.origin, (other.folder / CHECKPOINT).read_bytes(), NOW)
    with pytest.raises(LogBroken, match="different roots"):
        log.integrator.integrate(LOG, 1, NOW)


def test_an_anchor_that_a_crash_left_behind_catches_up(log: LogUnderTest, tmp_path: Path) -> None:
    log.grow(5)
    fresh = AnchorFile(tmp_path / "fresh")
    replace(log.integrator, anchor=fresh).integrate(LOG, 1, NOW)
    highest = fresh.highest(LOG.origin)
    assert highest is not None
    assert highest.note == (log.folder / CHECKPOINT).read_bytes()


def test_the_anchors_keep_one_an_hour_and_the_highest(tmp_path: Path) -> None:
    anchor = AnchorFile(tmp_path)
    for minutes in (0, 10, 59, 61, 70):
        anchor.anchor("log", b"checkpoint %d" % minutes, NOW + timedelta(minutes=minutes))
    assert [one.note for one in anchor.anchored("log")] == [
        b"checkpoint 0",
        b"checkpoint 61",
        b"checkpoint 70",
    ]
    assert anchor.highest("other") is None


def test_a_line_that_a_crash_cut_is_passed_over_and_replaced(tmp_path: Path) -> None:
    anchor = AnchorFile(tmp_path)
    anchor.anchor("log", b"one", NOW)
    with (tmp_path / "log.history.jsonl").open("ab") as file:
        file.write(b'{"time":"20')
    anchor.anchor("log", b"two", NOW + timedelta(hours=2))
    assert [one.note for one in anchor.anchored("log")] == [b"one", b"two"]


def test_an_anchor_that_cannot_be_read_stops_the_log(log: LogUnderTest) -> None:
    log.grow(5)
    next((log.folder.parents[1] / "anchors").glob("*.highest.jsonl")).write_text("{}\n")
    with pytest.raises(LogBroken, match="restore it from a copy"):
        log.integrator.integrate(LOG, 1, NOW)


def test_after_a_rotation_the_log_goes_on_with_the_new_key(log: LogUnderTest) -> None:
    log.grow(5)
    new = MemorySigner()
    old = [replace(key, state=KeyState.RETIRED) for key in log.signer.known if key.purpose is Purpose.LOG]
    new.known += old
    log.signer = new
    assert log.grow(1).size == 6
    assert len(log.keys) == 2


def test_a_stolen_key_no_longer_counts_outside_but_the_log_goes_on(log: LogUnderTest) -> None:
    log.grow(5)
    new = MemorySigner()
    stolen = [
        replace(key, state=KeyState.COMPROMISED) for key in log.signer.known if key.purpose is Purpose.LOG
    ]
    new.known += stolen
    log.signer = new
    assert log.grow(1).size == 6
    assert len(log.keys) == 1


@pytest.mark.parametrize("origin", ["..", ".", "", "with space", "a+b"])
def test_an_origin_that_is_no_name_is_no_folder(log: LogUnderTest, origin: str) -> None:
    with pytest.raises(ValueError, match="name without spaces"):
        log.tiles.read(replace(LOG, origin=origin), CHECKPOINT)


def test_what_ends_now_is_shown_by_the_checkpoint_that_is_kept(log: LogUnderTest) -> None:
    log.grow(3)
    log.grow(2)
    before = log.anchor.anchored(LOG.origin)
    log.anchor.keep()
    log.anchor.keep()
    assert log.anchor.anchored(LOG.origin) == before
    log.grow(4)
    assert log.anchor.anchored(LOG.origin)[: len(before)] == before
