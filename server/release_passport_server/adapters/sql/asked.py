"""What is read for the questions of a batch before they are prepared: earlier answers, releases, attempts."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, func, select, true

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.batch_state import Found
from release_passport_server.adapters.sql.codec import attempt_of, item_of, release_of
from release_passport_server.adapters.sql.lists import among
from release_passport_server.adapters.sql.loading import Loader
from release_passport_server.adapters.sql.requests import Ask
from release_passport_server.adapters.sql.statements import evidence_rows, given_rows
from release_passport_server.adapters.sql.together import Read, together
from release_passport_server.domain.errors import Precondition
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.record import DecisionRecord
from release_passport_server.domain.release import Attempt
from release_passport_server.ports.judging import Judged
from release_passport_server.ports.store import Replay

# Under this name the answers to questions are kept.
METHOD = "Evaluate"

# Earlier answers by tenant, principal and request id.
Replays = dict[tuple[str, str, str], Replay]

_given = tables.idempotency.c
# Of one source under one external id, the newest: older ones are not sent again.
MOST_OBSERVATIONS = 1000


@lru_cache
def _releases(dialect: str) -> Select[Any]:
    c = tables.releases.c
    return select(tables.releases).where(c.tenant == bindparam("tenant"), among(dialect, c.name, "names"))


@lru_cache
def _attempts(dialect: str) -> Select[Any]:
    c = tables.attempts.c
    wanted = select(tables.attempts).where(
        c.tenant == bindparam("tenant"), among(dialect, c.release, "names")
    )
    return wanted.order_by(c.number)


@lru_cache
def _answers(dialect: str) -> Select[Any]:
    columns = (_given.principal, _given.request_id, _given.body_digest, _given.answer)
    return select(*columns).where(
        _given.tenant == bindparam("tenant"),
        _given.method == METHOD,
        # Any of these with any of those: what nobody asked for is not looked at.
        among(dialect, _given.principal, "principals"),
        among(dialect, _given.request_id, "request_ids"),
        _given.expire_time > bindparam("now"),
    )


@lru_cache
def _observations(dialect: str) -> Select[Any]:
    asked, item = given_rows(dialect, "asked", "source", "external_id"), tables.evidence
    same = and_(
        item.c.tenant == bindparam("tenant"),
        item.c.source == asked.c.source,
        item.c.external_id == asked.c.external_id,
    )
    if dialect != "postgresql":
        # An inner join might begin with all the evidence of the tenant, and so would a plainer condition.
        return evidence_rows(item, asked.outerjoin(item, same)).where(func.coalesce(item.c.name, "") != "")
    # The limit keeps the planner from reading all of the table.
    rows = select(item).where(same).order_by(item.c.observe_time.desc()).limit(MOST_OBSERVATIONS)
    row = rows.correlate(asked).lateral("same")
    return evidence_rows(row, asked.join(row, true()))


def found_for(
    connection: Connection, tenant: str, asks: Sequence[Ask], now: datetime
) -> tuple[Replays, Found]:
    """Return what the request ids were answered with before, and what the questions name and bring along."""
    names = sorted({ask.question.about for ask in asks})
    dialect, given = connection.dialect.name, {"tenant": tenant, "names": names}
    named = [item for ask in asks for item in ask.question.items if item.external_id]
    answers, releases, tried, observations = together(
        connection,
        [
            _remembered(dialect, tenant, asks, now),
            Read(_releases(dialect), given),
            Read(_attempts(dialect), given),
            _observed(dialect, tenant, named),
        ],
    )
    found = Found(dict.fromkeys(names), dict.fromkeys(names, ()), {})
    for row in releases or ():
        found.releases[row.name] = release_of(row)
    attempts: defaultdict[str, list[Attempt]] = defaultdict(list)
    for row in tried or ():
        attempts[row.release].append(attempt_of(row))
    found.attempts.update({name: tuple(those) for name, those in attempts.items()})
    assert found.items is not None
    found.items.update(_same(named, observations or ()))
    return _replays(tenant, answers or ()), found


def stored_observations(
    connection: Connection, tenant: str, items: Sequence[EvidenceItem]
) -> dict[object, EvidenceItem]:
    """Return what is stored of these observations, which have external ids, by what makes each the same one."""
    (rows,) = together(connection, [_observed(connection.dialect.name, tenant, items)])
    return _same(items, rows or ())


def _observed(dialect: str, tenant: str, items: Sequence[EvidenceItem]) -> Read | None:
    if not items:
        return None
    asked = sorted({(item.source, item.external_id) for item in items})
    named = [{"source": source, "external_id": external_id} for source, external_id in asked]
    return Read(_observations(dialect), {"tenant": tenant, "asked": json.dumps(named)})


def _same(items: Sequence[EvidenceItem], rows: Iterable[Row[Any]]) -> dict[object, EvidenceItem]:
    times = {item.observe_time for item in items}
    return {identity_of(item): item for row in rows if row.observe_time in times for item in [item_of(row)]}


def identity_of(item: EvidenceItem) -> object:
    """Return what makes a submission the same one: other facts under the same id are not swallowed."""
    said = (item.facts_digest, item.verification, item.expire_time, item.proof)
    subject = (item.subject.type, item.subject.value)
    return (item.source, item.external_id, item.observe_time, *subject, item.kind, item.key, *said)


def remembered(connection: Connection, tenant: str, asks: Sequence[Ask], now: datetime) -> Replays:
    """Return what the request ids of the questions were answered with before, by one query."""
    (rows,) = together(connection, [_remembered(connection.dialect.name, tenant, asks, now)])
    return _replays(tenant, rows or ())


def _remembered(dialect: str, tenant: str, asks: Sequence[Ask], now: datetime) -> Read | None:
    asked = [ask.question for ask in asks if ask.question.request_id]
    if not asked:
        return None
    given = {
        "tenant": tenant,
        "principals": sorted({question.principal for question in asked}),
        "request_ids": sorted({question.request_id for question in asked}),
        "now": now,
    }
    return Read(_answers(dialect), given)


def _replays(tenant: str, rows: Iterable[Row[Any]]) -> Replays:
    return {(tenant, row.principal, row.request_id): Replay(row.body_digest, row.answer) for row in rows}


def replays(
    loader: Loader, given: Sequence[tuple[Ask, Replay]], now: datetime, epoch: int
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
            answers.append((ask, _again(record, newest[record.release], now, epoch)))
    return answers


def reused(request_id: str) -> Precondition:
    """Return the error for a request id that was used with another body."""
    text = f"request_id {request_id!r} was used for another request within 24 hours: use a new one"
    return Precondition("REQUEST_ID_REUSED", text)


def _again(
    record: DecisionRecord, newest: DecisionRecord, now: datetime, epoch: int
) -> Judged | Precondition:
    expired = record.valid_until is None or record.valid_until <= now
    if newest.name == record.name and not (record.effective_verdict.allows and expired):
        return Judged(record, record.revision, replayed=True, standing=True, epoch=epoch)
    why = "has expired" if newest.name == record.name else "is no longer the newest"
    text = f"{record.name} answered this request_id, but it {why}: ask again with a new request_id"
    return Precondition("DECISION_SUPERSEDED", text, metadata={"newest": newest.name})
