"""What others vouch for is remembered for a while, and forgotten on every replica when rights change."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from release_passport.v1 import access_pb2
from release_passport.v1 import access_service_pb2 as pb
from release_passport_server.domain.access import Principal, Proof, Verb
from release_passport_server.domain.errors import Denied, Unauthenticated
from release_passport_server.domain.identity import Admission, Kind, Source, not_accepted
from release_passport_server.domain.release import Release
from release_passport_server.ports.identity import Vouched
from release_passport_server.ports.store import Reader
from release_passport_server.services.asking import Ask
from release_passport_server.services.authenticate import Vouchers
from release_passport_server.services.create_release import CreateRelease
from support.registry import Registry, assembled, registry
from support.store import TENANT, a_release

SOURCE = Source("corp", Kind.PERSON, "{sub}", (Admission(TENANT, {}),), {}, "groups", ("email",))
TOKEN = "ey.of.ada"


@dataclass
class Provider:
    """Verifies what it is told to, and counts."""

    expire_time: datetime
    asked: int = 0
    good: bool = True

    def may_be_token(self, text: str) -> bool:
        return text.startswith("ey")

    async def verify(self, text: str) -> Vouched:
        self.asked += 1
        if not self.good:
            raise not_accepted("its signature is not good")
        claims = {"sub": "ada", "groups": ["ops"], "email": "ada@example.com", "email_verified": True}
        return Vouched(SOURCE, claims, self.expire_time, "t-1")


@dataclass
class Place:
    """Two replicas on one store, which ask the same provider."""

    here: Registry
    there: Registry
    provider: Provider

    async def who(self) -> Principal:
        """Return whom the second replica takes the token's holder for."""
        return await self.there.authenticate.authenticate(TOKEN)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with registry(tmp_path) as here:
        there = assembled(here.store, here.clock)
        provider = Provider(here.clock.time + timedelta(minutes=10))
        for replica in (here, there):
            replica.authenticate.vouchers = Vouchers(provider)
        yield Place(here, there, provider)


async def test_a_verified_token_is_remembered_for_a_minute(place: Place) -> None:
    me = await place.who()
    assert (me.id, me.groups, me.credential, me.proof) == (
        "user:corp/ada",
        ("group:corp/ops",),
        "t-1",
        Proof.ISSUED,
    )
    place.here.later(seconds=59)
    assert await place.who() == me
    assert place.provider.asked == 1
    place.here.later(seconds=1)
    await place.who()
    assert place.provider.asked == 2


async def test_a_release_remembers_what_else_its_creator_is_known_as(place: Place) -> None:
    admin = await place.here.admin()
    binding = access_pb2.RoleBinding(principal="user:corp/ada", role="release-manager")
    await place.here.rights.CreateRoleBinding(admin, pb.CreateRoleBindingRequest(role_binding=binding))
    await place.here.place("checkout", "prod")
    place.here.later(seconds=1)
    create = CreateRelease(place.here.store, place.there.access)
    identity = a_release().identity
    await create(Ask(await place.who(), "CreateRelease"), identity)

    def act(reader: Reader) -> Release | None:
        return reader.find_release(identity.service, identity.environment, identity.version)

    stored = await place.here.store.read(TENANT, act)
    assert stored is not None
    assert (stored.creator, stored.creator_identities) == ("user:corp/ada", ("ada@example.com",))


async def test_roles_of_a_group_count_for_whom_the_token_puts_into_it(place: Place) -> None:
    admin = await place.here.admin()
    binding = access_pb2.RoleBinding(principal="group:corp/ops", role="viewer")
    made = await place.here.rights.CreateRoleBinding(admin, pb.CreateRoleBindingRequest(role_binding=binding))
    place.here.later(seconds=1)
    ada = await place.who()
    assert place.there.access.roles(ada) == {"viewer"}
    place.there.access.require(ada, Verb.READ)
    with pytest.raises(Denied):
        place.there.access.require(replace(ada, groups=("group:other/ops", "group:corp/op")), Verb.READ)
    await place.here.rights.DeleteRoleBinding(admin, pb.DeleteRoleBindingRequest(name=made.role_binding.name))
    place.here.later(seconds=1)
    with pytest.raises(Denied):
        place.there.access.require(await place.who(), Verb.READ)


