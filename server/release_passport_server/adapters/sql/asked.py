"""What is read for the questions of a batch before they are prepared: earlier answers, releases, attempts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.batch_state import Found
from release_passport_server.adapters.sql.codec import attempt_of, release_of
from release_passport_server.adapters.sql.loading import Loader
from release_passport_server.adapters.sql.requests import Ask
from release_passport_server.domain.errors import Precondition
from release_passport_server.domain.record import DecisionRecord
from release_passport_server.domain.release import Attempt
from release_passport_server.ports.store import Judged, Replay

# Under this name the answers to questions are kept.
METHOD = "Evaluate"

_RELEASES = select(tables.releases).where(
    tables.releases.c.tenant == bindparam("tenant"),
    tables.releases.c.name.in_(bindparam("names", expanding=True)),
)
_ATTEMPTS = (
    select(tables.attempts)
    .where(
        tables.attempts.c.tenant == bindparam("tenant"),
        tables.attempts.c.release.in_(bindparam("names", expanding=True)),
    )
    .order_by(tables.attempts.c.number)
)
_given = tables.idempotency.c
_ANSWERS = select(_given.principal, _given.request_id, _given.body_digest, _given.answer).where(
    _given.tenant == bindparam("tenant"),
    _given.method == METHOD,
    # Any of these with any of those: what nobody asked for is not looked at.
    _given.principal.in_(bindparam("principals", expanding=True)),
    _given.request_id.in_(bindparam("request_ids", expanding=True)),
    _given.expire_time > bindparam("now"),
)


def releases_of(connection: Connection, tenant: str, asks: Sequence[Ask]) -> Found:
    """Return the releases that the questions name, with their attempts, by two queries."""
    names = sorted({ask.question.about for ask in asks})
    given = {"tenant": tenant, "names": names}
    found = Found(dict.fromkeys(names), {})
    for row in connection.execute(_RELEASES, given):
        found.releases[row.name] = release_of(row)
    attempts: defaultdict[str, list[Attempt]] = defaultdict(list)
    for row in connection.execute(_ATTEMPTS, given):
        attempts[row.release].append(attempt_of(row))
    found.attempts.update({name: tuple(attempts[name]) for name in names})
    return found


def remembered(
    connection: Connection, tenant: str, asks: Sequence[Ask], now: datetime
) -> dict[tuple[str, str, str], Replay]:
    """Return what the request ids of the questions were answered with before, by one query."""
    asked = [ask.question for ask in asks if ask.question.request_id]
    if not asked:
        return {}
    given = {
        "tenant": tenant,
        "principals": sorted({question.principal for question in asked}),
        "request_ids": sorted({question.request_id for question in asked}),
        "now": now,
    }
    rows = connection.execute(_ANSWERS, given)
    return {(tenant, row.principal, row.request_id): Replay(row.body_digest, row.answer) for row in rows}


def replays(
    loader: Loader, given: Sequence[tuple[Ask, Replay]], now: datetime
) -> list[tuple[Ask, Judged | Precondition]]:
    """Return what repeated questions are answered with: the same decision while it still holds, else an error."""
    names = {
        replay.answer.decode() for ask, replay in given if replay.body_digest == ask.question.body_digest
    }
    records = loader.decisions(names)
    newest = loader.newest_decisions({record.release for record in records.values()})
    answers: list[tuple[Ask, Judged | Precondition]] = []
    for ask, replay in given:
        if replay.body_digest != ask.question.body_digest:
            answers.append((ask, reused(ask.question.request_id)))
        else:
            record = records[replay.answer.decode()]
            answers.append((ask, _again(record, newest[record.release], now)))
    return answers


def reused(request_id: str) -> Precondition:
    """Return the error for a request id that was used with another body."""
    text = f"request_id {request_id!r} was used for another request within 24 hours: use a new one"
    return Precondition("REQUEST_ID_REUSED", text)


def _again(record: DecisionRecord, newest: DecisionRecord, now: datetime) -> Judged | Precondition:
    expired = record.valid_until is None or record.valid_until <= now
    if newest.name == record.name and not (record.effective_verdict.allows and expired):
        return Judged(record, record.revision, replayed=True, standing=True)
    why = "has expired" if newest.name == record.name else "is no longer the newest"
    text = f"{record.name} answered this request_id, but it {why}: ask again with a new request_id"
    return Precondition("DECISION_SUPERSEDED", text, metadata={"newest": newest.name})
