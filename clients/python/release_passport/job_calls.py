"""The calls about what the worker has given up."""

from __future__ import annotations

from release_passport.connection import Connection
from release_passport.v1 import job_service_pb2 as pb


class JobCalls(Connection):
    """A part of the client; each method is one RPC."""

    def list_dead_jobs(
        self, request: pb.ListDeadJobsRequest, *, timeout: float | None = None
    ) -> pb.ListDeadJobsResponse:
        """Return the jobs that are not tried again until somebody says so."""
        return self.call("JobService/ListDeadJobs", request, pb.ListDeadJobsResponse, timeout)

    def retry_dead_job(
        self, request: pb.RetryDeadJobRequest, *, timeout: float | None = None
    ) -> pb.RetryDeadJobResponse:
        """Let a job be tried again from now on."""
        return self.call("JobService/RetryDeadJob", request, pb.RetryDeadJobResponse, timeout)

    def discard_dead_job(
        self, request: pb.DiscardDeadJobRequest, *, timeout: float | None = None
    ) -> pb.DiscardDeadJobResponse:
        """Remove a job that need not be done any more."""
        return self.call("JobService/DiscardDeadJob", request, pb.DiscardDeadJobResponse, timeout)
