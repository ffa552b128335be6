"""Role bindings, tokens and authentication, over a real store and the real index of rights."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from release_passport.v1 import access_pb2, catalog_pb2, catalog_service_pb2
from release_passport.v1 import access_service_pb2 as pb
from release_passport_server.domain.access import Principal
from release_passport_server.domain.errors import (
    AlreadyExists,
    Denied,
    Invalid,
    NotFound,
    PassportError,
    Precondition,
    Unauthenticated,
)
from support.registry import Registry, assembled, registry, role


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Registry]:
    async with registry(tmp_path) as made:
        yield made


async def bind(there: Registry, maker: Principal, **fields: object) -> access_pb2.RoleBinding:
    binding = access_pb2.RoleBinding(**fields)  # type: ignore[arg-type]
    request = pb.CreateRoleBindingRequest(role_binding=binding)
    return (await there.rights.CreateRoleBinding(maker, request)).role_binding


async def make(
    there: Registry, maker: Principal, principal: str, *roles: access_pb2.RoleBinding, request_id: str = ""
) -> pb.CreateAPITokenResponse:
    token = access_pb2.APIToken(principal=principal, title="for tests")
    request = pb.CreateAPITokenRequest(api_token=token, role_bindings=roles, request_id=request_id)
    return await there.rights.CreateAPIToken(maker, request)


async def who(there: Registry, principal: Principal) -> pb.WhoAmIResponse:
    return await there.rights.WhoAmI(principal, pb.WhoAmIRequest())


async def test_the_first_admin_knows_who_it_is(there: Registry) -> None:
    answer = await who(there, await there.admin())
    assert (answer.principal, answer.tenant) == ("user:admin", "acme")
    assert "admin" in answer.roles
    assert {"access", "policies"} <= set(answer.verbs)
    assert answer.server_version == "1.2.3"
    assert not answer.notices


async def test_a_token_gets_its_roles_and_its_secret_is_shown_once(there: Registry) -> None:
    admin = await there.admin()
    made = await make(there, admin, "sa:ci", role("ci", services=["checkout"]), request_id="r1")
    principal = await there.authenticate.authenticate(made.secret)
    assert principal.id == "sa:ci"
    assert principal.credential in made.api_token.name
    assert (await who(there, principal)).roles == ["ci"]
    listed = await there.rights.ListAPITokens(admin, pb.ListAPITokensRequest())
    assert made.api_token in listed.api_tokens
    assert made.secret not in str(listed)
    with pytest.raises(AlreadyExists, match="shown then"):
        await make(there, admin, "sa:ci", role("ci", services=["checkout"]), request_id="r1")


async def test_a_token_lives_90_days_unless_it_says_otherwise(there: Registry) -> None:
    made = await make(there, await there.admin(), "sa:ci")
    life = made.api_token.expire_time.ToDatetime() - made.api_token.create_time.ToDatetime()
    assert life.days == 90
    there.later(days=89)
    await there.authenticate.authenticate(made.secret)
    there.later(days=1)
    with pytest.raises(Unauthenticated):
        await there.authenticate.authenticate(made.secret)


@pytest.mark.parametrize("days", [-1, 0, 367])
async def test_a_token_ends_within_366_days(there: Registry, days: int) -> None:
    end = Timestamp()
    end.FromSeconds(int(there.clock.time.timestamp()) + days * 86400)
    token = access_pb2.APIToken(principal="sa:ci", expire_time=end)
    with pytest.raises(Invalid) as refused:
        await there.rights.CreateAPIToken(await there.admin(), pb.CreateAPITokenRequest(api_token=token))
    assert refused.value.violations[0].field == "api_token.expire_time"


@pytest.mark.parametrize(
    "principal",
    ["", "ci", "sa:", "sa:CI", "robot:ci", "sa:ci\n", "sa:a-", "sa:a b", "user:é", "acme/user:admin"],
)
async def test_a_principal_says_what_it_is(there: Registry, principal: str) -> None:
    admin = await there.admin()
    with pytest.raises(Invalid) as refused:
        await make(there, admin, principal)
    assert refused.value.violations[0].field == "api_token.principal"
    with pytest.raises(Invalid):
        await bind(there, admin, principal=principal, role="viewer")


async def test_a_revoked_token_is_refused_at_once(there: Registry) -> None:
    admin = await there.admin()
    made = await make(there, admin, "sa:ci", role("ci"))
    await there.authenticate.authenticate(made.secret)
    request = pb.RevokeAPITokenRequest(name=made.api_token.name)
    assert (await there.rights.RevokeAPIToken(admin, request)).api_token.HasField("revoke_time")
    with pytest.raises(Unauthenticated):
        await there.authenticate.authenticate(made.secret)
    with pytest.raises(Precondition) as refused:
        await there.rights.RevokeAPIToken(admin, request)
    assert refused.value.reason == "ALREADY_REVOKED"


async def test_another_replica_refuses_a_revoked_token_within_a_second(there: Registry) -> None:
    other = assembled(there.store, there.clock)
    made = await make(there, await there.admin(), "sa:ci", role("ci"))
    principal = await other.authenticate.authenticate(made.secret)
    request = pb.RevokeAPITokenRequest(name=made.api_token.name)
    await there.rights.RevokeAPIToken(await there.admin(), request)
    there.later(seconds=1)
    with pytest.raises(Unauthenticated):
        await other.authenticate.authenticate(made.secret)
    assert principal.id == "sa:ci"


async def test_another_replica_writes_nothing_for_who_lost_the_right(there: Registry) -> None:
    other = assembled(there.store, there.clock)
    made = await make(there, await there.admin(), "user:ada")
    binding = await bind(there, await there.admin(), principal="user:ada", role="admin")
    ada = await other.authenticate.authenticate(made.secret)
    request = pb.DeleteRoleBindingRequest(name=binding.name)
    await there.rights.DeleteRoleBinding(await there.admin(), request)
    # The other replica has not heard of it, and its clock stands still.
    service = catalog_service_pb2.CreateServiceRequest(service=catalog_pb2.Service(service_id="checkout"))
    with pytest.raises(Denied):
        await other.catalog.CreateService(ada, service)


async def test_another_replica_writes_nothing_for_a_revoked_token(there: Registry) -> None:
    other = assembled(there.store, there.clock)
    made = await make(there, await there.admin(), "user:ada", role("admin"))
    ada = await other.authenticate.authenticate(made.secret)
    request = pb.RevokeAPITokenRequest(name=made.api_token.name)
    await there.rights.RevokeAPIToken(await there.admin(), request)
    service = catalog_service_pb2.CreateServiceRequest(service=catalog_pb2.Service(service_id="checkout"))
    with pytest.raises(Unauthenticated):
        await other.catalog.CreateService(ada, service)


@pytest.mark.parametrize(
    "change",
    [
        lambda secret: "",
        lambda secret: "x",
        lambda secret: secret + "x",
        lambda secret: secret[:-4] + "AAAA",
        lambda secret: secret.replace("rp1_0", "rp1_1"),
        lambda secret: secret.upper(),
        lambda secret: "rp1_" + "\udc80" * 70,
    ],
)
async def test_what_is_no_token_says_nothing_of_why(there: Registry, change: object) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await there.authenticate.authenticate(change(there.admin_secret))  # type: ignore[operator]
    assert refused.value.reason in {"CREDENTIAL_INVALID", "CREDENTIAL_MISSING"}


async def test_no_credential_is_told_apart_from_a_bad_one(there: Registry) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await there.authenticate.authenticate(None)
    assert refused.value.reason == "CREDENTIAL_MISSING"


async def test_grants_count_from_the_moment_that_they_are_made_and_taken(there: Registry) -> None:
    admin = await there.admin()
    ada = await there.somebody("user:ada")
    listing = catalog_service_pb2.ListServicesRequest()
    with pytest.raises(Denied):
        await there.catalog.ListServices(ada, listing)
    binding = await bind(there, admin, principal="user:ada", role="viewer")
    await there.catalog.ListServices(ada, listing)
    await there.rights.DeleteRoleBinding(admin, pb.DeleteRoleBindingRequest(name=binding.name))
    with pytest.raises(Denied):
        await there.catalog.ListServices(ada, listing)


async def test_bindings_are_listed_by_principal(there: Registry) -> None:
    admin = await there.admin()
    made = await bind(there, admin, principal="user:ada", role="viewer", services=["check*"])
    listed = await there.rights.ListRoleBindings(admin, pb.ListRoleBindingsRequest(principal="user:ada"))
    assert list(listed.role_bindings) == [made]
    everybody = await there.rights.ListRoleBindings(admin, pb.ListRoleBindingsRequest())
    assert len(everybody.role_bindings) == 2


async def test_nobody_gives_more_than_they_have(there: Registry) -> None:
    admin = await there.admin()
    await there.place("checkout", "prod")
    with pytest.raises(Invalid, match="role"):
        await bind(there, admin, principal="user:ada", role="platform-admin")
    with pytest.raises(Invalid, match="role"):
        await bind(there, admin, principal="user:ada", role="emperor")
    auditor = await there.somebody("user:ada", role("auditor"), role("policy-admin"))
    for act in (
        bind(there, auditor, principal="user:ada", role="admin"),
        make(there, auditor, "user:ada", role("viewer")),
    ):
        with pytest.raises(Denied):
            await act


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"role": ""}, "role"),
        ({"role": "Admin"}, "role"),
        ({"role": "viewer", "services": ["Check"]}, "services[0]"),
        ({"role": "viewer", "environments": ["[a]"]}, "environments[0]"),
        ({"role": "viewer", "services": ["a"] * 101}, "services"),
        ({"role": "ci", "evidence_kinds": ["moon_phase"]}, "evidence_kinds[0]"),
        ({"role": "ci", "evidence_kinds": ["Moon*"]}, "evidence_kinds[0]"),
    ],
)
async def test_a_binding_is_read_strictly(there: Registry, fields: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        await bind(there, await there.admin(), principal="user:ada", **fields)
    assert [violation.field for violation in refused.value.violations] == [f"role_binding.{field}"]


async def test_a_tokens_roles_are_for_its_own_principal(there: Registry) -> None:
    stranger = access_pb2.RoleBinding(principal="user:eve", role="viewer")
    with pytest.raises(Invalid) as refused:
        await make(there, await there.admin(), "user:ada", stranger)
    assert refused.value.violations[0].field == "role_bindings[0].principal"


async def test_the_last_admin_stays(there: Registry) -> None:
    admin = await there.admin()
    (first,) = (await there.rights.ListRoleBindings(admin, pb.ListRoleBindingsRequest())).role_bindings
    await bind(there, admin, principal="user:bob", role="admin", services=["checkout"])
    request = pb.DeleteRoleBindingRequest(name=first.name)
    with pytest.raises(Precondition) as refused:
        await there.rights.DeleteRoleBinding(admin, request)
    assert refused.value.reason == "LAST_ADMIN"
    await bind(there, admin, principal="user:eve", role="admin")
    await there.rights.DeleteRoleBinding(admin, request)


async def test_names_of_other_tenants_are_not_found(there: Registry) -> None:
    admin = await there.admin()
    name = "tenants/beta/apiTokens/01JQ0000000000000000000000"
    with pytest.raises(NotFound):
        await there.rights.RevokeAPIToken(admin, pb.RevokeAPITokenRequest(name=name))
    binding = "tenants/beta/roleBindings/01JQ0000000000000000000000"
    with pytest.raises(NotFound):
        await there.rights.DeleteRoleBinding(admin, pb.DeleteRoleBindingRequest(name=binding))


async def test_access_needs_its_verb(there: Registry) -> None:
    reader = await there.somebody("user:ada", role("viewer"))
    calls = [
        there.rights.ListAPITokens(reader, pb.ListAPITokensRequest()),
        there.rights.ListRoleBindings(reader, pb.ListRoleBindingsRequest()),
        make(there, reader, "user:ada"),
        bind(there, reader, principal="user:ada", role="viewer"),
    ]
    for call in calls:
        with pytest.raises(PassportError) as refused:
            await call
        assert isinstance(refused.value, Denied)
