"""`passport notification`: the channels that are told of events."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from release_passport.cli import exit_codes
from release_passport.cli.options import TIME, connected
from release_passport.cli.paging import limit_option
from release_passport.cli.session import Session

_FORMATS = ("webhook", "cloudevents-structured", "cloudevents-binary", "template")
_STATES = ("pending", "delivered", "failed")


@click.group(short_help="Keep the channels that are told of events.")
def notification() -> None:
    """Keep the channels that are told of events: signed webhooks, CloudEvents and messages for chats."""


@notification.command(short_help="Make a channel.")
@click.option("--url", required=True, metavar="URL", help="Where messages are posted.")
@click.option(
    "--format", "form", default="webhook", type=click.Choice(_FORMATS), help="The form of the messages."
)
@click.option(
    "--template",
    "template_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the template: JSON with {{field}} in its texts.",
)
@click.option("--event", "event_types", multiple=True, metavar="GLOB", help="Types of events; else all.")
@click.option("--service", "services", multiple=True, metavar="GLOB", help="Services; else all.")
@click.option("--environment", "environments", multiple=True, metavar="GLOB", help="Environments; else all.")
@click.option("--title", default="", metavar="TEXT", help="The channel in a few words.")
@connected()
def add(session: Session, /, *, form: str, template_file: Path | None, **said: Any) -> None:
    """Make a channel. The secret that messages are signed with is shown this once."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import notifications
    from release_passport.v1 import notification_pb2, notification_service_pb2

    wanted = notification_pb2.NotificationChannel(
        format=f"NOTIFICATION_FORMAT_{form.upper().replace('-', '_')}", **said
    )
    if template_file is not None:
        wanted.template = template_file.read_text(encoding="utf-8")
    request = notification_service_pb2.CreateNotificationChannelRequest(tenant=session.tenant, channel=wanted)
    made = session.client.create_notification_channel(request)
    if session.output == "table":
        click.echo(made.secret)
        session.notice(f"{made.channel.name}; the secret is not shown again")
    else:
        emit(session, made, notifications.channels([made.channel]))


@notification.command("list", short_help="List channels.")
@limit_option
@connected()
def list_channels(session: Session, limit: int) -> None:
    """List channels, newest first."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import notifications
    from release_passport.v1 import notification_service_pb2

    request = notification_service_pb2.ListNotificationChannelsRequest(tenant=session.tenant)
    found = read_pages(session, session.client.list_notification_channels, request, "channels", limit)
    emit_list(session, found, notifications.channels(found))


@notification.command(short_help="Show a channel.")
@click.argument("channel", metavar="ID")
@connected()
def get(session: Session, channel: str) -> None:
    """Show a channel."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import notifications
    from release_passport.v1 import notification_service_pb2

    request = notification_service_pb2.GetNotificationChannelRequest(name=_name(session, channel))
    found = session.client.get_notification_channel(request).channel
    emit(session, found, notifications.channels([found]))


@notification.command(short_help="Make a new secret.")
@click.argument("channel", metavar="ID")
@connected()
def rotate(session: Session, channel: str) -> None:
    """Make a new secret; for a day messages are signed with the old one as well."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import notifications
    from release_passport.v1 import notification_service_pb2 as pb

    name = _name(session, channel)
    found = session.client.get_notification_channel(pb.GetNotificationChannelRequest(name=name)).channel
    request = pb.UpdateNotificationChannelRequest(channel=found, new_secret=True)
    changed = session.client.update_notification_channel(request)
    if session.output == "table":
        click.echo(changed.secret)
        session.notice(f"{name}; the secret is not shown again")
    else:
        emit(session, changed, notifications.channels([changed.channel]))


@notification.command(short_help="Delete a channel.")
@click.argument("channel", metavar="ID")
@connected()
def delete(session: Session, channel: str) -> None:
    """Delete a channel: it is told nothing any more."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import notifications
    from release_passport.v1 import notification_service_pb2

    request = notification_service_pb2.DeleteNotificationChannelRequest(name=_name(session, channel))
    gone = session.client.delete_notification_channel(request).channel
    emit(session, gone, notifications.channels([gone]))


@notification.command(short_help="Tell a channel again that the server gave up.")
@click.argument("channel", metavar="ID")
@connected()
def enable(session: Session, channel: str) -> None:
    """Tell a channel again that the server gave up; what waited is sent first."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import notifications
    from release_passport.v1 import notification_service_pb2

    request = notification_service_pb2.EnableNotificationChannelRequest(name=_name(session, channel))
    found = session.client.enable_notification_channel(request).channel
    emit(session, found, notifications.channels([found]))


@notification.command(short_help="Send one message that says nothing.")
@click.argument("channel", metavar="ID")
@connected()
def test(session: Session, channel: str) -> int:
    """Send one message of the type channel.test; exit 1 where it was not taken."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render.text import table
    from release_passport.v1 import notification_service_pb2

    request = notification_service_pb2.TestNotificationChannelRequest(name=_name(session, channel))
    said = session.client.test_notification_channel(request)
    row = ("yes" if said.delivered else "no", str(said.status or ""), said.failure)
    emit(session, said, table(("delivered", "status", "failure"), [row], empty=""))
    return exit_codes.OK if said.delivered else exit_codes.ERROR


@notification.command(short_help="List what a channel is told.")
@click.argument("channel", metavar="ID")
@click.option("--state", type=click.Choice(_STATES), help="Only deliveries of this state.")
@limit_option
@connected()
def deliveries(session: Session, channel: str, state: str | None, limit: int) -> None:
    """List what a channel was told and is to be told, newest first."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import notifications
    from release_passport.v1 import notification_service_pb2

    request = notification_service_pb2.ListNotificationDeliveriesRequest(
        name=_name(session, channel),
        state=None if state is None else f"NOTIFICATION_DELIVERY_STATE_{state.upper()}",
    )
    found = read_pages(session, session.client.list_notification_deliveries, request, "deliveries", limit)
    emit_list(session, found, notifications.deliveries(found))


@notification.command(short_help="Send events anew.")
@click.argument("channel", metavar="ID")
@click.option("--from-revision", type=int, default=0, metavar="N", help="The first revision to send anew.")
@click.option("--from-time", type=TIME, metavar="TIME", help="The time from which on to send anew.")
@connected()
def replay(session: Session, channel: str, from_revision: int, from_time: datetime | None) -> None:
    """Send events anew under their ids, as far back as the feed is kept."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import notifications
    from release_passport.v1 import notification_service_pb2

    request = notification_service_pb2.ReplayNotificationsRequest(
        name=_name(session, channel), from_revision=from_revision
    )
    if from_time is not None:
        request.from_time.FromDatetime(from_time)
    found = session.client.replay_notifications(request).channel
    emit(session, found, notifications.channels([found]))


def _name(session: Session, channel: str) -> str:
    from release_passport.cli.resource_names import child_name

    return child_name(session, "notificationChannels", channel)
