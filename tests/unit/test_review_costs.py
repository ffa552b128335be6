"""What a caller may ask to be computed is bounded before it is computed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from release_passport.v1 import policy_pb2
from release_passport_server.domain.access import Principal
from release_passport_server.domain.errors import Invalid
from release_passport_server.domain.policy_case import PolicyCase
from release_passport_server.domain.release import Artifact
from release_passport_server.domain.verdict import Verdict
from release_passport_server.services.try_policy import TryPolicy
from release_passport_server.wire.commands import candidates
from support.builders import NOW, case, policy, rule

NOBODY = Principal("user:ann", "acme", datetime(2100, 1, 1, tzinfo=UTC))


def supposed(policies: int, rules: int) -> list[policy_pb2.Policy]:
    spec = policy_pb2.PolicySpec(rules=[policy_pb2.Rule(rule_id=f"r{n}") for n in range(rules)])
    return [policy_pb2.Policy(policy_id=f"p{n}", spec=spec) for n in range(policies)]


def test_supposed_policies_hold_as_many_rules_as_one_policy_may() -> None:
    assert len(candidates(supposed(2, 250), NOW, "user:ann")) == 2
    with pytest.raises(Invalid, match="more than 500 rules"):
        candidates(supposed(3, 250), NOW, "user:ann")


@pytest.mark.asyncio
async def test_a_test_of_many_rules_about_many_artifacts_is_refused() -> None:
    many = policy(*(rule(f"r{n}") for n in range(500)))
    compiler = SimpleNamespace(compile=lambda _: many, digest=lambda _: "")
    access = SimpleNamespace(require_somewhere=lambda *_: None)
    asked = TryPolicy(cast(Any, access), cast(Any, compiler))
    one = case()
    artifacts = tuple(Artifact(f"app-{n}", f"sha256:{n:064x}") for n in range(50))
    release = replace(one.release, identity=replace(one.release.identity, artifacts=artifacts))
    cases = [PolicyCase("one", replace(one, release=release), NOW, Verdict.ALLOW)]
    with pytest.raises(Invalid, match="at most 20000 at once"):
        await asked(NOBODY, "many", None, cases)
