"""Asks the gate, once or until the time is up, and keeps what it answered last."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from release_passport.cli import exit_codes
from release_passport.cli.session import Session
from release_passport.cli.standing import Standing, standing_of, utc_now
from release_passport.errors import PassportAPIError
from release_passport.v1 import decision_service_pb2, verdict_pb2, watch_pb2

FIRST_PAUSE = 2.0
LONGEST_PAUSE = 10.0
_AT_ONCE = {
    verdict_pb2.VERDICT_ALLOW_WITH_CANARY,
    verdict_pb2.VERDICT_BLOCK,
    verdict_pb2.VERDICT_ROLLBACK_RECOMMENDED,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gate answered last, and what it is worth."""

    response: decision_service_pb2.EvaluateResponse
    standing: Standing


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which terms an answer is accepted."""

    accept_canary: bool = False
    accept_dev: bool = False


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance, so that waiting can be tested without waiting."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    now: Callable[[], datetime] = utc_now


@dataclass(slots=True)
class Asker:
    """One question to the gate, which may be put again."""

    session: Session
    request: decision_service_pb2.EvaluateRequest
    terms: Terms
    clock: Clock
    last: Answer | None = None
    timed_out: bool = False

    def ask(self, *, timeout: float | None = None) -> Answer:
        """Return the gate's answer to this question now."""
        response = self.session.client.evaluate(self.request, timeout=timeout)
        standing = standing_of(
            response.decision,
            now=self.clock.now(),
            newest=not response.replayed or self._is_newest(response.decision.name, timeout),
            accept_canary=self.terms.accept_canary,
            accept_dev=self.terms.accept_dev,
        )
        self.last = Answer(response, standing)
        return self.last

    def wait(self, seconds: float) -> Answer | None:
        """Ask until the answer is final or the time is up; None when no answer could be had at all."""
        start, pause, told = self.clock.monotonic(), FIRST_PAUSE, ""
        failure: PassportAPIError | None = None
        while (left := seconds - (self.clock.monotonic() - start)) > 0:
            wanted = 0.0
            try:
                answer = self.ask(timeout=min(left, self.session.timeout))
            except PassportAPIError as error:
                if not error.is_transient:
                    raise
                failure, wanted = error, error.retry_after or 0.0
                told = self._tell(told, f"no answer: {error.message}")
            else:
                if _is_final(answer):
                    return answer
                self._go_on_with(answer)
                told = self._tell(told, _summary(answer))
            left = seconds - (self.clock.monotonic() - start)
            self._rest(max(0.0, min(left, max(wanted, pause * (0.75 + 0.5 * self.clock.jitter())))))
            pause = min(pause * 1.5, LONGEST_PAUSE)
        self.timed_out = True
        if self.last is None and failure is not None:
            raise failure
        return self.last

    def _rest(self, seconds: float) -> None:
        """Return after so many seconds, or at once when the server tells of another decision of the release."""
        began = self.clock.monotonic()
        if self.last is not None and seconds > 0 and self._told(self.last, seconds):
            return
        self.clock.sleep(max(0.0, seconds - (self.clock.monotonic() - began)))

    def _told(self, last: Answer, seconds: float) -> bool:
        """Say whether a stream has told of another decision within so many seconds."""
        request = decision_service_pb2.WatchDecisionRequest(
            tenant=self.request.tenant,
            subscriptions=[watch_pb2.Subscription(release=last.response.decision.release)],
            min_revision=last.response.revision,
            client_id="passport-gate",
        )
        try:
            for message in self.session.client.watch_decision(request, timeout=seconds):
                if message.WhichOneof("event") == "decision":
                    if message.decision.decision.name != last.response.decision.name:
                        return True
                elif message.WhichOneof("event") == "goodbye":
                    return False
        except PassportAPIError:
            # It is asked again in any case.
            return False
        return False

    def _go_on_with(self, answer: Answer) -> None:
        """Make the next question one about the release that now exists, with nothing sent twice."""
        self.request = decision_service_pb2.EvaluateRequest(
            tenant=self.request.tenant,
            release=answer.response.decision.release or self.request.release,
            stage=self.request.stage,
            refresh=self.request.refresh,
        )

    def _is_newest(self, name: str, timeout: float | None) -> bool:
        request = decision_service_pb2.GetDecisionRequest(name=name)
        return self.session.client.get_decision(request, timeout=timeout).newest

    def _tell(self, told: str, text: str) -> str:
        if text != told:
            self.session.notice(text)
        return text


def _is_final(answer: Answer) -> bool:
    if answer.standing.exit_code == exit_codes.OK or answer.standing.is_final:
        return True
    return not answer.standing.refusal and answer.response.decision.effective_verdict in _AT_ONCE


def _summary(answer: Answer) -> str:
    from release_passport.cli.render.view import view_of

    view = view_of(answer.response.decision, refusal=answer.standing.refusal)
    return f"waiting: {view.verdict} {view.release}: {view.headline}"
