"""Golden decisions about ways back, finding by finding.

`python tests/decisions/test_golden_restores.py --write` takes the present outcomes as the new goldens; a change of a
golden needs a new SEMANTICS_VERSION, unless the case changed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from release_passport_server.domain.decide import decide
from support.builders import NOW
from support.restores import GOING, JUDGED

GOLDEN = Path(__file__).with_name("golden_restores.json")


def outcomes() -> dict[str, dict[str, object]]:
    """Return what every case comes to."""
    cases = {name: case for name, (case, _) in GOING.items()} | dict(JUDGED)
    found = {name: decide(case, now=NOW) for name, case in cases.items()}
    return {
        name: {
            "verdict": outcome.verdict.name,
            "effectiveVerdict": outcome.effective_verdict.name,
            "findings": [f"{f.verdict.name} {f.reason.value} {f.rule or 'engine'}" for f in outcome.findings],
            "weakenings": list(outcome.weakenings),
            "outcomeDigest": outcome.digest,
        }
        for name, outcome in found.items()
    }


def test_ways_back_come_out_as_they_did() -> None:
    assert outcomes() == json.loads(GOLDEN.read_text(encoding="utf-8"))


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    GOLDEN.write_text(json.dumps(outcomes(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
