"""Whatever is stored and is changed, deleted, swapped or cut behind the server's back is found, and named."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from release_passport.bundle.form import encoded
from release_passport.v1 import permit_service_pb2 as permits
from release_passport.v1 import release_service_pb2 as releases
from release_passport_server.adapters.sqlite.backup import back_up
from release_passport_server.adapters.tlog.anchor_file import AnchorFile
from release_passport_server.adapters.tlog.restores import Restores
from release_passport_server.ports.log import LogBroken
from support.calls import Caller
from support.cli_process import Shell
from support.server import RealServer, real_server
from support.story import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")
NAME = "release-passport.invalid"
ORIGIN = f"{NAME}/default"
TARGET = "ci/deploy"
Tamper = Callable[[sqlite3.Connection], object]


@dataclass
class Stored:
    """A server whose store holds something of everything."""

    server: RealServer
    folder: Path
    # Where in the log the decisions are, and what they are called; a permit of the last one was redeemed.
    leaves: list[int]
    names: list[str]
    permit: bytes

    @property
    def shell(self) -> Shell:
        return Shell(self.folder, f"127.0.0.1:{self.server.process.grpc_port}", self.server.token)

    async def log(self) -> None:
        """Bring the log up to date."""
        assert self.server.process.application.log is not None
        await self.server.process.application.log.sweep()

    async def audited(self, *words: str, expect: int = 0) -> Any:
        """Return what an audit says of the store as it is."""
        line = ("audit", "verify", "--decisions", "-o", "json", *words)
        done = await asyncio.to_thread(self.shell, *line, expect=expect)
        return json.loads(done.stdout) if done.stdout else done.stderr

    @contextmanager
    def changed(self, tamper: Tamper) -> Iterator[None]:
        """Change the tables for a while; what was there comes back."""
        with (
            closing(sqlite3.connect(self.folder / "passport.db")) as connection,
            closing(sqlite3.connect(":memory:")) as saved,
        ):
            connection.backup(saved)
            with connection:
                tamper(connection)
            try:
                yield
            finally:
                saved.backup(connection)


def sql(*statements: str) -> Tamper:
    def tamper(connection: sqlite3.Connection) -> None:
        for statement in statements:
            # A change that changes nothing would be found by nobody.
            assert connection.execute(statement).rowcount > 0

    return tamper


def edited(table: str, column: str, change: Callable[[bytes], bytes], condition: str = "1") -> Tamper:
    """Change what rows hold."""

    def tamper(connection: sqlite3.Connection) -> None:
        query = f"SELECT rowid, {column} FROM {table} WHERE {condition}"
        for row, content in connection.execute(query).fetchall():
            changed = change(content)
            assert changed != content
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (changed, row))

    return tamper


def flipped(content: bytes) -> bytes:
    """Flip one bit in the middle."""
    place = len(content) // 2
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def cut(content: bytes) -> bytes:
    """Leave the second half out."""
    return content[: len(content) // 2]


def swapped(table: str, key: str, columns: tuple[str, ...], condition: str = "1") -> Tamper:
    """Put what two rows hold into each other's place."""

    def tamper(connection: sqlite3.Connection) -> None:
        listed = ", ".join((key, *columns))
        query = f"SELECT {listed} FROM {table} WHERE {condition} ORDER BY {key} LIMIT 2"
        first, second = connection.execute(query).fetchall()
        setting = ", ".join(f"{column} = ?" for column in columns)
        update = f"UPDATE {table} SET {setting} WHERE {key} = ?"
        connection.execute(update, (*second[1:], first[0]))
        connection.execute(update, (*first[1:], second[0]))

    return tamper


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stored(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stored]:
    folder = tmp_path_factory.mktemp("tampered")
    async with real_server(folder, worker={"enabled": False}) as server:
        story = Story(server)
        await story.begin()
        names = [(await story.decided("1.0.0", unpinned)).name for unpinned in (3, 0, 3)]
        answer = await story.evaluate("1.0.0", 0, target=TARGET)
        names.append(answer.decision.name)
        request = permits.RedeemPermitRequest(permit=answer.permit, target=TARGET)
        await Caller(server, server.token)("RedeemPermit", request)
        made = Stored(server, folder, [], names, answer.permit)
        await made.log()
        with closing(sqlite3.connect(folder / "passport.db")) as connection:
            query = (
                "SELECT leaf_index FROM audit WHERE tenant = 'default' AND subject = ? ORDER BY leaf_index"
            )
            made.leaves = [connection.execute(query, (name,)).fetchone()[0] for name in names]
        assert (await made.audited())["sound"]
        yield made


