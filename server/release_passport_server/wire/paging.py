"""Parts of lists: the page that a request asks for, and the token for the next one.

A token says where to go on and nothing else. It grants nothing, because every call is authorised and filtered anew,
so it carries no signature and works on every replica. It is bound to the tenant, the method and all other fields of
the request: a token from elsewhere would silently leave items out.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

from google.protobuf.message import Message

from release_passport_server.domain.access import Principal
from release_passport_server.domain.errors import Invalid, Violation
from release_passport_server.domain.record import Page

DEFAULT_SIZE = 50
MAX_SIZE = 1000
MAX_TOKEN = 1024

_MARK = b"\x01"
_BINDING_BYTES = 16


def page_from_request(principal: Principal, method: str, request: Any) -> Page:
    """Return the part of a list that a request with `page_size` and `page_token` asks for.

    Raises Invalid `PAGE_TOKEN_INVALID` for a token of another tenant, method or filter, or for none of ours.
    """
    size = min(request.page_size, MAX_SIZE) if request.page_size > 0 else DEFAULT_SIZE
    if not request.page_token:
        return Page(size)
    return Page(size, _after(request.page_token, _binding(principal, method, request)))


def next_token(principal: Principal, method: str, request: Message, after: str) -> str:
    """Return the token for the part that begins after this key; empty at the end of the list."""
    if not after:
        return ""
    content = _MARK + _binding(principal, method, request) + after.encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _binding(principal: Principal, method: str, request: Message) -> bytes:
    asked = type(request)()
    asked.CopyFrom(request)
    for field in ("page_size", "page_token"):
        asked.ClearField(field)
    content = asked.SerializeToString(deterministic=True)
    head = f"{principal.tenant}\n{method}\n".encode()
    return hashlib.sha256(head + content).digest()[:_BINDING_BYTES]


def _after(token: str, binding: bytes) -> str:
    try:
        content = _decoded(token)
        after = content[1 + _BINDING_BYTES :].decode()
    except (binascii.Error, ValueError):
        raise _refused("is not a token that a list call returned") from None
    if content[:1] != _MARK or not after or "\x00" in after:
        raise _refused("is not a token that a list call returned")
    if content[1 : 1 + _BINDING_BYTES] != binding:
        raise _refused("belongs to another list: send it with the same method, filters and tenant")
    return after


def _decoded(token: str) -> bytes:
    if len(token) > MAX_TOKEN:
        raise ValueError("too long")
    padded = token.encode("ascii") + b"=" * (-len(token) % 4)
    content = base64.b64decode(padded, altchars=b"-_", validate=True)
    if base64.urlsafe_b64encode(content).rstrip(b"=").decode() != token:
        raise ValueError("not in canonical form")
    return content


def _refused(text: str) -> Invalid:
    violation = Violation("page_token", f"{text}; leave it out to begin at the start")
    return Invalid("PAGE_TOKEN_INVALID", f"page_token {violation.description}", violations=[violation])
