"""Calls to identity providers: JSON in small answers, over TLS, and no redirects."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, ProxyHandler, Request, build_opener

from release_passport.cli import exit_codes
from release_passport.cli.failure import CommandFailure
from release_passport.target import is_loopback

SECONDS = 20.0
MAX_ANSWER = 256 * 1024


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Follow none: what is sent is meant for one host."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, and the JSON object that came with it."""

    status: int
    body: Mapping[str, Any]


def checked_url(url: object, what: str) -> str:
    """Return a URL that secrets may be sent to; raise CommandFailure for one without TLS to another machine."""
    text = url if isinstance(url, str) else ""
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        host, parts = "", urlsplit("")
    if not host or parts.username or not text.isascii() or not text.isprintable() or " " in text:
        raise failed(f"{what} is not a URL")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise failed(f"{what} must begin with https://, not {text[:80]}")
    return text


def get(url: str, what: str, *, bearer: str = "") -> Answer:
    """Return the answer to a GET."""
    headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
    return _sent(Request(checked_url(url, what), headers=headers), what)  # noqa: S310 - the URL was checked.


def post(url: str, what: str, form: Mapping[str, str]) -> Answer:
    """Return the answer to a form that is posted."""
    return _sent(Request(checked_url(url, what), data=urlencode(form).encode()), what)  # noqa: S310 - as above.


def failed(text: str) -> CommandFailure:
    """Return the failure of a sign-in."""
    return CommandFailure(text, exit_codes.AUTH)


def _sent(request: Request, what: str) -> Answer:
    request.add_header("accept", "application/json")
    handlers: list[Any] = [_NoRedirects(), HTTPSHandler(context=ssl.create_default_context())]
    if is_loopback(request.host.rpartition(":")[0].strip("[]") or request.host):
        # A proxy from the environment must never see what is meant for this machine.
        handlers.append(ProxyHandler({}))
    try:
        try:
            with build_opener(*handlers).open(request, timeout=SECONDS) as response:
                status, raw = response.status, response.read(MAX_ANSWER + 1)
        except HTTPError as error:
            with error:
                status, raw = error.code, error.read(MAX_ANSWER + 1)
    except (OSError, HTTPException) as error:
        raise CommandFailure(f"{what} cannot be reached: {error}", exit_codes.UNREACHABLE) from error
    if len(raw) > MAX_ANSWER:
        raise failed(f"{what} answers more than {MAX_ANSWER} bytes")
    try:
        body = json.loads(raw) if raw.strip() else {}
    except (ValueError, RecursionError):
        raise failed(f"{what} answers {status} and no JSON") from None
    if not isinstance(body, dict):
        raise failed(f"{what} answers {status} and no JSON object")
    return Answer(status, body)
