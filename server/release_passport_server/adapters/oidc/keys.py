"""The public keys of an issuer: fetched when needed, remembered, and never believed for longer than an hour unseen."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from release_passport_server.adapters.oidc.issuer import Issuer
from release_passport_server.domain.errors import Unavailable
from release_passport_server.domain.outbound import OutboundError
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.http import HTTPClient, HTTPClients, HTTPRequest

logger = logging.getLogger(__name__)

MAX_DOCUMENT = 256 * 1024
MAX_KEYS = 64
SECONDS = 5.0
_JSON = ("application/json", "application/jwk-set+json")
_KINDS = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
_RSA_BITS = range(2048, 8193)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long keys are believed, and how often the issuer is asked."""

    # Older keys are renewed beside the calls that use them.
    fresh: timedelta = timedelta(minutes=10)
    # Keys that could not be renewed for so long count no longer.
    longest: timedelta = timedelta(hours=1)
    # An unknown key makes the issuer be asked so often at most, and so does an issuer that failed.
    pause: timedelta = timedelta(seconds=30)
    pause_after_failure: timedelta = timedelta(seconds=5)


class KeysRefused(Exception):
    """What the issuer serves cannot be used; the text says why."""


@dataclass(slots=True)
class IssuerKeys:
    """The keys of one issuer."""

    issuer: Issuer
    clients: HTTPClients
    clock: Clock
    patience: Patience = field(default_factory=Patience)
    _keys: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    _fetched: datetime | None = None
    _tried: datetime | None = None
    _failed: bool = False
    _fetching: asyncio.Task[None] | None = None

    async def find(self, key_id: str | None, algorithm: str) -> jwt.PyJWK | None:
        """Return the key that a token names, None for none; raise Unavailable where there are no keys to look in."""
        if self._older_than(self.patience.longest):
            await self._fetch(self.patience.pause_after_failure)
            if self._older_than(self.patience.longest):
                raise self._unavailable()
        elif self._named(key_id) is None:
            await self._fetch(self.patience.pause)
        elif self._older_than(self.patience.fresh):
            # Whoever asks now has keys that are good enough.
            self._begin(self.patience.pause)
        found = self._named(key_id)
        return None if found is None else _usable(found, algorithm)

    def _named(self, key_id: str | None) -> Mapping[str, object] | None:
        if key_id is None:
            # A token may leave the name out only where there is no choice.
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(key_id)

    def _older_than(self, age: timedelta) -> bool:
        # A clock that was set back must not keep old keys alive.
        return self._fetched is None or not timedelta(0) <= self.clock.now() - self._fetched < age

    async def _fetch(self, pause: timedelta) -> None:
        fetching = self._begin(pause)
        if fetching is not None:
            # Whoever gives up waiting does not take the keys from the others.
            await asyncio.shield(fetching)

    def _begin(self, pause: timedelta) -> asyncio.Task[None] | None:
        """Return the fetching under way, begun now unless that was tried a moment ago."""
        if self._fetching is None or self._fetching.done():
            pause = self.patience.pause_after_failure if self._failed else pause
            now = self.clock.now()
            if self._tried is not None and timedelta(0) <= now - self._tried < pause:
                return None
            self._tried = now
            self._fetching = asyncio.create_task(self._renew(), name=f"keys of {self.issuer.source.alias}")
        return self._fetching

    async def _renew(self) -> None:
        """Replace the keys; where that fails, those there are stay until they are too old."""
        asked = self.clock.now()
        try:
            self._keys = await fetch_keys(self.issuer, self.clients)
        except (OutboundError, KeysRefused, OSError, UnicodeError) as error:
            self._failed = True
            said = {"issuer": self.issuer.source.alias, "problem": str(error)[:500]}
            logger.warning("the keys of an issuer were not renewed", extra=said)
            return
        self._failed = False
        self._fetched = asked

    def _unavailable(self) -> Unavailable:
        text = f"the keys of {self.issuer.source.alias} cannot be had now, so its tokens cannot be checked: retry"
        return Unavailable("ISSUER_UNAVAILABLE", text, retry_after=self.patience.pause_after_failure.seconds)


async def fetch_keys(issuer: Issuer, clients: HTTPClients) -> Mapping[str, Mapping[str, object]]:
    """Return the keys that an issuer serves, by name; raise KeysRefused or OutboundError."""
    credential = ""
    if issuer.credential_file is not None:
        text = await asyncio.to_thread(issuer.credential_file.read_text, encoding="ascii")
        credential = f"Bearer {text.strip()}"
    async with clients.open(issuer.reach, issuer.ca_file) as client:
        url = issuer.keys_url or await _discovered(client, issuer, credential)
        document = await _document(client, url, credential)
    listed = document.get("keys")
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise KeysRefused(f"{url} is no list of at most {MAX_KEYS} keys")
    # A name that stands for two keys stands for none.
    names = [one.get("kid", "") for one in listed if isinstance(one, dict)]
    return {
        name: one
        for one in listed
        if isinstance(one, dict) and isinstance(name := one.get("kid", ""), str) and names.count(name) == 1
    }


async def _discovered(client: HTTPClient, issuer: Issuer, credential: str) -> str:
    url = f"{issuer.url.rstrip('/')}/.well-known/openid-configuration"
    document = await _document(client, url, credential)
    if document.get("issuer") != issuer.url:
        raise KeysRefused(f"{url} is of another issuer")
    keys_url = document.get("jwks_uri")
    if not isinstance(keys_url, str):
        raise KeysRefused(f"{url} does not say where the keys are")
    # The client goes nowhere but to the issuer's own host: another one has to be configured.
    return keys_url


async def _document(client: HTTPClient, url: str, credential: str) -> Mapping[str, object]:
    answer = await client.send(
        HTTPRequest(
            url, credential=credential, accept=_JSON, max_bytes=MAX_DOCUMENT, seconds=SECONDS, max_redirects=0
        )
    )
    if answer.status != 200:
        raise KeysRefused(f"{url} answers {answer.status}")
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise KeysRefused(f"{url} is no JSON") from error
    if not isinstance(document, dict):
        raise KeysRefused(f"{url} is no JSON object")
    return document


def _usable(given: Mapping[str, object], algorithm: str) -> jwt.PyJWK | None:
    """Return the key for an algorithm; None where it is of another kind, for another purpose, or weak."""
    for_signatures = given.get("use", "sig") == "sig" and "verify" in _list(given.get("key_ops", ["verify"]))
    fits = given.get("kty") == _KINDS[algorithm[:2]] and given.get("alg", algorithm) == algorithm
    # Who publishes its private key has no secret.
    if not for_signatures or not fits or "d" in given:
        return None
    try:
        made = jwt.PyJWK(dict(given), algorithm=algorithm)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    if isinstance(made.key, rsa.RSAPublicKey) and made.key.key_size not in _RSA_BITS:
        return None
    return made


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
