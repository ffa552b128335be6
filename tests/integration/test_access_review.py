"""What somebody may do and why, and who may do what, over a real store and the real index of rights."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from release_passport.v1 import access_pb2
from release_passport.v1 import access_service_pb2 as pb
from release_passport_server.domain.access import Principal
from release_passport_server.domain.errors import Denied, Invalid, NotFound
from release_passport_server.services import access_review
from support.registry import Registry, registry, role

ALLOWS = access_pb2.BINDING_OUTCOME_ALLOWS
REASON = "left the company last week"


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Registry]:
    async with registry(tmp_path) as made:
        yield made


async def bind(there: Registry, **fields: object) -> access_pb2.RoleBinding:
    binding = access_pb2.RoleBinding(**fields)  # type: ignore[arg-type]
    request = pb.CreateRoleBindingRequest(role_binding=binding)
    return (await there.rights.CreateRoleBinding(await there.admin(), request)).role_binding


async def ask(there: Registry, asker: Principal, **fields: object) -> pb.CheckAccessResponse:
    request = pb.CheckAccessRequest(explain=True, **fields)  # type: ignore[arg-type]
    return await there.rights.CheckAccess(asker, request)


async def test_an_explanation_names_the_binding_and_the_rule(there: Registry) -> None:
    await bind(there, principal="sa:ci", role="viewer")
    made = await bind(there, principal="sa:ci", role="submitter", services=["checkout"])
    question = {"principal": "sa:ci", "verb": "submit", "evidence_kind": "sbom"}
    place = {"service": "checkout", "environment": "prod"}
    found = await ask(there, await there.admin(), **question, **place)
    assert found.allowed
    first, other = found.bindings
    assert (first.role_binding.name, first.outcome) == (made.name, ALLOWS)
    assert first.rule[1:5] == ["acme", "checkout", "*", "submit"]
    assert other.outcome == access_pb2.BINDING_OUTCOME_OTHER_VERBS
    assert "role submitter" in found.explanation


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({"service": "billing"}, "OTHER_PLACE"),
        ({"service": ""}, "OTHER_PLACE"),
        ({"evidence_kind": "runtime_health"}, "OTHER_KINDS"),
        ({"verb": "approve", "evidence_kind": ""}, "OTHER_VERBS"),
    ],
)
async def test_a_refusal_says_what_the_binding_falls_short_of(
    there: Registry, changed: dict[str, str], outcome: str
) -> None:
    await bind(there, principal="sa:ci", role="submitter", services=["checkout"])
    asked = {"principal": "sa:ci", "verb": "submit", "evidence_kind": "sbom", "service": "checkout"}
    found = await ask(there, await there.admin(), **{**asked, **changed})
    assert not found.allowed
    assert [one.outcome for one in found.bindings] == [
        access_pb2.BindingOutcome.Value(f"BINDING_OUTCOME_{outcome}")
    ]
    assert "none of its 1 role bindings" in found.explanation


async def test_a_role_of_a_group_counts_for_who_is_said_to_be_in_it(there: Registry) -> None:
    await bind(there, principal="group:corp/ops", role="viewer")
    admin = await there.admin()
    assert not (await ask(there, admin, principal="user:corp/ada", verb="read")).allowed
    found = await ask(there, admin, principal="user:corp/ada", groups=["group:corp/ops"], verb="read")
    assert found.allowed
    assert "through group:corp/ops" in found.explanation


async def test_everybody_may_ask_about_themselves_and_nobody_about_others(there: Registry) -> None:
    somebody = await there.somebody("user:ada")
    assert not (await ask(there, somebody, verb="read")).allowed
    assert not (await ask(there, somebody, principal="user:ada", verb="read")).allowed
    for others in ({"principal": "user:bob"}, {"principal": "user:ada", "groups": ["group:corp/ops"]}):
        with pytest.raises(Denied):
            await ask(there, somebody, verb="read", **others)
    proved = replace(somebody, groups=("group:corp/ops",))
    await bind(there, principal="group:corp/ops", role="viewer")
    assert (await ask(there, proved, verb="read")).allowed


async def test_a_ban_stands_over_every_binding(there: Registry) -> None:
    await bind(there, principal="sa:ci", role="viewer")
    admin = await there.admin()
    ban = pb.CreateBanRequest(ban=access_pb2.Ban(principal="sa:ci", reason=REASON))
    await there.rights.CreateBan(admin, ban)
    found = await ask(there, admin, principal="sa:ci", verb="read")
    assert (found.allowed, found.banned) == (False, True)
    assert "a ban refuses it" in found.explanation
    (entry,) = (await there.rights.ReviewAccess(admin, pb.ReviewAccessRequest(principal="sa:ci"))).access
    assert entry.banned


async def test_without_explain_the_answer_is_yes_or_no(there: Registry) -> None:
    admin = await there.admin()
    request = pb.CheckAccessRequest(verb="read")
    assert (await there.rights.CheckAccess(admin, request)) == pb.CheckAccessResponse(
        allowed=True, principal="user:admin"
    )


async def test_all_that_is_wrong_with_a_question_is_said_at_once(there: Registry) -> None:
    admin = await there.admin()
    with pytest.raises(Invalid) as caught:
        await ask(there, admin, verb="fly", groups=["ops"], service="No", evidence_kind="nothing")
    fields = [one.field for one in caught.value.violations]
    assert fields == ["groups", "groups[0]", "verb", "service", "evidence_kind", "evidence_kind"]
    with pytest.raises(NotFound):
        await ask(there, admin, tenant="other", verb="read")


async def test_a_review_says_who_may_do_what_since_when_and_until_when(there: Registry) -> None:
    await there.somebody("sa:ci", role("submitter", services=["checkout"]))
    await bind(there, principal="group:corp/ops", role="auditor")
    admin = await there.admin()
    found = (await there.rights.ReviewAccess(admin, pb.ReviewAccessRequest())).access
    by_name = {one.role_binding.principal: one for one in found}
    group, ci = by_name["group:corp/ops"], by_name["sa:ci"]
    assert (group.group, group.tokens, list(group.verbs)) == (True, 0, ["audit", "read"])
    assert not group.HasField("tokens_expire_time")
    assert (ci.role_binding.principal, ci.tokens, list(ci.verbs)) == ("sa:ci", 1, ["read", "submit"])
    assert ci.role_binding.creator == "user:admin"
    assert "sbom" in ci.evidence_kinds
    assert ci.tokens_expire_time.ToDatetime() > ci.role_binding.create_time.ToDatetime() + timedelta(days=80)


async def test_a_review_comes_in_full_pages_and_for_auditors_only(there: Registry) -> None:
    for number in range(5):
        await bind(there, principal=f"sa:ci-{number}", role="viewer")
    auditor = await there.somebody("user:eve", role("auditor"))
    seen, token = [], ""
    while True:
        request = pb.ReviewAccessRequest(page_size=2, page_token=token)
        part = await there.rights.ReviewAccess(auditor, request)
        seen += [one.role_binding.principal for one in part.access]
        token = part.next_page_token
        if not token:
            break
        assert len(part.access) == 2
    assert sorted(seen) == [*(f"sa:ci-{number}" for number in range(5)), "user:admin", "user:eve"]
    viewer = await there.somebody("user:vic", role("viewer"))
    with pytest.raises(Denied):
        await there.rights.ReviewAccess(viewer, pb.ReviewAccessRequest())


async def test_the_binding_that_decides_is_found_behind_many_others(
    there: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_review, "_BINDINGS", 2)
    for number in range(5):
        await bind(there, principal="sa:ci", role="viewer", services=[f"s-{number}"])
    admin = await there.admin()
    for number in range(5):
        found = await ask(
            there, admin, principal="sa:ci", verb="read", service=f"s-{number}", environment="prod"
        )
        assert found.allowed
        assert len(found.bindings) == 5
