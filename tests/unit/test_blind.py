"""A hold has a limit: a rollout that takes traffic and that nobody can judge is not left alone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from release_passport_server.domain.blind import blind_time
from release_passport_server.domain.case import Case, Held, case_record
from release_passport_server.domain.decide import decide
from release_passport_server.domain.outcome import Outcome, Reason
from release_passport_server.domain.policy import HoldLimit, Policy, Watch, combined_watch
from release_passport_server.domain.replay import held_of
from release_passport_server.domain.verdict import Stage, Verdict
from support.builders import NOW, about_attempt, case, item, rule, watching

HOUR = timedelta(hours=1)


def watched(hold: HoldLimit | None = None, duration: timedelta = HOUR) -> Policy:
    window = Watch(duration, timedelta(0), timedelta(seconds=30), hold=hold)
    return replace(watching(rule(stage=Stage.WATCH)), watch=window)


def held(since: timedelta, *, exposed: bool = True, hold: HoldLimit | None = None, **more: Any) -> Case:
    """Return a case without signals that has been on hold for so long."""
    return case([watched(hold)], watch=True, held=Held(NOW - since, exposed), **more)


def judged(given: Case) -> tuple[Verdict, bool]:
    outcome = decide(given, now=NOW)
    return outcome.effective_verdict, Reason.WATCH_BLIND in {finding.reason for finding in outcome.findings}


def test_a_hold_that_lasts_for_its_limit_recommends_the_way_back() -> None:
    given = held(HOUR, rollback_target="tenants/acme/services/checkout/environments/prod/releases/1.4.1")
    outcome = decide(given, now=NOW)
    assert outcome.effective_verdict is outcome.verdict is Verdict.ROLLBACK_RECOMMENDED
    assert outcome.rollback_target == given.rollback_target
    assert outcome.held_since == NOW - HOUR
    # Nothing degraded: when the signals are back, it is over.
    assert outcome.latching == ()
    seen = replace(given, evidence={"incident_state": (item(1, subject=about_attempt()),)})
    assert judged(seen) == (Verdict.ALLOW_WITH_CANARY, False)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(held(HOUR - timedelta(seconds=1)), (Verdict.HOLD, False), id="not yet"),
        pytest.param(held(3 * HOUR, exposed=False), (Verdict.HOLD, False), id="it takes no traffic"),
        pytest.param(replace(held(HOUR), held=None), (Verdict.HOLD, False), id="it was not on hold before"),
        pytest.param(
            held(timedelta(minutes=5), hold=HoldLimit(timedelta(minutes=5))),
            (Verdict.ROLLBACK_RECOMMENDED, True),
            id="a limit of its own",
        ),
        pytest.param(
            held(HOUR, hold=HoldLimit(None, rolls_back=False)),
            (Verdict.HOLD, True),
            id="it stays and says so",
        ),
    ],
)
def test_it_depends_on_the_time_the_exposure_and_the_policy(
    given: Case, expected: tuple[Verdict, bool]
) -> None:
    assert judged(given) == expected


def test_the_usual_limit_is_the_windows_duration_and_at_most_two_hours() -> None:
    for duration, limit in ((HOUR, HOUR), (timedelta(days=2), timedelta(hours=2))):
        given = case([watched(duration=duration)], watch=True)
        outcome = decide(given, now=NOW)
        assert outcome.effective_verdict is Verdict.HOLD
        assert blind_time(given, outcome, NOW) == NOW + limit
        later = replace(given, held=Held(NOW - timedelta(minutes=7), exposed=True))
        assert blind_time(later, decide(later, now=NOW), NOW) == NOW - timedelta(minutes=7) + limit


def test_who_is_not_on_hold_has_no_limit() -> None:
    before, well = case([watched()]), case([watched()], [item(1, subject=about_attempt())], watch=True)
    assert blind_time(before, decide(before, now=NOW), NOW) is None
    assert blind_time(well, decide(well, now=NOW), NOW) is None


def test_several_policies_come_to_the_shortest_limit_and_to_the_way_back_where_one_wants_it() -> None:
    def both(*holds: HoldLimit | None) -> HoldLimit | None:
        combined = combined_watch(
            [Watch(HOUR, timedelta(0), timedelta(seconds=30), hold=one) for one in holds]
        )
        assert combined is not None
        return combined.hold

    minutes = timedelta(minutes=5)
    assert both(None, None) is None
    assert both(None, HoldLimit(minutes, rolls_back=False)) == HoldLimit(minutes, rolls_back=False)
    assert both(HoldLimit(HOUR, rolls_back=False), HoldLimit(minutes)) == HoldLimit(minutes)
    assert both(HoldLimit(None, rolls_back=False), HoldLimit(HOUR)) == HoldLimit(HOUR)


def test_the_record_has_it_where_it_was_on_hold_and_nothing_of_it_before() -> None:
    given = held(HOUR)
    record = json.loads(json.dumps(case_record(given)))
    assert held_of(record) == given.held
    assert "held" not in case_record(replace(given, held=None))


def test_the_policys_wish_is_part_of_the_outcomes_digest_where_it_has_one() -> None:
    def outcome(hold: HoldLimit | None) -> Outcome:
        return decide(case([watched(hold)], watch=True), now=NOW)

    digests = {
        outcome(one).digest for one in (None, HoldLimit(None), HoldLimit(HOUR), HoldLimit(None, False))
    }
    assert len(digests) == 4
