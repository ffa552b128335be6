"""What a failure of the database means, and what callers are told of it: nothing in the database's own words."""

from __future__ import annotations

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from release_passport_server.domain.errors import AlreadyExists, Invalid, Unavailable

RETRY_AFTER = 1.0
# Serialisation failure and deadlock: the same again will do.
_AGAIN = {"40001", "40P01"}


class CommitUnknownError(Exception):
    """The commit was not answered, and it could not be found out whether it happened."""


def begins_anew(error: DBAPIError) -> bool:
    """Say whether the batch can simply be run again, because the connection or the moment was at fault."""
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _AGAIN


def is_one_request(error: Exception) -> bool:
    """Say whether one request of a batch can be the cause, so that the others do without it."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return False
    return not isinstance(error, OperationalError | PoolTimeoutError | CommitUnknownError)


def told(error: Exception) -> Exception:
    """Return what the caller is told of a failed read or write."""
    match error:
        case DataError():
            text = "a value does not fit into the store: a name or text is too long, or holds a NUL character"
            return Invalid("INVALID_FIELDS", text)
        case IntegrityError():
            return AlreadyExists("ALREADY_EXISTS", "something of the same name is stored already")
        case SQLAlchemyError() | CommitUnknownError():
            text = "the store did not answer: ask again, with the same request_id where there was one"
            return Unavailable("STORE_UNAVAILABLE", text, retry_after=RETRY_AFTER)
        case _:
            return error
