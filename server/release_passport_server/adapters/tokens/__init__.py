"""API tokens: how a secret is made, written, read back and compared."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

PREFIX = "rp1_"
SECRET_BYTES = 32

# 256 bits in URL-safe base 64 are 43 characters; the last one carries four bits, so only these are canonical.
_TOKEN = re.compile(r"rp1_([0-7][0-9abcdefghjkmnpqrstvwxyz]{25})_([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])")
_TOKEN_LENGTH = 4 + 26 + 1 + 43


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """What a caller shows: the token's id and the secret, which never appears in a representation."""

    token_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token: the text to show once, and the hash to keep."""

    text: str = field(repr=False)
    secret_hash: bytes


def issue_token(token_id: str) -> IssuedToken:
    """Return a new token under this ULID, with 256 random bits as its secret."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    return IssuedToken(f"{PREFIX}{token_id.lower()}_{secret}", hash_secret(secret))


def parse_token(text: str) -> PresentedToken | None:
    """Return the parts of a token, or None for a text that cannot be one; its time does not depend on its length."""
    if len(text) != _TOKEN_LENGTH:
        return None
    match = _TOKEN.fullmatch(text)
    return None if match is None else PresentedToken(match[1].upper(), match[2])


def hash_secret(secret: str) -> bytes:
    """Return what is kept of a secret."""
    # A plain hash is enough: nobody guesses 256 random bits, and a slow hash would let callers exhaust the server.
    return hashlib.sha256(secret.encode("ascii")).digest()


def secret_matches(token: PresentedToken, secret_hash: bytes) -> bool:
    """Say whether the secret is the one that was hashed, in a time that does not depend on where they differ."""
    return hmac.compare_digest(hash_secret(token.secret), secret_hash)
