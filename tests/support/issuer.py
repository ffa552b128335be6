"""An issuer of signed tokens on this machine, whose keys and answers a test can change."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from support.http_peer import Asked, Peer, Write, peer, reply

AUDIENCE = "https://passport.test"
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
_RSA = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]


def rsa_key(number: int = 0) -> rsa.RSAPrivateKey:
    """Return one of two keys; making one takes long."""
    return _RSA[number]


def public_jwk(key: Key, key_id: str, **changes: object) -> dict[str, Any]:
    """Return the public half as an issuer publishes it."""
    made: dict[str, Any]
    if isinstance(key, rsa.RSAPrivateKey):
        made = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        made = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        made = jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**made, "kid": key_id, "use": "sig", **changes}


def public_pem(key: Key) -> bytes:
    """Return the public half in PEM."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def encoded(value: object) -> str:
    """Return a part of a token, whatever it is made of."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass(slots=True)
class Issuer:
    """The running issuer."""

    there: Peer
    key: Key = field(default_factory=rsa_key)
    key_id: str = "k1"
    keys: list[dict[str, Any]] = field(default_factory=list)
    # What is answered in place of the documents, by path.
    instead: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keys = [public_jwk(self.key, self.key_id)]

    @property
    def url(self) -> str:
        """Return the value of `iss`."""
        return self.there.url("").rstrip("/")

    @property
    def fetched(self) -> int:
        """Return how often the keys were asked for."""
        return sum(asked.target == "/keys" for asked in self.there.asked)

    def claims(self, **changes: object) -> dict[str, Any]:
        """Return good claims with changes; None leaves one out."""
        now = int(datetime.now(UTC).timestamp())
        good = {"iss": self.url, "aud": AUDIENCE, "sub": "ada", "iat": now, "exp": now + 600, "jti": "t-1"}
        return {name: value for name, value in (good | changes).items() if value is not None}

    def token(self, *, key: Any = None, headers: Mapping[str, Any] | None = None, **changes: object) -> str:
        """Return a signed token."""
        given = {"kid": self.key_id, **(headers or {})}
        algorithm = str(given.pop("alg", "RS256"))
        kept = {name: value for name, value in given.items() if value is not None}
        return jwt.encode(self.claims(**changes), key or self.key, algorithm, kept)

    async def answer(self, asked: Asked, write: Write) -> None:
        """Answer as an issuer does."""
        documents = {
            "/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": f"{self.url}/keys"},
            "/keys": {"keys": self.keys},
        }
        told = self.instead.get(asked.target, documents.get(asked.target))
        if callable(told):
            await told(asked, write)
        elif told is None:
            await reply(status=404)(asked, write)
        else:
            body = told if isinstance(told, bytes) else json.dumps(told).encode()
            await reply(body, content_type="application/json")(asked, write)


@asynccontextmanager
async def issuer() -> AsyncIterator[Issuer]:
    """Run an issuer on the loopback address."""
    async with peer(reply()) as there:
        made = Issuer(there)
        there.answer = made.answer
        yield made
