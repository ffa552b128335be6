"""Services, environments and observe-only bindings, over a real store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from release_passport.v1 import catalog_pb2
from release_passport.v1 import catalog_service_pb2 as pb
from release_passport_server.domain.errors import (
    AlreadyExists,
    Conflict,
    Denied,
    Invalid,
    NotFound,
    Precondition,
)
from release_passport_server.domain.release import Release
from support.dsse import p256_signer
from support.registry import Registry, registry, role
from support.store import a_release, put_release


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Registry]:
    async with registry(tmp_path) as made:
        yield made


def service(service_id: str = "checkout", **fields: object) -> catalog_pb2.Service:
    return catalog_pb2.Service(service_id=service_id, **fields)  # type: ignore[arg-type]


async def create(
    there: Registry, given: catalog_pb2.Service, request_id: str = ""
) -> pb.CreateServiceResponse:
    request = pb.CreateServiceRequest(service=given, request_id=request_id)
    return await there.catalog.CreateService(await there.admin(), request)


async def test_a_service_is_registered_with_its_labels(there: Registry) -> None:
    stored = (await create(there, service(title="Checkout", labels={"tier": "1"}, owner="pay"))).service
    assert stored.name == "tenants/acme/services/checkout"
    assert stored.etag
    assert stored.create_time == stored.update_time
    request = pb.GetServiceRequest(name=stored.name)
    assert (await there.catalog.GetService(await there.admin(), request)).service == stored


async def test_an_id_that_is_taken_is_refused(there: Registry) -> None:
    await create(there, service())
    with pytest.raises(AlreadyExists, match="checkout already"):
        await create(there, service(title="another"))


async def test_the_same_request_again_returns_what_it_made(there: Registry) -> None:
    first = await create(there, service(), "r1")
    again = await create(there, service(), "r1")
    assert again.service == first.service
    with pytest.raises(Precondition) as refused:
        await create(there, service("other"), "r1")
    assert refused.value.reason == "REQUEST_ID_REUSED"


async def test_an_update_replaces_everything_and_needs_the_current_etag(there: Registry) -> None:
    before = (await create(there, service(labels={"tier": "1"}))).service
    there.later(seconds=5)
    changed = catalog_pb2.Service(name=before.name, etag=before.etag, labels={"tier": "2"})
    request = pb.UpdateServiceRequest(service=changed)
    after = (await there.catalog.UpdateService(await there.admin(), request)).service
    assert dict(after.labels) == {"tier": "2"}
    assert after.create_time == before.create_time
    assert after.etag != before.etag
    with pytest.raises(Conflict) as refused:
        await there.catalog.UpdateService(await there.admin(), request)
    assert refused.value.reason == "ETAG_MISMATCH"


async def test_an_update_without_an_etag_is_refused(there: Registry) -> None:
    stored = (await create(there, service())).service
    stored.etag = ""
    with pytest.raises(Invalid) as refused:
        await there.catalog.UpdateService(await there.admin(), pb.UpdateServiceRequest(service=stored))
    assert [violation.field for violation in refused.value.violations] == ["service.etag"]


async def test_what_is_wrong_with_a_service_is_told_at_once(there: Registry) -> None:
    given = service(
        "Checkout/",
        title="\x1b[31m",
        owner="x" * 257,
        labels={"Tier": "1", "ok": "\x00"},
        platforms=["linux"],
        signers=[""],
    )
    with pytest.raises(Invalid) as refused:
        await create(there, given)
    assert {violation.field for violation in refused.value.violations} == {
        "service.service_id",
        "service.title",
        "service.owner",
        "service.labels['Tier']",
        "service.labels['ok']",
        "service.platforms[0]",
        "service.signers[0]",
    }


async def test_a_signer_is_a_public_key_that_can_be_used(there: Registry) -> None:
    key = p256_signer().pem
    assert (await create(there, service(signers=[key]))).service.signers == [key]
    with pytest.raises(Invalid) as refused:
        await create(there, service("other", signers=["-----BEGIN PUBLIC KEY-----\nx\n"]))
    assert refused.value.violations[0].field == "service.signers[0]"


async def test_another_tenants_names_are_not_found(there: Registry) -> None:
    admin = await there.admin()
    for request in (
        pb.GetServiceRequest(name="tenants/beta/services/checkout"),
        pb.GetServiceRequest(name="tenants/acme/services/checkout"),
    ):
        with pytest.raises(NotFound):
            await there.catalog.GetService(admin, request)
    with pytest.raises(NotFound):
        await there.catalog.ListServices(admin, pb.ListServicesRequest(tenant="beta"))
    with pytest.raises(NotFound):
        await there.catalog.CreateService(admin, pb.CreateServiceRequest(tenant="beta", service=service()))


async def test_a_list_goes_on_where_its_page_ended(there: Registry) -> None:
    for name in ("a", "b", "c"):
        await create(there, service(name))
    admin = await there.admin()
    first = await there.catalog.ListServices(admin, pb.ListServicesRequest(page_size=2))
    assert [one.service_id for one in first.services] == ["a", "b"]
    rest = pb.ListServicesRequest(page_size=2, page_token=first.next_page_token)
    second = await there.catalog.ListServices(admin, rest)
    assert [one.service_id for one in second.services] == ["c"]
    assert not second.next_page_token
    stolen = pb.ListEnvironmentsRequest(page_token=first.next_page_token)
    with pytest.raises(Invalid) as refused:
        await there.catalog.ListEnvironments(admin, stolen)
    assert refused.value.reason == "PAGE_TOKEN_INVALID"


async def test_readers_see_the_services_of_their_scope(there: Registry) -> None:
    await create(there, service("checkout"))
    await create(there, service("search"))
    reader = await there.somebody("user:ada", role("viewer", services=["check*"], environments=["prod"]))
    listed = await there.catalog.ListServices(reader, pb.ListServicesRequest())
    assert [one.service_id for one in listed.services] == ["checkout"]
    with pytest.raises(Denied):
        await there.catalog.GetService(reader, pb.GetServiceRequest(name="tenants/acme/services/search"))
    with pytest.raises(Denied):
        await there.catalog.GetService(reader, pb.GetServiceRequest(name="tenants/acme/services/none"))


async def test_registering_needs_the_verb_catalog_over_the_whole_service(there: Registry) -> None:
    release_manager = await there.somebody("user:ada", role("release-manager"))
    narrow = await there.somebody("user:bob", role("admin", services=["checkout"], environments=["dev"]))
    for principal in (release_manager, narrow):
        with pytest.raises(Denied):
            await there.catalog.CreateService(principal, pb.CreateServiceRequest(service=service()))
    wide = await there.somebody("user:eve", role("admin", services=["checkout"]))
    await there.catalog.CreateService(wide, pb.CreateServiceRequest(service=service()))
    with pytest.raises(Denied):
        await there.catalog.CreateService(wide, pb.CreateServiceRequest(service=service("search")))


async def test_an_environment_is_registered_and_updated(there: Registry) -> None:
    admin = await there.admin()
    given = catalog_pb2.Environment(environment_id="prod", required_policies=["baseline"], progressive=True)
    request = pb.CreateEnvironmentRequest(environment=given)
    stored = (await there.catalog.CreateEnvironment(admin, request)).environment
    assert list(stored.required_policies) == ["baseline"]
    assert stored.progressive
    del stored.required_policies[:]
    update = pb.UpdateEnvironmentRequest(environment=stored)
    assert not (await there.catalog.UpdateEnvironment(admin, update)).environment.required_policies
    with pytest.raises(AlreadyExists):
        await there.catalog.CreateEnvironment(admin, request)
    twice = catalog_pb2.Environment(environment_id="x", required_policies=["a", "a"])
    with pytest.raises(Invalid, match="twice"):
        await there.catalog.CreateEnvironment(admin, pb.CreateEnvironmentRequest(environment=twice))


def binding(there: Registry, **changes: object) -> catalog_pb2.ObserveOnlyBinding:
    fields: dict[str, object] = {
        "service": "checkout",
        "environment": "prod",
        "owner": "ada",
        "reason": "trying it out for a quarter",
        "expire_time": stamp(there, timedelta(days=90)),
    }
    return catalog_pb2.ObserveOnlyBinding(**(fields | changes))  # type: ignore[arg-type]


def stamp(there: Registry, ahead: timedelta) -> Timestamp:
    time = Timestamp()
    time.FromDatetime(there.clock.time + ahead)
    return time


async def bind(there: Registry, given: catalog_pb2.ObserveOnlyBinding) -> catalog_pb2.ObserveOnlyBinding:
    request = pb.CreateObserveOnlyBindingRequest(binding=given)
    return (await there.catalog.CreateObserveOnlyBinding(await there.admin(), request)).binding


async def test_a_binding_is_made_listed_and_ended(there: Registry) -> None:
    await there.place("checkout", "prod")
    made = await bind(there, binding(there))
    assert made.creator == "user:admin"
    admin = await there.admin()
    listed = await there.catalog.ListObserveOnlyBindings(admin, pb.ListObserveOnlyBindingsRequest())
    assert list(listed.bindings) == [made]
    request = pb.EndObserveOnlyBindingRequest(name=made.name)
    ended = (await there.catalog.EndObserveOnlyBinding(admin, request)).binding
    assert ended.HasField("end_time")
    assert (await there.catalog.EndObserveOnlyBinding(admin, request)).binding == ended
    found = await there.store.read("acme", lambda r: r.observe_only("checkout", "prod", there.clock.time))
    assert found is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reason": "short"}, "binding.reason"),
        ({"reason": " " * 30}, "binding.reason"),
        ({"owner": ""}, "binding.owner"),
        ({"service": "Checkout"}, "binding.service"),
        ({"expire_time": None}, "binding.expire_time"),
    ],
)
async def test_a_binding_says_who_why_where_and_until_when(
    there: Registry, changes: dict[str, object], field: str
) -> None:
    await there.place("checkout", "prod")
    with pytest.raises(Invalid) as refused:
        await bind(there, binding(there, **changes))
    assert [violation.field for violation in refused.value.violations] == [field]


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(days=90, seconds=1)])
async def test_a_binding_ends_within_90_days(there: Registry, ahead: timedelta) -> None:
    await there.place("checkout", "prod")
    with pytest.raises(Invalid, match="90 days"):
        await bind(there, binding(there, expire_time=stamp(there, ahead)))


async def test_a_binding_is_for_what_is_registered(there: Registry) -> None:
    await there.place("checkout", "prod")
    with pytest.raises(NotFound, match="search"):
        await bind(there, binding(there, service="search"))


async def test_who_makes_releases_there_makes_no_binding(there: Registry) -> None:
    await there.place("checkout", "prod")
    base = a_release()
    made = Release(base.name, base.identity, "user:admin", base.create_time)
    await there.store.write("acme", lambda tx: put_release(tx, made))
    with pytest.raises(Denied, match="somebody else"):
        await bind(there, binding(there))
    await there.place("checkout", "dev")
    await bind(there, binding(there, environment="dev"))


async def test_only_the_verb_observe_only_makes_a_binding(there: Registry) -> None:
    await there.place("checkout", "prod")
    manager = await there.somebody("user:ada", role("release-manager"), role("policy-admin"))
    request = pb.CreateObserveOnlyBindingRequest(binding=binding(there))
    with pytest.raises(Denied):
        await there.catalog.CreateObserveOnlyBinding(manager, request)
