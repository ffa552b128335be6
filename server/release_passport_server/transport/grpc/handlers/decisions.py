"""DecisionService: convert, call, convert."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from release_passport.v1 import decision_pb2
from release_passport.v1 import decision_service_pb2 as pb
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.domain.trace import Step, trace
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.store import DecisionFilter
from release_passport_server.services.evaluate import Evaluate, EvaluateCommand
from release_passport_server.services.explain import Explain
from release_passport_server.services.permits import Permits
from release_passport_server.services.reading import Reading
from release_passport_server.services.simulate import Simulate, SimulateCommand
from release_passport_server.services.watching import Watching
from release_passport_server.transport.grpc.handlers.asking import ask_of
from release_passport_server.transport.grpc.remaining import remaining
from release_passport_server.wire import commands, watch
from release_passport_server.wire.decision import decision_from_body, simulated_to_proto
from release_passport_server.wire.enums import replay_to_proto, verdict_to_proto
from release_passport_server.wire.fields import every_violation
from release_passport_server.wire.paging import next_token, page_from_request

# The most that a question waits for sources, where its caller set no deadline.
MOST_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class DecisionHandlers:
    """Decides releases and shows the record."""

    evaluate: Evaluate
    explain: Explain
    simulate: Simulate
    reading: Reading
    permits: Permits
    clock: Clock
    watching: Watching

    async def Evaluate(self, principal: Principal, request: pb.EvaluateRequest) -> pb.EvaluateResponse:
        """Decide one release and record the decision."""
        with every_violation(
            lambda: commands.target(principal, request),
            lambda: commands.stage(request.stage),
            lambda: commands.drafts(request.evidence),
            lambda: commands.text_or_empty(request.target, "target"),
            lambda: ask_of(principal, "Evaluate", request),
        ):
            ask = ask_of(principal, "Evaluate", request)
            release, identity = commands.target(principal, request)
            stage = commands.stage(request.stage)
            drafts = commands.drafts(request.evidence)
        asked = (ask.request_id, ask.body_digest, remaining(MOST_SECONDS) if request.refresh else None)
        judged = await self.evaluate(EvaluateCommand(principal, release, identity, stage, drafts, *asked))
        return pb.EvaluateResponse(
            decision=decision_from_body(judged.record.body),
            revision=judged.revision,
            replayed=judged.replayed,
            standing=judged.standing,
            envelope=judged.record.envelope,
            permit=await self.permits.give(principal, judged, request.target),
        )

    async def GetDecision(
        self, principal: Principal, request: pb.GetDecisionRequest
    ) -> pb.GetDecisionResponse:
        """Return one decision."""
        name = commands.decision_name(principal, request.name)
        record, newest = await self.reading.decision(principal, name)
        decision = decision_from_body(record.body)
        return pb.GetDecisionResponse(
            decision=decision,
            revision=record.revision,
            newest=newest,
            envelope=record.envelope,
            verification_summary=record.summary,
        )

    async def ListDecisions(
        self, principal: Principal, request: pb.ListDecisionsRequest
    ) -> pb.ListDecisionsResponse:
        """List decisions, newest first."""
        same_tenant(principal, request.tenant)
        release = (
            str(commands.release_name(principal, request.release, field="release")) if request.release else ""
        )
        wanted = DecisionFilter(
            scopes=(),
            release=release,
            service=commands.slug_or_empty(request.service, "service"),
            environment=commands.slug_or_empty(request.environment, "environment"),
            effective_verdict=commands.verdict(request.effective_verdict),
        )
        page = page_from_request(principal, "ListDecisions", request)
        listed = await self.reading.decisions(principal, wanted, page)
        return pb.ListDecisionsResponse(
            decisions=[decision_from_body(record.body) for record in listed.items],
            next_page_token=next_token(principal, "ListDecisions", request, listed.next_after),
        )

    async def WatchDecision(
        self, principal: Principal, request: pb.WatchDecisionRequest
    ) -> AsyncGenerator[pb.WatchDecisionResponse, None]:
        """Send the decisions that stand, and then every change."""
        command = watch.command_of(principal, request)
        messages = watch.Messages(command)
        async with aclosing(self.watching.follow(command)) as followed:
            async for told in followed:
                yield messages.message(told)

    async def ExplainDecision(
        self, principal: Principal, request: pb.ExplainDecisionRequest
    ) -> pb.ExplainDecisionResponse:
        """Replay a recorded decision and return the ordered explanation."""
        explanation = await self.explain(principal, commands.decision_name(principal, request.name))
        return pb.ExplainDecisionResponse(
            decision=decision_from_body(explanation.record.body),
            steps=[_step_to_proto(step) for step in explanation.steps],
            replay=replay_to_proto(explanation.result.value),
        )

    async def SimulateDecision(
        self, principal: Principal, request: pb.SimulateDecisionRequest
    ) -> pb.SimulateDecisionResponse:
        """Decide without recording."""
        at = self.clock.now()
        with every_violation(
            lambda: commands.target(principal, request),
            lambda: commands.candidates(request.policies, at, principal.id),
            lambda: commands.drafts(request.evidence),
            lambda: commands.time_or_none(request, "now"),
            lambda: commands.stage(request.stage),
        ):
            command = SimulateCommand(
                principal,
                *commands.target(principal, request),
                commands.candidates(request.policies, at, principal.id),
                request.policies_only,
                commands.drafts(request.evidence),
                commands.time_or_none(request, "now"),
                commands.stage(request.stage),
            )
        draft = await self.simulate(command)
        steps = [_step_to_proto(step) for step in trace(draft.case, draft.outcome)]
        return pb.SimulateDecisionResponse(decision=simulated_to_proto(draft), steps=steps)


def _step_to_proto(step: Step) -> decision_pb2.TraceStep:
    verdict = verdict_to_proto(step.verdict)
    return decision_pb2.TraceStep(topic=step.topic, subject=step.subject, text=step.text, verdict=verdict)
