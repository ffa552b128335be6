"""Tell one channel of one subject, in order: what is not taken is sent again, and what follows it waits."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from release_passport_server.domain.job import Backoff, Claim
from release_passport_server.domain.notice_format import TemplateInvalid, message_of
from release_passport_server.domain.notices import (
    PATIENCE,
    Answer,
    Channel,
    ChannelName,
    Event,
    Notice,
    NoticeState,
)
from release_passport_server.domain.record import AuditEntry, FeedEvent
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.notices import NoticeSender, SecretBox
from release_passport_server.ports.store import Reader, Store, Transaction

# Who stands in the audit log for what the server did by itself.
WORKER = "system:worker"
GONE = 410
# The first repeat comes after a second, the later ones each hour: about forty in a day.
BACKOFF = Backoff(timedelta(seconds=1), timedelta(hours=1), 1 << 30)
# A subject with more than this gives others their turn.
_IN_A_ROW = 50


@dataclass(frozen=True, slots=True)
class ChannelMail:
    """Makes a channel's messages and sends them."""

    sender: NoticeSender
    box: SecretBox
    clock: Clock

    async def send(self, tenant: str, channel: Channel, event: Event) -> Answer:
        """Return what came of sending one event."""
        try:
            message = message_of(event, channel.format, channel.template)
        except TemplateInvalid as error:
            return Answer(failure=f"TEMPLATE_INVALID: the template {error}")
        context = str(ChannelName(tenant, channel.channel_id))
        secrets = [self.box.open(one, context) for one in channel.secrets_at(self.clock.now())]
        return await self.sender.send(channel.url, message, secrets)


@dataclass(frozen=True, slots=True)
class TellChannel:
    """Sends what is due for a subject of a channel."""

    store: Store
    mail: ChannelMail
    clock: Clock
    backoff: Backoff = BACKOFF
    patience: timedelta = PATIENCE

    async def __call__(self, claim: Claim) -> datetime | None:
        """Return when to go on, or None where nothing waits or nobody is told."""
        channel_id, subject = claim.key.partition("/")[0], claim.payload.decode()

        def due(reader: Reader) -> tuple[Channel | None, Notice | None]:
            return reader.find_act(Channel, channel_id), reader.next_notice(channel_id, subject)

        for _ in range(_IN_A_ROW):
            channel, notice = await self.store.read(claim.tenant, due)
            if channel is None or not channel.is_told or notice is None:
                return None
            # The store's clock says when the job is due; this host's may be behind it.
            if notice.next_time is not None and notice.next_time > max(self.clock.now(), claim.due_time):
                return notice.next_time
            answer = await self.mail.send(claim.tenant, channel, notice.event)
            again = await self._noted(claim, channel_id, notice, answer)
            if again is not None:
                return again
        return self.clock.now()

    async def _noted(self, claim: Claim, channel_id: str, notice: Notice, answer: Answer) -> datetime | None:
        """Record what came of it; raise LeaseLost where somebody else tells the channel by now."""

        def act(tx: Transaction) -> datetime | None:
            tx.hold(claim)
            after = self._after(notice, answer, tx.now)
            tx.change_notice(after)
            if answer.status == GONE:
                disable(tx, channel_id, f"the receiver answered {GONE}: it wants no more messages")
            elif after.state is NoticeState.FAILED and not tx.told_since(
                channel_id, after.first_time or tx.now
            ):
                hours = self.patience.total_seconds() / 3600
                disable(tx, channel_id, f"nothing was taken for {hours:g} hours; last: {after.last_failure}")
            return after.next_time

        return (await self.store.write(claim.tenant, act)).value

    def _after(self, notice: Notice, answer: Answer, now: datetime) -> Notice:
        tried = replace(
            notice,
            attempts=notice.attempts + 1,
            last_status=answer.status,
            last_failure=answer.failure,
            first_time=notice.first_time or now,
            next_time=None,
        )
        if answer.is_taken:
            return replace(tried, state=NoticeState.DELIVERED, end_time=now)
        wait = self.backoff.after(tried.attempts, random.SystemRandom()) or self.backoff.longest
        wait = max(wait, answer.retry_after or timedelta(0))
        last = (tried.first_time or now) + self.patience
        if now >= last:
            return replace(tried, state=NoticeState.FAILED, end_time=now)
        # Once more at the very end, whatever the receiver asked for.
        return replace(tried, next_time=min(now + wait, last))


def disable(tx: Transaction, channel_id: str, reason: str) -> None:
    """Tell a channel no more until somebody enables it; what waits is kept."""
    channel = tx.find_act(Channel, channel_id)
    if channel is None or not channel.is_told:
        return
    tx.put_act(replace(channel, disable_time=tx.now, disable_reason=reason[:500], update_time=tx.now))
    name = str(ChannelName(tx.tenant, channel_id))
    tx.emit(FeedEvent("DisableNotificationChannel", name, ("tenant",)))
    tx.audit(AuditEntry(WORKER, "DisableNotificationChannel", name, {"reason": reason}))
