"""The demos with a controller tell their story to the end: held, a canary, degraded, rolled back, on record."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STORIES = {
    "flagger": (
        r"confirm-rollout +403  wait: NO_RELEASE_FOR_DIGESTS",
        r"confirm-rollout +403  wait: HOLD, EVIDENCE_MISSING",
        r"confirm-rollout +200  go on",
        r"10 % of the traffic",
        r"rollback +200  roll back: ROLLBACK_RECOMMENDED",
        r"post-rollout +200",
        r"ROLLBACK RECOMMENDED  checkout 1\.42\.0",
        r"ROLLED_BACK",
        r"post-rollout +200",
        r"releases/1\.43\.0/overrides/\w+ +done by hand",
    ),
    "argo": (
        r"inline +hold +NO_RELEASE_FOR_DIGESTS",
        r"inline +hold +HOLD EVIDENCE_MISSING",
        r"inline +allow +ALLOW_WITH_CANARY",
        r"10 % of the traffic",
        r"background +deny +ROLLBACK_RECOMMENDED",
        r"the rollout is aborted",
        r"ROLLBACK RECOMMENDED  checkout 1\.42\.0",
        r"ROLLED_BACK",
        r"background +hold +HOLD EVIDENCE_MISSING GATE_SKIPPED",
        r"releases/1\.43\.0/overrides/\w+ +done by hand",
    ),
}


@pytest.fixture(scope="module")
def told() -> Iterator[dict[str, tuple[int, str]]]:
    """Run both demos at a time."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    started = {
        name: subprocess.Popen(
            ["bash", str(ROOT / "deploy" / "demo" / "run.sh")],
            env=os.environ | {"PATH": path, "DEMO": name},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name in STORIES
    }
    try:
        yield {
            name: (process.communicate(timeout=120)[0], process.returncode)[::-1]
            for name, process in started.items()
        }
    finally:
        for process in started.values():
            process.kill()


@pytest.mark.parametrize("name", list(STORIES))
def test_the_story_is_told_in_order(told: dict[str, tuple[int, str]], name: str) -> None:
    code, output = told[name]
    assert code == 0, output
    at = 0
    for line in STORIES[name]:
        found = re.compile(line).search(output, at)
        assert found is not None, f"{line!r} is not told after\n{output[:at]}"
        at = found.end()


def test_another_controller_is_refused() -> None:
    words = ["bash", str(ROOT / "deploy" / "demo" / "run.sh")]
    done = subprocess.run(words, env=os.environ | {"DEMO": "spinnaker"}, capture_output=True, check=False)
    assert done.returncode == 2
