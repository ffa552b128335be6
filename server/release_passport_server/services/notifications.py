"""Keep the channels that are told of events."""

from __future__ import annotations

import base64
import secrets as randomness
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from release_passport_server.domain.access import Principal, Scope, Verb
from release_passport_server.domain.errors import (
    AlreadyExists,
    Denied,
    NotFound,
    Precondition,
    Violation,
    invalid,
)
from release_passport_server.domain.etags import channel_etag, require_etag
from release_passport_server.domain.notice_format import TemplateInvalid, filled
from release_passport_server.domain.notices import (
    MAX_CHANNELS,
    TEST,
    Answer,
    Channel,
    ChannelName,
    Event,
    Format,
    Notice,
    NoticeState,
    Position,
    WantedChannel,
    samples,
)
from release_passport_server.domain.record import Listed, Page
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.store import Reader, Store, Transaction, Written
from release_passport_server.services.announce import announcing, tell, told_channels
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.filling import filled as filled_page
from release_passport_server.services.grants import GuardedStore
from release_passport_server.services.tell_channel import ChannelMail

SECRET_BYTES = 32
MARK = "whsec_"
# Returns the channel as it is to be, with a secret to show.
Change = Callable[[Transaction, Channel], tuple[Channel, str]]


@dataclass(frozen=True, slots=True)
class ShownChannel:
    """A channel, how far it is, and its new secret where one was made just now."""

    channel: Channel
    position: Position
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Notifications:
    """Makes, shows, changes, tries, replays and deletes channels; secrets are shown once."""

    store: Store
    access: Authorizer
    guarded: GuardedStore
    mail: ChannelMail
    clock: Clock
    ids: Ids

    async def create(self, ask: Ask, wanted: WantedChannel) -> Written[ShownChannel]:
        """Return the new channel, which is told of what happens from now on."""
        self._check(wanted)

        def put(tx: Transaction) -> tuple[ShownChannel, str]:
            if len(told_channels(tx)) >= MAX_CHANNELS:
                text = f"would be one more than {MAX_CHANNELS}, which are the most: delete one"
                raise invalid([Violation("channel", text)])
            name = ChannelName(tx.tenant, self.ids.ulid(tx.now))
            secret, sealed = self._secret(name)
            channel = Channel(
                channel_id=name.channel_id,
                **_settings(wanted),
                secrets=(sealed,),
                creator=ask.principal.id,
                create_time=tx.now,
                update_time=tx.now,
            )
            position = Position(tx.revision())
            tx.put_position(name.channel_id, position)
            _put(tx, ask, channel)
            return ShownChannel(channel, position, secret), str(name)

        def act(tx: Transaction) -> ShownChannel:
            return once(tx, ask, lambda: put(tx), _shown_once)[0]

        return await self.guarded.write(ask.principal, lambda: self._allow(ask.principal, wanted), act)

    async def update(
        self, ask: Ask, name: ChannelName, wanted: WantedChannel, etag: str, *, new_secret: bool
    ) -> Written[ShownChannel]:
        """Return the channel with its settings replaced; two secrets sign for a day after a new one was made."""
        self._check(wanted)

        def change(tx: Transaction, before: Channel) -> tuple[Channel, str]:
            require_etag(etag, channel_etag(before), str(name))
            after = replace(before, **_settings(wanted), update_time=tx.now)
            if not new_secret:
                return after, ""
            secret, sealed = self._secret(name)
            return replace(after, secrets=(sealed, before.secrets[0]), rotate_time=tx.now), secret

        return await self._change(ask, name, change, wanted=wanted, shows_secret=new_secret)

    async def delete(self, ask: Ask, name: ChannelName) -> Written[ShownChannel]:
        """Return the channel, which is told nothing any more."""

        def change(tx: Transaction, before: Channel) -> tuple[Channel, str]:
            tx.forget_notices(name.channel_id, 0)
            # A channel that is gone keeps no secrets.
            return replace(before, secrets=(), delete_time=tx.now, update_time=tx.now), ""

        return await self._change(ask, name, change, of_deleted=True)

    async def enable(self, ask: Ask, name: ChannelName) -> Written[ShownChannel]:
        """Return the channel, which is told again; what waited is sent first, with another day of patience."""

        def change(tx: Transaction, before: Channel) -> tuple[Channel, str]:
            tx.retry_notices(name.channel_id)
            for subject in tx.pending_subjects(name.channel_id):
                tx.schedule(tell(tx, name.channel_id, subject))
            return replace(before, disable_time=None, disable_reason="", update_time=tx.now), ""

        return await self._change(ask, name, change)

    async def replay(
        self, ask: Ask, name: ChannelName, revision: int, time: datetime | None
    ) -> Written[ShownChannel]:
        """Return the channel, which is told anew from a revision or time on, under the same ids."""

        def change(tx: Transaction, before: Channel) -> tuple[Channel, str]:
            first = revision or (tx.first_event_at(time) if time is not None else 0)
            position = tx.position(name.channel_id)
            if first and first <= position.revision:
                if first < tx.feed_oldest():
                    text = f"is older than what is kept: the oldest revision is {tx.feed_oldest()}"
                    raise invalid([Violation("from_revision" if revision else "from_time", text)])
                tx.forget_notices(name.channel_id, first)
                tx.put_position(name.channel_id, Position(first - 1, position.missed_until))
            return before, ""

        return await self._change(ask, name, change, fromRevision=revision)

    async def get(self, principal: Principal, name: ChannelName) -> ShownChannel:
        """Return a channel of places that the asker keeps."""
        self.access.require_somewhere(principal, Verb.CONNECTORS)

        def act(reader: Reader) -> ShownChannel:
            return _shown(reader, self._mine(reader, principal, name))

        return await self.store.read(principal.tenant, act)

    async def list(self, principal: Principal, page: Page) -> Listed[ShownChannel]:
        """Return the channels that the asker keeps, newest first."""
        self.access.require_somewhere(principal, Verb.CONNECTORS)

        def act(reader: Reader) -> Listed[ShownChannel]:
            def shown(one: Channel) -> ShownChannel | None:
                mine = one.delete_time is None and self._keeps(principal, one)
                return _shown(reader, one) if mine else None

            return filled_page(lambda part: reader.list_acts(Channel, part), page, shown)

        return await self.store.read(principal.tenant, act)

    async def try_out(self, principal: Principal, name: ChannelName) -> Answer:
        """Return what came of one message that says nothing; the channel's order and state stay."""
        channel = (await self.get(principal, name)).channel
        if channel.delete_time is not None:
            raise _ended(name)
        now = self.clock.now()
        who, about = principal.id, str(name)
        event = Event(
            f"{name.tenant}-test-{self.ids.ulid(now)}", TEST, now, name.tenant, about, about, principal=who
        )
        return await self.mail.send(name.tenant, channel, event)

    async def deliveries(
        self, principal: Principal, name: ChannelName, page: Page, state: NoticeState | None
    ) -> Listed[Notice]:
        """Return what a channel is told of places where the asker may read, newest first."""
        self.access.require_somewhere(principal, Verb.READ)
        scopes = self.access.allowed_scopes(principal, Verb.READ)

        def shown(one: Notice) -> Notice | None:
            event = one.event
            return one if any(scope.covers(event.service, event.environment) for scope in scopes) else None

        def act(reader: Reader) -> Listed[Notice]:
            _channel(reader, name)
            return filled_page(lambda part: reader.list_notices(name.channel_id, part, state), page, shown)

        return await self.store.read(principal.tenant, act)

    async def _change(
        self,
        ask: Ask,
        name: ChannelName,
        change: Change,
        *,
        wanted: WantedChannel | None = None,
        shows_secret: bool = False,
        of_deleted: bool = False,
        **told: object,
    ) -> Written[ShownChannel]:
        def put(tx: Transaction) -> tuple[ShownChannel, str]:
            before = self._mine(tx, ask.principal, name)
            if before.delete_time is not None:
                if of_deleted:
                    return _shown(tx, before), str(name)
                raise _ended(name)
            after, secret = change(tx, before)
            _put(tx, ask, after, **told)
            return ShownChannel(after, tx.position(name.channel_id), secret), str(name)

        def act(tx: Transaction) -> ShownChannel:
            def again(_: str) -> ShownChannel:
                return _shown_once(str(name)) if shows_secret else _shown(tx, _channel(tx, name))

            return once(tx, ask, lambda: put(tx), again)[0]

        def allow() -> None:
            if wanted is None:
                self.access.require_somewhere(ask.principal, Verb.CONNECTORS)
            else:
                self._allow(ask.principal, wanted)

        return await self.guarded.write(ask.principal, allow, act)

    def _check(self, wanted: WantedChannel) -> None:
        """Raise Invalid for an address that is never gone to, and for a template that some event does not fit."""
        found = []
        if problem := self.mail.sender.check(wanted.url):
            found.append(Violation("channel.url", problem))
        if wanted.format == Format.TEMPLATE:
            try:
                for event in samples(self.clock.now()):
                    filled(wanted.template, event)
            except TemplateInvalid as error:
                found.append(Violation("channel.template", str(error)))
        elif wanted.template:
            found.append(Violation("channel.template", "is for NOTIFICATION_FORMAT_TEMPLATE alone"))
        if found:
            raise invalid(found)

    def _secret(self, name: ChannelName) -> tuple[str, str]:
        secret = randomness.token_bytes(SECRET_BYTES)
        return MARK + base64.b64encode(secret).decode(), self.mail.box.seal(secret, str(name))

    def _allow(self, principal: Principal, wanted: WantedChannel) -> None:
        """Raise Denied unless the asker keeps connections for everything that the channel is told of."""
        if not self._keeps(principal, wanted):
            text = f"{principal.id} may not `connectors` for all that this channel is told of: narrow it"
            raise Denied("ACCESS_DENIED", text)

    def _keeps(self, principal: Principal, channel: WantedChannel | Channel) -> bool:
        covered = Scope(channel.services or ("*",), channel.environments or ("*",))
        scopes = self.access.allowed_scopes(principal, Verb.CONNECTORS)
        return any(scope.contains(covered) for scope in scopes)

    def _mine(self, reader: Reader, principal: Principal, name: ChannelName) -> Channel:
        channel = _channel(reader, name)
        if not self._keeps(principal, channel):
            raise _none(name)
        return channel


