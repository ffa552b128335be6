"""A decision's statement says everything that the decision rests on, and no text about anybody."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import jsonschema
import pytest

from release_passport_server.domain.canonical import canonical
from release_passport_server.domain.outcome import SEMANTICS_VERSION, Applied, Finding, Reason
from release_passport_server.domain.permit import Errand, new_permit, permit_statement, terms_of
from release_passport_server.domain.policy import Canary
from release_passport_server.domain.statement import (
    DECISION_PREDICATE,
    REFUSAL_PREDICATE,
    decision_statement,
)
from release_passport_server.domain.verdict import Mode, Verdict
from support.attesting import DECISION, allowed, draft_of, read, record_of
from support.builders import DIGESTS, NOW, case, item, policy, rule, watching
from support.tree import ROOT

SCHEMAS = ROOT / "proto" / "schema"
DIGEST = "sha256:" + "f" * 64
ACTS = tuple(
    Applied(f"tenants/acme/{kind}/w", DIGEST, "user:ada")
    for kind in ("waivers", "approvals", "freezeExemptions")
)
OVERRIDE = Applied("tenants/acme/overrides/o", DIGEST, "user:ada")


def validator(name: str) -> jsonschema.Draft202012Validator:
    schema = json.loads((SCHEMAS / f"{name}-predicate-v1.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


CASES = {
    "allow": allowed(artifacts=2),
    "failing": case([policy()], [item(20)]),
    "missing": case([policy()]),
    "shadow": case([policy(mode=Mode.SHADOW)], [item()]),
    "no policy": case(),
    "canary": case([policy(canary=Canary(20, (5, 20)))], [item()]),
    "watch": case([watching(rule("w"))], [item()]),
    "watching": case([watching(rule("w"))], [item()], watch=True),
    "dev": allowed(dev=True),
}


@pytest.mark.parametrize("name", CASES)
def test_every_predicate_fits_the_published_schema(name: str) -> None:
    draft = draft_of(CASES[name])
    first, *others = draft.outcome.findings
    outcome = replace(
        draft.outcome, findings=(first._replace(lifted_by=ACTS), *others), overrides=(OVERRIDE,)
    )
    predicate = read(decision_statement(replace(draft, outcome=outcome)))["predicate"]
    for kind in ("waivers", "approvals", "exemptions", "overrides"):
        assert [one["digest"] for one in predicate[kind]] == [DIGEST]
    assert list(validator("decision").iter_errors(predicate)) == []


def test_the_schema_refuses_a_predicate_that_lacks_or_adds_something() -> None:
    predicate = dict(read(decision_statement(draft_of(CASES["allow"])))["predicate"])
    for name in predicate:
        less = {key: value for key, value in predicate.items() if key != name}
        assert list(validator("decision").iter_errors(less)), name
    assert list(validator("decision").iter_errors({**predicate, "more": 1}))


def test_every_permit_fits_the_published_schema() -> None:
    draft = draft_of(CASES["canary"])
    permit = new_permit(
        "01J", record_of(draft), draft.case.release, terms_of(draft, Errand("argo", "a/1", 3))
    )
    assert permit is not None
    predicate = read(permit_statement(permit, draft.case.release.identity.artifacts))["predicate"]
    assert list(validator("permit").iter_errors(predicate)) == []


def test_the_subjects_are_the_artifacts_of_the_release() -> None:
    subject = read(decision_statement(draft_of(CASES["allow"])))["subject"]
    assert subject == [
        {"name": f"registry/app-{n}", "digest": {"sha256": DIGESTS[n].removeprefix("sha256:")}}
        for n in (0, 1)
    ]


def test_a_decision_that_lets_nothing_go_is_of_another_type() -> None:
    types = {
        name: read(decision_statement(draft_of(judged)))["predicateType"] for name, judged in CASES.items()
    }
    lets_go = {"allow", "canary", "watch", "watching", "dev"}
    assert {name for name, found in types.items() if found == DECISION_PREDICATE} == lets_go
    assert {types[name] for name in types.keys() - lets_go} == {REFUSAL_PREDICATE}


def test_it_names_evidence_policies_and_versions_by_digest() -> None:
    predicate = read(decision_statement(draft_of(CASES["allow"])))["predicate"]
    assert predicate["decision"] == DECISION
    assert predicate["consideredRevision"] == str(2**60)
    assert [one["digest"] for one in predicate["policies"]] == ["sha256:" + "1" * 64]
    assert [one["digest"] for one in predicate["evidence"]] == ["sha256:" + "2" * 64]
    assert predicate["findings"][0]["evidence"] == [predicate["evidence"][0]["name"]]
    assert (predicate["semanticsVersion"], predicate["engineVersion"]) == (
        SEMANTICS_VERSION,
        "0.1.0 cel/0.1.3",
    )
    assert predicate["waivers"] == []


def test_it_holds_no_text_that_somebody_wrote() -> None:
    draft = draft_of(CASES["failing"])
    words = Finding(
        Verdict.BLOCK, Reason.EXPECTATION_FAILED, "Jo Doe said so", title="Jo Doe", next_action="ask Jo Doe"
    )
    told = replace(draft, outcome=replace(draft.outcome, findings=(words,)))
    assert b"Jo Doe" not in decision_statement(told)


def test_equal_decisions_are_equal_bytes_in_canonical_form() -> None:
    made = decision_statement(draft_of(CASES["failing"]))
    assert made == decision_statement(draft_of(CASES["failing"]))
    assert made == canonical(json.loads(made))


def test_any_difference_in_what_was_decided_is_a_difference_in_what_is_signed() -> None:
    draft = draft_of(CASES["allow"])
    outcome = draft.outcome
    changed = [
        replace(draft, name=draft.name + "X"),
        replace(draft, now=NOW + timedelta(microseconds=1)),
        replace(draft, case_digest="sha256:" + "0" * 64),
        replace(draft, engine_version="2"),
        replace(draft, considered_revision=1),
        replace(draft, outcome=replace(outcome, verdict=Verdict.BLOCK)),
        replace(draft, outcome=replace(outcome, effective_verdict=Verdict.HOLD)),
        replace(draft, outcome=replace(outcome, weakenings=("OBSERVE_ONLY",))),
        replace(draft, outcome=replace(outcome, findings=())),
        replace(draft, outcome=replace(outcome, policy_results=())),
    ]
    made = {decision_statement(one) for one in [draft, *changed]}
    assert len(made) == len(changed) + 1