OURS = "tenant = 'default'"
TILE = f"{OURS} AND path LIKE 'tile/0/%'"
ENTRIES = f"{OURS} AND path LIKE 'tile/entries/%'"
ROWS = ("body", "salt", "leaf")
NEWEST = "revision = (SELECT max(revision) FROM decisions)"
# What somebody does, the first leaf that is wrong then, d0 to d3 being those of the decisions, and what is said of it.
FOUND: dict[str, tuple[Tamper, int | str, str]] = {
    "audit row, altered": (edited("audit", "body", flipped, f"{OURS} AND leaf_index = 4"), 4, "ROW_ALTERED"),
    "audit row, cut": (edited("audit", "body", cut, f"{OURS} AND leaf_index = 4"), 4, "ROW_ALTERED"),
    "audit row, deleted": (sql(f"DELETE FROM audit WHERE {OURS} AND leaf_index = 5"), 5, "ROW_MISSING"),
    "audit rows, swapped": (
        swapped("audit", "leaf_index", ROWS, f"{OURS} AND leaf_index IN (3, 6)"),
        3,
        "LEAF_DIFFERS",
    ),
    "audit rows, cut off": (sql(f"DELETE FROM audit WHERE {OURS} AND leaf_index >= 6"), 6, "ROW_MISSING"),
    "decision, altered": (edited("decisions", "body", flipped), "d0", "RECORD_ALTERED"),
    "decision, cut": (edited("decisions", "body", cut), "d0", "RECORD_ALTERED"),
    "decision, deleted": (sql(f"DELETE FROM decisions WHERE {NEWEST}"), "d3", "RECORD_MISSING"),
    "decisions, swapped": (swapped("decisions", "revision", ("body", "case_body")), "d0", "RECORD_ALTERED"),
    "case, altered": (edited("decisions", "case_body", flipped), "d0", "RECORD_ALTERED"),
    "envelope, altered": (edited("decisions", "envelope", flipped, NEWEST), "d3", "RECORD_ALTERED"),
    "envelope, cut": (edited("decisions", "envelope", cut), "d0", "RECORD_ALTERED"),
    "envelope, deleted": (sql("UPDATE decisions SET envelope = NULL"), "d0", "RECORD_ALTERED"),
    "envelopes, swapped": (swapped("decisions", "revision", ("envelope",)), "d0", "RECORD_ALTERED"),
    "evidence, altered": (edited("bodies", "body", flipped), "d0", "RECORD_ALTERED"),
    "evidence, cut": (edited("bodies", "body", cut), "d0", "RECORD_ALTERED"),
    "evidence, swapped": (swapped("bodies", "digest", ("body",)), "", "RECORD_ALTERED"),
    "evidence, deleted": (sql("DELETE FROM bodies"), "d0", "RECORD_MISSING"),
    "tile, altered": (edited("log_tiles", "content", flipped, TILE), "", "LEAF_DIFFERS"),
    "tile, cut": (edited("log_tiles", "content", cut, TILE), 0, "TILE_ALTERED"),
    "tile, deleted": (sql(f"DELETE FROM log_tiles WHERE {TILE}"), 0, "TILE_MISSING"),
    "entries, altered": (edited("log_tiles", "content", flipped, ENTRIES), "", "ENTRY_DIFFERS"),
    "entries, cut": (edited("log_tiles", "content", cut, ENTRIES), 0, "ENTRY_DIFFERS"),
    "entries, deleted": (sql(f"DELETE FROM log_tiles WHERE {ENTRIES}"), 0, "TILE_MISSING"),
    "tiles, swapped": (swapped("log_tiles", "path", ("content",), OURS), 0, "TILE_ALTERED"),
}


