"""The JSON schemas of policies and their tests: as the contract says, and right about what they refuse."""

from __future__ import annotations

import copy
import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

POLICIES = Path(__file__).resolve().parents[2] / "policies"
SCHEMAS = POLICIES / "schema"
LIBRARY = sorted((POLICIES / "library").glob("*.yaml"))


def validator(name: str) -> Draft202012Validator:
    """Return the validator of one schema, which must be a schema itself."""
    schema = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


POLICY = validator("policy.schema.json")
POLICY_TEST = validator("policy_test.schema.json")


def test_the_schemas_are_what_the_contract_gives() -> None:
    generated = runpy.run_path(str(SCHEMAS / "generate.py"))["generated"]()
    for name, text in generated.items():
        stored = (SCHEMAS / name).read_text(encoding="utf-8")
        assert stored == text, f"{name} is out of date: run `python policies/schema/generate.py`"


def test_every_field_of_a_policy_is_explained() -> None:
    schema = json.loads((SCHEMAS / "policy.schema.json").read_text(encoding="utf-8"))
    for name, definition in schema["$defs"].items():
        for field, said in definition["properties"].items():
            assert said.get("description"), f"{name}.{field}"


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
def test_the_library_keeps_to_the_schemas(path: Path) -> None:
    schema = POLICY_TEST if path.stem.endswith("_test") else POLICY
    problems = schema.iter_errors(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert [f"{problem.json_path}: {problem.message}" for problem in problems] == []


def refuse_unknown_field(policy: dict[str, Any]) -> None:
    """Misspell a field."""
    policy["spec"]["rules"][0]["on_fial"] = "BLOCK"


def refuse_long_enum_name(policy: dict[str, Any]) -> None:
    """Write an enum as the wire has it."""
    policy["spec"]["mode"] = "POLICY_MODE_ENFORCE"


def refuse_unknown_kind(policy: dict[str, Any]) -> None:
    """Need a kind that does not exist."""
    policy["spec"]["rules"][0]["needs"][0]["kind"] = "vibes"


def refuse_allowing_unknown(policy: dict[str, Any]) -> None:
    """Let missing evidence pass."""
    policy["spec"]["rules"][0]["on_missing"] = "ALLOW"


def refuse_number_as_duration(policy: dict[str, Any]) -> None:
    """Write a duration without its unit."""
    policy["spec"]["rules"][0]["needs"][0]["max_age"] = 300


def refuse_enforced_need_without_sources(policy: dict[str, Any]) -> None:
    """Trust anybody."""
    del policy["spec"]["rules"][0]["needs"][0]["sources"]


def refuse_rule_without_expectation(policy: dict[str, Any]) -> None:
    """Ask nothing."""
    del policy["spec"]["rules"][0]["expect"]


@pytest.mark.parametrize(
    "spoil",
    [
        refuse_unknown_field,
        refuse_long_enum_name,
        refuse_unknown_kind,
        refuse_allowing_unknown,
        refuse_number_as_duration,
        refuse_enforced_need_without_sources,
        refuse_rule_without_expectation,
    ],
)
def test_a_spoilt_policy_is_refused(spoil: Callable[[dict[str, Any]], None]) -> None:
    policy = yaml.safe_load((POLICIES / "library" / "gitops-sync.yaml").read_text(encoding="utf-8"))
    assert POLICY.is_valid(policy)
    spoilt = copy.deepcopy(policy)
    spoil(spoilt)
    assert not POLICY.is_valid(spoilt)


def test_a_policy_in_shadow_may_leave_sources_out() -> None:
    policy = yaml.safe_load((POLICIES / "library" / "gitops-sync.yaml").read_text(encoding="utf-8"))
    policy["spec"]["mode"] = "SHADOW"
    del policy["spec"]["rules"][0]["needs"][0]["sources"]
    assert POLICY.is_valid(policy)


def test_a_custom_kind_is_accepted() -> None:
    policy = yaml.safe_load((POLICIES / "library" / "gitops-sync.yaml").read_text(encoding="utf-8"))
    policy["spec"]["rules"][0]["needs"][0]["kind"] = "custom:acme.example/load-test"
    assert POLICY.is_valid(policy)
