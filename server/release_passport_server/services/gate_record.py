"""What a gate's answers leave behind: attempts that begin and end, and one entry for each answer that changed."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from release_passport_server.domain.access import Principal
from release_passport_server.domain.errors import Conflict, Precondition
from release_passport_server.domain.gate import Gate, GateAnswer, GateName
from release_passport_server.domain.gate_table import Answer
from release_passport_server.domain.ids import AttemptName, ReleaseName
from release_passport_server.domain.live_workload import LiveWorkload
from release_passport_server.domain.notification import GATE_BRAKED, GATE_MISWIRED, notification
from release_passport_server.domain.record import AuditEntry, DecisionRecord, FeedEvent
from release_passport_server.domain.release import Attempt
from release_passport_server.ports.store import Store, Transaction
from release_passport_server.services.asking import Ask
from release_passport_server.services.finish_rollout import FinishRollout
from release_passport_server.services.gate_releases import release_of
from release_passport_server.services.gate_skips import GateSkips
from release_passport_server.services.start_rollout import StartRollout, differs

if TYPE_CHECKING:
    from release_passport_server.services.answer_gate import Reply

MAX_REMEMBERED = 5000
# The reason of an answer about what takes traffic although no gate let it begin.
SKIPPED = "GATE_SKIPPED"
# The reason of an answer that would have undone a rollout, had not so many others been undone just before.
BRAKED = "ROLLBACK_BRAKE"
# Answers that people are told of at once, by their reason.
_ALERTS = {BRAKED: GATE_BRAKED, "GATE_MISWIRED": GATE_MISWIRED}
_FAR = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class GateRecord:
    """Writes what a gate was answered, and the rollouts that it let begin."""

    store: Store
    start: StartRollout
    finish: FinishRollout
    skips: GateSkips
    _written: OrderedDict[tuple[str, ...], tuple[object, ...]] = field(default_factory=OrderedDict)

    async def answered(self, tenant: str, gate: Gate, hook: str, reply: Reply) -> None:
        """Record an answer where it is not the one that was given last."""
        key = (gate.gate_id, hook, *reply.digests)
        said = (reply.answer, reply.reasons, reply.release, reply.effective_verdict)
        if self._written.get(key) == said:
            return

        def act(tx: Transaction) -> None:
            before = tx.find_act(GateAnswer, _answer_id(gate, hook, reply.digests))
            _put(tx, gate, hook, reply, before)
            if SKIPPED in reply.reasons and (before is None or SKIPPED not in before.reasons):
                self.skips.record(tx, gate, reply.digests)
            for reason, kind in _ALERTS.items():
                if reason in reply.reasons and (before is None or reason not in before.reasons):
                    _alert(tx, gate, reply, kind)

        await self.store.write(tenant, act)
        self._written[key] = said
        while len(self._written) > MAX_REMEMBERED:
            self._written.popitem(last=False)

    async def last(self, tenant: str, gate: Gate, hook: str, digests: tuple[str, ...]) -> GateAnswer | None:
        """Return what was answered last there about these digests."""
        wanted = _answer_id(gate, hook, digests)
        return await self.store.read(tenant, lambda reader: reader.find_act(GateAnswer, wanted))

    async def begin(self, tenant: str, gate: Gate, decision: DecisionRecord, *, goes_back: bool) -> str:
        """Return the attempt that the answer begins, on the decision that it was made from.

        What is gone back from ends there, whoever started it: nothing gates the way back.
        """
        name = ReleaseName.parse(decision.release)

        def act(tx: Transaction) -> str:
            for other in tx.open_attempts(name.service, name.environment):
                if other.name.startswith(f"{name}/"):
                    return other.name
                if goes_back and differs(tx, name, other):
                    self._end(tx, gate, other, "ROLLED_BACK", f"{gate.place} went back to {name.version}")
                elif other.starter == gate.principal:
                    # Its controller has gone on to other digests.
                    self._end(tx, gate, other, "FAILED", f"{name.version} took its place")
            return self.start.open(tx, _ask(gate, tenant, "StartRollout"), name, decision.name)[1]

        return (await self.store.write(tenant, act)).value

    async def told(
        self, tenant: str, gate: Gate, hook: str, workload: LiveWorkload, digests: tuple[str, ...]
    ) -> None:
        """End the attempt of these digests where the controller says that it is over, and its object says how."""
        outcome = _outcome(workload)
        if hook != "post-rollout" or outcome is None:
            return
        if outcome == "PASSED":
            # Everybody has it now: whether it was ever let begin is seen before anything is ended.
            await self.store.write(tenant, lambda tx: self.skips.record(tx, gate, digests))

        def act(tx: Transaction) -> None:
            release = release_of(tx, gate, digests)
            for attempt in tx.attempts(release.name):
                if attempt.finish_time is None and attempt.starter == gate.principal:
                    self._end(tx, gate, attempt, outcome, f"{gate.place} is {workload.phase}")

        await self.store.write(tenant, act)

    def _end(self, tx: Transaction, gate: Gate, attempt: Attempt, outcome: str, reason: str) -> None:
        ask, name = _ask(gate, tx.tenant, "FinishRollout"), AttemptName.parse(attempt.name)
        try:
            self.finish.end(tx, ask, name, outcome, reason)
        except (Precondition, Conflict):
            if outcome == "FAILED":
                raise
            # It is over, but what watches it does not call it good.
            self.finish.end(tx, ask, name, "FAILED", f"{reason}; what watches it does not pass")


def _alert(tx: Transaction, gate: Gate, reply: Reply, kind: str) -> None:
    """Tell people at once that something waits for them."""
    name = str(GateName(tx.tenant, gate.gate_id))
    scope = f"release:{reply.release}" if reply.release else f"workload:{gate.service}/{gate.environment}"
    tx.emit(FeedEvent(kind, reply.release or name, (scope,), {"gate": name}))
    told = {
        "release": reply.release,
        "decision": reply.decision,
        "attempt": reply.attempt,
        "place": gate.place,
    }
    tx.schedule(notification(kind, tx.tenant, name, tx.now, **told))


def _outcome(workload: LiveWorkload) -> str | None:
    if workload.phase == "Succeeded":
        return "PASSED"
    # A promotion that failed is called Failed too, with all traffic on the canary.
    return ("FAILED" if workload.exposed else "ROLLED_BACK") if workload.phase == "Failed" else None


def _put(tx: Transaction, gate: Gate, hook: str, reply: Reply, before: GateAnswer | None) -> None:
    answer_id = _answer_id(gate, hook, reply.digests)
    verdict = 0 if reply.effective_verdict is None else int(reply.effective_verdict)
    if before is not None and (before.answer, before.reasons, before.release, before.effective_verdict) == (
        reply.answer.value,
        reply.reasons,
        reply.release,
        verdict,
    ):
        return
    stored = GateAnswer(
        answer_id=answer_id,
        gate_id=gate.gate_id,
        hook=hook,
        digests=reply.digests,
        release=reply.release,
        answer=reply.answer.value,
        reasons=reply.reasons,
        decision=reply.decision,
        effective_verdict=verdict,
        first_time=tx.now if before is None else before.first_time,
        change_time=tx.now,
    )
    tx.put_act(stored)
    name = str(GateName(tx.tenant, gate.gate_id))
    scope = f"release:{reply.release}" if reply.release else f"workload:{gate.service}/{gate.environment}"
    tx.emit(FeedEvent("gate.answered", name, (scope,), {"hook": hook, "answer": reply.answer.value}))
    detail: dict[str, object] = {
        "hook": hook,
        "answer": reply.answer.value,
        "reasons": list(reply.reasons),
        "decision": reply.decision,
        "digests": list(reply.digests),
        "place": gate.place,
        "trust": gate.trust,
    }
    action = "RollBack" if reply.answer is Answer.STOP else "AnswerGate"
    tx.audit(AuditEntry(gate.principal, action, reply.decision or name, detail))


def _answer_id(gate: Gate, hook: str, digests: tuple[str, ...]) -> str:
    told = hashlib.sha256("\n".join(digests).encode()).hexdigest()[:32]
    return f"{gate.gate_id}.{hook}.{told}"


def _ask(gate: Gate, tenant: str, method: str) -> Ask:
    return Ask(Principal(gate.principal, tenant, _FAR), method)
