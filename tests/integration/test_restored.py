"""A store that was put back to an earlier state is not served before somebody begins its new epoch."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from release_passport.bundle.verify import verify_bundle
from release_passport.signatures.key_set import parse_key_set
from release_passport.v1 import access_service_pb2 as accesses
from release_passport.v1 import audit_service_pb2 as audits
from release_passport.v1 import catalog_pb2, catalog_service_pb2, tenant_pb2, tenant_service_pb2
from release_passport.v1 import release_service_pb2 as releases
from release_passport.v1.permit_service_pb2 import RedeemPermitRequest as PermitRequest
from release_passport_server import bootstrap
from release_passport_server.adapters.signing.key_folder import KeyFolder
from release_passport_server.adapters.sqlite.backup import back_up, restore
from release_passport_server.config import Settings, SettingsInvalid
from release_passport_server.domain.acts import Exemption
from release_passport_server.domain.policy_change import ChangeState, PolicyChange
from release_passport_server.domain.record import Page
from release_passport_server.domain.signing_key import Purpose
from release_passport_server.restoring import require_as_published
from support.calls import Caller, Refused, somebody
from support.cli_process import Shell
from support.server import RealServer, channel, free_ports, serving
from support.server_process import passport_server
from support.story import Story

pytestmark = pytest.mark.asyncio
TARGET = "ci/deploy"
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


@dataclass(frozen=True)
class Lived:
    """The checkpoints from before and after the copy, the admin's token, another's, and a permit that was used."""

    before: bytes
    after: bytes
    token: str
    gone: str
    permit: bytes


def exemption(now: datetime) -> Exemption:
    release = "tenants/default/services/checkout/environments/prod/releases/1.0.0"
    name = f"{release}/freezeExemptions/01JQ0000000000000000000000"
    return Exemption(name, "tenants/default/freezes/f", release, "sha256:d", "", "", "user:a", now, now)


def proposal(now: datetime) -> PolicyChange:
    name, soon = "tenants/default/policyChanges/01JQ0000000000000000000000", now + timedelta(days=7)
    said = ("baseline", 1, b"", "", (), 0, "sha256:d", "", "user:a", ())
    return PolicyChange(name, *said, create_time=now, expire_time=soon)


@asynccontextmanager
async def restored_store(folder: Path) -> AsyncIterator[Lived]:
    """Put back a copy of a store from before tokens were revoked, a permit was redeemed and things were made."""
    settings = settings_in(folder)
    token = await bootstrap.init(settings, "default")
    async with running(folder, token) as server:
        admin = Caller(server, token)
        gone = await somebody(admin, "user:gone", "admin")
        await made(admin, "kept")
        story = Story(server)
        await story.begin()
        permit = (await story.evaluate("1.0.0", 0, target=TARGET)).permit
        # Given before the copy was made: nobody knows whether it was taken back since.
        await server.store.write("default", lambda tx: tx.put_act(exemption(tx.now)))
        await server.store.write("default", lambda tx: tx.put_act(proposal(tx.now)))
        before = (await logged(admin)).checkpoint
        await asyncio.to_thread(back_up, folder / "passport.db", folder / "copy.db")
        for number in range(3):
            await made(admin, f"lost-{number}")
        other = tenant_service_pb2.CreateTenantRequest(tenant=tenant_pb2.Tenant(tenant_id="newer"))
        await admin("CreateTenant", other)
        await admin("RedeemPermit", PermitRequest(permit=permit, target=TARGET))
        listed = await admin("ListAPITokens", accesses.ListAPITokensRequest())
        [name] = [one.name for one in listed.api_tokens if one.principal == "user:gone"]
        await admin("RevokeAPIToken", accesses.RevokeAPITokenRequest(name=name))
        assert (await story.decided("1.0.0", 3)).name
        after = (await logged(admin)).checkpoint
    put_back(folder)
    yield Lived(before, after, token, gone.token or "", permit)


async def test_nothing_of_what_was_lost_counts_as_it_was(tmp_path: Path) -> None:
    async with restored_store(tmp_path) as lived:
        before, after = lived.before, lived.after
        with pytest.raises(SettingsInvalid, match="passport-server restored review"):
            async with running(tmp_path, lived.token):
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
            for old in (lived.token, lived.gone):
                refused = await Caller(server, old).tried("GetCheckpoint", audits.GetCheckpointRequest())
                assert isinstance(refused, Refused)
                assert refused.reason == "CREDENTIAL_INVALID"
            assert await epoch(server) == done.epoch
            found = await server.store.read("default", lambda reader: reader.list_acts(Exemption, Page(9)))
            assert [one.ended_by for one in found.items] == ["server:restored"]
            half = await server.store.read("default", lambda reader: reader.list_acts(PolicyChange, Page(9)))
            assert [one.state(1, datetime.now(UTC)) for one in half.items] == [ChangeState.EXPIRED]
            admin = Caller(server, server.token)
            # It was redeemed, and the store does not know it any more.
            void = await admin.refused("RedeemPermit", PermitRequest(permit=lived.permit, target=TARGET))
            assert void.reason == "PERMIT_INVALID"
            await made(admin, "lost-0")
            now = await logged(admin)
            assert now.origin == f"{ORIGIN}/{done.epoch}"
            assert (await verified(tmp_path, server, before))["sound"]
            lost = await verified(tmp_path, server, after, expect=1)
            assert lost["code"] in ("ROLLED_BACK", "FORKED")
            entries = (await admin("ListAuditEntries", audits.ListAuditEntriesRequest())).entries
            acts = [json.loads(one.body) for one in entries if one.action == "AcceptRestore"]
            [act] = [one for one in acts if one["subject"] == "tenants/default"]
            # Who comes with another credential than a token has no right left either.
            roles = await admin("ListRoleBindings", accesses.ListRoleBindingsRequest())
            assert [one.principal for one in roles.role_bindings] == ["user:admin"]
            assert [one["detail"]["principal"] for one in acts if "roleBindings" in one["subject"]] == [
                "user:gone"
            ]
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


async def test_what_a_key_of_before_signed_is_still_shown_to_be_from_before_its_end(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    token = await bootstrap.init(settings, "default")
    async with running(tmp_path, token) as server:
        story = Story(server)
        await story.begin()
        release = (await story.decided("1.0.0", 0)).release
        await logged(Caller(server, token))
        KeyFolder.open(tmp_path / "keys", datetime.now(UTC)).rotate(Purpose.DECISION, datetime.now(UTC))
        await made(Caller(server, token), "kept")
        await logged(Caller(server, token))
        await asyncio.to_thread(back_up, tmp_path / "passport.db", tmp_path / "copy.db")
        await made(Caller(server, token), "lost")
        await logged(Caller(server, token))
    put_back(tmp_path)
    async with bootstrap.restored(settings) as service:
        done = await service.accept()
    async with running(tmp_path, dict(done.secrets)["default"]) as server:
        admin = Caller(server, server.token)
        await logged(admin)
        answer = await admin("ExportPassport", releases.ExportPassportRequest(name=release))
        assert server.process.application.audit is not None
        keys = parse_key_set(json.dumps(server.process.application.audit.key_set()).encode())
    report = verify_bundle(answer.bundle, keys)
    assert (report.faults, report.document["log"]["origin"]) == ((), f"{ORIGIN}/{done.epoch}")


async def test_the_operator_is_led_through_it_on_the_command_line(tmp_path: Path) -> None:
    async with restored_store(tmp_path):
        refused = await asyncio.to_thread(passport_server, tmp_path, "serve")
        assert (refused.returncode, refused.stdout) == (2, "")
        assert "passport-server restored review" in refused.stderr
        review = await asyncio.to_thread(passport_server, tmp_path, "restored", "review")
        assert review.returncode == 1
        assert f"{ORIGIN}: BEHIND" in review.stdout
        assert "user:admin  CreateService  services/kept" in review.stdout
        done = await asyncio.to_thread(passport_server, tmp_path, "restored", "accept")
        assert done.returncode == 0
        [line] = done.stdout.splitlines()
        tenant, token = line.split()
        assert (tenant, token[:4]) == ("default", "rp1_")
        assert token not in done.stderr
        again = await asyncio.to_thread(passport_server, tmp_path, "restored", "accept")
        assert (again.returncode, "nothing to accept" in again.stderr) == (1, True)
