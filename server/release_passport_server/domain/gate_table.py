"""Which answer a gate gives for which verdict: the one table, from which the documentation is made too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from release_passport_server.domain.gate import Controller
from release_passport_server.domain.verdict import Verdict


class Channel(StrEnum):
    """A kind of question that a controller asks."""

    CONFIRM = "Flagger confirm-rollout, confirm-traffic-increase"
    PROMOTE = "Flagger confirm-promotion"
    STOP = "Flagger pre-rollout, rollout, MetricTemplate"
    ROLL_BACK = "Flagger rollback"
    TOLD = "Flagger post-rollout, event"
    INLINE = "Argo inline"
    BACKGROUND = "Argo background, post-promotion"
    SWITCH = "Argo pre-promotion"


class Answer(StrEnum):
    """What a controller is told; what its protocol makes of it is the edge's business."""

    # Go on; wait, and nothing is undone; stop, or roll back.
    OPEN = "OPEN"
    SHUT = "SHUT"
    STOP = "STOP"


class If(StrEnum):
    """What has to be so, as read at this moment, for an answer to be given."""

    WITHIN_LIMITS = "the controller's object keeps the canary's limits"
    WINDOW_PASSED = "the watch window of these digests has passed"
    CONFIRMED_ELSEWHERE = "these digests were admitted and the object asks at a confirm hook too"
    UNEXPOSED = "nothing of these digests is exposed yet"
    EXECUTE = "the gate has on_rollback EXECUTE"
    STOPPED_SKIP = "the gate has on_skip STOP and these digests are exposed without an admission"
    BRAKE_OFF = "the rollback brake is off"
    CONDEMNED_RUNS = "the condemned digests are the ones in the canary, which is under way"


Cell = tuple[tuple[Answer, tuple[If, ...]], ...]


def _cell(*choices: tuple[Answer, tuple[If, ...]], rest: Answer) -> Cell:
    return (*choices, (rest, ()))


_OPEN: Cell = _cell(rest=Answer.OPEN)
_SHUT: Cell = _cell(rest=Answer.SHUT)
_LIMITED = _cell((Answer.OPEN, (If.WITHIN_LIMITS,)), rest=Answer.SHUT)
_AFTER_WINDOW = _cell((Answer.OPEN, (If.WINDOW_PASSED,)), rest=Answer.SHUT)
_HELD_ELSEWHERE = _cell((Answer.OPEN, (If.CONFIRMED_ELSEWHERE,)), rest=Answer.SHUT)
_SKIPPED = (Answer.STOP, (If.STOPPED_SKIP,))
_OPEN_UNLESS_SKIPPED = _cell(_SKIPPED, rest=Answer.OPEN)
_SHUT_UNLESS_SKIPPED = _cell(_SKIPPED, rest=Answer.SHUT)
_STOP_IF_EXECUTED = _cell((Answer.STOP, (If.EXECUTE, If.BRAKE_OFF)), rest=Answer.SHUT)


def _row(*cells: Cell) -> Mapping[Verdict, Cell]:
    return MappingProxyType(dict(zip(Verdict, cells, strict=True)))


# The columns are ALLOW, ALLOW_WITH_CANARY, REQUIRE_APPROVAL, HOLD, BLOCK, ROLLBACK_RECOMMENDED.
TABLE: Mapping[Channel, Mapping[Verdict, Cell]] = MappingProxyType(
    {
        Channel.CONFIRM: _row(_OPEN, _LIMITED, _SHUT, _SHUT, _SHUT, _SHUT),
        Channel.PROMOTE: _row(_AFTER_WINDOW, _AFTER_WINDOW, _SHUT, _SHUT, _SHUT, _SHUT),
        # Whoever is refused here counts a failed check, so a hold waits at a confirm hook instead.
        Channel.STOP: _row(
            _OPEN,
            _OPEN,
            _HELD_ELSEWHERE,
            _HELD_ELSEWHERE,
            _SHUT,
            _cell(
                (Answer.SHUT, (If.EXECUTE, If.BRAKE_OFF)),
                (Answer.OPEN, (If.CONFIRMED_ELSEWHERE,)),
                rest=Answer.SHUT,
            ),
        ),
        Channel.ROLL_BACK: _row(
            _SHUT,
            _SHUT,
            _SHUT,
            _SHUT,
            _SHUT,
            _cell((Answer.STOP, (If.EXECUTE, If.BRAKE_OFF, If.CONDEMNED_RUNS)), rest=Answer.SHUT),
        ),
        Channel.TOLD: _row(_OPEN, _OPEN, _OPEN, _OPEN, _OPEN, _OPEN),
        Channel.INLINE: _row(
            _OPEN,
            _LIMITED,
            _SHUT,
            _SHUT,
            _cell((Answer.STOP, (If.UNEXPOSED,)), rest=Answer.SHUT),
            _STOP_IF_EXECUTED,
        ),
        Channel.BACKGROUND: _row(
            _OPEN_UNLESS_SKIPPED,
            _OPEN_UNLESS_SKIPPED,
            _SHUT_UNLESS_SKIPPED,
            _SHUT_UNLESS_SKIPPED,
            _SHUT_UNLESS_SKIPPED,
            _STOP_IF_EXECUTED,
        ),
        Channel.SWITCH: _row(_AFTER_WINDOW, _AFTER_WINDOW, _SHUT, _SHUT, _SHUT, _STOP_IF_EXECUTED),
    }
)

