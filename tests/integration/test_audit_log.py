"""What is done is in the log within seconds, proved to be there, and cannot be changed unnoticed; on both engines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import Connection, delete, select, update

from release_passport.log.checkpoint import open_checkpoint
from release_passport.log.merkle import commitment, verify_consistency
from release_passport.log.note import VerifierKey
from release_passport.log.proof import verify_proof
from release_passport.signatures.key_set import parse_key_set
from release_passport.v1 import audit_service_pb2 as audits
from release_passport.v1 import catalog_pb2, catalog_service_pb2, tenant_pb2, tenant_service_pb2
from release_passport_server.adapters.sql.tables import audit, log_heads, log_tiles
from release_passport_server.ports.log import LogGrowth, LogIdentity, TreeHead
from release_passport_server.worker.log_keeper import LogKeeper
from support.calls import Caller, Refused, somebody
from support.cli_process import Shell
from support.server import RealServer, real_server

pytestmark = pytest.mark.asyncio(loop_scope="module")
OURS = (audit.c.tenant == "default",)
BY_HAND: dict[str, Any] = {"worker": {"enabled": False}}
ORIGIN = "release-passport.invalid/default"


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)],
)
async def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RealServer]:
    folder, sections = tmp_path_factory.mktemp("audit"), dict[str, Any](BY_HAND)
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgres_url")
        sections["store"] = {"url": url.replace("+psycopg", "")}
    async with real_server(folder, **sections) as running:
        yield running


@pytest.fixture
def admin(server: RealServer) -> Caller:
    return Caller(server, server.token)


@pytest.fixture
def shell(server: RealServer, tmp_path: Path) -> Shell:
    return Shell(tmp_path, f"127.0.0.1:{server.process.grpc_port}", server.token)


def keeper(server: RealServer) -> LogKeeper:
    assert server.process.application.log is not None
    return server.process.application.log


async def act(caller: Caller, name: str, count: int = 1) -> None:
    for number in range(count):
        service = catalog_pb2.Service(service_id=f"{name}-{number}")
        await caller("CreateService", catalog_service_pb2.CreateServiceRequest(service=service))


async def logged(caller: Caller) -> audits.GetCheckpointResponse:
    """Bring the log up to date, and return its checkpoint."""
    await keeper(caller.server).sweep()
    answer = await caller("GetCheckpoint", audits.GetCheckpointRequest())
    assert isinstance(answer, audits.GetCheckpointResponse)
    return answer


async def entries(caller: Caller, **wanted: Any) -> list[Any]:
    found, request = [], audits.ListAuditEntriesRequest(page_size=7, **wanted)
    while True:
        answer = await caller("ListAuditEntries", request)
        found += answer.entries
        if not answer.next_page_token:
            return found
        request.page_token = answer.next_page_token


def keys_of(answer: audits.GetCheckpointResponse) -> list[VerifierKey]:
    return [
        VerifierKey(answer.origin, one.key.raw)
        for one in parse_key_set(answer.key_set)
        if one.purpose == "LOG"
    ]


class Noticed:
    """Grows logs, and says when it has."""

    def __init__(self, growth: LogGrowth) -> None:
        self.growth = growth
        self.loop, self.event = asyncio.get_running_loop(), asyncio.Event()

    def integrate(self, log: LogIdentity, token: int, now: datetime) -> TreeHead | None:
        head = self.growth.integrate(log, token, now)
        if log.tenant == "default" and head is not None:
            self.loop.call_soon_threadsafe(self.event.set)
        return head


async def test_the_server_itself_brings_what_is_done_into_the_log(tmp_path: Path) -> None:
    async with real_server(tmp_path) as server:
        caller, log = Caller(server, server.token), keeper(server)
        noticed = log.growth = Noticed(log.growth)
        await act(caller, "worked")
        size = await server.store.read("default", lambda reader: reader.leaf_count())
        async with asyncio.timeout(15):
            while (await _size(caller)) < size:
                await noticed.event.wait()
                noticed.event.clear()
        text = (tmp_path / "anchor" / f"{ORIGIN.replace('/', '%2F')}.highest.jsonl").read_text()
        assert ORIGIN in text
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.process.http_port}") as client:
            shown = (await client.get("/metrics")).text
        assert "rp_log_stopped 0.0" in shown


async def _size(caller: Caller) -> int:
    found = await caller.tried("GetCheckpoint", audits.GetCheckpointRequest())
    return 0 if isinstance(found, Refused) else int(found.size)


async def test_entries_are_listed_by_leaf_and_can_be_filtered(admin: Caller) -> None:
    before = await admin.server.store.read("default", lambda reader: reader.leaf_count())
    await act(admin, "listed", 9)
    found = await entries(admin)
    assert [one.leaf_index for one in found] == list(range(len(found)))
    assert len(found) == before + 9
    name = "services/listed-4"
    [one] = await entries(admin, subject=name)
    assert (one.action, one.principal, one.subject) == ("CreateService", "user:admin", name)
    assert json.loads(one.body)["subject"] == name
    since = [entry.leaf_index for entry in await entries(admin, from_time=one.time)]
    until = [entry.leaf_index for entry in await entries(admin, to_time=one.time)]
    assert since[0] == one.leaf_index == until[-1] + 1
    assert (await entries(admin, from_leaf=before + 5))[0].leaf_index == before + 5
    assert await entries(admin, subject="services/nothing") == []


async def test_what_was_done_is_proved_to_be_in_the_log(admin: Caller) -> None:
    await logged(admin)
    await act(admin, "proved", 3)
    before = await admin("GetCheckpoint", audits.GetCheckpointRequest())
    assert before.pending == 3
    [*_, last] = await entries(admin)
    early = await admin.refused(
        "GetInclusionProof", audits.GetInclusionProofRequest(leaf_index=last.leaf_index)
    )
    assert (early.code, early.reason) == ("FAILED_PRECONDITION", "NOT_LOGGED_YET")
    answer = await logged(admin)
    assert (answer.pending, answer.size, answer.origin) == (0, last.leaf_index + 1, ORIGIN)
    proof = await admin("GetInclusionProof", audits.GetInclusionProofRequest(leaf_index=last.leaf_index))
    found = verify_proof(
        proof.proof.decode(), commitment(last.salt, last.body), answer.origin, keys_of(answer)
    )
    assert found[0] == last.leaf_index
    assert found[1].size == answer.size
    continued = await admin("GetConsistencyProof", audits.GetConsistencyProofRequest(size=before.size))
    older, newer = (
        open_checkpoint(one.checkpoint.decode(), answer.origin, keys_of(answer))
        for one in (before, continued)
    )
    verify_consistency(older.size, newer.size, list(continued.hashes), older.root, newer.root)
    for method, request in (
        ("GetInclusionProof", audits.GetInclusionProofRequest(leaf_index=10**6)),
        ("GetConsistencyProof", audits.GetConsistencyProofRequest(size=10**6)),
    ):
        assert (await admin.refused(method, request)).code == "NOT_FOUND"


async def test_the_log_is_served_as_files_to_those_who_may_audit(server: RealServer, admin: Caller) -> None:
    await act(admin, "files")
    answer = await logged(admin)
    viewer = await somebody(admin, "user:vic", "viewer")
    made = tenant_service_pb2.CreateTenantRequest(tenant=tenant_pb2.Tenant(tenant_id="other"))
    stranger = (await admin("CreateTenant", made)).admin_token
    width = answer.size % 256
    paths = ("checkpoint", f"tile/0/000.p/{width}", f"tile/entries/000.p/{width}")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.process.http_port}") as client:

        async def got(path: str, token: str | None) -> httpx.Response:
            headers = {} if token is None else {"authorization": f"Bearer {token}"}
            return await client.get(path, headers=headers)

        for path in paths:
            found = await got(f"/log/default/{path}", server.token)
            assert found.status_code == 200, path
            assert (await got(f"/log/default/{path}", None)).status_code == 401
            assert (await got(f"/log/default/{path}", viewer.token)).status_code == 403
            assert (await got(f"/log/default/{path}", stranger)).status_code == 404
        assert (await got("/log/default/checkpoint", server.token)).content == answer.checkpoint
        for wrong in ("tile/0/999", "tile/9/000", "tile/0/..%2f..%2fkeys.json", "tile/x", "other"):
            assert (await got(f"/log/default/{wrong}", server.token)).status_code == 404, wrong
        published = (await got("/.well-known/release-passport-keys.json", None)).content
    assert json.loads(published) == json.loads(answer.key_set)
    assert b"PRIVATE" not in published


async def test_a_sound_log_is_found_sound_from_the_command_line(
    admin: Caller, shell: Shell, tmp_path: Path
) -> None:
    await act(admin, "sound")
    answer = await logged(admin)
    (tmp_path / "keys.json").write_bytes(answer.key_set)
    await asyncio.to_thread(shell, "audit", "verify", "--key-set", "keys.json", "--checkpoint", "held")
    assert (tmp_path / "held").read_bytes() == answer.checkpoint
    await act(admin, "more")
    await logged(admin)
    done = await asyncio.to_thread(
        shell, "audit", "verify", "--key-set", "keys.json", "--checkpoint", "held", "-o", "json"
    )
    said = json.loads(done.stdout)
    assert said["sound"]
    assert said["size"] == said["entries"] == answer.size + 1
    assert (await asyncio.to_thread(shell, "audit", "verify", "--to", "5")).returncode == 0
    listed = await asyncio.to_thread(shell, "audit", "list", "--from-leaf", str(answer.size))
    assert "CreateService" in listed.stdout


async def test_a_checkpoint_of_another_key_is_not_trusted(
    admin: Caller, shell: Shell, tmp_path: Path
) -> None:
    answer = await logged(admin)
    document = json.loads(answer.key_set)
    for key in document["keys"]:
        key["state"] = "COMPROMISED" if key["purpose"] == "LOG" else key["state"]
    (tmp_path / "keys.json").write_text(json.dumps(document))
    done = await asyncio.to_thread(shell, "audit", "verify", "--key-set", "keys.json", expect=1)
    assert "not to be trusted" in done.stderr


def _row(connection: Connection, leaf: int) -> Any:
    return connection.execute(select(audit).where(*OURS, audit.c.leaf_index == leaf)).one()


def _put(connection: Connection, leaf: int, /, **values: Any) -> None:
    connection.execute(update(audit).where(*OURS, audit.c.leaf_index == leaf).values(**values))


def _swap(connection: Connection) -> None:
    rows = [_row(connection, leaf) for leaf in (3, 6)]
    for leaf, row in zip((6, 3), rows, strict=True):
        _put(connection, leaf, body=row.body, salt=row.salt, leaf=row.leaf)


def _rolled_back(connection: Connection) -> None:
    connection.execute(delete(audit).where(*OURS, audit.c.leaf_index >= 2))


TAMPERED: dict[str, tuple[Callable[[Connection], object], int, str]] = {
    "a body": (lambda c: _put(c, 4, body=b"{}"), 4, "ROW_ALTERED"),
    "who it was, beside the body": (lambda c: _put(c, 4, principal="user:eve"), 4, "ROW_ALTERED"),
    "when it was, beside the body": (
        lambda c: _put(c, 4, time=datetime.fromisoformat("2020-01-01T00:00Z")),
        4,
        "ROW_ALTERED",
    ),
    "a leaf whose body is gone": (
        lambda c: _put(c, 4, leaf=b"0" * 32, body=None, salt=None),
        4,
        "LEAF_DIFFERS",
    ),
    "two rows in each other's place": (_swap, 3, "LEAF_DIFFERS"),
    "a row that was deleted": (
        lambda c: c.execute(delete(audit).where(*OURS, audit.c.leaf_index == 5)),
        5,
        "ROW_MISSING",
    ),
    "the rows from one on": (_rolled_back, 2, "ROW_MISSING"),
    "a tile": (
        lambda c: c.execute(
            update(log_tiles)
            .where(log_tiles.c.tenant == "default", log_tiles.c.path.like("tile/0/%"))
            .values(content=b"x")
        ),
        0,
        "TILE_ALTERED",
    ),
}


@pytest.mark.parametrize("name", TAMPERED)
async def test_what_was_changed_in_the_database_is_named_by_its_first_leaf(
    admin: Caller, shell: Shell, name: str
) -> None:
    tamper, index, code = TAMPERED[name]
    await act(admin, f"t{list(TAMPERED).index(name)}", 2)
    await logged(admin)
    engine = admin.server.store._engine
    with engine.begin() as connection:
        rows = [dict(row._mapping) for row in connection.execute(select(audit).where(*OURS))]
        tiles = [dict(row._mapping) for row in connection.execute(select(log_tiles))]
        tamper(connection)
    try:
        done = await asyncio.to_thread(shell, "audit", "verify", "-o", "json", expect=1)
        said = json.loads(done.stdout)
        assert (said["index"], said["code"]) == (index, code), said
    finally:
        with engine.begin() as connection:
            connection.execute(delete(audit).where(*OURS))
            connection.execute(audit.insert(), rows)
            connection.execute(delete(log_tiles))
            connection.execute(log_tiles.insert(), tiles)
    await asyncio.to_thread(shell, "audit", "verify")


async def test_a_database_that_was_rolled_back_is_noticed_by_auditor_and_server(
    admin: Caller, shell: Shell, tmp_path: Path
) -> None:
    server = admin.server
    engine, before = server.store._engine, await logged(admin)
    with engine.begin() as connection:
        heads = [dict(row._mapping) for row in connection.execute(select(log_heads))]
        tiles = [dict(row._mapping) for row in connection.execute(select(log_tiles))]
    await act(admin, "lost")
    after = await logged(admin)
    (tmp_path / "held").write_bytes(after.checkpoint)
    assert after.size > before.size
    with engine.begin() as connection:
        connection.execute(delete(log_heads))
        connection.execute(log_heads.insert(), heads)
        connection.execute(delete(log_tiles))
        connection.execute(log_tiles.insert(), tiles)
    done = await asyncio.to_thread(shell, "audit", "verify", "--checkpoint", "held", "-o", "json", expect=1)
    assert json.loads(done.stdout)["code"] == "ROLLED_BACK"
    await act(admin, "after")
    assert (await logged(admin)).size == before.size
    assert "restored or rolled back" in keeper(server).stopped["default"]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.process.http_port}") as client:
        assert "rp_log_stopped 1.0" in (await client.get("/metrics")).text
