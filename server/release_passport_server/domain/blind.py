"""A watched rollout that is on hold for too long: some of it takes traffic, and nobody can say that it is well."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from release_passport_server.domain.case import Case
from release_passport_server.domain.outcome import Finding, Outcome, Reason
from release_passport_server.domain.policy import Watch
from release_passport_server.domain.texts import next_action
from release_passport_server.domain.verdict import Stage, Verdict

# A window's hold has its duration for a limit where no policy says another one, but at most this.
USUAL_LIMIT = timedelta(hours=2)


def blind_time(case: Case, outcome: Outcome, now: datetime) -> datetime | None:
    """Return when a rollout that is on hold now will have been so for too long; None where it is not on hold."""
    if outcome.stage is not Stage.WATCH or outcome.effective_verdict is not Verdict.HOLD:
        return None
    return _limit_time(outcome.watch, now if case.held is None else case.held.since)


def blinded(case: Case, watch: Watch | None, binding: Iterable[Finding], now: datetime) -> Finding | None:
    """Return the finding that a rollout on hold has been so for too long, as its findings that bind say.

    A hold that is a freeze's alone has its end from people.
    """
    held = case.held
    due = None if held is None else _limit_time(watch, held.since)
    if held is None or due is None or due > now or not held.exposed:
        return None
    if all(finding.reason is Reason.FROZEN for finding in binding if finding.verdict is Verdict.HOLD):
        return None
    rolls_back = watch is None or watch.hold is None or watch.hold.rolls_back
    verdict = Verdict.ROLLBACK_RECOMMENDED if rolls_back else Verdict.HOLD
    text = f"it takes traffic and nobody could say that it is well since {held.since:%Y-%m-%d %H:%M:%S} UTC"
    return Finding(verdict, Reason.WATCH_BLIND, text, next_action=next_action(Reason.WATCH_BLIND))


def _limit_time(watch: Watch | None, since: datetime) -> datetime | None:
    if watch is None:
        return None
    said = None if watch.hold is None else watch.hold.limit
    return since + (min(watch.duration, USUAL_LIMIT) if said is None else said)
