"""Signed webhooks (https://www.standardwebhooks.com): id, time and body under an HMAC that the receiver can check."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime
from pathlib import Path

from release_passport_server.domain.outbound import Origin, OutboundError, OutboundFailure, Reach
from release_passport_server.ports.http import HTTPClients, HTTPRequest

MARK = "whsec_"
MIN_SECRET = 24
SECONDS = 10.0
MAX_ANSWER = 64 * 1024


class SecretInvalid(ValueError):
    """A secret cannot sign; the text says what is wrong with it."""


class SignedWebhook:
    """Posts messages to one URL."""

    def __init__(
        self,
        clients: HTTPClients,
        url: str,
        secret: bytes,
        *,
        internal: bool = False,
        ca_file: Path | None = None,
    ) -> None:
        self._clients = clients
        self._url = url
        self._secret = secret
        self._reach = Reach((Origin.of(url, internal=internal),))
        self._ca_file = ca_file

    async def deliver(self, message_id: str, time: datetime, body: bytes) -> None:
        """Return once the receiver answered 2xx; raise OutboundError where it did not."""
        seconds = str(int(time.timestamp()))
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": seconds,
            "webhook-signature": signature(self._secret, message_id, seconds, body),
        }
        request = HTTPRequest(
            self._url, "POST", headers, body=body, max_bytes=MAX_ANSWER, seconds=SECONDS, max_redirects=0
        )
        async with self._clients.open(self._reach, self._ca_file) as client:
            answer = await client.send(request)
        if not 200 <= answer.status < 300:
            text = f"{self._reach.origins[0]} answered {answer.status} to a webhook"
            raise OutboundError(OutboundFailure.STATUS_UNEXPECTED, text, status=answer.status)


def signature(secret: bytes, message_id: str, seconds: str, body: bytes) -> str:
    """Return the signature of a message, as its header has it."""
    signed = b".".join((message_id.encode(), seconds.encode(), body))
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


def secret_of(text: str) -> bytes:
    """Return the key of a secret `whsec_…`; raise SecretInvalid for one that is none, or too short."""
    stripped = text.strip()
    if not stripped.startswith(MARK):
        raise SecretInvalid(f"does not begin with {MARK}")
    try:
        key = base64.b64decode(stripped.removeprefix(MARK), validate=True)
    except binascii.Error as error:
        raise SecretInvalid(f"is not base64 after {MARK}") from error
    if len(key) < MIN_SECRET:
        raise SecretInvalid(f"holds {len(key)} bytes; {MIN_SECRET} are the least")
    return key
