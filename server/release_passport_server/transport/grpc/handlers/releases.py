"""ReleaseService: convert, call, convert."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from release_passport.bundle.form import SEAL_TYPE, seal_payload, sealed
from release_passport.v1 import passport_pb2, release_pb2
from release_passport.v1 import release_service_pb2 as pb
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.domain.canonical import stamp
from release_passport_server.domain.errors import Violation, invalid
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.store import ReleaseFilter
from release_passport_server.services.create_release import CreateRelease
from release_passport_server.services.export import Export, Exported
from release_passport_server.services.finish_rollout import FinishRollout
from release_passport_server.services.reading import Reading
from release_passport_server.services.show_passport import Shown, ShowPassport
from release_passport_server.services.start_rollout import StartRollout
from release_passport_server.transport.grpc.handlers.asking import ask_of
from release_passport_server.wire import bundle, commands
from release_passport_server.wire.approvals import approval_to_proto
from release_passport_server.wire.decision import decision_from_body
from release_passport_server.wire.evidence import evidence_to_proto
from release_passport_server.wire.fields import every_violation
from release_passport_server.wire.freezes import exemption_to_proto
from release_passport_server.wire.overrides import override_to_proto
from release_passport_server.wire.paging import next_token, page_from_request
from release_passport_server.wire.release import attempt_to_proto, latch_to_proto, release_to_proto
from release_passport_server.wire.times import timestamp
from release_passport_server.wire.waivers import waiver_to_proto
from release_passport_server.wire.watch_windows import window_to_proto


@dataclass(frozen=True, slots=True)
class ReleaseHandlers:
    """Registers releases and their rollout attempts, and shows their passports."""

    create: CreateRelease
    start: StartRollout
    finish: FinishRollout
    reading: Reading
    clock: Clock
    export: Export
    show: ShowPassport

    async def CreateRelease(
        self, principal: Principal, request: pb.CreateReleaseRequest
    ) -> pb.CreateReleaseResponse:
        """Register a release."""
        same_tenant(principal, request.tenant)
        with every_violation(
            lambda: commands.identity(request.identity),
            lambda: ask_of(principal, "CreateRelease", request),
        ):
            identity = commands.identity(request.identity)
            ask = ask_of(principal, "CreateRelease", request)
        release, created = await self.create(ask, identity)
        return pb.CreateReleaseResponse(release=release_to_proto(release), created=created)

    async def GetRelease(self, principal: Principal, request: pb.GetReleaseRequest) -> pb.GetReleaseResponse:
        """Return one release."""
        release, attempts = await self.reading.release(
            principal, commands.release_name(principal, request.name)
        )
        return pb.GetReleaseResponse(release=release_to_proto(release, attempts))

    async def ListReleases(
        self, principal: Principal, request: pb.ListReleasesRequest
    ) -> pb.ListReleasesResponse:
        """List releases, newest first."""
        same_tenant(principal, request.tenant)
        wanted = ReleaseFilter(
            scopes=(),
            service=commands.slug_or_empty(request.service, "service"),
            environment=commands.slug_or_empty(request.environment, "environment"),
            artifact_digest=commands.digest_or_empty(request.artifact_digest, "artifact_digest"),
        )
        page = page_from_request(principal, "ListReleases", request)
        listed = await self.reading.releases(principal, wanted, page)
        return pb.ListReleasesResponse(
            releases=[release_to_proto(release) for release in listed.items],
            next_page_token=next_token(principal, "ListReleases", request, listed.next_after),
        )

    async def GetPassport(
        self, principal: Principal, request: pb.GetPassportRequest
    ) -> pb.GetPassportResponse:
        """Return all of a release."""
        shown = await self.show(principal, commands.release_name(principal, request.name))
        passport = _passport_to_proto(shown)
        passport.generate_time.CopyFrom(timestamp(self.clock.now()))
        return pb.GetPassportResponse(passport=passport)

    async def ExportPassport(
        self, principal: Principal, request: pb.ExportPassportRequest
    ) -> pb.ExportPassportResponse:
        """Return all of a release with what proves it."""
        found = await self.export(principal, commands.release_name(principal, request.name))
        # Thousands of facts and findings take a while to write.
        content = await asyncio.to_thread(_bundle, found, self.export)
        return pb.ExportPassportResponse(bundle=content)

    async def StartRollout(
        self, principal: Principal, request: pb.StartRolloutRequest
    ) -> pb.StartRolloutResponse:
        """Open an attempt on the newest decision."""
        with every_violation(
            lambda: commands.release_name(principal, request.release, field="release"),
            lambda: _decision(principal, request.decision),
            lambda: ask_of(principal, "StartRollout", request),
        ):
            name = commands.release_name(principal, request.release, field="release")
            decision = _decision(principal, request.decision)
            ask = ask_of(principal, "StartRollout", request)
        written = await self.start(ask, name, decision)
        return pb.StartRolloutResponse(attempt=attempt_to_proto(written.value), revision=written.revision)

    async def FinishRollout(
        self, principal: Principal, request: pb.FinishRolloutRequest
    ) -> pb.FinishRolloutResponse:
        """End the open attempt."""
        with every_violation(
            lambda: commands.attempt_name(principal, request.attempt),
            lambda: _outcome(request.outcome),
            lambda: commands.reason(request.reason),
            lambda: ask_of(principal, "FinishRollout", request),
        ):
            name = commands.attempt_name(principal, request.attempt)
            outcome = _outcome(request.outcome)
            reason = commands.reason(request.reason)
            ask = ask_of(principal, "FinishRollout", request)
        written = await self.finish(ask, name, outcome, reason)
        return pb.FinishRolloutResponse(attempt=attempt_to_proto(written.value), revision=written.revision)


def _bundle(found: Exported, export: Export) -> bytes:
    passport = found.passport
    document = bundle.base(passport.release, passport.attempts, passport.latches, found.keys) | {
        "exportTime": stamp(found.time),
        "truncated": found.truncated,
        "log": bundle.log(found.origin, found.proofs.note, found.proofs.anchors),
        "decisions": [bundle.decision(one.record, one.entry, one.proof) for one in found.decisions],
        "facts": bundle.facts(found.facts),
        "policies": [bundle.policy(one) for one in found.policies],
    }
    return sealed(document, export.seal(SEAL_TYPE, seal_payload(document)))


def _decision(principal: Principal, given: str) -> str:
    return str(commands.decision_name(principal, given, field="decision")) if given else ""


def _outcome(given: int) -> str:
    if given not in (1, 2, 3, 4):
        raise invalid([Violation("outcome", "must be PASSED, ROLLED_BACK, FAILED or CANCELLED")])
    return release_pb2.AttemptOutcome.keys()[given].removeprefix("ATTEMPT_OUTCOME_")


def _passport_to_proto(shown: Shown) -> passport_pb2.Passport:
    found, acts = shown.passport, shown.acts
    digest = found.release.identity.digest
    decisions = [decision_from_body(record.body) for record in found.decisions]
    return passport_pb2.Passport(
        release=release_to_proto(found.release, found.attempts),
        current_decision=decisions[0] if decisions else None,
        decisions=decisions,
        evidence=[evidence_to_proto(item) for item in found.evidence],
        latches=[latch_to_proto(latch, digest) for latch in found.latches],
        truncated=found.truncated,
        approvals=[approval_to_proto(one) for one in acts.votes],
        waivers=[waiver_to_proto(one.waiver, one.state) for one in acts.waivers],
        overrides=[override_to_proto(one) for one in acts.overrides],
        freeze_exemptions=[exemption_to_proto(one) for one in acts.exemptions],
        watch_windows=[window_to_proto(one) for one in shown.windows],
    )
