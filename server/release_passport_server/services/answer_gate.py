"""Answer a controller that asks at its gate: from its object as it is now, and the verdict as it is now."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from release_passport_server.domain import brake
from release_passport_server.domain.bypass import is_past_gate
from release_passport_server.domain.errors import NotFound, PassportError, Precondition
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.gate import Controller, Gate, OnRollback, OnSkip
from release_passport_server.domain.gate_table import CHANNELS, Answer, Channel, If, asks_for, choose
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.live_workload import FLAGGER_UNDER_WAY, LiveWorkload
from release_passport_server.domain.outcome import Reason
from release_passport_server.domain.record import DecisionRecord
from release_passport_server.domain.release import Attempt
from release_passport_server.domain.verdict import Stage, Verdict
from release_passport_server.domain.watch_window import Look, first_exposure, unseen
from release_passport_server.ports.judging import CaseKey, Conclusion, LoadedCase
from release_passport_server.ports.messages import Limits, Messages
from release_passport_server.ports.store import Reader, Store, Transaction
from release_passport_server.services.bypasses import is_let_begin
from release_passport_server.services.cases import case_key
from release_passport_server.services.evaluate import Recorder
from release_passport_server.services.gate_record import BRAKED, SKIPPED, GateRecord
from release_passport_server.services.gate_releases import live_digests, release_of
from release_passport_server.services.gate_skips import GateSeer
from release_passport_server.services.gates import THRESHOLD_LOW
from release_passport_server.services.grants import GrantLoader
from release_passport_server.services.live_reading import LiveReading
from release_passport_server.services.window_view import pass_time, read_looks

logger = logging.getLogger(__name__)

# The name under which `passport doctor` asks: no object can have it.
DOCTOR = "Release-Passport-Doctor"
# Which release has some digests is looked up so often: a newer one with the same is found after that.
REMEMBERED_SECONDS = 1.0
MAX_REMEMBERED = 5000
# Fewer failed checks than this come together while nothing is wrong but the way here.
ENOUGH_CHECKS = 5
# Whoever is let go here begins the rollout; the window of the last two has to pass before they open.
_BEGINS = frozenset({Channel.CONFIRM, Channel.STOP, Channel.INLINE, Channel.SWITCH, Channel.PROMOTE})


@dataclass(frozen=True, slots=True)
class Asked:
    """A question at a gate: the hook, and what the caller says that it asks about, which only has to match."""

    hook: str
    namespace: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a controller is told: codes and names only, for whoever reads it may be anybody."""

    answer: Answer
    reasons: tuple[str, ...] = ()
    decision: str = ""
    release: str = ""
    effective_verdict: Verdict | None = None
    digests: tuple[str, ...] = ()
    attempt: str = ""


