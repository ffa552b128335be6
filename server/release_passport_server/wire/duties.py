"""Reports about duties, as messages."""

from __future__ import annotations

from release_passport.v1 import audit_pb2
from release_passport_server.domain.duties import Conflict, Done, ReleaseDuties
from release_passport_server.wire.times import timestamp


def duties_to_proto(duties: ReleaseDuties) -> audit_pb2.ReleaseDuties:
    """Return the message that tells the duties of one release."""
    return audit_pb2.ReleaseDuties(
        release=duties.release,
        create_time=timestamp(duties.create_time),
        duties=[_done(one) for one in duties.done],
        authors_known=duties.authors_known,
        conflicts=[_conflict(one) for one in duties.conflicts],
    )


def _done(one: Done) -> audit_pb2.DutyDone:
    return audit_pb2.DutyDone(duty=f"DUTY_{one.duty}", principal=one.principal, act=one.act)


def _conflict(one: Conflict) -> audit_pb2.DutyConflict:
    return audit_pb2.DutyConflict(
        code=f"DUTY_CONFLICT_CODE_{one.code}",
        principals=one.principals,
        act=one.act,
        text=one.text,
    )