CHANNELS: Mapping[str, Channel] = MappingProxyType(
    {
        "confirm-rollout": Channel.CONFIRM,
        "confirm-traffic-increase": Channel.CONFIRM,
        "confirm-promotion": Channel.PROMOTE,
        "pre-rollout": Channel.STOP,
        "rollout": Channel.STOP,
        "prometheus": Channel.STOP,
        "rollback": Channel.ROLL_BACK,
        "post-rollout": Channel.TOLD,
        "event": Channel.TOLD,
        "inline": Channel.INLINE,
        "background": Channel.BACKGROUND,
        "post-promotion": Channel.BACKGROUND,
        "pre-promotion": Channel.SWITCH,
    }
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a cell came to, and which of its conditions was not met where that made the difference."""

    answer: Answer
    unmet: tuple[If, ...] = ()


def asks_for(channel: Channel, condition: If) -> bool:
    """Say whether any answer of a channel depends on a condition."""
    return any(condition in needed for cell in TABLE[channel].values() for _, needed in cell)


def choose(channel: Channel, verdict: Verdict, met: frozenset[If]) -> Chosen:
    """Return the first answer of the cell whose conditions are all met."""
    unmet: list[If] = []
    for answer, conditions in TABLE[channel][verdict]:
        missing = [one for one in conditions if one not in met]
        if not missing:
            return Chosen(answer, tuple(unmet))
        unmet += missing
    raise AssertionError("the last answer of a cell has no conditions")


# What a protocol makes of an answer. A Flagger webhook knows two statuses; where it asks whether to roll back,
# 200 is what undoes a release.
FLAGGER_STATUS: Mapping[Answer, int] = MappingProxyType(
    {Answer.OPEN: 200, Answer.SHUT: 403, Answer.STOP: 200}
)
FLAGGER_SAMPLE: Mapping[Answer, str] = MappingProxyType(
    {Answer.OPEN: "1", Answer.SHUT: "0", Answer.STOP: "0"}
)
ARGO_VERDICT: Mapping[Answer, str] = MappingProxyType(
    {Answer.OPEN: "allow", Answer.SHUT: "hold", Answer.STOP: "deny"}
)


def as_markdown() -> str:
    """Return the table as the documentation has it."""
    lines = [
        "| | " + " | ".join(verdict.name for verdict in Verdict) + " |",
        "|---" * (len(Verdict) + 1) + "|",
    ]
    for channel, row in TABLE.items():
        cells = " | ".join(_cell_in_words(channel, row[verdict]) for verdict in Verdict)
        lines.append(f"| {channel} | {cells} |")
    return "\n".join(lines) + "\n"


def controller_of(channel: Channel) -> Controller:
    """Return who asks so."""
    return Controller.FLAGGER if channel.value.startswith("Flagger") else Controller.ARGO_ROLLOUTS


def _cell_in_words(channel: Channel, cell: Cell) -> str:
    words = []
    for answer, conditions in cell:
        said = (
            str(FLAGGER_STATUS[answer])
            if controller_of(channel) is Controller.FLAGGER
            else ARGO_VERDICT[answer]
        )
        words.append(f"{said} if {' and '.join(conditions)}" if conditions else said)
    return ", else ".join(words)