@dataclass(slots=True)
class AnswerGate:
    """Answers the question of a controller; whatever goes wrong waits, and undoes nothing."""

    store: Store
    loader: GrantLoader
    recorder: Recorder
    messages: Messages
    live: LiveReading
    record: GateRecord
    _releases: OrderedDict[tuple[str, ...], tuple[float, ReleaseName]] = field(default_factory=OrderedDict)

    async def __call__(self, tenant: str, gate: Gate, asked: Asked) -> Reply:
        """Return what to tell the controller; never raises."""
        if asked.name == DOCTOR:
            # Somebody looks whether the way is free: nothing is read, decided or recorded.
            return Reply(Answer.SHUT, ("DOCTOR",))
        digests: tuple[str, ...] = ()
        try:
            _require_ours(gate, asked)
            remembered = self.live.remembered(gate)
            if remembered is not None:
                digests = live_digests(gate, remembered)
                reply = await self._answer(tenant, gate, asked, remembered, begin=False)
                if reply.answer is Answer.SHUT:
                    return await self._noted(tenant, gate, asked, reply)
            # Whatever opens or undoes something was read after the question came.
            workload = await self.live.read(tenant, gate)
            if remembered is None or workload != remembered or not reply.attempt:
                digests = live_digests(gate, workload)
                reply = await self._answer(tenant, gate, asked, workload, begin=True)
        except PassportError as error:
            reply = Reply(Answer.SHUT, (error.reason,), digests=digests)
        except Exception:
            logger.exception("a gate was not answered", extra={"gate": gate.gate_id})
            reply = Reply(Answer.SHUT, ("INTERNAL",), digests=digests)
        return await self._noted(tenant, gate, asked, reply)

    async def _noted(self, tenant: str, gate: Gate, asked: Asked, reply: Reply) -> Reply:
        try:
            await self.record.answered(tenant, gate, asked.hook, reply)
        except Exception as error:
            # What is not on record was not allowed.
            known = isinstance(error, PassportError)
            if not known:
                logger.exception("an answer was not recorded", extra={"gate": gate.gate_id})
            return replace(reply, answer=Answer.SHUT, reasons=(error.reason if known else "INTERNAL",))  # type: ignore[attr-defined]
        return reply

    async def _answer(
        self, tenant: str, gate: Gate, asked: Asked, workload: LiveWorkload, *, begin: bool
    ) -> Reply:
        _require_wired(gate, workload)
        channel = channel_of(asked.hook, workload)
        digests = live_digests(gate, workload)
        if channel is Channel.TOLD:
            if begin:
                await self.record.told(tenant, gate, asked.hook, workload, digests)
            return Reply(Answer.OPEN, digests=digests)
        past = is_past_gate(channel, exposed=workload.exposed, up_to_date=workload.up_to_date)
        try:
            release = await self._release(tenant, gate, digests)
        except NotFound as error:
            if not past:
                raise
            return _unknown(gate, digests, error.reason)
        await self.loader.fresh(tenant)
        watches = asks_for(channel, If.WINDOW_PASSED)
        question = _AtGate(release, gate.principal, self.recorder, watches=watches)
        decision = (await self.store.judge(question)).record
        limits = self.messages.limits(decision.body)
        skipped = (
            past
            and decision.stage is Stage.PRE_ROLLOUT
            and not await self._admitted(tenant, gate, digests, question)
        )
        braked = await self._braked(tenant, gate, question.attempt, decision.effective_verdict)
        seen = _Seen(gate, channel, workload, decision, limits, question, skipped, braked)
        reply = replace(_told(seen), digests=digests)
        if begin and _begins(channel, reply, decision):
            attempt = await self.record.begin(tenant, gate, decision, goes_back=limits.restores)
            reply = replace(reply, attempt=attempt)
        elif asked.hook == "confirm-promotion" and reply.answer is Answer.SHUT:
            return await self._once_open(tenant, gate, asked, workload, reply)
        return reply

    async def _release(self, tenant: str, gate: Gate, digests: tuple[str, ...]) -> ReleaseName:
        key, now = (gate.gate_id, *digests), asyncio.get_running_loop().time()
        known = self._releases.get(key)
        if known is None or now - known[0] > REMEMBERED_SECONDS:
            found = await self.store.read(tenant, lambda reader: release_of(reader, gate, digests))
            known = (now, ReleaseName.parse(found.name))
            self._releases[key] = known
            while len(self._releases) > MAX_REMEMBERED:
                self._releases.popitem(last=False)
        return known[1]

    async def _admitted(self, tenant: str, gate: Gate, digests: tuple[str, ...], question: _AtGate) -> bool:
        """Say whether a rollout of these digests was let begin, though none of the release is open."""
        now, seer = question.now, GateSeer.of(gate)
        if now is None:
            return False
        return await self.store.read(
            tenant, lambda reader: is_let_begin(reader, seer, frozenset(digests), now)
        )

    async def _braked(self, tenant: str, gate: Gate, attempt: str, verdict: Verdict) -> bool:
        """Say whether what the gate would undo waits for people, because so much else is being undone."""
        if (
            verdict is not Verdict.ROLLBACK_RECOMMENDED
            or gate.on_rollback != OnRollback.EXECUTE
            or not attempt
        ):
            return False

        def act(reader: Reader) -> bool:
            under_way = [one.name for one in reader.open_attempts(environment=gate.environment)]
            return brake.is_on(attempt, reader.latches(""), under_way)

        return await self.store.read(tenant, act)

    async def _once_open(
        self, tenant: str, gate: Gate, asked: Asked, workload: LiveWorkload, reply: Reply
    ) -> Reply:
        """Return that it stays open where it was: a blue-green Canary asks again once all traffic has moved."""
        if workload.first_weight is None and workload.phase in FLAGGER_UNDER_WAY and reply.attempt:
            before = await self.record.last(tenant, gate, asked.hook, reply.digests)
            if before is not None and before.answer == Answer.OPEN and before.release == reply.release:
                return replace(reply, answer=Answer.OPEN, reasons=(*reply.reasons, "PROMOTED_BEFORE"))
        return reply


