"""A receiver of notifications: it answers as a test says, and checks signatures by the text of Standard Webhooks."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.authority import Authority
from support.http_peer import Asked, Peer, Write, peer, reply

TAKEN = reply(status=204, reason="No Content")


@dataclass
class Receiver:
    """Who is told."""

    peer: Peer
    took: list[Asked] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, enough: Callable[[list[Asked]], bool], seconds: float = 30) -> list[Asked]:
        """Return what arrived, once it is enough."""
        async with asyncio.timeout(seconds):
            while not enough(self.took):
                self.came.clear()
                await self.came.wait()
        return list(self.took)


@asynccontextmanager
async def receiving(folder: Path, authority: Authority | None = None) -> AsyncIterator[Receiver]:
    """Run a receiver over TLS; its certificate is of the authority."""
    pair = (authority or Authority()).server()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*pair.write(folder, "receiver"))
    async with peer(TAKEN, context) as running:
        receiver = Receiver(running)
        receiver_answer(receiver, lambda _: TAKEN)
        yield receiver


def receiver_answer(receiver: Receiver, choose: Callable[[Asked], Any]) -> None:
    """Let the receiver answer each message as is chosen for it, and remember it."""

    async def answer(asked: Asked, write: Write) -> None:
        receiver.took.append(asked)
        receiver.came.set()
        await choose(asked)(asked, write)

    receiver.peer.answer = answer


def verified(asked: Asked, secret: str) -> bool:
    """Check a message as the text of the specification says; nothing of the server's code is used."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{asked.headers['webhook-id']}.{asked.headers['webhook-timestamp']}.".encode() + asked.body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = [one.split(",", 1) for one in asked.headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(value, expected) for version, value in given)


def body(asked: Asked) -> Any:
    """Return the body of a message."""
    return json.loads(asked.body)
