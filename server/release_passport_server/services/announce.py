"""Take events up out of the feed: each channel gets a notice of what it wants, in the order of the feed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from release_passport_server.domain.errors import Invalid
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.job import Timer
from release_passport_server.domain.notices import (
    ANNOUNCE,
    KEPT,
    MAX_CHANNELS,
    TELL,
    Channel,
    Event,
    FeedRow,
    Notice,
    Position,
    told_as,
)
from release_passport_server.domain.record import Page
from release_passport_server.ports.messages import Messages
from release_passport_server.ports.store import Reader, Store, Transaction

# Revisions for one channel in one transaction: a tenant's other changes wait for it.
REVISIONS = 200
_CHANNELS = Page(1000)


@dataclass(frozen=True, slots=True)
class Announce:
    """Moves every channel of a tenant on; any number of workers may do so at once."""

    store: Store
    messages: Messages

    async def __call__(self, tenant: str) -> bool | None:
        """Return whether there is more to take up at once, or None where no channel is told of anything."""
        behind, told = await self.store.read(tenant, _behind)
        if not told:
            return None
        if not behind:
            return False
        return (await self.store.write(tenant, self._take_up)).value

    def _take_up(self, tx: Transaction) -> bool:
        head, known, more = tx.revision(), dict[int, tuple[Event | None, ...]](), False
        rows: dict[int, tuple[FeedRow, ...]] = {}
        for channel in told_channels(tx):
            position = _kept(tx, tx.position(channel.channel_id))
            if position.revision not in rows:
                rows[position.revision] = tx.events_after(position.revision, REVISIONS)
                known[position.revision] = self._events(tx, rows[position.revision])
            here = rows[position.revision]
            end = here[-1].revision if here else position.revision
            wanted = [
                Notice(channel.channel_id, row.revision, row.index, event)
                for row, event in zip(here, known[position.revision], strict=True)
                if event is not None and channel.wants(event)
            ]
            tx.add_notices(wanted)
            for subject in dict.fromkeys(one.event.subject for one in wanted):
                tx.schedule(tell(tx, channel.channel_id, subject))
            tx.put_position(channel.channel_id, Position(end, position.missed_until))
            tx.drop_told(channel.channel_id, tx.now - KEPT)
            more = more or end < head
        return more

    def _events(self, tx: Transaction, rows: tuple[FeedRow, ...]) -> tuple[Event | None, ...]:
        named = [row.revision for row in rows if told_as(row.type)]
        said: dict[tuple[int, str], Mapping[str, Any]] = {}
        for entry in tx.audited_at(named) if named else ():
            if entry.body is not None:
                body = json.loads(entry.body)
                said[body["revision"], body["action"]] = body
        epoch = tx.epoch()
        return tuple(
            self._event(tx, row, epoch, said.get((row.revision, row.type), {})) if told_as(row.type) else None
            for row in rows
        )

    def _event(self, tx: Transaction, row: FeedRow, epoch: int, said: Mapping[str, Any]) -> Event:
        detail = said.get("detail", {})
        release = _release(row)
        fields: dict[str, Any] = dict(_place(row))
        if release is not None:
            fields = {
                "service": release.service,
                "environment": release.environment,
                "version": release.version,
            }
        decision = tx.find_decision(row.subject) if row.type.startswith("decision.") else None
        if decision is not None:
            fields["verdict"] = decision.effective_verdict.name
            fields["reasons"] = self.messages.limits(decision.body).reasons
        return Event(
            id=f"{tx.tenant}-{epoch}-{row.revision}-{row.index}",
            type=told_as(row.type),
            time=row.time,
            tenant=tx.tenant,
            resource=row.subject,
            subject=row.subject if release is None else str(release),
            principal=str(said.get("principal", "")),
            title=str(detail.get("title", "")),
            reason=str(detail.get("reason", "")),
            **fields,
        )


def told_channels(reader: Reader) -> tuple[Channel, ...]:
    """Return the channels that are told now; there are few for each tenant."""
    found = reader.list_acts(Channel, _CHANNELS).items
    return tuple(one for one in found if one.is_told)[:MAX_CHANNELS]


def announcing(tx: Transaction) -> Timer:
    """Return the job that takes the tenant's events up."""
    return Timer(ANNOUNCE, "", tx.now)


def tell(tx: Transaction, channel_id: str, subject: str) -> Timer:
    """Return the job that tells a channel of a subject, as soon as this is committed."""
    key = f"{channel_id}/{hashlib.sha256(subject.encode()).hexdigest()[:32]}"
    return Timer(TELL, key, tx.now, subject.encode())


def _behind(reader: Reader) -> tuple[bool, bool]:
    channels, head = told_channels(reader), reader.revision()
    behind = any(reader.position(one.channel_id).revision < head for one in channels)
    return behind, bool(channels)


def _kept(tx: Transaction, position: Position) -> Position:
    """Return where to go on: behind what the feed does not hold any more, which is said."""
    oldest = tx.feed_oldest()
    if oldest > position.revision + 1:
        return Position(oldest - 1, oldest - 1)
    return position


def _release(row: FeedRow) -> ReleaseName | None:
    """Return the release that an event is about, by the name of its resource or by its scopes."""
    head, mark, rest = row.subject.partition("/releases/")
    named = f"{head}{mark}{rest.partition('/')[0]}" if mark else ""
    if not named:
        named = next((one.removeprefix("release:") for one in row.scopes if one.startswith("release:")), "")
    try:
        return ReleaseName.parse(named) if named else None
    except Invalid:
        return None


def _place(row: FeedRow) -> dict[str, str]:
    for scope in row.scopes:
        if scope.startswith("workload:"):
            service, _, environment = scope.removeprefix("workload:").partition("/")
            return {"service": service, "environment": environment}
    return {}