def channel_of(hook: str, workload: LiveWorkload) -> Channel:
    """Return what kind of question a hook asks; an inline gate behind the last weight guards everything."""
    channel = CHANNELS[hook]
    everything = workload.next_weight == 100 and workload.exposed
    return Channel.SWITCH if channel is Channel.INLINE and everything else channel


_UNMET = {
    If.WITHIN_LIMITS: "CANARY_NOT_CONFIGURED",
    If.WINDOW_PASSED: "WINDOW_OPEN",
    If.EXECUTE: "ROLLBACK_NOT_EXECUTED",
    If.BRAKE_OFF: BRAKED,
    If.CONDEMNED_RUNS: "OTHER_DIGESTS_RUN",
    If.CONFIRMED_ELSEWHERE: "NOT_ADMITTED",
}


@dataclass(frozen=True, slots=True)
class _Seen:
    """All that an answer is made from."""

    gate: Gate
    channel: Channel
    workload: LiveWorkload
    decision: DecisionRecord
    limits: Limits
    question: _AtGate
    # Its digests take traffic, and no rollout of them was let begin.
    skipped: bool
    # Many rollouts of the environment are condemned at once.
    braked: bool


def _unknown(gate: Gate, digests: tuple[str, ...], reason: str) -> Reply:
    """Return what is told about digests that take traffic and that no release has."""
    answer = Answer.STOP if gate.on_skip == OnSkip.STOP else Answer.SHUT
    return Reply(answer, (reason, SKIPPED), digests=digests)


def _told(seen: _Seen) -> Reply:
    verdict, channel, limits = seen.decision.effective_verdict, seen.channel, seen.limits
    chosen = choose(channel, verdict, _met(seen))
    codes = list(limits.weakenings)
    if chosen.answer is not Answer.OPEN or verdict is not Verdict.ALLOW:
        codes += [verdict.name, *limits.reasons]
    if chosen.answer is Answer.SHUT:
        codes += [_UNMET[one] for one in chosen.unmet if one in _UNMET]
    if channel is Channel.STOP and chosen.answer is Answer.OPEN and not verdict.allows:
        codes.append("HELD_AT_CONFIRM")
    if channel is Channel.STOP and (seen.workload.threshold or ENOUGH_CHECKS) < ENOUGH_CHECKS:
        codes.append(THRESHOLD_LOW)
    if limits.unwatched:
        codes.append(Reason.NOTHING_WATCHED.value)
    if seen.skipped:
        codes.append(SKIPPED)
    return Reply(
        chosen.answer,
        tuple(dict.fromkeys(codes)),
        seen.decision.name,
        seen.decision.release,
        verdict,
        attempt=seen.question.attempt,
    )


def _met(seen: _Seen) -> frozenset[If]:
    workload, limits, now = seen.workload, seen.limits, seen.question.now
    watching, passes_at = seen.decision.stage is Stage.WATCH, seen.question.passes(limits.watched)
    passed = passes_at is not None and now is not None and passes_at <= now
    seen_well = (
        watching and passed and "WARMING_UP" not in limits.reasons and not seen.question.unseen(limits)
    )
    waits = workload.waits_at(seen.gate.gate_id)
    found = {
        If.WITHIN_LIMITS: workload.keeps(limits.max_weight) and waits,
        If.WINDOW_PASSED: seen_well or limits.restores or (not watching and not limits.watched),
        If.CONFIRMED_ELSEWHERE: watching and waits,
        If.UNEXPOSED: not workload.exposed,
        If.EXECUTE: seen.gate.on_rollback == OnRollback.EXECUTE,
        If.BRAKE_OFF: not seen.braked,
        If.STOPPED_SKIP: seen.skipped and seen.gate.on_skip == OnSkip.STOP,
        If.CONDEMNED_RUNS: watching and workload.phase in FLAGGER_UNDER_WAY,
    }
    return frozenset(one for one, holds in found.items() if holds)


