"""How a change is asked for: by whom, and once only for each request id."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from release_passport_server.domain.access import Principal
from release_passport_server.domain.errors import Precondition
from release_passport_server.domain.notification import TOLD, notification
from release_passport_server.domain.record import AuditEntry, FeedEvent
from release_passport_server.ports.store import Replay, Transaction

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ask:
    """Who asks for what: the method, the caller's request id if any, and a digest of the request."""

    principal: Principal
    method: str
    request_id: str = ""
    body_digest: str = ""


def once(
    tx: Transaction, ask: Ask, act: Callable[[], tuple[T, str]], again: Callable[[str], T]
) -> tuple[T, bool]:
    """Return what `act` gives, or what `again` finds for the name that an equal request gave before.

    `act` returns its value and the name to find it by. The second value says whether it is a replay.
    Raises Precondition `REQUEST_ID_REUSED` for the same id with another body.
    """
    if not ask.request_id:
        return act()[0], False
    before = tx.replay(ask.principal.id, ask.method, ask.request_id)
    if before is not None:
        if before.body_digest != ask.body_digest:
            raise reused(ask.request_id)
        return again(before.answer.decode()), True
    value, name = act()
    tx.remember(ask.principal.id, ask.method, ask.request_id, Replay(ask.body_digest, name.encode()))
    return value, False


def reused(request_id: str) -> Precondition:
    """Return the error for a request id that was used with another body."""
    text = f"request_id {request_id!r} was used for another request within 24 hours: use a new one"
    return Precondition("REQUEST_ID_REUSED", text)


def record(
    tx: Transaction, ask: Ask, subject: str, scopes: tuple[str, ...] = ("tenant",), **detail: object
) -> None:
    """Add one act to the feed and the audit log, in the act's own transaction; people are told of some acts."""
    tx.emit(FeedEvent(ask.method, subject, scopes))
    tx.audit(AuditEntry(ask.principal.id, ask.method, subject, detail))
    kind = TOLD.get(ask.method)
    if kind is not None:
        tx.schedule(notification(kind, tx.tenant, subject, tx.now, principal=ask.principal.id, **detail))
