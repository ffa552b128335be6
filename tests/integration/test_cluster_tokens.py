"""Tokens of Kubernetes service accounts: keys behind a credential, and the API server's word that one still counts."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml

from release_passport.v1 import access_service_pb2
from support.http_peer import Asked, Write, reply
from support.issuer import AUDIENCE, Issuer, issuer
from support.server import RealServer, bearer, real_server

REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
POD: dict[str, Any] = {
    "sub": "system:serviceaccount:shop:deployer",
    "aud": [AUDIENCE],
    "kubernetes.io": {"namespace": "shop", "serviceaccount": {"name": "deployer", "uid": "u-1"}},
}
GOOD: dict[str, Any] = {"authenticated": True, "user": {"username": POD["sub"]}, "audiences": [AUDIENCE]}


@asynccontextmanager
async def cluster(folder: Path, **changes: object) -> AsyncIterator[tuple[Issuer, RealServer]]:
    """Run an API server that gives and reviews tokens, and a server that trusts it."""
    async with issuer() as api:
        (folder / "own-token").write_text("of-the-server\n", encoding="ascii")
        entry = {
            "alias": "prod",
            "preset": "kubernetes",
            "issuer": api.url,
            "audience": AUDIENCE,
            "internal": True,
            "credential_file": str(folder / "own-token"),
            "admit": [{"tenant": "default"}],
            **changes,
        }
        path = folder / "identities.yaml"
        path.write_text(yaml.safe_dump({"issuers": [entry]}), encoding="utf-8")
        async with real_server(folder, authentication={"file": path}) as server:
            yield api, server


# Answers of an API server that are no yes.
NO: tuple[dict[str, Any], ...] = (
    {"authenticated": False},
    {"authenticated": "true"},
    {"audiences": []},
    {"audiences": ["https://other.test"]},
    {"user": {"username": "system:serviceaccount:shop:other"}},
    {"user": None},
)


def review(folder: Path, url: str) -> dict[str, Any]:
    """Return what is configured to have tokens reviewed."""
    return {"url": url, "token_file": str(folder / "own-token")}


async def ask(server: RealServer, token: str) -> Any:
    stub = server.stub("AccessService")
    return await stub.WhoAmI(access_service_pb2.WhoAmIRequest(), metadata=bearer(token))


async def test_a_service_account_is_its_namespace_and_name(tmp_path: Path) -> None:
    async with cluster(tmp_path) as (api, server):
        assert (await ask(server, api.token(**POD))).principal == "sa:prod/shop/deployer"
        assert {asked.headers.get("authorization") for asked in api.there.asked} == {"Bearer of-the-server"}
        for changes in ({"sub": "system:node:n1"}, {"kubernetes.io": None}, {"aud": ["other", AUDIENCE]}):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await ask(server, api.token(**(POD | changes)))
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_token_counts_as_long_as_the_api_server_says_so(tmp_path: Path) -> None:
    status: dict[str, Any] = {}
    asked_of: list[Any] = []

    async def reviewed(asked: Asked, write: Write) -> None:
        asked_of.append((asked.headers["authorization"], json.loads(asked.body)["spec"]))
        await reply(json.dumps({"status": status}).encode(), 201, "Created", content_type="application/json")(
            asked, write
        )

    async with (
        issuer() as other,
        cluster(tmp_path, token_review=review(tmp_path, other.url)) as (api, server),
    ):
        other.instead[REVIEWS] = reviewed
        for number, changes in enumerate(NO):
            status.clear()
            status.update(GOOD | changes)
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await ask(server, api.token(**POD, jti=f"t-{number}"))
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED, changes
        status.clear()
        status.update(GOOD)
        token = api.token(**POD, jti="good")
        assert (await ask(server, token)).principal == "sa:prod/shop/deployer"
        assert asked_of[-1] == ("Bearer of-the-server", {"token": token, "audiences": [AUDIENCE]})
        reviews = len(asked_of)
        await ask(server, token)
        assert len(asked_of) == reviews
        with pytest.raises(grpc.aio.AioRpcError):
            await ask(server, f"{token[:-4]}AAAA")
        # What is not signed by the cluster is not sent to it.
        assert len(asked_of) == reviews


@pytest.mark.parametrize("answer", [b"no JSON", b"[]", b'{"status": []}', b"{}", b"[" * 40_000])
async def test_an_api_server_that_says_nothing_is_no_yes(tmp_path: Path, answer: bytes) -> None:
    async with (
        issuer() as other,
        cluster(tmp_path, token_review=review(tmp_path, other.url)) as (api, server),
    ):
        other.instead[REVIEWS] = answer
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ask(server, api.token(**POD))
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