def _begins(channel: Channel, reply: Reply, decision: DecisionRecord) -> bool:
    if channel not in _BEGINS or decision.stage is not Stage.PRE_ROLLOUT:
        return False
    waits_for_window = channel is Channel.SWITCH and decision.effective_verdict.allows
    return reply.answer is Answer.OPEN or waits_for_window


def _require_ours(gate: Gate, asked: Asked) -> None:
    if asked.hook not in gate.hooks:
        raise Precondition("HOOK_NOT_ALLOWED", f"the gate has no hook {asked.hook}")
    if (asked.namespace or gate.namespace, asked.name or gate.object_name) != (
        gate.namespace,
        gate.object_name,
    ):
        raise Precondition("OBJECT_MISMATCH", "the gate is another object's")


def _require_wired(gate: Gate, workload: LiveWorkload) -> None:
    if gate.object_uid and workload.uid != gate.object_uid:
        raise Precondition("OBJECT_MISMATCH", "the object was made anew: register the gate again")
    if gate.controller != Controller.FLAGGER:
        return
    for kind, url in workload.webhooks:
        gate_id, hook = _called(url)
        if gate_id and (gate_id != gate.gate_id or hook != kind):
            raise Precondition("GATE_MISWIRED", f"the webhook of type {kind} calls another hook")


def _called(url: str) -> tuple[str, str]:
    """Return the gate and hook that an address calls; empty where it is none of ours."""
    _, found, rest = url.partition("/v1/flagger/")
    gate_id, _, hook = rest.partition("?")[0].rstrip("/").partition("/")
    return (gate_id, hook) if found else ("", "")


@dataclass(slots=True)
class _AtGate:
    """What stands about the release that is about to run, decided as if somebody had asked."""

    release: ReleaseName
    principal: str
    recorder: Recorder
    # The answer depends on what was seen of the rollout's exposure.
    watches: bool
    request_id: str = ""
    body_digest: str = ""
    writes: bool = False
    items: Sequence[EvidenceItem] = ()
    attempt: str = ""
    opened: Attempt | None = None
    # None where nobody has read them for this question: then no window has passed.
    looks: tuple[Look, ...] | None = None
    now: datetime | None = field(default=None)

    @property
    def tenant(self) -> str:
        return self.release.tenant

    @property
    def about(self) -> str:
        return str(self.release)

    def prepare(self, tx: Transaction) -> CaseKey:
        """Find the release."""
        name = self.release
        release = tx.find_release(name.service, name.environment, name.version)
        if release is None:
            raise NotFound("NOT_FOUND", f"there is no release {name}")
        attempts, self.looks = tx.attempts(release.name), ()
        for attempt in attempts:
            if attempt.finish_time is None:
                looks = read_looks(tx, self.recorder.messages, attempt, release, attempt.start_time)
                self.looks = tuple(looks)
        return case_key(release, attempts)

    def conclude(self, loaded: LoadedCase) -> Conclusion:
        """Decide at the stage that the release is in."""
        self._see(loaded.attempt, loaded.now)
        return self.recorder.conclude(loaded, self.principal)

    def recall(self, standing: DecisionRecord, attempt: Attempt | None, now: datetime) -> bool:
        """Say that what stands is the answer, unless it takes more than the decision: what stands has no exposure."""
        self._see(attempt, now)
        return attempt is None or not self.watches

    def _see(self, attempt: Attempt | None, now: datetime) -> None:
        self.now = now
        self.attempt = attempt.name if attempt is not None else ""
        self.opened = attempt

    def passes(self, watched: timedelta) -> datetime | None:
        """Return when the rollout has been exposed for so long; None while nobody can say."""
        if self.opened is None or self.looks is None:
            return None
        return pass_time(self.opened, self.looks, watched)

    def unseen(self, limits: Limits) -> tuple[str, ...]:
        """Return the required rules that do not pass on what was seen since the rollout took traffic."""
        begun = None if self.opened is None else first_exposure(self.opened, self.looks or ())
        return unseen(limits.required_rules, limits.signals, begun)
