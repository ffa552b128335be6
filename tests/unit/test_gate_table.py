"""The answers of gates by verdict: the table of the design, cell by cell, and its copy in the documentation."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from release_passport_server.domain.gate import ARGO_HOOKS, FLAGGER_HOOKS
from release_passport_server.domain.gate_table import (
    ARGO_VERDICT,
    CHANNELS,
    FLAGGER_STATUS,
    Answer,
    Channel,
    If,
    as_markdown,
    asks_for,
    choose,
)
from release_passport_server.domain.verdict import Verdict

ANSWERS = Path(__file__).resolve().parents[2] / "deploy" / "ANSWERS.md"
NONE: frozenset[If] = frozenset()
ALL = frozenset(If)
V = Verdict

# Hook, verdict, what is so, and what the controller is told: a status for Flagger, a word for Argo Rollouts.
ROWS = [
    ("confirm-rollout", V.ALLOW, NONE, 200),
    ("confirm-rollout", V.ALLOW_WITH_CANARY, {If.WITHIN_LIMITS}, 200),
    ("confirm-rollout", V.ALLOW_WITH_CANARY, ALL - {If.WITHIN_LIMITS}, 403),
    ("confirm-rollout", V.REQUIRE_APPROVAL, ALL, 403),
    ("confirm-rollout", V.HOLD, ALL, 403),
    ("confirm-rollout", V.BLOCK, ALL, 403),
    ("confirm-rollout", V.ROLLBACK_RECOMMENDED, ALL, 403),
    ("confirm-traffic-increase", V.ALLOW, NONE, 200),
    ("confirm-traffic-increase", V.HOLD, ALL, 403),
    ("confirm-promotion", V.ALLOW, {If.WINDOW_PASSED}, 200),
    ("confirm-promotion", V.ALLOW, ALL - {If.WINDOW_PASSED}, 403),
    ("confirm-promotion", V.ALLOW_WITH_CANARY, {If.WINDOW_PASSED}, 200),
    ("confirm-promotion", V.HOLD, ALL, 403),
    ("confirm-promotion", V.ROLLBACK_RECOMMENDED, ALL, 403),
    ("rollback", V.ALLOW, ALL, 403),
    ("rollback", V.ALLOW_WITH_CANARY, ALL, 403),
    ("rollback", V.REQUIRE_APPROVAL, ALL, 403),
    ("rollback", V.HOLD, ALL, 403),
    ("rollback", V.BLOCK, ALL, 403),
    ("rollback", V.ROLLBACK_RECOMMENDED, {If.EXECUTE, If.CONDEMNED_RUNS, If.BRAKE_OFF}, 200),
    ("rollback", V.ROLLBACK_RECOMMENDED, ALL - {If.BRAKE_OFF}, 403),
    ("rollback", V.ROLLBACK_RECOMMENDED, {If.EXECUTE}, 403),
    ("rollback", V.ROLLBACK_RECOMMENDED, {If.CONDEMNED_RUNS}, 403),
    ("pre-rollout", V.ALLOW, NONE, 200),
    ("pre-rollout", V.HOLD, {If.CONFIRMED_ELSEWHERE}, 200),
    ("pre-rollout", V.HOLD, NONE, 403),
    ("rollout", V.REQUIRE_APPROVAL, {If.CONFIRMED_ELSEWHERE}, 200),
    ("rollout", V.BLOCK, ALL, 403),
    ("rollout", V.ROLLBACK_RECOMMENDED, {If.CONFIRMED_ELSEWHERE}, 200),
    ("rollout", V.ROLLBACK_RECOMMENDED, {If.CONFIRMED_ELSEWHERE, If.EXECUTE, If.BRAKE_OFF}, 403),
    ("rollout", V.ROLLBACK_RECOMMENDED, {If.CONFIRMED_ELSEWHERE, If.EXECUTE}, 200),
    ("inline", V.ALLOW, NONE, "allow"),
    ("inline", V.ALLOW_WITH_CANARY, {If.WITHIN_LIMITS}, "allow"),
    ("inline", V.ALLOW_WITH_CANARY, NONE, "hold"),
    ("inline", V.REQUIRE_APPROVAL, ALL, "hold"),
    ("inline", V.BLOCK, {If.UNEXPOSED}, "deny"),
    ("inline", V.BLOCK, NONE, "hold"),
    ("inline", V.ROLLBACK_RECOMMENDED, {If.EXECUTE, If.BRAKE_OFF}, "deny"),
    ("inline", V.ROLLBACK_RECOMMENDED, ALL - {If.BRAKE_OFF}, "hold"),
    ("inline", V.ROLLBACK_RECOMMENDED, ALL - {If.EXECUTE}, "hold"),
    ("background", V.ALLOW, NONE, "allow"),
    ("background", V.ALLOW_WITH_CANARY, NONE, "allow"),
    ("background", V.ALLOW, {If.STOPPED_SKIP}, "deny"),
    ("background", V.REQUIRE_APPROVAL, ALL - {If.STOPPED_SKIP}, "hold"),
    ("background", V.HOLD, ALL - {If.STOPPED_SKIP}, "hold"),
    ("background", V.HOLD, {If.STOPPED_SKIP}, "deny"),
    ("background", V.BLOCK, ALL - {If.STOPPED_SKIP}, "hold"),
    ("inline", V.HOLD, ALL, "hold"),
    ("background", V.ROLLBACK_RECOMMENDED, {If.EXECUTE, If.BRAKE_OFF}, "deny"),
    ("background", V.ROLLBACK_RECOMMENDED, ALL - {If.EXECUTE}, "hold"),
    ("pre-promotion", V.ALLOW, NONE, "hold"),
    ("pre-promotion", V.ALLOW, {If.WINDOW_PASSED}, "allow"),
    ("post-promotion", V.HOLD, ALL - {If.STOPPED_SKIP}, "hold"),
]


@pytest.mark.parametrize(("hook", "verdict", "so", "told"), ROWS)
def test_a_cell_of_the_table(hook: str, verdict: Verdict, so: set[If], told: int | str) -> None:
    answer = choose(CHANNELS[hook], verdict, frozenset(so)).answer
    assert (FLAGGER_STATUS[answer] if isinstance(told, int) else ARGO_VERDICT[answer]) == told


def _sets() -> list[frozenset[If]]:
    return [frozenset(some) for size in range(len(If) + 1) for some in combinations(If, size)]


@pytest.mark.parametrize("channel", [one for one in Channel if one is not Channel.TOLD])
def test_what_is_no_decision_to_go_opens_nothing_that_moves_traffic(channel: Channel) -> None:
    for verdict in (one for one in Verdict if not one.allows):
        for so in _sets():
            answer = choose(channel, verdict, so).answer
            # A hook that only stops lets go what another hook of ours holds.
            held = channel is Channel.STOP and If.CONFIRMED_ELSEWHERE in so
            assert answer is not Answer.OPEN or held, (verdict, so)


@pytest.mark.parametrize("channel", list(Channel))
def test_nothing_is_undone_unless_the_gate_was_told_to_or_nothing_runs_yet(channel: Channel) -> None:
    for verdict in Verdict:
        for so in _sets():
            if choose(channel, verdict, so).answer is Answer.STOP:
                executed = verdict is Verdict.ROLLBACK_RECOMMENDED and {If.EXECUTE, If.BRAKE_OFF} <= so
                skipped = channel is Channel.BACKGROUND and If.STOPPED_SKIP in so
                assert executed or skipped or (verdict is Verdict.BLOCK and If.UNEXPOSED in so)


def test_a_stricter_verdict_never_opens_what_a_milder_one_did_not() -> None:
    for channel in Channel:
        if channel is Channel.TOLD:
            continue
        for so in _sets():
            opens = [choose(channel, verdict, so).answer is Answer.OPEN for verdict in Verdict]
            assert opens == sorted(opens, reverse=True) or channel is Channel.STOP


def test_every_hook_has_its_column() -> None:
    assert set(CHANNELS) == {*FLAGGER_HOOKS, *ARGO_HOOKS}


def test_the_window_is_asked_for_where_all_traffic_moves() -> None:
    asking = {channel for channel in Channel if asks_for(channel, If.WINDOW_PASSED)}
    assert asking == {Channel.PROMOTE, Channel.SWITCH}


def test_flagger_never_sees_another_status_than_two() -> None:
    assert set(FLAGGER_STATUS.values()) == {200, 403}


def test_the_documentation_has_this_table() -> None:
    assert as_markdown() in ANSWERS.read_text(encoding="utf-8"), f"put this into {ANSWERS}:\n{as_markdown()}"
