"""The log in the database: what the audit table holds becomes a tree, on both engines, by one writer at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from release_passport.log.audit import AuditRow, FaultCode, find_fault
from release_passport.log.checkpoint import Checkpoint
from release_passport.log.proof import verify_proof
from release_passport.log.tiles import CHECKPOINT
from release_passport_server.adapters.sql.engine import DatabaseTimeouts, open_engine
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.adapters.sql.tables import audit
from release_passport_server.adapters.tlog.anchor_file import AnchorFile
from release_passport_server.adapters.tlog.checkpoints import Checkpoints
from release_passport_server.adapters.tlog.folder import TileFolder
from release_passport_server.adapters.tlog.integrator import Integrator, entries
from release_passport_server.adapters.tlog.log_names import LogNames
from release_passport_server.adapters.tlog.proofs import LogProofs
from release_passport_server.adapters.tlog.restores import Restores
from release_passport_server.domain.errors import Conflict
from release_passport_server.domain.record import AuditEntry
from release_passport_server.ports.log import LogIdentity, LogLeaf, Publication, SetbackKind, TileStore
from release_passport_server.ports.store import Transaction
from support.attesting import MemorySigner
from support.builders import NOW
from support.logs import Leaves
from support.store import a_tenant

LOG = LogIdentity("acme", "passport.example/log/acme")
OTHER = LogIdentity("other", "passport.example/log/other")


class DatabaseLog:
    """A log in a database, and everything that works on it."""

    def __init__(self, store: SQLStore, url: str, folder: Path) -> None:
        self.store = store
        self.engine = open_engine(url, pool_size=2, password=None, timeouts=DatabaseTimeouts())
        self.sql = store.log
        self.signer = MemorySigner()
        self.integrator = Integrator(self.sql, self.sql, self.signer, AnchorFile(folder), batch=100)
        self.proofs = LogProofs(self.sql, self.signer)

    async def act(self, count: int, *, tenant: str = "acme") -> None:
        """Do something that is audited, each time in a transaction with some company."""

        def audited(tx: Transaction) -> None:
            for number in range(min(count, 50)):
                tx.audit(AuditEntry("user:a", "Act", f"tenants/{tenant}/things/{number}", {}))

        for _ in range(max(1, count // 50)):
            await self.store.write(tenant, audited)

    def integrate(self, log: LogIdentity = LOG, token: int = 1) -> Checkpoint:
        while self.integrator.integrate(log, token, NOW) is not None:
            pass
        return self.proofs.checkpoint(log).checkpoint

    def leaves(self, tenant: str = "acme") -> list[LogLeaf]:
        return list(self.sql.leaves(tenant, 0, 10_000))

    def audit_rows(self) -> list[AuditRow]:
        return [AuditRow(row.number, row.leaf, row.salt, row.body) for row in self.leaves()]


@pytest.fixture
async def log(store: SQLStore, url: str, tmp_path: Path) -> AsyncIterator[DatabaseLog]:
    """Give a log of a tenant that has done nothing that is audited."""
    made = DatabaseLog(store, url, tmp_path / "anchors")
    yield made
    made.engine.dispose()


async def test_what_was_audited_is_proved_to_be_in_the_log(log: DatabaseLog) -> None:
    await log.act(350)
    assert log.integrate().size == 350
    await log.act(7)
    assert log.integrate().size == 357
    keys = Checkpoints(log.signer).verifier_keys(LOG.origin)
    for row in (log.leaves()[0], log.leaves()[255], log.leaves()[356]):
        [entry] = entries([row], row.number)
        index, checkpoint = verify_proof(log.proofs.inclusion(LOG, row.number), entry, LOG.origin, keys)
        assert (index, checkpoint.size) == (row.number, 357)


async def test_what_is_in_no_tree_yet_is_known_by_its_tenant(log: DatabaseLog) -> None:
    await log.store.write("other", lambda tx: tx.put_tenant(a_tenant("other")))
    await log.act(50)
    await log.act(50, tenant="other")
    log.integrate()
    await log.act(7)
    behind = log.sql.behind(lambda tenant: f"passport.example/log/{tenant}")
    assert behind == {"acme": 7, "other": 50}
    log.integrate()
    log.integrate(OTHER)
    assert log.sql.behind(lambda tenant: f"passport.example/log/{tenant}") == {}
    assert log.sql.behind(lambda _: "another/origin") == {"acme": 57, "other": 50}


async def test_each_tenant_has_a_tree_of_its_own(log: DatabaseLog) -> None:
    await log.store.write("other", lambda tx: tx.put_tenant(a_tenant("other")))
    await log.act(50)
    await log.act(50, tenant="other")
    assert [row.number for row in log.leaves("other")] == list(range(50))
    assert log.integrate().root != log.integrate(OTHER).root


async def test_the_tree_is_that_of_a_folder_with_the_same_leaves(log: DatabaseLog, tmp_path: Path) -> None:
    await log.act(300)
    folder: TileStore = TileFolder(tmp_path / "tiles")
    elsewhere = replace(
        log.integrator, source=Leaves(log.leaves()), store=folder, anchor=AnchorFile(tmp_path), batch=1000
    )
    other = elsewhere.integrate(LOG, 1, NOW)
    assert log.integrate() == other
    for path in ("tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000"):
        assert log.sql.read(LOG, path) == folder.read(LOG, path) is not None


async def test_what_is_obsolete_goes_with_the_change_that_makes_it_so(log: DatabaseLog) -> None:
    await log.act(50)
    log.integrate()
    assert log.sql.read(LOG, "tile/0/000.p/50") is not None
    await log.act(250)
    log.integrate()
    assert log.sql.read(LOG, "tile/0/000.p/50") is None
    assert log.sql.read(LOG, "tile/entries/000.p/50") is None
    assert log.sql.read(LOG, "tile/0/000") is not None


async def test_a_writer_with_an_older_token_or_another_checkpoint_is_fenced(log: DatabaseLog) -> None:
    await log.act(50)
    log.integrate(token=7)
    before = log.sql.read(LOG, CHECKPOINT)
    for change in (Publication(b"x", 50, 51, 6), Publication(b"x", 49, 51, 8), Publication(b"x", 0, 51, 8)):
        with pytest.raises(Conflict) as refused:
            log.sql.publish(LOG, {"tile/0/000.p/51": b"x"}, change)
        assert refused.value.reason == "LOG_FENCED"
    with pytest.raises(Conflict):
        log.sql.publish(OTHER, {}, Publication(b"x", 5, 6, 1))
    assert log.sql.read(LOG, CHECKPOINT) == before
    assert log.sql.read(LOG, "tile/0/000.p/51") is None


async def test_the_audit_finds_what_was_changed_in_the_database(log: DatabaseLog) -> None:
    await log.act(300)
    checkpoint = log.integrate()

    def fault() -> tuple[int, FaultCode] | None:
        found = find_fault(log.audit_rows(), lambda path: log.sql.read(LOG, path), checkpoint)
        return None if found is None else (found.index, found.code)

    assert fault() is None
    mine = (audit.c.tenant == "acme") & (audit.c.leaf_index == 270)
    with log.engine.begin() as connection:
        connection.execute(update(audit).where(mine).values(body=b"{}"))
    assert fault() == (270, FaultCode.ROW_ALTERED)
    with log.engine.begin() as connection:
        connection.execute(delete(audit).where(mine))
    assert fault() == (270, FaultCode.ROW_MISSING)


async def test_a_log_goes_on_under_another_name_with_what_it_has(log: DatabaseLog, tmp_path: Path) -> None:
    await log.act(300)
    log.integrate()
    restores = Restores(log.sql, log.signer, AnchorFile(tmp_path / "anchors"), "passport.example/log")
    assert restores.setbacks() == ()
    published = Checkpoints(log.signer).sign(Checkpoint(LOG.origin, 301, b"1" * 32), NOW).encode()
    restores.anchor.anchor(LOG.origin, published, NOW)
    [lost] = restores.setbacks()
    assert (lost.kind, lost.size, lost.anchored_size) == (SetbackKind.BEHIND, 300, 301)
    epoch = restores.next_epoch()
    for _ in range(2):
        restores.begin((lost,), epoch, NOW)
    assert log.sql.written()["acme"][1] == epoch
    assert (await log.store.write("acme", lambda tx: tx.epoch())).value == epoch
    assert restores.setbacks() == ()
    new = LogNames.found("passport.example/log", log.sql.origins())("acme")
    assert new.origin == f"{LOG.origin}/{epoch}"
    await log.act(50)
    assert log.integrate(new).size == 350
    assert find_fault(log.audit_rows(), lambda path: log.sql.read(new, path), log.integrate(new)) is None
    # The old name says what it said.
    assert log.sql.origins()[LOG.origin] == 300
