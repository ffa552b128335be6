"""Policies and their revisions, checks and tests, over a real store and the real compiler."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from release_passport.policy_file import load_policy_file
from release_passport.policy_test_file import load_policy_test_file
from release_passport.v1 import catalog_pb2, catalog_service_pb2, policy_pb2
from release_passport.v1 import policy_service_pb2 as pb
from release_passport_server.domain.errors import (
    AlreadyExists,
    Conflict,
    Denied,
    Invalid,
    NotFound,
    Precondition,
)
from support.policy_specs import need, rule, spec
from support.registry import Registry, registry, role

LIBRARY = Path(__file__).parents[2] / "policies" / "library"


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Registry]:
    async with registry(tmp_path) as made:
        yield made


async def create(
    there: Registry,
    given: policy_pb2.PolicySpec | None = None,
    policy_id: str = "quiet",
    request_id: str = "",
) -> policy_pb2.Policy:
    request = pb.CreatePolicyRequest(
        policy=policy_pb2.Policy(policy_id=policy_id, spec=given or spec()), request_id=request_id
    )
    return (await there.policies.CreatePolicy(await there.admin(), request)).policy


async def update(
    there: Registry, policy: policy_pb2.Policy, given: policy_pb2.PolicySpec
) -> policy_pb2.Policy:
    changed = policy_pb2.Policy(name=policy.name, etag=policy.etag, spec=given)
    request = pb.UpdatePolicyRequest(policy=changed)
    return (await there.policies.UpdatePolicy(await there.admin(), request)).policy


async def delete(there: Registry, policy: policy_pb2.Policy) -> policy_pb2.Policy:
    request = pb.DeletePolicyRequest(name=policy.name, etag=policy.etag)
    return (await there.policies.DeletePolicy(await there.admin(), request)).policy


async def get(there: Registry, name: str) -> policy_pb2.Policy:
    request = pb.GetPolicyRequest(name=name)
    return (await there.policies.GetPolicy(await there.admin(), request)).policy


async def test_a_policy_is_kept_as_its_author_wrote_it(there: Registry) -> None:
    stored = await create(there)
    assert stored.name == "tenants/acme/policies/quiet"
    assert stored.spec == spec()
    assert (stored.revision, stored.author) == (1, "user:admin")
    assert stored.digest.startswith("sha256:")
    assert await get(there, stored.name) == stored


async def test_the_same_request_again_returns_the_revision_that_it_made(there: Registry) -> None:
    first = await create(there, request_id="r1")
    await update(there, first, spec(title="changed"))
    assert await create(there, request_id="r1") == first
    with pytest.raises(AlreadyExists):
        await create(there)


async def test_an_update_makes_a_revision_and_the_same_spec_makes_none(there: Registry) -> None:
    first = await create(there)
    second = await update(there, first, spec(title="changed"))
    assert (second.revision, second.create_time) == (2, first.create_time)
    assert second.etag != first.etag
    assert await update(there, second, spec(title="changed")) == second
    request = pb.ListPolicyRevisionsRequest(name=first.name)
    listed = await there.policies.ListPolicyRevisions(await there.admin(), request)
    assert list(listed.policies) == [second, first]


async def test_an_update_needs_the_current_etag(there: Registry) -> None:
    first = await create(there)
    await update(there, first, spec(title="changed"))
    with pytest.raises(Conflict):
        await update(there, first, spec(title="changed again"))
    with pytest.raises(Conflict):
        await delete(there, first)


async def test_a_bad_policy_is_refused_with_every_place_and_replaces_nothing(there: Registry) -> None:
    good = await create(there)
    bad = spec(
        title="\x00",
        rules=[
            rule(),
            rule(rule_id="b", expect="evidence.incident_state.open_count ==\n  nothing"),
            rule(rule_id="c", needs=[need(kind="moon_phase")]),
        ],
    )
    with pytest.raises(Invalid) as refused:
        await update(there, good, bad)
    assert refused.value.reason == "POLICY_INVALID"
    found = {violation.field: violation.description for violation in refused.value.violations}
    assert set(found) == {
        "policy.spec.title",
        "policy.spec.rules[1].expect",
        "policy.spec.rules[2].needs[0].kind",
    }
    assert found["policy.spec.rules[1].expect"].startswith("2:3: ")
    assert await get(there, good.name) == good
    with pytest.raises(Invalid):
        await create(there, bad, "other")
    with pytest.raises(NotFound):
        await get(there, "tenants/acme/policies/other")


async def test_a_bad_variable_is_named_once(there: Registry) -> None:
    given = spec(variables=[{"name": "limit", "expression": "1 +"}], rules=[rule(), rule(rule_id="second")])
    with pytest.raises(Invalid) as refused:
        await create(there, given)
    assert [violation.field for violation in refused.value.violations] == [
        "policy.spec.variables[0].expression"
    ]


async def test_a_deleted_policy_stays_readable_and_its_id_goes_on(there: Registry) -> None:
    first = await create(there)
    deleted = await delete(there, first)
    assert deleted.HasField("delete_time")
    assert (await get(there, first.name)).revision == 2
    admin = await there.admin()
    assert not (await there.policies.ListPolicies(admin, pb.ListPoliciesRequest())).policies
    shown = await there.policies.ListPolicies(admin, pb.ListPoliciesRequest(show_deleted=True))
    assert list(shown.policies) == [deleted]
    with pytest.raises(NotFound, match="deleted"):
        await update(there, deleted, spec())
    again = await create(there)
    assert again.revision == 3
    assert not again.HasField("delete_time")


async def test_the_last_enforced_policy_of_a_service_is_not_deleted_by_accident(there: Registry) -> None:
    await there.place("checkout", "prod")
    await there.place("search", "prod")
    policy = await create(there)
    with pytest.raises(Precondition) as refused:
        await delete(there, policy)
    assert refused.value.reason == "LAST_ENFORCED"
    assert refused.value.metadata["places"] == "checkout/prod, search/prod"


@pytest.mark.parametrize(
    "weaker",
    [
        {"mode": 1},
        {"mode": 2},
        {"match": {"services": ["search"]}},
        {"match": {"environments": ["staging"]}},
        {"match": {"serviceLabels": {"tier": "1"}}},
    ],
)
async def test_the_last_enforced_policy_is_not_demoted_or_narrowed(
    there: Registry, weaker: dict[str, object]
) -> None:
    await there.place("checkout", "prod")
    policy = await create(there)
    with pytest.raises(Precondition, match="checkout/prod"):
        await update(there, policy, spec(**weaker))
    second = await create(there, spec(title="another"), "second")
    await update(there, policy, spec(**weaker))
    with pytest.raises(Precondition):
        await delete(there, second)


async def test_where_nothing_is_registered_nothing_loses_its_policy(there: Registry) -> None:
    await delete(there, await create(there))


async def test_a_policy_that_never_enforced_takes_nothing_away(there: Registry) -> None:
    await there.place("checkout", "prod")
    await delete(there, await create(there, spec(mode=2)))


async def test_readers_read_and_policy_admins_write(there: Registry) -> None:
    policy = await create(there)
    reader = await there.somebody("user:ada", role("viewer", services=["checkout"]))
    await there.policies.GetPolicy(reader, pb.GetPolicyRequest(name=policy.name))
    with pytest.raises(Denied):
        await there.policies.CreatePolicy(reader, pb.CreatePolicyRequest(policy=policy))
    scoped = await there.somebody("user:bob", role("policy-admin", services=["checkout"]))
    request = pb.CreatePolicyRequest(policy=policy_pb2.Policy(policy_id="mine", spec=spec()))
    with pytest.raises(Denied):
        await there.policies.CreatePolicy(scoped, request)
    writer = await there.somebody("user:eve", role("policy-admin"))
    request = pb.CreatePolicyRequest(policy=policy_pb2.Policy(policy_id="hers", spec=spec()))
    assert (await there.policies.CreatePolicy(writer, request)).policy.author == "user:eve"


@pytest.mark.parametrize("policy_id", ["", "Quiet", "a/b", "-a", "a" * 64, "quiet\n", "quiét"])
async def test_an_id_is_a_slug(there: Registry, policy_id: str) -> None:
    with pytest.raises(Invalid) as refused:
        await create(there, policy_id=policy_id)
    assert [violation.field for violation in refused.value.violations] == ["policy.policy_id"]


async def validate(there: Registry, given: policy_pb2.PolicySpec) -> pb.ValidatePolicyResponse:
    request = pb.ValidatePolicyRequest(policy=policy_pb2.Policy(spec=given))
    return await there.policies.ValidatePolicy(await there.admin(), request)


async def test_validation_tells_problems_with_line_and_column_and_changes_nothing(there: Registry) -> None:
    found = await validate(there, spec(rules=[rule(expect="true &&\n evidence.incident_state.opne == 0")]))
    (problem,) = found.problems
    assert (problem.field, problem.line) == ("rules[0].expect", 2)
    assert problem.column > 1
    admin = await there.admin()
    assert not (await there.policies.ListPolicies(admin, pb.ListPoliciesRequest())).policies


async def test_validation_warns_of_what_weakens_a_policy(there: Registry) -> None:
    await there.place("checkout", "prod")
    weak = spec(
        mode=2,
        match={"services": ["checkout", "serach"], "environments": ["*"]},
        rules=[
            rule(
                onFail=4,
                onMissing=5,
                needs=[need(sources=["connector:*"], maxAge="86400s", allowEmpty=True, retries=2)],
                nextAction="Look.",
            )
        ],
    )
    warned = list((await validate(there, weak)).warnings)
    for text in (
        "mode ADVISORY",
        "match.services[1]: serach matches no registered service",
        "rules[0].on_fail: HOLD is weaker than on_missing",
        "max_age: is longer than 0:05:00",
        "sources[0]: connector:* takes every principal",
        "allow_empty",
        "retries",
    ):
        assert any(text in warning for warning in warned), (text, warned)
    assert not any("environments" in warning for warning in warned)


async def test_validation_warns_of_one_cause_that_would_roll_everything_back(there: Registry) -> None:
    await there.place("checkout", "prod")

    async def warned(kind: str) -> bool:
        sent = spec(
            rules=[
                rule(
                    stages=[2],
                    onFail=6,
                    needs=[need(kind=kind)],
                    expect=f"evidence.{kind}.object != ''"
                    if kind == "rollout_status"
                    else "evidence.incident_state.sev1 == 0",
                    nextAction="Look.",
                )
            ]
        )
        warnings = (await validate(there, sent)).warnings
        return any("condemns every rollout at once" in one for one in warnings)

    assert await warned("incident_state")
    assert not await warned("rollout_status")


async def test_a_strict_policy_warns_of_nothing(there: Registry) -> None:
    await there.place("checkout", "prod")
    assert list((await validate(there, spec(rules=[rule(nextAction="Look.")]))).warnings) == []


@pytest.mark.parametrize("name", ["baseline-provenance", "watch-degrading-signals"])
async def test_a_policy_of_the_library_passes_its_tests_on_the_server(there: Registry, name: str) -> None:
    policy = load_policy_file(LIBRARY / f"{name}.yaml")
    cases = load_policy_test_file(LIBRARY / f"{name}_test.yaml").cases
    request = pb.TestPolicyRequest(policy=policy, cases=cases)
    answer = await there.policies.TestPolicy(await there.admin(), request)
    assert answer.passed
    assert [result.case_id for result in answer.results] == [case.case_id for case in cases]


async def test_a_test_that_fails_says_what_did_not_hold(there: Registry) -> None:
    policy = load_policy_file(LIBRARY / "baseline-provenance.yaml")
    case = load_policy_test_file(LIBRARY / "baseline-provenance_test.yaml").cases[0]
    del case.evidence[:]
    request = pb.TestPolicyRequest(policy=policy, cases=[case])
    answer = await there.policies.TestPolicy(await there.admin(), request)
    assert not answer.passed
    assert answer.results[0].differences[0] == "the verdict is HOLD, expected is ALLOW"
    assert "EVIDENCE_MISSING" in answer.results[0].differences[1]


async def test_what_is_wrong_with_cases_is_told_at_once(there: Registry) -> None:
    policy = policy_pb2.Policy(spec=spec())
    with pytest.raises(Invalid, match="1 to 200 cases"):
        await there.policies.TestPolicy(await there.admin(), pb.TestPolicyRequest(policy=policy))
    request = pb.TestPolicyRequest(policy=policy, cases=[pb.PolicyTestCase.FromString(b"\x30\x09\x70\x09")])
    request.cases[0].evidence.add()
    request.cases[0].way_back_from = "1.43.0"
    with pytest.raises(Invalid) as refused:
        await there.policies.TestPolicy(await there.admin(), request)
    fields = {violation.field for violation in refused.value.violations}
    assert fields >= {
        "cases[0].case_id",
        "cases[0].release.service",
        "cases[0].now",
        "cases[0].stage",
        "cases[0].expected_verdict",
        "cases[0].expected_effective_verdict",
        "cases[0].way_back_from",
        "cases[0].evidence[0].input.subject",
        "cases[0].evidence[0].input.facts",
        "cases[0].evidence[0].input.observe_time",
    }


async def test_labels_count_where_a_policy_loses_its_places(there: Registry) -> None:
    admin = await there.admin()
    service = catalog_pb2.Service(service_id="checkout", labels={"tier": "1"})
    await there.catalog.CreateService(admin, catalog_service_pb2.CreateServiceRequest(service=service))
    await there.place("checkout", "prod")
    policy = await create(there)
    await update(there, policy, spec(match={"serviceLabels": {"tier": "1"}}))
