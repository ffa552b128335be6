"""What a failure of the database means, and what callers are told of it: nothing in the database's own words."""

from __future__ import annotations

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from release_passport_server.adapters.sql.patience import NoAnswerError
from release_passport_server.domain.errors import AlreadyExists, Invalid, Unavailable

RETRY_AFTER = 1.0
# Serialisation failure and deadlock: the same again will do.
_AGAIN = {"40001", "40P01"}
READ_ONLY = "25006"
_TOO_MANY_CONNECTIONS = "53300"
# Something is larger than an index or a page can take.
_PROGRAM_LIMIT = "54"
# Somebody had a lock for too long, or the database had much to do: it can be used all the same.
_BUSY = {*_AGAIN, "55P03", "57014"}


class CommitUnknownError(Exception):
    """The commit was not answered, and it could not be found out whether it happened."""


def begins_anew(error: DBAPIError) -> bool:
    """Say whether the batch can simply be run again, because the connection or the moment was at fault."""
    if isinstance(error.orig, NoAnswerError):
        # Everybody has waited long enough.
        return False
    return error.connection_invalidated or _state(error) in _AGAIN


def is_one_request(error: Exception) -> bool:
    """Say whether one request of a batch can be the cause, so that the others do without it."""
    if isinstance(error, DBAPIError):
        # All else is about the database, however many ask: full, read-only, damaged, away.
        fits = isinstance(error, DataError | IntegrityError) or _state(error).startswith(_PROGRAM_LIMIT)
        return fits and not error.connection_invalidated
    # A value that cannot be bound is refused before the database sees it.
    return type(error) is StatementError or not isinstance(error, SQLAlchemyError | CommitUnknownError)


def is_read_only(error: Exception) -> bool:
    """Say whether the database takes no writes on this connection: it was told so, or it is a standby by now."""
    return _state(error) == READ_ONLY


def is_at_capacity(error: Exception) -> bool:
    """Say whether the database has no connection left for us."""
    return _state(error) == _TOO_MANY_CONNECTIONS


def speaks_of_the_store(error: Exception) -> bool:
    """Say whether the error may mean that the database cannot be used."""
    if isinstance(error, CommitUnknownError):
        return True
    return isinstance(error, SQLAlchemyError) and not is_one_request(error) and _state(error) not in _BUSY


def unavailable(what: str = "the store did not answer") -> Unavailable:
    """Return the error of a store that cannot be used now."""
    text = f"{what}: ask again, with the same request_id where there was one"
    return Unavailable("STORE_UNAVAILABLE", text, retry_after=RETRY_AFTER)


def told(error: Exception) -> Exception:
    """Return what the caller is told of a failed read or write."""
    match error:
        case IntegrityError():
            return AlreadyExists("ALREADY_EXISTS", "something of the same name is stored already")
        case StatementError() if is_one_request(error):
            text = "a value does not fit into the store: a name or text is too long, or holds a NUL character"
            return Invalid("INVALID_FIELDS", text)
        case SQLAlchemyError() | CommitUnknownError():
            return unavailable()
        case _:
            return error


def _state(error: Exception) -> str:
    return getattr(getattr(error, "orig", None), "sqlstate", None) or ""
