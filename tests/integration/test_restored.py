"""A store that was put back to an earlier state is not served before somebody begins its new epoch."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from release_passport.v1 import audit_service_pb2 as audits
from release_passport.v1 import catalog_pb2, catalog_service_pb2, tenant_pb2, tenant_service_pb2
from release_passport_server import bootstrap
from release_passport_server.adapters.sqlite.backup import back_up, restore
from release_passport_server.config import Settings, SettingsInvalid
from release_passport_server.restoring import require_as_published
from support.calls import Caller, Refused, somebody
from support.cli_process import Shell
from support.server import RealServer, channel, free_ports, serving

pytestmark = pytest.mark.asyncio
ORIGIN = "release-passport.invalid/default"


def settings_in(folder: Path) -> Settings:
    return free_ports(
        store={"url": f"sqlite:///{folder / 'passport.db'}"},
        signing={"key_folder": str(folder / "keys")},
        worker={"enabled": False},
    )


@asynccontextmanager
async def running(folder: Path, token: str) -> AsyncIterator[RealServer]:
    """Serve the store of a folder, as `passport-server serve` does."""
    settings = settings_in(folder)
    store = bootstrap.open_store(settings)
    try:
        require_as_published(store, settings)
        async with (
            serving(await bootstrap.build(store, settings), settings) as process,
            channel(process) as to_server,
        ):
            yield RealServer(process, store, token, to_server)
    finally:
        await store.close()


async def made(caller: Caller, name: str) -> None:
    service = catalog_pb2.Service(service_id=name)
    await caller("CreateService", catalog_service_pb2.CreateServiceRequest(service=service))


async def logged(caller: Caller) -> audits.GetCheckpointResponse:
    keeper = caller.server.process.application.log
    assert keeper is not None
    await keeper.sweep()
    answer = await caller("GetCheckpoint", audits.GetCheckpointRequest())
    assert isinstance(answer, audits.GetCheckpointResponse)
    return answer


async def epoch(server: RealServer) -> int:
    return (await server.store.write("default", lambda tx: tx.epoch())).value


def put_back(folder: Path) -> None:
    for path in folder.glob("passport.db*"):
        if path.suffix != ".lock":
            path.unlink()
    restore(folder / "copy.db", folder / "passport.db")


async def verified(folder: Path, server: RealServer, held: bytes, **options: Any) -> Any:
    """Return what `passport audit verify` says to somebody who kept a checkpoint."""
    (folder / "held").write_bytes(held)
    shell = Shell(folder, f"127.0.0.1:{server.process.grpc_port}", server.token)
    words = ("audit", "verify", "--checkpoint", "held", "-o", "json")
    return json.loads((await asyncio.to_thread(shell, *words, **options)).stdout)


@asynccontextmanager
async def restored_store(folder: Path) -> AsyncIterator[tuple[bytes, bytes, str, str]]:
    """Give the checkpoints from before and after the copy, and the tokens of the admin and of whom it was taken."""
    settings = settings_in(folder)
    token = await bootstrap.init(settings, "default")
    async with running(folder, token) as server:
        admin = Caller(server, token)
        gone = await somebody(admin, "user:gone", "admin")
        await made(admin, "kept")
        before = (await logged(admin)).checkpoint
        await asyncio.to_thread(back_up, folder / "passport.db", folder / "copy.db")
        for number in range(3):
            await made(admin, f"lost-{number}")
        other = tenant_service_pb2.CreateTenantRequest(tenant=tenant_pb2.Tenant(tenant_id="newer"))
        await admin("CreateTenant", other)
        after = (await logged(admin)).checkpoint
    put_back(folder)
    yield before, after, token, gone.token or ""


async def test_nothing_of_what_was_lost_counts_as_it_was(tmp_path: Path) -> None:
    async with restored_store(tmp_path) as (before, after, token, gone):
        with pytest.raises(SettingsInvalid, match="passport-server restored review"):
            async with running(tmp_path, token):
                pass
        async with bootstrap.restored(settings_in(tmp_path)) as service:
            review = await service.review()
            assert {one.kind.value for one in review.setbacks} == {"BEHIND"}
            # The tenant that is not in the copy at all is one of them.
            assert {"default", "newer"} <= {one.tenant for one in review.setbacks}
            assert "CreateService" in {entry.action for _, entry in review.to_look_at}
            done = await service.accept()
            assert (await service.review()).setbacks == ()
        async with running(tmp_path, dict(done.secrets)["default"]) as server:
            for old in (token, gone):
                refused = await Caller(server, old).tried("GetCheckpoint", audits.GetCheckpointRequest())
                assert isinstance(refused, Refused)
                assert refused.reason == "CREDENTIAL_INVALID"
            assert await epoch(server) == done.epoch
            admin = Caller(server, server.token)
            await made(admin, "lost-0")
            now = await logged(admin)
            assert now.origin == f"{ORIGIN}/{done.epoch}"
            assert (await verified(tmp_path, server, before))["sound"]
            lost = await verified(tmp_path, server, after, expect=1)
            assert lost["code"] in ("ROLLED_BACK", "FORKED")
            entries = (await admin("ListAuditEntries", audits.ListAuditEntriesRequest())).entries
            [act] = [json.loads(one.body) for one in entries if one.action == "AcceptRestore"]
            [named] = [one for one in act["detail"]["lost"] if one["origin"] == ORIGIN]
            assert named["size"] == after.decode().splitlines()[1]
            again = tenant_service_pb2.CreateTenantRequest(tenant=tenant_pb2.Tenant(tenant_id="newer"))
            made_again = Caller(server, (await admin("CreateTenant", again)).admin_token)
            assert (await logged(made_again)).origin.endswith(f"/newer/{done.epoch}")


async def test_a_copy_that_is_put_back_twice_gets_an_epoch_that_was_never_used(tmp_path: Path) -> None:
    async with restored_store(tmp_path):
        epochs = []
        for _ in range(2):
            async with bootstrap.restored(settings_in(tmp_path)) as service:
                done = await service.accept()
                epochs.append(done.epoch)
            async with running(tmp_path, dict(done.secrets)["default"]) as server:
                await logged(Caller(server, server.token))
            put_back(tmp_path)
        assert epochs[0] < epochs[1]
        with pytest.raises(SettingsInvalid, match="restored or rolled back"):
            async with running(tmp_path, ""):
                pass


async def test_without_what_was_kept_outside_nothing_is_served(tmp_path: Path) -> None:
    token = await bootstrap.init(settings_in(tmp_path), "default")
    async with running(tmp_path, token) as server:
        await logged(Caller(server, token))
    shutil.rmtree(tmp_path / "anchor")
    with pytest.raises(SettingsInvalid, match="restored adopt"):
        async with running(tmp_path, token):
            pass
    async with bootstrap.restored(settings_in(tmp_path)) as service:
        assert len(await service.adopt()) > 0
    async with running(tmp_path, token) as server:
        assert (await logged(Caller(server, token))).origin == ORIGIN
