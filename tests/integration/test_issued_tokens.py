"""Tokens of issuers against a whole server: who comes in, and what nobody comes in with."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
import jwt
import pytest
import pytest_asyncio
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa

from release_passport.v1 import access_pb2, access_service_pb2
from release_passport_server.transport.grpc.methods import all_methods
from support.calls import Caller
from support.issuer import AUDIENCE, Issuer, encoded, issuer, public_jwk, public_pem, rsa_key
from support.server import RealServer, real_server

WHO_AM_I = access_service_pb2.WhoAmIRequest()
DAY = 24 * 3600
OTHERS_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True)
class Place:
    """A server that trusts an issuer, and another issuer that it does not trust."""

    server: RealServer
    idp: Issuer
    other: Issuer

    async def refusal(self, token: str) -> tuple[grpc.StatusCode, str]:
        """Return how a call with the token is refused."""
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await self.ask(token)
        return refused.value.code(), refused.value.details() or ""

    async def ask(self, token: str) -> Any:
        """Return who the server takes the token's holder for."""
        stub = self.server.stub("AccessService")
        return await stub.WhoAmI(WHO_AM_I, metadata=(("authorization", f"Bearer {token}"),))


def entry(of: Issuer, **changes: object) -> dict[str, object]:
    """Return what is configured of an issuer of people."""
    usual = {"alias": "corp", "preset": "people", "issuer": of.url, "audience": AUDIENCE, "internal": True}
    return {**usual, "admit": [{"tenant": "default"}], **changes}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    folder = tmp_path_factory.mktemp("issued")
    async with issuer() as idp, issuer() as other:
        idp.keys.append(public_jwk(rsa_key(1), "for-encryption", use="enc"))
        idp.keys.append({"kty": "oct", "kid": "secret", "k": encoded(b"x" * 32)})
        idp.keys.append(public_jwk(OTHERS_KEY, "twice"))
        idp.keys.append(public_jwk(rsa_key(1), "twice"))
        narrow = entry(
            idp,
            alias="narrow",
            audience="narrow",
            only_audience=True,
            require={"email_verified": True},
            admit=[
                {"tenant": "default", "when": {"team": ["shop", "infra-*"]}},
                {"tenant": "nowhere", "when": {"team": "lost"}},
            ],
        )
        path = folder / "identities.yaml"
        path.write_text(yaml.safe_dump({"issuers": [entry(idp), narrow]}), encoding="utf-8")
        async with real_server(folder, authentication={"file": path}) as server:
            yield Place(server, idp, other)


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_person_is_who_their_issuer_says(place: Place) -> None:
    me = await place.ask(place.idp.token(groups=["ops"]))
    assert (me.principal, me.tenant, list(me.roles)) == ("user:corp/ada", "default", [])


async def test_a_token_comes_in_over_http_too(place: Place) -> None:
    url = f"http://127.0.0.1:{place.server.process.http_port}/release_passport.v1.AccessService/WhoAmI"
    async with httpx.AsyncClient() as client:
        good = await client.post(
            url, json={}, headers={"authorization": f"Bearer {place.idp.token(sub='eve')}"}
        )
        bad = await client.post(url, json={}, headers={"authorization": f"Bearer {place.other.token()}"})
    assert good.json()["principal"] == "user:corp/eve"
    assert bad.status_code == 401


async def test_what_is_answered_to_everybody_is_a_short_list(place: Place) -> None:
    base = f"http://127.0.0.1:{place.server.process.http_port}"
    async with httpx.AsyncClient(base_url=base) as client:
        for path in ("/livez", "/readyz", "/metrics", "/.well-known/release-passport-keys.json"):
            assert (await client.get(path)).status_code == 200
        closed = [f"/log/default/{path}" for path in ("checkpoint", "tile/0/000")]
        assert [(await client.get(path)).status_code for path in closed] == [401, 401]
        calls = [method.path for method in all_methods() if method.unary]
        assert {(await client.post(path, json={})).status_code for path in calls} == {401}


