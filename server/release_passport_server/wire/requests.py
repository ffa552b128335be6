"""What every request has: a request id, and a body that can be recognised when it is sent again."""

from __future__ import annotations

import re

from google.protobuf.message import Message

from release_passport_server.domain.canonical import digest
from release_passport_server.domain.errors import Violation, invalid

_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")


def request_id_of(request: Message) -> str:
    """Return the request id, empty where there is none; raise Invalid for one that cannot be kept."""
    request_id = str(getattr(request, "request_id", ""))
    if request_id and not _REQUEST_ID.fullmatch(request_id):
        raise invalid([Violation("request_id", "must be 1 to 128 visible ASCII characters, without spaces")])
    return request_id


def body_digest(request: Message) -> str:
    """Return the digest of a request's bytes; the same fields give the same digest."""
    return digest(request.SerializeToString(deterministic=True))