@pytest.mark.parametrize("what", FOUND)
async def test_what_was_changed_in_a_table_is_named_by_its_leaf(stored: Stored, what: str) -> None:
    tamper, index, code = FOUND[what]
    with stored.changed(tamper):
        said = await stored.audited(expect=1)
    assert said["code"] == code, said
    if index != "":
        assert said["index"] == (index if isinstance(index, int) else stored.leaves[int(index[1:])]), said


CHECKPOINTS: dict[str, tuple[Tamper, str]] = {
    "altered": (edited("log_heads", "checkpoint", flipped, OURS), "the log is broken"),
    "cut": (edited("log_heads", "checkpoint", cut, OURS), "the log is broken"),
    "deleted": (sql(f"DELETE FROM log_heads WHERE {OURS}"), "no checkpoint yet"),
    "swapped": (swapped("log_heads", "tenant", ("checkpoint",)), "the log is broken"),
}


@pytest.mark.parametrize("what", CHECKPOINTS)
async def test_a_checkpoint_that_was_changed_is_said_to_be_no_good(stored: Stored, what: str) -> None:
    tamper, part = CHECKPOINTS[what]
    with stored.changed(tamper):
        done = await asyncio.to_thread(stored.shell, "audit", "verify", expect=None)
    assert done.returncode not in (0, None)
    assert part in done.stderr


def restores(stored: Stored) -> Restores:
    """Return what is asked when a server starts."""
    application = stored.server.process.application
    assert application.audit is not None
    anchor = AnchorFile(stored.folder / "anchor")
    return Restores(stored.server.store.log, application.audit.signer, anchor, NAME)


ANCHORS: dict[str, tuple[Callable[[Path], object], str]] = {
    "altered": (lambda path: path.write_bytes(flipped(path.read_bytes())), ""),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:40]), "NOT_ANCHORED"),
    "deleted": (lambda path: path.unlink(), "NOT_ANCHORED"),
    "swapped": (
        lambda path: path.write_bytes(next(path.parent.glob("*platform*.highest.jsonl")).read_bytes()),
        "",
    ),
}


@pytest.mark.parametrize("what", ANCHORS)
async def test_an_anchor_that_was_changed_keeps_the_server_from_starting(stored: Stored, what: str) -> None:
    tamper, kind = ANCHORS[what]
    path = stored.folder / "anchor" / f"{ORIGIN.replace('/', '%2F')}.highest.jsonl"
    before = path.read_bytes()
    assert restores(stored).setbacks() == ()
    tamper(path)
    try:
        if kind:
            [found] = restores(stored).setbacks()
            assert (found.kind.value, found.origin) == (kind, ORIGIN)
        else:
            with pytest.raises(LogBroken, match="default"):
                restores(stored).setbacks()
    finally:
        path.write_bytes(before)


async def test_an_older_copy_of_the_store_is_found_by_the_auditor_and_at_start(
    stored: Stored, tmp_path: Path
) -> None:
    copy, shell = tmp_path / "copy.db", stored.shell
    back_up(stored.folder / "passport.db", copy)
    await Story(stored.server).decided("1.0.1", 0)
    await stored.log()
    await asyncio.to_thread(shell, "audit", "verify", "--checkpoint", "held")

    def older(connection: sqlite3.Connection) -> None:
        with closing(sqlite3.connect(copy)) as before:
            before.backup(connection)

    size = int((stored.folder / "held").read_text().splitlines()[1])
    with stored.changed(older):
        said = await stored.audited("--checkpoint", "held", expect=1)
        assert (said["code"], said["index"]) == ("ROLLED_BACK", said["size"])
        assert said["size"] < size
        [found] = restores(stored).setbacks()
        assert (found.kind.value, found.origin, found.anchored_size) == ("BEHIND", ORIGIN, size)
    assert restores(stored).setbacks() == ()


