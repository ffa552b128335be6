"""A release that a later one has overtaken: an old pipeline that runs again does not put it back unseen."""

from __future__ import annotations

from dataclasses import replace

from release_passport_server.domain.decide import decide
from release_passport_server.domain.verdict import Stage, Verdict
from support.builders import NOW, RELEASE, case, item, need, policy, rule


def test_a_release_that_a_later_one_has_overtaken_asks_people() -> None:
    given = case([policy(rule("r", need()))], [item()])
    late = replace(given.release, overtaken_by=f"{RELEASE}-next")
    outcome = decide(replace(given, release=late), now=NOW)
    assert outcome.effective_verdict is Verdict.REQUIRE_APPROVAL
    assert "OUT_OF_ORDER" in {one.reason for one in outcome.findings}
    assert outcome.findings[0].next_action
    # What passed here goes back whatever came since, and what is under way is not asked again.
    assert (
        decide(replace(given, release=replace(late, is_restore=True)), now=NOW).effective_verdict
        is Verdict.ALLOW
    )
    watched = decide(replace(given, release=late, stage=Stage.WATCH), now=NOW)
    assert "OUT_OF_ORDER" not in {one.reason for one in watched.findings}
