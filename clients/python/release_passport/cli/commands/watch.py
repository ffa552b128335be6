"""`passport watch`: what happens to decisions, as it happens."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from release_passport.cli import exit_codes
from release_passport.cli.failure import usage
from release_passport.cli.options import connected
from release_passport.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable

    from release_passport.watching import Update


@click.command(short_help="Follow decisions as they change.")
@click.option("--release", "releases", multiple=True, metavar="NAME", help="A release; may be given again.")
@click.option("--service", default="", metavar="GLOB", help="Services, such as checkout or pay-*.")
@click.option("--environment", default="", metavar="GLOB", help="Environments, such as prod.")
@click.option("--every", is_flag=True, help="Show every change, not only the newest where several wait.")
@click.option("--new", "only_new", is_flag=True, help="Leave out what stands already.")
@click.option(
    "--position-file",
    metavar="FILE",
    help="Where to keep how far was shown; the next watch goes on behind it.",
)
@click.option("--limit", type=click.IntRange(1), metavar="NUMBER", help="End after so many decisions.")
@connected(("table", "json"))
def watch(
    session: Session,
    *,
    releases: tuple[str, ...],
    service: str,
    environment: str,
    every: bool,
    only_new: bool,
    position_file: str | None,
    limit: int | None,
) -> int:
    """Show what stands and then each change, a line each, until interrupted; goes on when the server comes back."""
    from release_passport.cli.resource_names import release_name
    from release_passport.cli.standing import utc_now
    from release_passport.v1 import decision_service_pb2, watch_pb2
    from release_passport.watching import NoTokens, TokenFile, Watcher

    if releases and (service or environment):
        raise usage("say which releases, or --service and --environment: not both")
    subscriptions = [watch_pb2.Subscription(release=release_name(session, one)) for one in releases]
    if service or environment:
        subscriptions = [watch_pb2.Subscription(service=service, environment=environment)]
    request = decision_service_pb2.WatchDecisionRequest(
        tenant=session.tenant,
        subscriptions=subscriptions,
        initial_state=watch_pb2.INITIAL_STATE_NONE if only_new else watch_pb2.INITIAL_STATE_SNAPSHOT,
        delivery=watch_pb2.DELIVERY_EVERY if every else watch_pb2.DELIVERY_LATEST,
        client_id="passport-cli",
    )
    tokens = TokenFile(Path(position_file)) if position_file else NoTokens()
    return _shown(session, Watcher(session.client, request, utc_now, tokens), limit)


def _shown(session: Session, updates: Iterable[Update], limit: int | None) -> int:
    from release_passport.watching import News

    count = 0
    for update in updates:
        if update.decision is None:
            _notice(session, update)
            continue
        _write(session, update)
        count += update.news is not News.SYNCED
        if count == limit:
            break
    return exit_codes.OK


def _notice(session: Session, update: Update) -> None:
    from release_passport.watching import News

    texts = {
        News.SYNCED: "this is what stands; changes follow",
        News.STALE: "nothing was heard for three heartbeats: take what allowed for unknown",
        News.DIVERGED: "the server's history is another one, as after a restore: look at what was done since",
    }
    tell = session.notice if update.news is News.SYNCED else session.warn
    tell(f"passport: {texts[update.news]}")


def _write(session: Session, update: Update) -> None:
    """Write a line, which whoever reads it gets at once."""
    from release_passport.cli.render.machine import as_data
    from release_passport.cli.render.screen import show
    from release_passport.cli.render.text import pairs
    from release_passport.cli.render.view import time_words, view_of

    assert update.decision is not None
    if session.output == "json":
        said = {"news": update.news.value, "revision": update.revision, "decision": as_data(update.decision)}
        click.echo(json.dumps(said))
    else:
        view = view_of(update.decision)
        words = (time_words(update.decision.decide_time), view.verdict, view.release, view.headline)
        show(pairs([(update.news.value, "  ".join(words))]))
    sys.stdout.flush()