def confused(of: Issuer) -> str:
    """Return a token signed with the issuer's public key as if that were a shared secret."""
    import hashlib
    import hmac

    head = encoded({"alg": "HS256", "typ": "JWT", "kid": of.key_id})
    signed = f"{head}.{encoded(of.claims())}"
    digest = hmac.new(public_pem(of.key), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{encoded(digest)}"


def unsigned(of: Issuer, algorithm: str = "none") -> str:
    """Return a token that nobody has signed."""
    return f"{encoded({'alg': algorithm, 'kid': of.key_id})}.{encoded(of.claims())}."


def changed(of: Issuer) -> str:
    """Return a good token whose claims were changed afterwards."""
    head, _, signature = of.token().split(".")
    return f"{head}.{encoded(of.claims(sub='admin'))}.{signature}"


def now(of: Issuer) -> int:
    return int(of.claims()["iat"])


REFUSED: dict[str, tuple[Callable[[Issuer], str], str]] = {
    "algorithm confusion": (confused, "algorithm"),
    "no algorithm": (unsigned, "algorithm"),
    "no algorithm, in other letters": (lambda i: unsigned(i, "NoNe"), "algorithm"),
    "good algorithm without signature": (lambda i: unsigned(i, "RS256"), "signature"),
    "an algorithm that is not pinned": (lambda i: i.token(headers={"alg": "RS512"}), "algorithm"),
    "claims changed": (changed, "signature"),
    "another's key under the same name": (lambda i: i.token(key=OTHERS_KEY), "signature"),
    "a key that is not there": (lambda i: i.token(headers={"kid": "k9"}), "no such key"),
    "a key for encryption": (
        lambda i: i.token(key=rsa_key(1), headers={"kid": "for-encryption"}),
        "no such key",
    ),
    "a shared secret as key": (lambda i: i.token(headers={"kid": "secret"}), "no such key"),
    "a name that two keys have": (lambda i: i.token(key=OTHERS_KEY, headers={"kid": "twice"}), "no such key"),
    "no key named among several": (lambda i: i.token(headers={"kid": None}), "no such key"),
    "a path as key": (lambda i: i.token(headers={"kid": "../../dev/null"}), "no such key"),
    "its own key brought along": (
        lambda i: i.token(key=OTHERS_KEY, headers={"jwk": public_jwk(OTHERS_KEY, "k1")}),
        "signature",
    ),
    "its own place of keys": (
        lambda i: i.token(key=OTHERS_KEY, headers={"jku": "http://127.0.0.1:1/keys"}),
        "signature",
    ),
    "a demand that is not known": (lambda i: i.token(headers={"crit": ["exp"], "exp": 1}), "demands"),
    "another type": (lambda i: i.token(headers={"typ": "logout+jwt"}), "type"),
    "no end": (lambda i: i.token(exp=None), "no exp"),
    "no begin": (lambda i: i.token(iat=None), "no iat"),
    "no audience": (lambda i: i.token(aud=None), "no audience"),
    "no subject": (lambda i: i.token(sub=None), "no sub"),
    "no issuer": (lambda i: i.token(iss=None), "issuer"),
    "a foreign issuer": (lambda i: i.token(iss="https://elsewhere.test"), "issuer"),
    "an issuer with a slash more": (lambda i: i.token(iss=f"{i.url}/"), "issuer"),
    "another audience": (lambda i: i.token(aud="https://other.test"), "another audience"),
    "an empty list of audiences": (lambda i: i.token(aud=[]), "another audience"),
    "audiences that are no texts": (lambda i: i.token(aud=[AUDIENCE, 7]), "no audience"),
    "several audiences where one is asked": (
        lambda i: i.token(aud=["narrow", "https://other.test"], team="shop", email_verified=True),
        "other audiences",
    ),
    "expired": (lambda i: i.token(iat=now(i) - 700, exp=now(i) - 61), "expired"),
    "not valid yet": (lambda i: i.token(nbf=now(i) + 120), "not valid yet"),
    "issued in the future": (lambda i: i.token(iat=now(i) + 120), "not valid yet"),
    "too long a life": (lambda i: i.token(exp=now(i) + DAY + 60), "lives longer"),
    "an end that is a text": (lambda i: i.token(exp=str(now(i) + 60)), "exp"),
    "an end that is true": (lambda i: i.token(exp=True), "exp"),
    "an end beyond time": (lambda i: i.token(exp=10**30), "exp"),
    "an end that is no number": (
        lambda i: raw(i, json.dumps(i.claims()).replace(str(i.claims()["exp"]), "NaN")),
        "exp",
    ),
    "a subject that is a list": (lambda i: i.token(sub=["ada"]), "sub"),
    "a subject with a line break": (lambda i: i.token(sub="ada\nadmin"), "characters"),
    "a subject with a star": (lambda i: i.token(sub="*"), "characters"),
    "a subject too long": (lambda i: i.token(sub="a" * 201), "characters"),
    "an empty subject": (lambda i: i.token(sub=""), "sub"),
    "a claim missing that is asked": (lambda i: i.token(aud="narrow", team="shop"), "email_verified"),
    "a claim with another value": (
        lambda i: i.token(aud="narrow", team="shop", email_verified=False),
        "email_verified",
    ),
    "no rule for it": (lambda i: i.token(aud="narrow", team="sales", email_verified=True), "no rule"),
    "a tenant that does not exist": (
        lambda i: i.token(aud="narrow", team="lost", email_verified=True),
        "tenant",
    ),
    "larger than a token may be": (lambda i: i.token(filler="x" * 5200), "at most 7168"),
    "nested without end": (lambda i: raw(i, "[" * 4000), "cannot be read"),
    "a list of claims": (lambda i: raw(i, "[]"), "cannot be read"),
    "no JSON": (lambda i: f"eyJ.{encoded(b'x')}.{encoded(b'x')}", "cannot be read"),
    "a jti that is too long": (lambda i: i.token(jti="j" * 201), "jti"),
    "a jti that no ban could name": (lambda i: i.token(jti="a b"), "jti"),
    "characters that a token cannot have": (lambda i: i.token() + "=", "no signed token"),
    "five parts, as an encrypted one has": (lambda i: "eyJ.a.b.c.d", "unknown, expired or revoked"),
}


def raw(of: Issuer, body: str) -> str:
    """Return a well-signed token with this body, whatever that is."""
    return jwt.api_jws.PyJWS().encode(body.encode(), of.key, "RS256", {"kid": of.key_id})


@pytest.mark.parametrize("name", REFUSED)
async def test_what_nobody_comes_in_with(place: Place, name: str) -> None:
    make, why = REFUSED[name]
    code, text = await place.refusal(make(place.idp))
    assert (code, why in text) == (grpc.StatusCode.UNAUTHENTICATED, True), text


async def test_a_token_of_an_issuer_that_is_not_configured_is_refused_unasked(place: Place) -> None:
    code, text = await place.refusal(place.other.token())
    assert code is grpc.StatusCode.UNAUTHENTICATED
    assert "issuer" in text
    assert place.other.there.asked == []


async def test_unknown_keys_make_the_issuer_be_asked_once_in_a_while(place: Place) -> None:
    before = place.idp.fetched
    for number in range(5):
        await place.refusal(place.idp.token(headers={"kid": f"unknown-{number}"}))
    assert place.idp.fetched <= before + 1


@pytest.mark.parametrize(
    "header",
    ["x-forwarded-user", "x-remote-user", "x-forwarded-client-cert", "x-ssl-client-cert", "x-tenant"],
)
async def test_headers_that_proxies_set_prove_nothing(place: Place, header: str) -> None:
    stub = place.server.stub("AccessService")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.WhoAmI(WHO_AM_I, metadata=((header, "user:admin"),))
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    me = await stub.WhoAmI(
        WHO_AM_I,
        metadata=((header, "user:admin"), ("authorization", f"Bearer {place.idp.token(sub='eve')}")),
    )
    assert me.principal == "user:corp/eve"


async def test_two_authorizations_are_refused(place: Place) -> None:
    stub = place.server.stub("AccessService")
    shown = tuple(("authorization", f"Bearer {one}") for one in (place.idp.token(), place.server.token))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.WhoAmI(WHO_AM_I, metadata=shown)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_rules_choose_the_tenant_by_claims(place: Place) -> None:
    for team in ("shop", "infra-dns"):
        token = place.idp.token(aud="narrow", team=team, email_verified=True)
        assert (await place.ask(token)).principal == "user:narrow/ada"


async def test_roles_of_whom_an_issuer_vouches_for_count_and_no_api_token_speaks_for_them(
    place: Place,
) -> None:
    admin = Caller(place.server, place.server.token)
    binding = access_pb2.RoleBinding(principal="user:corp/rita", role="admin")
    await admin("CreateRoleBinding", access_service_pb2.CreateRoleBindingRequest(role_binding=binding))
    rita = Caller(place.server, place.idp.token(sub="rita"))
    again = access_pb2.RoleBinding(principal="user:corp/grace", role="viewer")
    made = await rita("CreateRoleBinding", access_service_pb2.CreateRoleBindingRequest(role_binding=again))
    assert made.role_binding.creator == "user:corp/rita"
    stolen = access_pb2.APIToken(principal="user:corp/rita")
    failure = await admin.refused(
        "CreateAPIToken", access_service_pb2.CreateAPITokenRequest(api_token=stolen)
    )
    assert failure.fields == ("api_token.principal",)


async def test_a_ban_of_one_token_leaves_the_others(place: Place) -> None:
    admin = Caller(place.server, place.server.token)
    stolen = place.idp.token(sub="joan", jti="stolen")
    await place.ask(stolen)
    ban = access_pb2.Ban(principal="user:corp/joan", credential="stolen", reason="lost with a laptop")
    made = await admin("CreateBan", access_service_pb2.CreateBanRequest(ban=ban))
    assert "banned" in (await place.refusal(stolen))[1]
    assert (await place.ask(place.idp.token(sub="joan", jti="other"))).principal == "user:corp/joan"
    await admin("EndBan", access_service_pb2.EndBanRequest(name=made.ban.name))
    assert (await place.ask(stolen)).principal == "user:corp/joan"


async def test_a_ban_of_a_principal_ends_all_its_credentials(place: Place) -> None:
    admin = Caller(place.server, place.server.token)
    tokens = [place.idp.token(sub="mallory", jti=jti) for jti in ("a", "b")]
    for token in tokens:
        await place.ask(token)
    ban = access_pb2.Ban(principal="user:corp/mallory", reason="left the company")
    await admin("CreateBan", access_service_pb2.CreateBanRequest(ban=ban))
    for token in tokens:
        assert "banned" in (await place.refusal(token))[1]
    listed = await admin("ListBans", access_service_pb2.ListBansRequest(principal="user:corp/mallory"))
    assert [one.reason for one in listed.bans] == ["left the company"]


async def test_nobody_bans_themselves(place: Place) -> None:
    admin = Caller(place.server, place.server.token)
    ban = access_pb2.Ban(principal="user:admin", reason="out of spite, today")
    failure = await admin.refused("CreateBan", access_service_pb2.CreateBanRequest(ban=ban))
    assert failure.reason == "SELF_BAN"


async def test_an_issuer_that_does_not_answer_makes_the_call_unavailable_and_no_verdict(
    tmp_path: Path,
) -> None:
    async with issuer() as idp:
        idp.instead["/keys"] = b"x" * (300 * 1024)
        path = tmp_path / "identities.yaml"
        path.write_text(yaml.safe_dump({"issuers": [entry(idp)]}), encoding="utf-8")
        async with real_server(tmp_path, authentication={"file": path}) as server:
            stub = server.stub("AccessService")
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.WhoAmI(WHO_AM_I, metadata=(("authorization", f"Bearer {idp.token()}"),))
            assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
            me = await stub.WhoAmI(WHO_AM_I, metadata=(("authorization", f"Bearer {server.token}"),))
            assert me.principal == "user:admin"
