"""TenantService: convert, call, convert."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport.v1 import tenant_service_pb2 as pb
from release_passport_server.domain.access import Principal
from release_passport_server.domain.ids import TenantName
from release_passport_server.services.tenants import Tenants
from release_passport_server.transport.grpc.handlers.asking import ask_of
from release_passport_server.wire.access import tenant_to_create, tenant_to_proto, tenant_to_update
from release_passport_server.wire.paging import next_token, page_from_request


@dataclass(frozen=True, slots=True)
class TenantHandlers:
    """Makes and suspends tenants."""

    tenants: Tenants

    async def CreateTenant(
        self, principal: Principal, request: pb.CreateTenantRequest
    ) -> pb.CreateTenantResponse:
        """Make a tenant with one admin token, shown once."""
        tenant_id, title = tenant_to_create(request.tenant)
        ask = ask_of(principal, "CreateTenant", request)
        tenant, secret = await self.tenants.create(ask, tenant_id, title)
        return pb.CreateTenantResponse(tenant=tenant_to_proto(tenant), admin_token=secret)

    async def GetTenant(self, principal: Principal, request: pb.GetTenantRequest) -> pb.GetTenantResponse:
        """Return one tenant."""
        tenant = await self.tenants.get(principal, TenantName.parse(request.name).tenant)
        return pb.GetTenantResponse(tenant=tenant_to_proto(tenant))

    async def ListTenants(
        self, principal: Principal, request: pb.ListTenantsRequest
    ) -> pb.ListTenantsResponse:
        """List tenants by name."""
        page = page_from_request(principal, "ListTenants", request)
        listed = await self.tenants.list(principal, page)
        return pb.ListTenantsResponse(
            tenants=[tenant_to_proto(tenant) for tenant in listed.items],
            next_page_token=next_token(principal, "ListTenants", request, listed.next_after),
        )

    async def SuspendTenant(
        self, principal: Principal, request: pb.SuspendTenantRequest
    ) -> pb.SuspendTenantResponse:
        """Suspend a tenant, or lift the suspension."""
        tenant_id = TenantName.parse(request.name).tenant
        ask = ask_of(principal, "SuspendTenant", request)
        return pb.SuspendTenantResponse(
            tenant=tenant_to_proto(await self.tenants.suspend(ask, tenant_id, lift=request.lift))
        )

    async def UpdateTenant(
        self, principal: Principal, request: pb.UpdateTenantRequest
    ) -> pb.UpdateTenantResponse:
        """Replace a tenant's title and settings."""
        tenant_id, title, second_person = tenant_to_update(request.tenant)
        ask = ask_of(principal, "UpdateTenant", request)
        stored = await self.tenants.update(ask, tenant_id, title, second_person=second_person)
        return pb.UpdateTenantResponse(tenant=tenant_to_proto(stored))