BUNDLED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "body": (lambda d: d["decisions"][1]["entry"].update(body="{}"), "LEAF_DIFFERS"),
    "salt": (lambda d: d["decisions"][1]["entry"].update(salt="AAAA"), "LEAF_DIFFERS"),
    "proof": (
        lambda d: d["decisions"][1]["entry"].update(
            proof=d["decisions"][1]["entry"]["proof"].replace("\n", "\nAAAA\n", 2)
        ),
        "ENTRY_DIFFERS",
    ),
}


async def exported(stored: Stored) -> dict[str, Any]:
    assert stored.server.process.application.audit is not None
    keys = stored.server.process.application.audit.key_set()
    (stored.folder / "keys.json").write_text(json.dumps(keys), encoding="utf-8")
    name = stored.names[0].partition("/decisions/")[0]
    request = releases.ExportPassportRequest(name=name)
    answer = await Caller(stored.server, stored.server.token)("ExportPassport", request)
    document: dict[str, Any] = json.loads(answer.bundle)
    return document


async def audited_offline(stored: Stored, document: dict[str, Any], *words: str, expect: int = 0) -> Any:
    """Return what is said of a passport where there is no server."""
    (stored.folder / "passport.json").write_bytes(encoded(document))
    alone = replace(stored.shell, server="", token="")
    line = ("audit", "verify", "--bundle", "passport.json", "--key-set", "keys.json", "-o", "json", *words)
    done = await asyncio.to_thread(alone, *line, expect=expect)
    return json.loads(done.stdout) if done.stdout else done.stderr


async def test_the_log_of_a_passport_is_audited_without_a_server(stored: Stored) -> None:
    document = await exported(stored)
    said = await audited_offline(stored, document)
    assert (said["sound"], said["entries"], said["log"]) == (True, 4, ORIGIN)
    assert (await audited_offline(stored, document, "--to", str(stored.leaves[1])))["entries"] == 1
    (stored.folder / "own").write_text(document["log"]["checkpoint"], encoding="utf-8")
    assert (await audited_offline(stored, document, "--checkpoint", "own"))["sound"]
    forked = document["log"]["checkpoint"].splitlines()
    forked[2] = "A" * 43 + "="
    (stored.folder / "own").write_text("\n".join(forked) + "\n", encoding="utf-8")
    assert (await audited_offline(stored, document, "--checkpoint", "own", expect=1))["code"] == "FORKED"
    forked[1] = "1"
    (stored.folder / "own").write_text("\n".join(forked) + "\n", encoding="utf-8")
    assert (await audited_offline(stored, document, "--checkpoint", "own", expect=1))["code"] == "NOT_SHOWN"
    unsigned = document | {"log": document["log"] | {"checkpoint": "x\n1\n" + "A" * 43 + "=\n\n"}}
    assert "passport.json" in await audited_offline(stored, unsigned, expect=1)


@pytest.mark.parametrize("what", BUNDLED)
async def test_a_changed_entry_of_a_passport_is_named_by_its_leaf(stored: Stored, what: str) -> None:
    document, (tamper, code) = await exported(stored), BUNDLED[what]
    leaf = int(document["decisions"][1]["entry"]["proof"].split("\n")[1].removeprefix("index "))
    tamper(document)
    said = await audited_offline(stored, document, expect=1)
    assert said["code"] == code
    assert said["index"] == (leaf if code == "LEAF_DIFFERS" else 0)


async def test_a_permit_whose_use_was_wiped_out_is_named_when_it_is_used_again(stored: Stored) -> None:
    request = permits.RedeemPermitRequest(permit=stored.permit, target=TARGET)
    admin = Caller(stored.server, stored.server.token)
    assert (await admin.refused("RedeemPermit", request)).reason == "PERMIT_REDEEMED"
    with closing(sqlite3.connect(stored.folder / "passport.db")) as connection, connection:
        connection.execute("DELETE FROM permits")
    await admin("RedeemPermit", request)
    await stored.log()
    said = await stored.audited(expect=1)
    assert (said["code"], said["index"]) == ("PERMIT_USED_TWICE", said["size"] - 1)
