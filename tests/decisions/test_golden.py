"""Golden decisions: what each case of the policy library comes to, finding by finding, and its outcome's digest.

`python tests/decisions/test_golden.py --write` takes the present outcomes as the new goldens; a change of a golden
needs a new SEMANTICS_VERSION, unless the policy or the case changed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from release_passport_server.domain.outcome import SEMANTICS_VERSION, Outcome
from support.policy_runner import run

LIBRARY = Path(__file__).resolve().parents[2] / "policies" / "library"
GOLDEN = Path(__file__).with_name("golden.json")
FILES = sorted(path for path in LIBRARY.glob("*.yaml") if not path.stem.endswith("_test"))

Golden = dict[str, dict[str, object]]


def golden_of(path: Path) -> Golden:
    """Return what the cases beside a policy come to."""
    return {result.case_id: _summary(result.outcome) for result in run(path)}


def _summary(outcome: Outcome) -> dict[str, object]:
    findings = [
        " ".join(
            part
            for part in (
                finding.verdict.name,
                finding.reason.value,
                finding.rule or "engine",
                finding.artifact,
                finding.key,
                finding.path,
            )
            if part
        )
        for finding in outcome.findings
    ]
    return {
        "verdict": outcome.verdict.name,
        "effectiveVerdict": outcome.effective_verdict.name,
        "findings": findings,
        "outcomeDigest": outcome.digest,
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_decisions_come_out_as_they_did(path: Path) -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert golden_of(path) == golden["policies"][path.stem]


def test_the_goldens_are_those_of_this_semantics_version() -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert golden["semanticsVersion"] == SEMANTICS_VERSION
    assert sorted(golden["policies"]) == [path.stem for path in FILES]


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    content = {
        "semanticsVersion": SEMANTICS_VERSION,
        "policies": {path.stem: golden_of(path) for path in FILES},
    }
    GOLDEN.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