async def test_a_token_whose_key_the_issuer_has_taken_away_is_refused_within_a_minute(place: Place) -> None:
    await place.who()
    place.provider.good = False
    place.here.later(seconds=60)
    with pytest.raises(Unauthenticated):
        await place.who()


async def test_a_token_is_not_remembered_beyond_its_end(place: Place) -> None:
    place.provider.expire_time = place.here.clock.time + timedelta(seconds=5)
    await place.who()
    place.here.later(seconds=5)
    await place.who()
    assert place.provider.asked == 2


async def test_a_clock_that_was_set_back_lets_nothing_be_remembered_for_longer(place: Place) -> None:
    await place.who()
    place.here.later(minutes=-30)
    await place.who()
    assert place.provider.asked == 2


async def test_a_ban_counts_on_other_replicas_within_a_second(place: Place) -> None:
    await place.who()
    ban = access_pb2.Ban(principal="user:corp/ada", credential="t-1", reason="lost with a laptop")
    made = await place.here.rights.CreateBan(await place.here.admin(), pb.CreateBanRequest(ban=ban))
    place.here.later(seconds=1)
    with pytest.raises(Unauthenticated, match="banned"):
        await place.who()
    await place.here.rights.EndBan(await place.here.admin(), pb.EndBanRequest(name=made.ban.name))
    place.here.later(seconds=1)
    await place.who()


async def test_who_was_banned_meanwhile_changes_nothing(place: Place) -> None:
    admin = await place.here.admin()
    binding = access_pb2.RoleBinding(principal="user:corp/ada", role="admin")
    await place.here.rights.CreateRoleBinding(admin, pb.CreateRoleBindingRequest(role_binding=binding))
    place.here.later(seconds=1)
    ada = await place.who()
    ban = access_pb2.Ban(principal="user:corp/ada", reason="left the company")
    await place.here.rights.CreateBan(admin, pb.CreateBanRequest(ban=ban))
    # The call began before the ban, and its replica has not heard of it.
    given = access_pb2.RoleBinding(principal="sa:friend", role="admin")
    with pytest.raises(Unauthenticated):
        await place.there.rights.CreateRoleBinding(ada, pb.CreateRoleBindingRequest(role_binding=given))


async def test_who_has_expired_meanwhile_changes_nothing(place: Place) -> None:
    admin = await place.here.admin()
    binding = access_pb2.RoleBinding(principal="user:corp/ada", role="admin")
    await place.here.rights.CreateRoleBinding(admin, pb.CreateRoleBindingRequest(role_binding=binding))
    place.here.later(seconds=1)
    ada = await place.who()
    place.here.later(minutes=10)
    given = access_pb2.RoleBinding(principal="sa:friend", role="viewer")
    with pytest.raises(Unauthenticated, match="expired"):
        await place.there.rights.CreateRoleBinding(ada, pb.CreateRoleBindingRequest(role_binding=given))


async def test_a_ban_ends_api_tokens_of_the_principal_too(place: Place) -> None:
    admin = await place.here.admin()
    secret = await place.here.token("sa:ci")
    await place.there.authenticate.authenticate(secret)
    ban = access_pb2.Ban(principal="sa:ci", reason="its machine was taken over")
    await place.here.rights.CreateBan(admin, pb.CreateBanRequest(ban=ban))
    place.here.later(seconds=1)
    with pytest.raises(Unauthenticated):
        await place.there.authenticate.authenticate(secret)


async def test_whoever_may_not_give_access_may_not_ban(place: Place) -> None:
    viewer = await place.here.somebody("sa:viewer", access_pb2.RoleBinding(role="viewer"))
    ban = access_pb2.Ban(principal="sa:ci", reason="because I can do it")
    for ask in (
        place.here.rights.CreateBan(viewer, pb.CreateBanRequest(ban=ban)),
        place.here.rights.ListBans(viewer, pb.ListBansRequest()),
    ):
        with pytest.raises(Denied):
            await ask
