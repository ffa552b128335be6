"""`passport job`: what the worker has given up."""

from __future__ import annotations

import click

from release_passport.cli.options import connected
from release_passport.cli.paging import limit_option
from release_passport.cli.session import Session


@click.group()
def job() -> None:
    """See what failed as often as it is tried, have it tried again, or say that it need not be done."""


@job.command("list", short_help="List what was given up.")
@limit_option
@connected()
def list_jobs(session: Session, limit: int) -> None:
    """List the jobs that are not tried again until somebody says so, with what went wrong last."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import jobs
    from release_passport.v1 import job_service_pb2 as pb

    request = pb.ListDeadJobsRequest(tenant=session.tenant)
    found = read_pages(session, session.client.list_dead_jobs, request, "jobs", limit)
    emit_list(session, found, jobs.jobs(found))


@job.command(short_help="Have a job tried again.")
@click.argument("kind")
@click.argument("key")
@connected()
def retry(session: Session, kind: str, key: str) -> None:
    """Let the job of this KIND and KEY be tried again from now on."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import jobs
    from release_passport.v1 import job_service_pb2 as pb

    request = pb.RetryDeadJobRequest(tenant=session.tenant, kind=kind, key=key)
    emit(session, session.client.retry_dead_job(request), jobs.answered(kind, key, "is tried again"))


@job.command(short_help="Remove a job that need not be done.")
@click.argument("kind")
@click.argument("key")
@click.option("--reason", required=True, metavar="TEXT", help="Why: 20 characters or more.")
@connected()
def discard(session: Session, kind: str, key: str, reason: str) -> None:
    """Remove the job of this KIND and KEY; what it was for is not done."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import jobs
    from release_passport.v1 import job_service_pb2 as pb

    request = pb.DiscardDeadJobRequest(tenant=session.tenant, kind=kind, key=key, reason=reason)
    emit(session, session.client.discard_dead_job(request), jobs.answered(kind, key, "is not done any more"))
