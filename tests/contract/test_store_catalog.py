"""What is registered, on both engines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from release_passport.v1 import policy_pb2
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.access import PLATFORM
from release_passport_server.domain.catalog import (
    APIToken,
    Environment,
    ObserveOnlyBinding,
    PolicyDocument,
    RoleBinding,
    Service,
)
from release_passport_server.domain.record import FeedEvent, Listed, Page
from release_passport_server.ports.judging import CaseKey
from release_passport_server.ports.store import Reader, Transaction
from support.store import SECOND, START, TENANT, a_release, a_tenant, new_id, sha, subjects_of


def a_service(service_id: str = "checkout") -> Service:
    return Service(
        service_id,
        START,
        START + SECOND,
        "Checkout",
        "team: päy",
        {"tier": "1", "list": "[1]"},
        ("linux/amd64", "linux/arm64"),
        ("-----BEGIN PUBLIC KEY-----\n",),
    )


def an_environment(environment_id: str = "prod") -> Environment:
    return Environment(
        environment_id, START, START, "Production", {"region": "eu"}, ("baseline",), progressive=True
    )


def a_binding(number: int, *, environment: str = "prod", **more: Any) -> ObserveOnlyBinding:
    made = ObserveOnlyBinding(
        new_id(START + number * SECOND),
        "checkout",
        environment,
        "team-pay",
        "being introduced",
        START + timedelta(days=number),
        "user:ann",
        START,
    )
    return replace(made, **more)


def a_policy(policy_id: str = "baseline", revision: int = 1, **more: Any) -> PolicyDocument:
    spec = policy_pb2.PolicySpec(description=f"revision {revision}")
    made = PolicyDocument(
        policy_id, revision, sha(revision), spec, "user:ann", START, START + revision * SECOND
    )
    return replace(made, **more)


def a_role(number: int = 0, principal: str = "sa:ci") -> RoleBinding:
    where = new_id(START + number * SECOND)
    return RoleBinding(
        where, principal, "submitter", START, "user:ann", ("check*",), ("prod",), ("test_result",)
    )


def a_token(number: int = 0) -> APIToken:
    token_id = new_id(START + number * SECOND)
    return APIToken(token_id, "ci", "sa:ci", b"\x00\xff" * 16, START, START + timedelta(days=30), "user:ann")


async def put(store: SQLStore, *acts: Callable[[Transaction], None], tenant: str = TENANT) -> None:
    def act(tx: Transaction) -> None:
        for one in acts:
            one(tx)
        tx.emit(FeedEvent("catalog", "", ("tenant",)))

    await store.write(tenant, act)


async def pages(store: SQLStore, listing: Callable[[Reader, Page], Listed[Any]], size: int = 2) -> list[Any]:
    found: list[Any] = []
    after = ""
    while True:
        page = Page(size, after)
        listed = await store.read(TENANT, lambda reader, page=page: listing(reader, page))  # type: ignore[misc]
        assert len(listed.items) <= size
        found += listed.items
        after = listed.next_after
        if not after:
            return found


async def test_services_are_found_replaced_and_listed_by_id(store: SQLStore) -> None:
    first = a_service()
    await put(store, lambda tx: tx.put_service(first))
    assert await store.read(TENANT, lambda reader: reader.find_service("checkout")) == first
    changed = replace(first, title="", labels={}, platforms=(), update_time=START + timedelta(days=1))
    others = [a_service("a-first"), a_service("search")]
    await put(store, lambda tx: tx.put_service(changed), *(lambda tx, s=s: tx.put_service(s) for s in others))
    assert await store.read(TENANT, lambda reader: reader.find_service("checkout")) == changed
    assert await store.read(TENANT, lambda reader: reader.find_service("Checkout")) is None
    assert await pages(store, lambda reader, page: reader.list_services(page)) == [
        others[0],
        changed,
        others[1],
    ]


async def test_environments_are_found_replaced_and_listed_by_id(store: SQLStore) -> None:
    prod, dev = an_environment(), an_environment("dev")
    await put(store, lambda tx: tx.put_environment(prod), lambda tx: tx.put_environment(dev))
    changed = replace(prod, required_policies=(), progressive=False)
    await put(store, lambda tx: tx.put_environment(changed))
    assert await store.read(TENANT, lambda reader: reader.find_environment("prod")) == changed
    assert await pages(store, lambda reader, page: reader.list_environments(page), 1) == [dev, changed]


async def test_a_binding_is_in_force_until_it_ends(store: SQLStore) -> None:
    two_days, ended = a_binding(2), a_binding(9, end_time=START)
    elsewhere = a_binding(9, environment="stage")
    await put(store, *(lambda tx, b=b: tx.put_observe_only(b) for b in (two_days, ended, elsewhere)))

    async def at(days: int) -> ObserveOnlyBinding | None:
        now = START + timedelta(days=days)
        return await store.read(TENANT, lambda reader: reader.observe_only("checkout", "prod", now))

    assert [await at(days) for days in (0, 1, 2, 3)] == [two_days, two_days, None, None]
    await put(store, lambda tx: tx.put_observe_only(replace(two_days, end_time=START + SECOND)))
    assert await at(1) is None


async def test_bindings_are_listed_newest_first_with_those_that_ended(store: SQLStore) -> None:
    bindings = [a_binding(1), a_binding(2, end_time=START), a_binding(3)]
    await put(store, *(lambda tx, b=b: tx.put_observe_only(b) for b in bindings))
    assert await pages(store, lambda reader, page: reader.list_observe_only(page)) == bindings[::-1]
    wanted = bindings[1].binding_id
    assert await store.read(TENANT, lambda reader: reader.find_observe_only(wanted)) == bindings[1]


async def test_a_new_revision_of_a_policy_is_the_newest(store: SQLStore) -> None:
    revisions = [a_policy(revision=n) for n in (1, 2, 10)]
    for one in revisions:
        await put(store, lambda tx, one=one: tx.put_policy(one))  # type: ignore[misc]
    assert await store.read(TENANT, lambda reader: reader.find_policy("baseline")) == revisions[2]
    assert await store.read(TENANT, lambda reader: reader.policy_revision("baseline", 2)) == revisions[1]
    assert await store.read(TENANT, lambda reader: reader.policy_revision("baseline", 3)) is None
    listed = await pages(store, lambda reader, page: reader.list_policy_revisions("baseline", page))
    assert listed == revisions[::-1]
    assert await store.read(TENANT, lambda reader: reader.active_policies()) == (revisions[2],)


async def test_a_deleted_policy_is_kept_but_not_active(store: SQLStore) -> None:
    kept, gone = a_policy("kept"), a_policy("gone")
    await put(store, lambda tx: tx.put_policy(kept), lambda tx: tx.put_policy(gone))
    deleted = a_policy("gone", 2, delete_time=START + timedelta(hours=1))
    await put(store, lambda tx: tx.put_policy(deleted))
    assert await store.read(TENANT, lambda reader: reader.active_policies()) == (kept,)
    assert await store.read(TENANT, lambda reader: reader.find_policy("gone")) == deleted
    assert await pages(store, lambda reader, page: reader.list_policies(page)) == [kept]
    everything = await pages(store, lambda reader, page: reader.list_policies(page, deleted=True), 1)
    assert everything == [deleted, kept]
    again = a_policy("gone", 3)
    await put(store, lambda tx: tx.put_policy(again))
    assert await store.read(TENANT, lambda reader: reader.active_policies()) == (again, kept)


async def test_policies_of_one_tenant_are_not_another_s(store: SQLStore) -> None:
    await put(store, lambda tx: tx.put_policy(a_policy()), tenant="other")
    assert await store.read(TENANT, lambda reader: reader.active_policies()) == ()
    mine = a_policy(digest=sha("mine"))
    await put(store, lambda tx: tx.put_policy(mine))
    assert await store.read(TENANT, lambda reader: reader.active_policies()) == (mine,)


async def test_a_case_has_its_place_and_all_active_policies(store: SQLStore) -> None:
    service, environment, policy, binding = a_service(), an_environment(), a_policy(), a_binding(1)
    await put(
        store,
        lambda tx: tx.put_service(service),
        lambda tx: tx.put_environment(environment),
        lambda tx: tx.put_policy(policy),
        lambda tx: tx.put_observe_only(binding),
    )
    release = a_release()
    key = CaseKey(release, subjects_of(release), release.name)
    case = await store.read(TENANT, lambda reader: reader.load_case(key, START))
    assert (case.service, case.environment, case.policies) == (service, environment, (policy,))
    assert case.observe_only == binding
    later = await store.read(TENANT, lambda reader: reader.load_case(key, START + timedelta(days=2)))
    assert later.observe_only is None


async def test_grants_are_found_listed_and_taken_back(store: SQLStore) -> None:
    grants = [a_role(1), a_role(2, "user:ann"), a_role(3)]
    await put(store, *(lambda tx, g=g: tx.put_role_binding(g) for g in grants))
    assert (
        await store.read(TENANT, lambda reader: reader.find_role_binding(grants[0].binding_id)) == grants[0]
    )
    assert await pages(store, lambda reader, page: reader.list_role_bindings("", page)) == grants[::-1]
    of_ci = await pages(store, lambda reader, page: reader.list_role_bindings("sa:ci", page), 1)
    assert of_ci == [grants[2], grants[0]]
    await put(store, lambda tx: tx.delete_role_binding(grants[2].binding_id))
    everyone = await store.read(TENANT, lambda reader: reader.all_role_bindings())
    assert set(everyone) == {grants[0], grants[1]}


async def test_a_token_is_found_with_and_without_its_tenant(store: SQLStore) -> None:
    tokens = [a_token(1), a_token(2)]
    await put(store, *(lambda tx, t=t: tx.put_token(t) for t in tokens))
    wanted = tokens[0].token_id
    assert await store.read(TENANT, lambda reader: reader.find_token(wanted)) == tokens[0]
    assert await store.read("other", lambda reader: reader.find_token(wanted)) is None
    assert await store.tenant_of_token(wanted) == TENANT
    assert await store.tenant_of_token(new_id()) is None
    revoked = replace(tokens[0], revoke_time=START)
    await put(store, lambda tx: tx.put_token(revoked))
    assert await pages(store, lambda reader, page: reader.list_tokens(page), 1) == [tokens[1], revoked]


@pytest.mark.parametrize(
    "change",
    [
        lambda tx: tx.put_token(a_token()),
        lambda tx: tx.put_role_binding(a_role()),
        lambda tx: tx.delete_role_binding(new_id()),
        lambda tx: tx.put_tenant(replace(a_tenant(), suspended=True)),
    ],
)
async def test_each_change_of_rights_is_a_new_generation(
    store: SQLStore, change: Callable[[Transaction], None]
) -> None:
    def act(tx: Transaction) -> tuple[int, int]:
        before = tx.access_generation()
        change(tx)
        return before, tx.access_generation()

    start = await store.read(TENANT, lambda reader: reader.access_generation())
    before, within = (await store.write(TENANT, act)).value
    after = await store.read(TENANT, lambda reader: reader.access_generation())
    assert before == start < within <= after
    await put(store, lambda tx: tx.put_service(a_service()))
    assert await store.read(TENANT, lambda reader: reader.access_generation()) == after


async def test_grants_above_tenants_need_no_tenant(store: SQLStore) -> None:
    grant = a_role()
    await put(store, lambda tx: tx.put_role_binding(grant), tenant=PLATFORM)
    assert await store.read(PLATFORM, lambda reader: reader.all_role_bindings()) == (grant,)
    assert await store.read(PLATFORM, lambda reader: reader.access_generation()) == 1
    assert await store.read(PLATFORM, lambda reader: reader.find_tenant()) is None
    assert [one.tenant_id for one in (await store.list_tenants(Page(10))).items] == [TENANT]


async def test_tenants_are_listed_by_id(store: SQLStore) -> None:
    others = [a_tenant("zebra"), replace(a_tenant("bee"), suspended=True)]
    for one in others:
        await put(store, lambda tx, one=one: tx.put_tenant(one), tenant=one.tenant_id)  # type: ignore[misc]
    assert await store.read("bee", lambda reader: reader.find_tenant()) == others[1]
    first = await store.list_tenants(Page(2))
    rest = await store.list_tenants(Page(2, first.next_after))
    assert [one.tenant_id for one in (*first.items, *rest.items)] == ["acme", "bee", "zebra"]
    assert rest.next_after == ""


async def test_a_revision_that_was_rolled_back_is_never_judged_by(store: SQLStore) -> None:
    lax = a_policy(digest=sha("lax"))
    strict = a_policy(digest=sha("strict"))

    def publish_and_fail(tx: Transaction) -> None:
        tx.put_policy(lax)
        assert [policy.digest for policy in tx.active_policies()] == [lax.digest]
        raise ValueError("the disk is full")

    with pytest.raises(ValueError, match="disk"):
        await store.write(TENANT, publish_and_fail)
    await put(store, lambda tx: tx.put_policy(strict))
    written = await store.write(TENANT, lambda tx: tx.active_policies())
    assert [policy.digest for policy in written.value] == [strict.digest]
