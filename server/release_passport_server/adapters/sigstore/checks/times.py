"""When a signature was made, as far as a log or a timestamp authority signed it."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime

from rfc3161_client import TimeStampResponse, decode_timestamp_response
from rfc3161_client import VerificationError as TimestampError

from release_passport_server.adapters.sigstore.checks.bundle import Bundle, LogEntry
from release_passport_server.adapters.sigstore.checks.library import key_verifies
from release_passport_server.adapters.sigstore.checks.refusal import Refused
from release_passport_server.adapters.sigstore.checks.roots import During, LogKey, Root
from release_passport_server.domain.attestation import AttestationFailure as Failure


def promised_time(entry: LogEntry, log: During[LogKey]) -> datetime | None:
    """Return the time that the log promised to have taken the entry, None without a promise; raise Refused."""
    if not entry.promise or not entry.integrated_time:
        return None
    # RFC 8785: keys in order, and nothing in it that would need an escape.
    canonical = (
        f'{{"body":"{b64encode(entry.body).decode()}","integratedTime":{entry.integrated_time},'
        f'"logID":"{entry.log_id.hex()}","logIndex":{entry.log_index}}}'
    ).encode()
    if not key_verifies(log.value.key, entry.promise, canonical):
        raise Refused(Failure.LOG_PROMISE_INVALID, "the log did not sign this entry at this time")
    try:
        return datetime.fromtimestamp(entry.integrated_time, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Refused(Failure.LOG_PROMISE_INVALID, "the log's time is none") from error


def stamped_times(bundle: Bundle, root: Root) -> list[datetime]:
    """Return the times at which trusted authorities saw the signature; raise Refused if they cannot be read.

    A timestamp that no trusted authority made counts for nothing, and does no harm beside another.
    """
    if len(set(bundle.timestamps)) != len(bundle.timestamps):
        raise Refused(Failure.TIMESTAMP_MALFORMED, "a timestamp is there twice")
    responses = []
    for raw in bundle.timestamps:
        try:
            responses.append(decode_timestamp_response(raw))
        except ValueError as error:
            raise Refused(Failure.TIMESTAMP_MALFORMED, "a timestamp is not an RFC 3161 response") from error
    found = (_stamped(response, bundle.signature, root) for response in responses)
    return [time for time in found if time is not None]


def _stamped(response: TimeStampResponse, signature: bytes, root: Root) -> datetime | None:
    for authority in root.timestamps:
        try:
            authority.value.verify_message(response, signature)
            time = response.tst_info.gen_time
        except (TimestampError, ValueError):
            continue
        if authority.window.holds([time]):
            return time
    return None