def _settings(wanted: WantedChannel) -> dict[str, Any]:
    return {field: getattr(wanted, field) for field in WantedChannel.__dataclass_fields__}


def _put(tx: Transaction, ask: Ask, channel: Channel, **told: object) -> None:
    tx.put_act(channel)
    tx.schedule(announcing(tx))
    scope: dict[str, object] = {
        "services": list(channel.services),
        "environments": list(channel.environments),
    }
    record(tx, ask, str(ChannelName(tx.tenant, channel.channel_id)), ("tenant",), **(scope | told))


def _shown(reader: Reader, channel: Channel) -> ShownChannel:
    return ShownChannel(channel, reader.position(channel.channel_id))


def _channel(reader: Reader, name: ChannelName) -> Channel:
    found = reader.find_act(Channel, name.channel_id)
    if found is None:
        raise _none(name)
    return found


def _none(name: ChannelName) -> NotFound:
    return NotFound("NOT_FOUND", f"there is no notification channel {name}")


def _ended(name: ChannelName) -> Precondition:
    return Precondition("ALREADY_ENDED", f"{name} was deleted: make another one")


def _shown_once(name: str) -> ShownChannel:
    text = f"this request made the secret of {name} before, which is not kept in clear: ask for a new one"
    raise AlreadyExists("ALREADY_EXISTS", text, metadata={"channel": name})
