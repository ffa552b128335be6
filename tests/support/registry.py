"""The registry half of the server on a SQLite store: services, handlers and a first admin, without a port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from release_passport.v1 import access_pb2, access_service_pb2, catalog_pb2, catalog_service_pb2
from release_passport_server.adapters.casbin import AccessIndex
from release_passport_server.adapters.dsse.verifier import DSSEVerifier
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.adapters.system.ids import SystemIds
from release_passport_server.adapters.tokens.bearer import BearerTokens
from release_passport_server.domain.access import Principal
from release_passport_server.resources import policies_dir
from release_passport_server.services.access import RoleBindings, WhoAmI
from release_passport_server.services.access_review import AccessReview
from release_passport_server.services.authenticate import Authenticate
from release_passport_server.services.bans import Bans
from release_passport_server.services.catalog import Environments, Services
from release_passport_server.services.grants import GrantLoader, GuardedStore
from release_passport_server.services.observe_only import ObserveOnlyBindings
from release_passport_server.services.policies import Policies
from release_passport_server.services.policy_changes import PolicyChanges
from release_passport_server.services.tenants import Tenants, bootstrap_tenant
from release_passport_server.services.tokens import APITokens
from release_passport_server.services.try_policy import TryPolicy
from release_passport_server.transport.grpc.handlers.access import AccessHandlers
from release_passport_server.transport.grpc.handlers.catalog import CatalogHandlers
from release_passport_server.transport.grpc.handlers.policies import PolicyHandlers
from release_passport_server.transport.grpc.handlers.tenants import TenantHandlers
from support.policy_runner import policies
from support.store import TENANT, SetClock, opened


@dataclass(slots=True)
class Ticking:
    """The clock of services, moved together with the store's."""

    set_clock: SetClock

    def now(self) -> datetime:
        return self.set_clock.time


@dataclass(slots=True)
class Registry:
    """What there is, and who may do everything with it."""

    store: SQLStore
    clock: SetClock
    access: AccessIndex
    loader: GrantLoader
    authenticate: Authenticate
    catalog: CatalogHandlers
    policies: PolicyHandlers
    rights: AccessHandlers
    tenants: TenantHandlers
    admin_secret: str = ""

    async def admin(self) -> Principal:
        """Return the first admin, as its token proves it."""
        return await self.authenticate.authenticate(self.admin_secret)

    async def somebody(self, principal: str, *roles: access_pb2.RoleBinding) -> Principal:
        """Return a principal with these roles, as a new token proves it."""
        return await self.authenticate.authenticate(await self.token(principal, *roles))

    async def token(self, principal: str, *roles: access_pb2.RoleBinding) -> str:
        """Return the secret of a new token."""
        request = access_service_pb2.CreateAPITokenRequest(
            api_token=access_pb2.APIToken(principal=principal), role_bindings=roles
        )
        return (await self.rights.CreateAPIToken(await self.admin(), request)).secret

    async def place(self, service: str, environment: str) -> None:
        """Register a service and an environment where they are unknown."""
        admin = await self.admin()
        known = await self.catalog.ListServices(admin, catalog_service_pb2.ListServicesRequest())
        if service not in [one.service_id for one in known.services]:
            given = catalog_pb2.Service(service_id=service)
            await self.catalog.CreateService(admin, catalog_service_pb2.CreateServiceRequest(service=given))
        there = await self.catalog.ListEnvironments(admin, catalog_service_pb2.ListEnvironmentsRequest())
        if environment not in [one.environment_id for one in there.environments]:
            place = catalog_pb2.Environment(environment_id=environment)
            request = catalog_service_pb2.CreateEnvironmentRequest(environment=place)
            await self.catalog.CreateEnvironment(admin, request)

    def later(self, **span: float) -> None:
        """Move the clocks on."""
        self.clock.time += timedelta(**span)


@asynccontextmanager
async def registry(folder: Path) -> AsyncIterator[Registry]:
    """Open a registry with one tenant."""
    clock = SetClock()
    async with opened(f"sqlite:///{folder}/passport.db", clock) as store:
        made = assembled(store, clock)
        _, made.admin_secret = await bootstrap_tenant(store, SystemIds(), BearerTokens(), TENANT)
        yield made


def assembled(store: SQLStore, clock: SetClock) -> Registry:
    """Return the parts of one replica over a store."""
    ticking, ids, tokens = Ticking(clock), SystemIds(), BearerTokens()
    access = AccessIndex(policies_dir() / "rbac")
    loader = GrantLoader(store, access, access, ticking)
    guarded = GuardedStore(store, access, loader)
    compiler = policies()
    return Registry(
        store=store,
        clock=clock,
        access=access,
        loader=loader,
        authenticate=Authenticate(store, tokens, access, loader, ticking),
        catalog=CatalogHandlers(
            Services(store, access, guarded, DSSEVerifier()),
            Environments(store, access, guarded),
            ObserveOnlyBindings(store, access, guarded, ids),
        ),
        policies=PolicyHandlers(
            Policies(store, access, guarded, compiler),
            TryPolicy(access, compiler),
            PolicyChanges(store, access, guarded, compiler, ticking, ids),
        ),
        rights=AccessHandlers(
            WhoAmI(access, loader, "1.2.3"),
            RoleBindings(store, access, guarded, ids),
            APITokens(store, access, guarded, loader, ids, tokens),
            Bans(store, access, guarded, ids),
            AccessReview(store, access, ticking),
        ),
        tenants=TenantHandlers(Tenants(store, access, loader, ids, tokens)),
    )


def role(name: str, **scope: list[str]) -> access_pb2.RoleBinding:
    """Return a role in a scope, to be given."""
    return access_pb2.RoleBinding(role=name, **scope)  # type: ignore[arg-type]
