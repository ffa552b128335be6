"""What a signed token of a configured issuer proves (RFC 7519, with the advice of RFC 8725)."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import jwt

from release_passport_server.adapters.oidc.issuer import Issuer
from release_passport_server.adapters.oidc.keys import IssuerKeys, Patience
from release_passport_server.adapters.oidc.review import review
from release_passport_server.domain.identity import not_accepted
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.http import HTTPClients
from release_passport_server.ports.identity import Vouched

# Larger metadata is refused by the core of gRPC, in part.
MAX_TOKEN = 7 * 1024
# What a ban can name.
_CREDENTIAL = re.compile(r"[\x21-\x7e]{1,200}")
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
# Other kinds of signed JSON, such as a note that somebody has signed out, are no credentials.
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_REQUIRED = ("iss", "sub", "aud", "exp", "iat")
# Times are checked here, by the server's own clock.
_OPTIONS = {
    "require": list(_REQUIRED),
    "verify_signature": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}
_LAST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


@dataclass(slots=True)
class IssuedTokens:
    """Verifies the tokens of the configured issuers; see the port."""

    issuers: Sequence[Issuer]
    clients: HTTPClients
    clock: Clock
    patience: Patience = field(default_factory=Patience)
    _keys: dict[str, IssuerKeys] = field(default_factory=dict)

    def may_be_token(self, text: str) -> bool:
        """Say whether a text has the form of a signed token."""
        return bool(self.issuers) and text.count(".") == 2 and text.startswith("ey")

    async def verify(self, text: str) -> Vouched:
        """Return what the token proves; raise Unauthenticated, or Unavailable where its issuer's keys cannot be had."""
        if len(text) > MAX_TOKEN or not _FORM.fullmatch(text):
            raise not_accepted(f"it is no signed token of at most {MAX_TOKEN} characters")
        head, body, _ = text.split(".")
        header, unproved = _object(head), _object(body)
        issuer = self._issuer(unproved)
        algorithm = _algorithm(header, issuer)
        claims = await self._proved(text, issuer, algorithm, header.get("kid"))
        expire_time = _lifetime(claims, issuer, self.clock.now())
        if issuer.review is not None:
            await review(issuer, self.clients, text, claims)
        return Vouched(issuer.source, claims, expire_time, _name_of(claims))

    def _issuer(self, unproved: Mapping[str, object]) -> Issuer:
        """Return the issuer that the token says it is of, by its audience where several entries share one."""
        named = [one for one in self.issuers if one.url == unproved.get("iss")]
        if not named:
            raise not_accepted("its issuer is not one that this server knows")
        audiences = _audiences(unproved)
        for one in named:
            if one.audience in audiences:
                if one.only_audience and len(audiences) > 1:
                    raise not_accepted("it is for other audiences besides this server")
                return one
        raise not_accepted(f"it is for another audience: ask for one with the audience {named[0].audience}")

    async def _proved(
        self, text: str, issuer: Issuer, algorithm: str, key_id: object
    ) -> Mapping[str, object]:
        """Return the claims whose signature is the issuer's; they are those that were looked at unproved."""
        keys = self._keys.setdefault(
            issuer.source.alias, IssuerKeys(issuer, self.clients, self.clock, self.patience)
        )
        if key_id is not None and not isinstance(key_id, str):
            raise not_accepted("the name of its key is no text")
        key = await keys.find(key_id, algorithm)
        if key is None:
            raise not_accepted(f"{issuer.source.alias} has no such key for it")
        try:
            claims: Mapping[str, object] = jwt.decode(text, key, algorithms=[algorithm], options=_OPTIONS)  # type: ignore[arg-type]  # The names are those of the library's TypedDict.
        except jwt.MissingRequiredClaimError as error:
            raise not_accepted(f"it has no {error.claim}") from None
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise not_accepted("its signature is not good") from None
        return claims


def _object(part: str) -> Mapping[str, object]:
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        raise not_accepted("it cannot be read") from None
    if not isinstance(found, dict):
        raise not_accepted("it cannot be read")
    return found


def _algorithm(header: Mapping[str, object], issuer: Issuer) -> str:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in issuer.algorithms:
        raise not_accepted(f"its algorithm is not one that {issuer.source.alias} is trusted with")
    if "crit" in header:
        raise not_accepted("it demands what this server does not know")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise not_accepted("it is of another type than a credential")
    return algorithm


def _audiences(claims: Mapping[str, object]) -> list[str]:
    given = claims.get("aud")
    if isinstance(given, str):
        return [given]
    if isinstance(given, list) and all(isinstance(one, str) for one in given):
        return given
    raise not_accepted("it has no audience")


def _lifetime(claims: Mapping[str, object], issuer: Issuer, now: datetime) -> datetime:
    """Return until when the token counts; raise Unauthenticated before its time, after it, or for one without end."""
    end, begin = _second(claims, "exp"), _second(claims, "iat")
    seconds, leeway = now.timestamp(), issuer.leeway.total_seconds()
    if seconds >= end + leeway:
        raise not_accepted("it has expired")
    if max(begin, _second(claims, "nbf") if "nbf" in claims else begin) > seconds + leeway:
        raise not_accepted("it is not valid yet")
    if end - begin > issuer.longest_life.total_seconds():
        hours = issuer.longest_life.total_seconds() / 3600
        raise not_accepted(f"it lives longer than the {hours:g} h that {issuer.source.alias} may give")
    return datetime.fromtimestamp(end, UTC) + issuer.leeway


def _second(claims: Mapping[str, object], name: str) -> float:
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LAST:
        raise not_accepted(f"its {name} is no time")
    return value


def _name_of(claims: Mapping[str, object]) -> str:
    """Return what the issuer calls the token."""
    name = claims.get("jti")
    if name is None:
        return ""
    if not isinstance(name, str) or not _CREDENTIAL.fullmatch(name):
        raise not_accepted("its jti is no text of at most 200 visible ASCII characters")
    return name
