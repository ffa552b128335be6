"""`gate --wait`: asks again with growing pauses, stops on a final answer, and never makes a yes out of silence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from release_passport.cli.asking import Asker, Clock, Terms
from release_passport.cli.session import Session
from release_passport.errors import PassportAPIError
from release_passport.v1 import decision_service_pb2, evidence_pb2, verdict_pb2
from support.decisions import RELEASE, evaluated

HOLD = verdict_pb2.VERDICT_HOLD
ALLOW = verdict_pb2.VERDICT_ALLOW
GONE = PassportAPIError("UNAVAILABLE", "gone")


@dataclass
class Scripted:
    """A client that gives prepared answers, and the clock that its caller sleeps by."""

    answers: list[Any]
    time: float = 0.0
    pauses: list[float] = field(default_factory=list)
    requests: list[decision_service_pb2.EvaluateRequest] = field(default_factory=list)
    told: list[decision_service_pb2.WatchDecisionResponse] = field(default_factory=list)

    def watch_decision(self, request: Any, *, timeout: float | None = None) -> Any:
        if not self.told:
            raise PassportAPIError("UNIMPLEMENTED", "an older server")
        return iter([self.told.pop(0)])

    def evaluate(self, request: Any, *, timeout: float | None = None) -> Any:
        copy = decision_service_pb2.EvaluateRequest()
        copy.CopyFrom(request)
        self.requests.append(copy)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds


def asker(*answers: Any, **terms: bool) -> tuple[Asker, Scripted]:
    script = Scripted(list(answers))
    session = Session(quiet=True)
    session.__dict__["client"] = cast(Any, script)
    request = decision_service_pb2.EvaluateRequest(release=RELEASE, request_id="build-7")
    request.evidence.append(evidence_pb2.EvidenceInput(external_id="once"))
    clock = Clock(monotonic=lambda: script.time, sleep=script.sleep, jitter=lambda: 0.5)
    return Asker(session, request, Terms(**terms), clock), script


def test_it_waits_until_the_release_may_proceed() -> None:
    ask, script = asker(evaluated(HOLD), evaluated(HOLD), evaluated(ALLOW))
    answer = ask.wait(1800)
    assert answer is not None
    assert answer.standing.exit_code == 0
    assert script.pauses == [2.0, 3.0]


def test_it_asks_again_at_once_when_it_is_told_of_another_decision() -> None:
    ask, script = asker(evaluated(HOLD), evaluated(ALLOW))
    other = decision_service_pb2.WatchDecisionResponse()
    other.decision.decision.name = "another"
    script.told = [other]
    answer = ask.wait(1800)
    assert answer is not None
    assert (answer.standing.exit_code, script.pauses) == (0, [])


def test_what_stands_is_no_news() -> None:
    ask, script = asker(evaluated(HOLD), evaluated(ALLOW))
    stands = decision_service_pb2.WatchDecisionResponse()
    stands.decision.decision.CopyFrom(evaluated(HOLD).decision)
    script.told = [stands]
    ask.wait(1800)
    assert script.pauses == [2.0]


def test_pauses_grow_to_ten_seconds() -> None:
    ask, script = asker(evaluated(HOLD))
    ask.wait(120)
    assert script.pauses[:5] == [2.0, 3.0, 4.5, 6.75, 10.0]
    assert max(script.pauses) == 10.0


def test_when_the_time_is_up_the_standing_verdict_counts() -> None:
    ask, script = asker(evaluated(verdict_pb2.VERDICT_REQUIRE_APPROVAL))
    answer = ask.wait(60)
    assert answer is not None
    assert answer.standing.exit_code == 10
    assert ask.timed_out
    assert script.time == 60


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (verdict_pb2.VERDICT_BLOCK, 12),
        (verdict_pb2.VERDICT_ROLLBACK_RECOMMENDED, 13),
        (verdict_pb2.VERDICT_ALLOW_WITH_CANARY, 14),
    ],
)
def test_a_final_verdict_returns_at_once(verdict: int, code: int) -> None:
    ask, script = asker(evaluated(verdict))
    answer = ask.wait(60)
    assert answer is not None
    assert (answer.standing.exit_code, script.pauses) == (code, [])


def test_an_expired_allow_is_asked_again() -> None:
    ask, _ = asker(evaluated(ALLOW, valid_for=-1), evaluated(ALLOW))
    answer = ask.wait(60)
    assert answer is not None
    assert answer.standing.exit_code == 0


def test_a_development_server_is_not_waited_for() -> None:
    ask, script = asker(evaluated(ALLOW, dev=True))
    answer = ask.wait(60)
    assert answer is not None
    assert (answer.standing.exit_code, script.pauses) == (11, [])


def test_it_goes_on_when_the_gate_is_gone_for_a_while() -> None:
    ask, _ = asker(evaluated(HOLD), GONE, evaluated(ALLOW))
    answer = ask.wait(60)
    assert answer is not None
    assert answer.standing.exit_code == 0


def test_a_gate_that_goes_away_for_good_leaves_the_verdict_it_gave() -> None:
    ask, _ = asker(evaluated(HOLD), GONE)
    answer = ask.wait(60)
    assert answer is not None
    assert answer.standing.exit_code == 11


def test_a_gate_that_never_answers_is_an_error() -> None:
    ask, _ = asker(GONE)
    with pytest.raises(PassportAPIError):
        ask.wait(60)


def test_a_denial_ends_the_wait() -> None:
    ask, script = asker(PassportAPIError("PERMISSION_DENIED", "no"))
    with pytest.raises(PassportAPIError):
        ask.wait(60)
    assert script.pauses == []


def test_the_server_may_ask_for_a_longer_pause() -> None:
    busy = PassportAPIError("RESOURCE_EXHAUSTED", "busy", retry_after=30.0)
    ask, script = asker(busy, evaluated(ALLOW))
    ask.wait(60)
    assert script.pauses == [30.0]


def test_evidence_and_request_id_are_sent_once() -> None:
    ask, script = asker(evaluated(HOLD), evaluated(ALLOW))
    ask.wait(60)
    assert [(len(r.evidence), r.request_id, r.release) for r in script.requests] == [
        (1, "build-7", RELEASE),
        (0, "", RELEASE),
    ]


def test_evidence_is_sent_again_until_an_answer_came() -> None:
    ask, script = asker(GONE, evaluated(ALLOW))
    ask.wait(60)
    assert [len(r.evidence) for r in script.requests] == [1, 1]
