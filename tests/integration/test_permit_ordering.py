"""No permit opens anything after a BLOCK: both meet at random, at one store and at two on one PostgreSQL."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from release_passport.policy_file import load_policy_file
from release_passport.v1 import catalog_pb2, catalog_service_pb2, verdict_pb2
from release_passport.v1 import decision_service_pb2 as decisions
from release_passport.v1 import permit_service_pb2 as permits
from release_passport.v1 import policy_service_pb2 as policies
from release_passport_server import bootstrap
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.adapters.system.ids import SystemIds
from release_passport_server.adapters.tokens.bearer import BearerTokens
from release_passport_server.assembly import handlers_of
from release_passport_server.connector_wiring import Reached, connecting_of
from release_passport_server.core import core_of
from release_passport_server.domain.access import Principal
from release_passport_server.domain.errors import PassportError
from release_passport_server.domain.record import Listed, LoggedEntry, Page
from release_passport_server.domain.verdict import Verdict
from release_passport_server.ports.store import AuditFilter, Reader, Written
from release_passport_server.services import permits as module
from release_passport_server.services.permits import Permits
from release_passport_server.services.tenants import bootstrap_tenant
from support.server import free_ports
from support.story import LIBRARY, identity, rendered

TARGET = "eu-1/shop/Rollout/checkout"
AT_ONCE = 25
ALLOW, BLOCK = verdict_pb2.VERDICT_ALLOW, verdict_pb2.VERDICT_BLOCK


@dataclass(slots=True)
class Interrupted:
    """A store before whose writes something else may happen: what was read until then is old."""

    store: SQLStore
    happens: Callable[[], Awaitable[object]]

    async def write(self, tenant: str, act: Callable[[Any], Any]) -> Written[Any]:
        """Let it happen, then write."""
        await self.happens()
        return await self.store.write(tenant, act)


@dataclass(frozen=True, slots=True)
class Server:
    """A server's services without its listener."""

    store: SQLStore
    handlers: Any
    principal: Principal

    async def __call__(self, service: str, method: str, request: object) -> Any:
        """Answer a call."""
        handler = self.handlers[f"release_passport.v1.{service}Service"]
        return await getattr(handler, method)(self.principal, request)

    async def evaluate(self, version: str, unpinned: int) -> decisions.EvaluateResponse:
        """Decide about a version, and ask for its permit."""
        asked = decisions.EvaluateRequest(identity=identity(version), target=TARGET)
        asked.evidence.append(rendered(version, unpinned))
        answer: decisions.EvaluateResponse = await self("Decision", "Evaluate", asked)
        return answer

    async def redeem(self, permit: bytes, between: Callable[[], Awaitable[object]] | None = None) -> str:
        """Return how the redeeming of a permit ended; `between` happens before its transaction begins."""
        handler = self.handlers["release_passport.v1.PermitService"]
        if between is not None:
            handler = replace(
                handler, permits=replace(handler.permits, store=Interrupted(self.store, between))
            )
        try:
            await handler.RedeemPermit(
                self.principal, permits.RedeemPermitRequest(permit=permit, target=TARGET)
            )
        except PassportError as error:
            return error.reason
        return "redeemed"


@dataclass(frozen=True, slots=True)
class Pair:
    """The server that blocks and the one that redeems; over SQLite they are the same."""

    blocking: Server
    redeeming: Server

    async def meeting(self, version: str, chance: random.Random) -> str:
        """Let a BLOCK meet the permit that was given before; return how the redeeming ended."""
        allowed = await self.redeeming.evaluate(version, 0)
        assert allowed.decision.effective_verdict == ALLOW
        assert allowed.permit

        async def block() -> None:
            assert (await self.blocking.evaluate(version, 1)).decision.effective_verdict == BLOCK

        how = chance.choice(("before", "between", "at once", "at once", "after"))
        if how == "before":
            await block()
        if how == "between":
            return await self.redeeming.redeem(allowed.permit, block)
        if how != "at once":
            ended = await self.redeeming.redeem(allowed.permit)
            if how == "after":
                await block()
            return ended
        first, second = chance.randrange(6), chance.randrange(6)
        ended, _ = await asyncio.gather(
            _later(first, lambda: self.redeeming.redeem(allowed.permit)), _later(second, block)
        )
        return ended

    async def meetings(self, label: str, count: int, seed: int) -> Counter[str]:
        """Return how so many meetings ended; some go on at once, so that they share batches and commits."""
        chance, ended = random.Random(seed), Counter[str]()
        for start in range(0, count, AT_ONCE):
            numbers = range(start, min(start + AT_ONCE, count))
            ended.update(
                await asyncio.gather(*(self.meeting(f"{label}.0.{number}", chance) for number in numbers))
            )
        return ended


