"""Wires notifications: the settings in, what sends and what keeps channels out."""

from __future__ import annotations

from collections.abc import Mapping

from release_passport import __version__
from release_passport_server.adapters.http.client import GuardedClients
from release_passport_server.adapters.http.notice_sender import GuardedSender
from release_passport_server.adapters.signing.secret_box import FileSecretBox
from release_passport_server.config import Settings, SettingsInvalid
from release_passport_server.domain.notices import ANNOUNCE, TELL
from release_passport_server.domain.outbound import Origin, OriginInvalid
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.messages import Messages
from release_passport_server.ports.store import Store
from release_passport_server.services.announce import Announce
from release_passport_server.services.tell_channel import ChannelMail, TellChannel
from release_passport_server.worker.announcer import Announcer
from release_passport_server.worker.runner import Work

# What waits for receivers is many at once; one that is slow holds its own subjects alone.
TOLD_AT_ONCE = 4


def mail_of(settings: Settings, clock: Clock) -> ChannelMail:
    """Return what makes messages and sends them; raise SettingsInvalid."""
    given = settings.notifications
    sender = GuardedSender(
        GuardedClients(f"release-passport/{__version__}"),
        clock,
        [_origin(text) for text in given.internal_origins.replace(",", " ").split()],
        given.ca_file,
        seconds=given.timeout_seconds,
    )
    return ChannelMail(sender, FileSecretBox.of_folder(settings.key_folder), clock)


def notification_work(store: Store, messages: Messages, mail: ChannelMail) -> Mapping[str, Work]:
    """Return the jobs of notifications."""
    return {
        ANNOUNCE: Work(Announcer(Announce(store, messages), mail.clock), at_once=1),
        TELL: Work(TellChannel(store, mail, mail.clock), at_once=TOLD_AT_ONCE, waits=True),
    }


def _origin(text: str) -> Origin:
    try:
        return Origin.of(text, internal=True)
    except OriginInvalid as error:
        raise SettingsInvalid(f"notifications.internal_origins: {text} {error}") from error
