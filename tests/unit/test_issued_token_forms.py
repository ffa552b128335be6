"""Whatever somebody sends as a token, the answer is yes or no, and nothing breaks."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

import jwt
from hypothesis import example, given, settings
from hypothesis import strategies as st

from release_passport_server.adapters.oidc.issuer import Issuer
from release_passport_server.adapters.oidc.verifier import IssuedTokens
from release_passport_server.domain.access import is_principal
from release_passport_server.domain.errors import Unauthenticated
from release_passport_server.domain.identity import Admission, Kind, Source, identify
from support.issuer import encoded, rsa_key
from support.issuer_web import URL, Hand, Web

PEOPLE = Source(
    "corp",
    Kind.PERSON,
    "{sub}",
    (Admission("acme", {"team": ("a*",)}), Admission("acme", {})),
    {},
    "groups",
    ("email",),
)
ISSUER = Issuer(URL, "here", ("RS256",), PEOPLE)
NOW = Hand().now()
GOOD: dict[str, object] = {
    "iss": URL,
    "aud": "here",
    "sub": "ada",
    "iat": int(NOW.timestamp()),
    "exp": int((NOW + timedelta(minutes=5)).timestamp()),
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NAMES = st.sampled_from([*GOOD, "nbf", "jti", "groups", "email", "email_verified", "team"])
HEADERS = st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5c", "zip"])


def asked(text: str) -> str:
    """Return whom a token is about, empty where it is refused; anything else breaks the test."""

    async def ask() -> str:
        tokens = IssuedTokens((ISSUER,), Web(), Hand())
        if not tokens.may_be_token(text):
            return ""
        vouched = await tokens.verify(text)
        return identify(vouched.source, vouched.claims).principal

    with suppress(Unauthenticated):
        return asyncio.run(ask())
    return ""


def signed(claims: dict[str, object], headers: dict[str, object]) -> str:
    """Return a token that its issuer has signed over these claims."""
    head = encoded({"alg": "RS256", "kid": "old", **headers})
    part = f"{head}.{encoded(claims)}"
    algorithm = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256)
    return f"{part}.{encoded(algorithm.sign(part.encode(), rsa_key()))}"


def test_a_good_token_is_good() -> None:
    assert asked(signed(GOOD, {})) == "user:corp/ada"


@settings(max_examples=150, deadline=None)
@given(
    changes=st.dictionaries(NAMES, VALUES, max_size=4), headers=st.dictionaries(HEADERS, VALUES, max_size=2)
)
@example(changes={"sub": "\ud800"}, headers={})
@example(changes={"exp": 1e308}, headers={})
@example(changes={"iat": -1}, headers={})
def test_signed_claims_of_any_form(changes: dict[str, object], headers: dict[str, object]) -> None:
    principal = asked(signed(GOOD | changes, headers))
    assert not principal or is_principal(principal)


@settings(max_examples=150, deadline=None)
@given(
    st.text(max_size=200)
    | st.lists(st.binary(max_size=60), min_size=3, max_size=3).map(lambda p: "ey" + ".".join(map(encoded, p)))
    | st.tuples(VALUES, VALUES).map(lambda p: f"{encoded(p[0])}.{encoded(p[1])}.{encoded(b'x')}")
)
def test_text_of_any_form(text: str) -> None:
    assert asked(text) == ""
