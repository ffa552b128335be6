"""Tenants, and who stands above them, over a real store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from release_passport.v1 import access_pb2, access_service_pb2, catalog_pb2, catalog_service_pb2, tenant_pb2
from release_passport.v1 import tenant_service_pb2 as pb
from release_passport_server.adapters.system.ids import SystemIds
from release_passport_server.adapters.tokens.bearer import BearerTokens
from release_passport_server.domain.errors import (
    AlreadyExists,
    Denied,
    Invalid,
    NotFound,
    Precondition,
)
from release_passport_server.services.tenants import bootstrap_tenant
from support.registry import Registry, registry, role


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Registry]:
    async with registry(tmp_path) as made:
        yield made


async def create(there: Registry, tenant_id: str = "beta", request_id: str = "") -> pb.CreateTenantResponse:
    tenant = tenant_pb2.Tenant(tenant_id=tenant_id, title="Beta")
    request = pb.CreateTenantRequest(tenant=tenant, request_id=request_id)
    return await there.tenants.CreateTenant(await there.admin(), request)


async def suspend(there: Registry, tenant_id: str, *, lift: bool = False) -> tenant_pb2.Tenant:
    request = pb.SuspendTenantRequest(name=f"tenants/{tenant_id}", lift=lift)
    return (await there.tenants.SuspendTenant(await there.admin(), request)).tenant


async def test_a_tenant_is_made_with_an_admin_of_its_own(there: Registry) -> None:
    made = await create(there)
    assert made.tenant.name == "tenants/beta"
    assert made.tenant.state == tenant_pb2.TENANT_STATE_ACTIVE
    admin = await there.authenticate.authenticate(made.admin_token)
    assert (admin.tenant, admin.id) == ("beta", "user:admin")
    await there.catalog.ListServices(admin, catalog_service_pb2.ListServicesRequest())
    with pytest.raises(NotFound):
        await there.catalog.ListServices(admin, catalog_service_pb2.ListServicesRequest(tenant="acme"))


async def test_the_admin_of_a_tenant_does_not_stand_above_tenants(there: Registry) -> None:
    # Both are called user:admin, each in a tenant of its own.
    admin = await there.authenticate.authenticate((await create(there)).admin_token)
    for call in (
        there.tenants.ListTenants(admin, pb.ListTenantsRequest()),
        there.tenants.GetTenant(admin, pb.GetTenantRequest(name="tenants/acme")),
        there.tenants.SuspendTenant(admin, pb.SuspendTenantRequest(name="tenants/acme")),
        there.tenants.CreateTenant(admin, pb.CreateTenantRequest(tenant=tenant_pb2.Tenant(tenant_id="c"))),
    ):
        with pytest.raises(Denied):
            await call


async def test_an_admin_makes_no_token_for_who_stands_above_tenants(there: Registry) -> None:
    other = await there.somebody("user:eve", role("admin"))
    request = access_service_pb2.CreateAPITokenRequest(api_token=access_pb2.APIToken(principal="user:admin"))
    with pytest.raises(Denied, match="above tenants"):
        await there.rights.CreateAPIToken(other, request)
    await there.rights.CreateAPIToken(await there.admin(), request)


async def test_a_tenants_id_is_taken_once(there: Registry) -> None:
    await create(there)
    with pytest.raises(AlreadyExists):
        await create(there)
    with pytest.raises(AlreadyExists):
        await create(there, "acme")
    with pytest.raises(AlreadyExists):
        await bootstrap_tenant(there.store, SystemIds(), BearerTokens(), "acme")


async def test_the_first_admins_secret_is_shown_once(there: Registry) -> None:
    await create(there, request_id="r1")
    with pytest.raises(AlreadyExists, match="shown then"):
        await create(there, request_id="r1")
    tenant = tenant_pb2.Tenant(tenant_id="beta", title="another")
    request = pb.CreateTenantRequest(tenant=tenant, request_id="r1")
    principal = await there.admin()
    with pytest.raises(Precondition):
        await there.tenants.CreateTenant(principal, request)


@pytest.mark.parametrize("tenant_id", ["", "Beta", "*platform*", "a/b", "beta\n", "b" * 64])
async def test_a_tenants_id_is_a_slug(there: Registry, tenant_id: str) -> None:
    with pytest.raises(Invalid) as refused:
        await create(there, tenant_id)
    assert [violation.field for violation in refused.value.violations] == ["tenant.tenant_id"]


async def test_tenants_are_listed_and_what_stands_above_them_is_not_one(there: Registry) -> None:
    await create(there)
    admin = await there.admin()
    first = await there.tenants.ListTenants(admin, pb.ListTenantsRequest(page_size=1))
    rest = pb.ListTenantsRequest(page_size=1, page_token=first.next_page_token)
    second = await there.tenants.ListTenants(admin, rest)
    assert [one.tenant_id for one in (*first.tenants, *second.tenants)] == ["acme", "beta"]
    assert not second.next_page_token
    with pytest.raises(NotFound):
        await there.tenants.GetTenant(admin, pb.GetTenantRequest(name="tenants/none"))


async def test_a_suspended_tenant_is_refused_at_once_and_can_come_back(there: Registry) -> None:
    secret = (await create(there)).admin_token
    admin = await there.authenticate.authenticate(secret)
    assert (await suspend(there, "beta")).state == tenant_pb2.TENANT_STATE_SUSPENDED
    with pytest.raises(Denied) as refused:
        await there.authenticate.authenticate(secret)
    assert refused.value.reason == "TENANT_SUSPENDED"
    service = catalog_service_pb2.CreateServiceRequest(service=catalog_pb2.Service(service_id="checkout"))
    with pytest.raises(Denied):
        await there.catalog.CreateService(admin, service)
    assert (await suspend(there, "beta", lift=True)).state == tenant_pb2.TENANT_STATE_ACTIVE
    assert await there.authenticate.authenticate(secret) == admin


async def test_who_stands_above_tenants_can_lift_the_suspension_of_its_own(there: Registry) -> None:
    eve = await there.token("user:eve", role("admin"))
    await suspend(there, "acme")
    with pytest.raises(Denied):
        await there.authenticate.authenticate(eve)
    assert (await suspend(there, "acme", lift=True)).state == tenant_pb2.TENANT_STATE_ACTIVE
    await there.authenticate.authenticate(eve)
