"""Posts notifications, signed by the rules of Standard Webhooks, through the guarded client."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

from release_passport_server.adapters.http.webhook import MAX_ANSWER, SECONDS, signature
from release_passport_server.domain.notice_format import Message
from release_passport_server.domain.notices import Answer
from release_passport_server.domain.outbound import Origin, OriginInvalid, OutboundError, Reach
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.http import HTTPClients, HTTPRequest, HTTPResponse


class GuardedSender:
    """Sends; see the port. Origins that the server's settings name may be internal, and without TLS."""

    def __init__(
        self,
        clients: HTTPClients,
        clock: Clock,
        allowed: Sequence[Origin] = (),
        ca_file: Path | None = None,
        *,
        seconds: float = SECONDS,
    ) -> None:
        self._clients = clients
        self._clock = clock
        self._allowed = tuple(allowed)
        self._ca_file = ca_file
        self._seconds = seconds

    def check(self, url: str) -> str:
        """Return what is wrong with an address, empty where it may be gone to."""
        try:
            origin = self._origin(url)
        except OriginInvalid as error:
            return str(error)
        if origin.scheme != "https" and origin not in self._allowed:
            return "does not begin with https:// (the server's setting notifications.internal_origins allows others)"
        return "has a fragment, which is never sent" if "#" in url else ""

    async def send(self, url: str, message: Message, secrets: Sequence[bytes]) -> Answer:
        """Return what came of it; a receiver that is away is an answer too."""
        now = self._clock.now()
        seconds = str(int(now.timestamp()))
        signed = " ".join(signature(one, message.id, seconds, message.body) for one in secrets)
        headers = {
            **message.headers,
            "webhook-id": message.id,
            "webhook-timestamp": seconds,
            "webhook-signature": signed,
        }
        if problem := self.check(url):
            return Answer(failure=f"URL_REFUSED: the address {problem}")
        request = HTTPRequest(
            url,
            "POST",
            headers,
            body=message.body,
            max_bytes=MAX_ANSWER,
            seconds=self._seconds,
            max_redirects=0,
        )
        try:
            async with self._clients.open(Reach((self._origin(url),)), self._ca_file) as client:
                answer = await client.send(request)
        except OutboundError as error:
            return Answer(error.status, str(error))
        if 200 <= answer.status < 300:
            return Answer(answer.status)
        return Answer(answer.status, f"the receiver answered {answer.status}", retry_after(answer, now))

    def _origin(self, url: str) -> Origin:
        asked = Origin.of(url)
        return next((one for one in self._allowed if one.is_same(asked)), asked)


def retry_after(answer: HTTPResponse, now: datetime) -> timedelta | None:
    """Return how long a receiver asks to be left alone, in either form of the header."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isdecimal() and len(text) < 10:
        return timedelta(seconds=int(text))
    try:
        time = parsedate_to_datetime(text)
    except ValueError:
        return None
    return None if time.tzinfo is None else max(time - now, timedelta(0))
