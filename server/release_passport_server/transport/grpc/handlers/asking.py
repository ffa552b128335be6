"""From a request to who asks for what."""

from __future__ import annotations

from google.protobuf.message import Message

from release_passport_server.domain.access import Principal
from release_passport_server.services.asking import Ask
from release_passport_server.wire.requests import body_digest, request_id_of


def ask_of(principal: Principal, method: str, request: Message) -> Ask:
    """Return who asks for what; raise Invalid for a request id that cannot be kept."""
    request_id = request_id_of(request)
    return Ask(principal, method, request_id, body_digest(request) if request_id else "")
