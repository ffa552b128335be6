"""The gate: whether a release may proceed, by the rules of every client; what is not known for certain holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from release_passport.async_connection import AsyncConnection
from release_passport.connection import Connection
from release_passport.v1 import decision_pb2, decision_service_pb2, verdict_pb2

Verdict = verdict_pb2.Verdict

_ALLOWING = frozenset({verdict_pb2.VERDICT_ALLOW, verdict_pb2.VERDICT_ALLOW_WITH_CANARY})
_KNOWN = frozenset(verdict_pb2.Verdict.values()) - {verdict_pb2.VERDICT_UNSPECIFIED}


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that keeps a release, and who can do what about it; the code is stable."""

    code: str
    message: str
    next_action: str = ""
    who_can_act: tuple[str, ...] = ()
    policy: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a caller takes for a yes too: a canary whose limits it keeps, and decisions of development servers."""

    accept_canary: bool = False
    accept_dev: bool = False


@dataclass(frozen=True, slots=True)
class Gate:
    """An answer: what to act on, and why not, strictest first. The permit comes with a yes alone."""

    verdict: Verdict
    may_proceed: bool
    reasons: tuple[Reason, ...]
    decision: decision_pb2.Decision
    permit: bytes = b""


def gate(
    client: Connection,
    request: decision_service_pb2.EvaluateRequest,
    *,
    now: Callable[[], datetime],
    terms: Terms = Terms(),
    timeout: float | None = None,
) -> Gate:
    """Decide a release and return what the decision is worth now; raise PassportAPIError, which means hold."""
    answer = client.call(_EVALUATE, request, decision_service_pb2.EvaluateResponse, timeout)
    newest = not answer.replayed
    if answer.replayed and answer.decision.name:
        asked = decision_service_pb2.GetDecisionRequest(name=answer.decision.name)
        newest = client.call(_GET, asked, decision_service_pb2.GetDecisionResponse, timeout).newest
    return gate_of(answer, now=now(), newest=newest, terms=terms)


async def async_gate(
    client: AsyncConnection,
    request: decision_service_pb2.EvaluateRequest,
    *,
    now: Callable[[], datetime],
    terms: Terms = Terms(),
    timeout: float | None = None,  # noqa: ASYNC109  The RPC carries it.
) -> Gate:
    """Decide a release without blocking; what `gate` says of it holds here too."""
    answer = await client.call(_EVALUATE, request, decision_service_pb2.EvaluateResponse, timeout)
    newest = not answer.replayed
    if answer.replayed and answer.decision.name:
        asked = decision_service_pb2.GetDecisionRequest(name=answer.decision.name)
        newest = (await client.call(_GET, asked, decision_service_pb2.GetDecisionResponse, timeout)).newest
    return gate_of(answer, now=now(), newest=newest, terms=terms)


_EVALUATE, _GET = "DecisionService/Evaluate", "DecisionService/GetDecision"


def gate_of(
    answer: decision_service_pb2.EvaluateResponse, *, now: datetime, newest: bool, terms: Terms
) -> Gate:
    """Return what an answer is worth at this moment."""
    decision = answer.decision
    refusal = refusal_of(decision, now=now, newest=newest, accept_dev=terms.accept_dev)
    if refusal is not None:
        return Gate(verdict_pb2.VERDICT_HOLD, may_proceed=False, reasons=(refusal,), decision=decision)
    verdict = decision.effective_verdict
    canary = verdict == verdict_pb2.VERDICT_ALLOW_WITH_CANARY and terms.accept_canary
    if verdict == verdict_pb2.VERDICT_ALLOW or canary:
        return Gate(verdict, may_proceed=True, reasons=(), decision=decision, permit=answer.permit)
    return Gate(verdict, may_proceed=False, reasons=_findings_of(decision), decision=decision)


def refusal_of(
    decision: decision_pb2.Decision, *, now: datetime, newest: bool, accept_dev: bool
) -> Reason | None:
    """Return why a decision cannot be acted on and so holds; None where its verdict stands."""
    if decision.effective_verdict not in _KNOWN:
        if decision == decision_pb2.Decision():
            return Reason("NOT_RECORDED", "the answer holds no decision")
        return Reason("VERDICT_UNKNOWN", "the server gave a verdict that this client does not know")
    if decision.effective_verdict not in _ALLOWING:
        return None
    if not decision.name:
        return Reason("NOT_RECORDED", "the answer names no recorded decision")
    if decision.dev and not accept_dev:
        return Reason("DEVELOPMENT_SERVER", "made by a server in development mode, which gates nothing")
    if not newest:
        return Reason("NOT_NEWEST", "a newer decision of this release exists; ask again")
    if not decision.HasField("valid_until") or decision.valid_until.ToDatetime(UTC) <= now:
        return Reason("NO_LONGER_VALID", "the decision is no longer valid; ask again")
    return None


def _findings_of(decision: decision_pb2.Decision) -> tuple[Reason, ...]:
    return tuple(
        Reason(one.reason, one.message, one.next_action, tuple(one.who_can_act), one.policy, one.rule)
        for one in decision.findings
        if one.verdict != verdict_pb2.VERDICT_ALLOW
    )
