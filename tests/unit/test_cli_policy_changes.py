"""`passport policy propose` and `changes`: what is shown before somebody answers for it."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest

from release_passport.policy_file import parse_policy
from release_passport.v1 import access_service_pb2, policy_pb2, policy_service_pb2
from support.cli_fixtures import connected, fake, passport
from support.command_line import CommandLine
from support.fake_server import FakeServer, Refusal

__all__ = ["connected", "fake", "passport"]

REASON = "the service is switched off for good"
POLICY = """\
apiVersion: release-passport.dev/v1
kind: Policy
metadata:
  name: tests-pass
spec:
  title: Tests pass
  mode: {mode}
  rules:
    - rule_id: unit
      needs:
        - {{kind: test_result, sources: ["sa:ci"]}}
      expect: evidence.test_result.failed == 0
"""
LAST = Refusal(
    grpc.StatusCode.FAILED_PRECONDITION,
    "tests-pass is the last ENFORCE policy",
    reason="LAST_ENFORCED",
    violations={"checkout/prod": "would have no ENFORCE policy left", "search/prod": "the same"},
)


def stored() -> policy_pb2.Policy:
    policy = parse_policy(POLICY.format(mode="ENFORCE").encode()).policy
    policy.name, policy.revision, policy.etag = "tenants/acme/policies/tests-pass", 4, "e4"
    return policy


def change(*, deletes: bool = False, applier: str = "") -> policy_pb2.PolicyChange:
    made = policy_pb2.PolicyChange(
        name="tenants/acme/policyChanges/01H",
        policy="tenants/acme/policies/tests-pass",
        base_revision=4,
        places=["checkout/prod", "search/prod"],
        place_count=102,
        reason=REASON,
        proposer="user:ada",
        applier=applier,
        state=policy_pb2.POLICY_CHANGE_STATE_PROPOSED,
    )
    if not deletes:
        made.spec.CopyFrom(parse_policy(POLICY.format(mode="SHADOW").encode()).policy.spec)
    return made


@pytest.fixture
def line(connected: CommandLine, fake: FakeServer) -> CommandLine:
    fake.reply("WhoAmI", access_service_pb2.WhoAmIResponse(tenant="acme"))
    fake.reply("GetPolicy", policy_service_pb2.GetPolicyResponse(policy=stored()))
    fake.reply("GetPolicyChange", policy_service_pb2.GetPolicyChangeResponse(change=change()))
    fake.reply("ProposePolicyChange", policy_service_pb2.ProposePolicyChangeResponse(change=change()))
    applied = policy_service_pb2.ApplyPolicyChangeResponse(change=change(applier="user:bob"))
    fake.reply("ApplyPolicyChange", applied)
    return connected


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "tests-pass.yaml"
    path.write_text(POLICY.format(mode="SHADOW"))
    return str(path)


def test_a_refused_change_lists_what_it_leaves_open_and_how_to_go_on(
    line: CommandLine, fake: FakeServer, file: str
) -> None:
    fake.reply("UpdatePolicy", LAST)
    refused = line("policy", "apply", file)
    assert refused.code != 0
    assert "  checkout/prod\n  search/prod\n" in refused.err
    assert f"passport policy propose {file} --reason TEXT" in refused.err
    fake.reply("DeletePolicy", LAST)
    refused = line("policy", "delete", "tests-pass")
    assert refused.code != 0
    assert "passport policy propose --delete tests-pass --reason TEXT" in refused.err


def test_a_change_is_proposed_from_a_file_against_the_policy_as_it_is(
    line: CommandLine, fake: FakeServer, file: str
) -> None:
    result = line("policy", "propose", file, "--reason", REASON)
    assert result.code == 0, result.err
    (request,) = fake.asked("ProposePolicyChange")
    assert (request.policy.name, request.policy.etag, request.delete) == (stored().name, "e4", False)
    assert request.policy.spec.mode == policy_pb2.PolicySpec(mode="POLICY_MODE_SHADOW").mode
    assert "and 100 more" in result.out
    assert "passport policy changes apply 01H" in result.err


def test_a_deletion_is_proposed_by_name(line: CommandLine, fake: FakeServer) -> None:
    assert line("policy", "propose", "--delete", "tests-pass", "--reason", REASON).code == 0
    (request,) = fake.asked("ProposePolicyChange")
    assert (request.delete, request.policy.HasField("spec"), request.policy.etag) == (True, False, "e4")


def test_who_applies_a_change_sees_first_what_it_says(line: CommandLine, fake: FakeServer) -> None:
    asked = line("policy", "changes", "apply", "01H")
    assert asked.code == 2
    assert not fake.asked("ApplyPolicyChange")
    for text in ("-  mode: ENFORCE", "+  mode: SHADOW", "  checkout/prod", REASON, "user:ada"):
        assert text in asked.err
    result = line("policy", "changes", "apply", "01H", "--yes")
    assert (result.code, "user:bob" in result.out) == (0, True)
    (request,) = fake.asked("ApplyPolicyChange")
    assert request.name == change().name
