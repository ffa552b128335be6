"""JobService: convert, call, convert."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport.v1 import job_service_pb2 as pb
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.domain.errors import Violation
from release_passport_server.domain.job import DeadJob
from release_passport_server.services.dead_jobs import DeadJobs
from release_passport_server.transport.grpc.handlers.asking import ask_of
from release_passport_server.wire.fields import every_violation, refuse, text_violations
from release_passport_server.wire.paging import next_token, page_from_request
from release_passport_server.wire.times import timestamp

MAX_KIND, MAX_KEY, MIN_REASON, MAX_REASON = 64, 512, 20, 1024


@dataclass(frozen=True, slots=True)
class JobHandlers:
    """Shows dead jobs, and takes what people say of them."""

    jobs: DeadJobs

    async def ListDeadJobs(
        self, principal: Principal, request: pb.ListDeadJobsRequest
    ) -> pb.ListDeadJobsResponse:
        """List what was given up."""
        same_tenant(principal, request.tenant)
        page = page_from_request(principal, "ListDeadJobs", request)
        listed = await self.jobs.list(principal, page)
        return pb.ListDeadJobsResponse(
            jobs=[_shown(one) for one in listed.items],
            next_page_token=next_token(principal, "ListDeadJobs", request, listed.next_after),
        )

    async def RetryDeadJob(
        self, principal: Principal, request: pb.RetryDeadJobRequest
    ) -> pb.RetryDeadJobResponse:
        """Let one be tried again."""
        same_tenant(principal, request.tenant)
        with every_violation(
            lambda: _require_named(request), lambda: ask_of(principal, "RetryDeadJob", request)
        ):
            _require_named(request)
            ask = ask_of(principal, "RetryDeadJob", request)
        written = await self.jobs.retry(ask, request.kind, request.key)
        return pb.RetryDeadJobResponse(revision=written.revision)

    async def DiscardDeadJob(
        self, principal: Principal, request: pb.DiscardDeadJobRequest
    ) -> pb.DiscardDeadJobResponse:
        """Remove one."""
        same_tenant(principal, request.tenant)
        with every_violation(
            lambda: _require_named(request),
            lambda: _require_reason(request.reason),
            lambda: ask_of(principal, "DiscardDeadJob", request),
        ):
            _require_named(request)
            _require_reason(request.reason)
            ask = ask_of(principal, "DiscardDeadJob", request)
        written = await self.jobs.discard(ask, request.kind, request.key, request.reason)
        return pb.DiscardDeadJobResponse(revision=written.revision)


def _require_named(request: pb.RetryDeadJobRequest | pb.DiscardDeadJobRequest) -> None:
    violations: list[Violation] = [
        *text_violations(request.kind, "kind", most=MAX_KIND, least=1),
        *text_violations(request.key, "key", most=MAX_KEY),
    ]
    refuse(violations)


def _require_reason(text: str) -> None:
    refuse(list(text_violations(text, "reason", most=MAX_REASON, least=MIN_REASON)))


def _shown(job: DeadJob) -> pb.DeadJob:
    return pb.DeadJob(
        kind=job.kind,
        key=job.key,
        due_time=timestamp(job.due_time),
        attempts=job.attempts,
        error=job.error,
        dead_time=timestamp(job.dead_time),
    )