async def _later(turns: int, act: Callable[[], Awaitable[Any]]) -> Any:
    for _ in range(turns):
        await asyncio.sleep(0)
    return await act()


async def _server(store: SQLStore, settings: Any, token: str) -> Server:
    core = core_of(store, settings, dev=False, notices=())
    reached = Reached(core.collect.registry, core.collect.registries)
    connecting = connecting_of(store, settings, core.clock, core.ids, reached)
    principal = await core.authenticate.authenticate(token)
    return Server(store, handlers_of(core, connecting.collect), principal)


async def _story(server: Server) -> None:
    service = catalog_service_pb2.CreateServiceRequest(service=catalog_pb2.Service(service_id="checkout"))
    await server("Catalog", "CreateService", service)
    environment = catalog_pb2.Environment(environment_id="prod")
    await server(
        "Catalog",
        "CreateEnvironment",
        catalog_service_pb2.CreateEnvironmentRequest(environment=environment),
    )
    policy = load_policy_file(LIBRARY / "manifest-render.yaml")
    policy.spec.rules[0].needs[0].sources[:] = ["user:*"]
    await server("Policy", "CreatePolicy", policies.CreatePolicyRequest(policy=policy))


async def _pair(stack: AsyncExitStack, folder: Path, url: str, stores: int) -> Pair:
    settings = free_ports(store={"url": url}, signing={"key_folder": str(folder / "keys")})
    await bootstrap.migrate(settings)
    opened = [bootstrap.open_store(settings) for _ in range(stores)]
    for store in opened:
        stack.push_async_callback(store.close)
    tenant = f"t-{uuid.uuid4().hex[:12]}"
    _, token = await bootstrap_tenant(opened[0], SystemIds(), BearerTokens(), tenant)
    servers = [await _server(store, settings, token) for store in opened]
    await _story(servers[0])
    return Pair(servers[0], servers[-1])


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def pair(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Pair]:
    """Give one server on SQLite, two on one PostgreSQL."""
    url, stores = f"sqlite:///{tmp_path / 'passport.db'}", 1
    if request.param == "postgresql":
        url, stores = request.getfixturevalue("postgres_url").replace("+psycopg", ""), 2
    async with AsyncExitStack() as stack:
        yield await _pair(stack, tmp_path, url, stores)


async def log_of(pair: Pair) -> list[LoggedEntry]:
    """Return the whole audit log, in the order in which everything was committed."""
    entries: list[LoggedEntry] = []
    page = Page(1000)

    def act(reader: Reader) -> Listed[LoggedEntry]:
        return reader.list_audit(AuditFilter(), page)

    while True:
        listed = await pair.redeeming.store.read(pair.redeeming.principal.tenant, act)
        entries += listed.items
        if not listed.next_after:
            return sorted(entries, key=lambda entry: entry.leaf_index)
        page = Page(1000, listed.next_after)


async def redeemed_after_block(pair: Pair) -> list[str]:
    """Return the releases of which a permit was redeemed after they were blocked."""
    blocked: dict[str, int] = {}
    late: list[str] = []
    found = {entry.subject: entry for entry in await log_of(pair) if entry.action == "Evaluate"}
    for entry in await log_of(pair):
        release = entry.subject.partition("/decisions/")[0]
        if entry.action == "Evaluate" and b'"effectiveVerdict":"BLOCK"' in (entry.body or b""):
            blocked[release] = entry.leaf_index
        if entry.action == "RedeemPermit":
            assert b'"effectiveVerdict":"ALLOW"' in (found[entry.subject].body or b"")
            if release in blocked:
                late.append(release)
    return late


COUNTS = {"sqlite": 300, "postgresql": 200}


async def test_no_permit_is_redeemed_after_a_block(pair: Pair, request: pytest.FixtureRequest) -> None:
    count = COUNTS[request.node.callspec.params["pair"]]
    ended = await pair.meetings("1", count, seed=7)
    assert set(ended) == {"redeemed", "VERDICT_CHANGED"}
    assert ended.total() == count
    assert min(ended.values()) > count / 10
    entries = await log_of(pair)
    assert Counter(entry.action for entry in entries)["RedeemPermit"] == ended["redeemed"]
    blocks = [entry for entry in entries if b'"effectiveVerdict":"BLOCK"' in (entry.body or b"")]
    assert len(blocks) == count
    assert await redeemed_after_block(pair) == []


async def test_without_the_check_in_the_transaction_permits_are_redeemed_after_a_block(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "permit_refusal", lambda *_: None)
    monkeypatch.setattr(Permits, "_now", lambda *_: Verdict.ALLOW)
    ended = await pair.meetings("2", 50, seed=7)
    assert ended["redeemed"] == 50
    assert len(await redeemed_after_block(pair)) > 10
