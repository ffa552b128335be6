"""The demo tells its story to the end, holds where something is left out, and is what the README shows."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest

from support.demo_output import ROOT, block_of, excerpt, normalised, start_demo, written

MAX_LINES = 80
# Each of these is printed, in this order.
STORY = (
    r"\$ passport-server init",
    r"\$ passport-server serve &",
    r"\$ passport policy apply library",
    r"baseline-provenance +created +1 ",
    r"1\.41\.0 was allowed, rolled out, and passed",
    r"\$ passport gate --release checkout/prod/1\.42\.0",
    r"HOLD  checkout 1\.42\.0 → prod: waiting for evidence",
    r"What blocks \(9\)",
    r"baseline-provenance/built-by-trusted-builder  HOLD EVIDENCE_MISSING",
    r"next  ",
    r"\(exit code 11\)",
    r"ALLOW WITH CANARY  checkout 1\.42\.0 → prod: may proceed as a canary, at most 25 % of the traffic",
    r"watch   30m after the first exposure",
    r"stage PRE_ROLLOUT",
    r"\(exit code 14\)",
    r"ALLOW WITH CANARY",
    r"stage WATCH",
    r"ROLLBACK RECOMMENDED  checkout 1\.42\.0 → prod: go back to checkout 1\.41\.0 → prod",
    r"error-rate-stays-low  ROLLBACK_RECOMMENDED EXPECTATION_FAILED",
    r"\(exit code 13\)",
    r"\$ passport show checkout/prod/1\.42\.0",
    r"Latched",
    r"provenance .* VERIFIED",
    r"Decisions \(\d+\)",
)


@pytest.fixture(scope="module")
def runs() -> Iterator[dict[str, subprocess.CompletedProcess[str]]]:
    """Run the demo twice at a time: whole, and with the unit tests left out."""
    asked = {"whole": (), "without": ("--without", "unit tests")}
    started = {name: start_demo(*words) for name, words in asked.items()}
    try:
        done = {}
        for name, process in started.items():
            out, err = process.communicate(timeout=120)
            done[name] = subprocess.CompletedProcess(process.args, process.returncode, out, err)
        yield done
    finally:
        for process in started.values():
            process.kill()


def test_the_story_is_told_in_order(runs: dict[str, subprocess.CompletedProcess[str]]) -> None:
    whole = runs["whole"]
    assert whole.returncode == 0, whole.stderr
    rest = whole.stdout
    for line in STORY:
        found = re.search(line, rest)
        assert found is not None, f"{line!r} does not come next in:\n{rest}"
        rest = rest[found.end() :]


def test_what_is_left_out_holds(runs: dict[str, subprocess.CompletedProcess[str]]) -> None:
    held = runs["without"]
    assert held.returncode == 11, held.stderr
    last = held.stdout.rpartition("$ passport gate")[2]
    assert last.count("HOLD EVIDENCE_MISSING") == 1
    assert "no test_result 'unit' evidence" in last
    assert last.rstrip().endswith("(exit code 11: without unit tests it holds)")


def test_the_readme_shows_what_the_demo_prints(runs: dict[str, subprocess.CompletedProcess[str]]) -> None:
    shown = block_of((ROOT / "README.md").read_text(encoding="utf-8"))
    command = "run `python tests/support/demo_output.py --write README.md`"
    assert normalised(shown) == normalised(excerpt(runs["whole"].stdout)), command
    assert len(shown.splitlines()) < MAX_LINES


def test_nothing_of_this_machine_is_shown(runs: dict[str, subprocess.CompletedProcess[str]]) -> None:
    for run in runs.values():
        assert not re.search(r"/(tmp|root|home)/|rp1_", run.stdout + run.stderr)


def test_a_block_that_is_written_is_read_again() -> None:
    readme = "a\n<!-- demo -->\nold\n<!-- /demo -->\nb\n"
    assert block_of(written(readme, "x\ny")) == "x\ny"
    assert written(written(readme, "x"), "z") == written(readme, "z")


def test_what_changes_from_run_to_run_is_not_compared() -> None:
    ulids = ("01M833QVA2N678T43Y465D4V3X", "01M833QWQ40FENQQ60S1HT37EM")
    texts = [f"decision d/{one}, 2026-01-0{n} 00:00:0{n}Z (in 1m5{n}s)" for n, one in enumerate(ulids, 1)]
    assert normalised(texts[0]) == normalised(texts[1]) == "decision d/<ulid>, <time> (in <span>)"
