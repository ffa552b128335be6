"""Client certificates against a whole server on both ports: who comes in, and files that are replaced meanwhile."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import pytest_asyncio
import yaml
from cryptography import x509
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from release_passport.v1 import access_pb2, access_service_pb2
from release_passport.v1.access_service_pb2_grpc import AccessServiceStub
from support.authority import FOR_CLIENTS, FOR_SERVERS, Authority, Pair, spiffe
from support.cli_process import Shell
from support.server import RealServer, real_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHO_AM_I = access_service_pb2.WhoAmIRequest()
ADMIT = [
    {"tenant": "default", "when": {"spiffe": "spiffe://prod.test/ns/*"}},
    {"tenant": "default", "when": {"dns": "gate.prod.test"}, "principal": "connector:gate"},
    {"tenant": "default", "when": {"subject": "CN=old-gate"}, "principal": "sa:old-gate"},
]


@dataclass(frozen=True)
class Place:
    """A server whose ports ask for certificates, and their authority."""

    folder: Path
    authority: Authority
    server: RealServer

    def channel(self, shown: Pair | None, authority: Authority | None = None) -> aio.Channel:
        """Return a channel that shows a certificate."""
        roots = (authority or self.authority).pem
        pair = (None, None) if shown is None else (shown.key, shown.certificate)
        made = grpc.ssl_channel_credentials(roots, *pair)
        # Every channel has connections of its own.
        options = [("grpc.use_local_subchannel_pool", 1)]
        return aio.secure_channel(f"localhost:{self.server.process.grpc_port}", made, options)

    async def ask(self, shown: Pair | None, *metadata: tuple[str, str]) -> Any:
        """Return who the server takes the holder of a certificate for."""
        async with self.channel(shown) as to_server:
            stub: Any = AccessServiceStub(to_server)
            return await stub.WhoAmI(WHO_AM_I, metadata=metadata, timeout=5)

    async def refusal(self, shown: Pair | None, *metadata: tuple[str, str]) -> tuple[grpc.StatusCode, str]:
        """Return how a call is refused."""
        with pytest.raises(aio.AioRpcError) as refused:
            await self.ask(shown, *metadata)
        return refused.value.code(), refused.value.details() or ""

    async def over_http(self, shown: Pair, headers: dict[str, str]) -> httpx.Response:
        """Return the answer to the same question on the other port."""
        context = ssl.create_default_context(cadata=self.authority.pem.decode())
        context.load_cert_chain(*shown.write(self.folder, "shown"))
        url = f"https://localhost:{self.server.process.http_port}/release_passport.v1.AccessService/WhoAmI"
        async with httpx.AsyncClient(verify=context) as client:
            return await client.post(url, json={}, headers=headers)


@pytest_asyncio.fixture(loop_scope="module")
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    authority = Authority()
    certificate, key = authority.server().write(tmp_path, "server")
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    files = {"tls_certificate": certificate, "tls_key": key, "tls_client_ca": tmp_path / "ca.pem"}
    identities = tmp_path / "identities.yaml"
    identities.write_text(
        yaml.safe_dump({"certificates": {"alias": "mesh", "admit": ADMIT}}), encoding="utf-8"
    )
    async with real_server(tmp_path, grpc=files, http=files, authentication={"file": identities}) as server:
        yield Place(tmp_path, authority, server)


async def test_a_spiffe_id_a_name_and_a_subject_are_principals(place: Place) -> None:
    issue = place.authority.issue
    for pair, principal in (
        (issue("x", spiffe("ns/shop/sa/deployer")), "sa:mesh/spiffe://prod.test/ns/shop/sa/deployer"),
        (issue("x", x509.DNSName("gate.prod.test")), "connector:gate"),
        (issue("old-gate", purposes=[FOR_CLIENTS]), "sa:old-gate"),
    ):
        me = await place.ask(pair)
        assert (me.principal, me.tenant) == (principal, "default")
        other = await place.over_http(pair, {})
        assert other.json()["principal"] == principal, other.text


async def test_certificates_that_nobody_comes_in_with(place: Place) -> None:
    issue = place.authority.issue
    good = spiffe("ns/shop/sa/deployer")
    for pair, why in (
        (issue("unknown"), "no rule"),
        (issue("x", spiffe("ns/shop/sa/deployer", "dev.test")), "no rule"),
        (issue("x", good, spiffe("ns/other")), "no rule"),
        (issue("x", spiffe("ns/../admin")), "no rule"),
        (issue("x", x509.UniformResourceIdentifier("https://prod.test/ns/shop")), "no rule"),
        (issue("gate.prod.test"), "no rule"),
        (issue("old-gate, O=x"), "no rule"),
        (issue("x", good, ca=True), "authority's"),
    ):
        code, text = await place.refusal(pair)
        assert (code, why in text) == (grpc.StatusCode.UNAUTHENTICATED, True), text
        assert (await place.over_http(pair, {})).status_code == 401


async def test_a_certificate_of_another_authority_gets_no_connection(place: Place) -> None:
    foreign = Authority().issue("x", spiffe("ns/shop/sa/deployer"))
    self_signed = Authority("x").issue("x", spiffe("ns/shop/sa/deployer"))
    for pair in (foreign, self_signed, None, place.authority.issue("old-gate", purposes=[FOR_SERVERS])):
        assert (await place.refusal(pair))[0] is grpc.StatusCode.UNAVAILABLE
    with pytest.raises(httpx.TransportError):
        await place.over_http(foreign, {})


async def test_certificates_in_headers_prove_nothing(place: Place) -> None:
    admin = place.authority.issue("old-gate")
    nobody = place.authority.issue("unknown")
    text = admin.certificate.decode().replace("\n", "%0A")
    for header in ("x-forwarded-client-cert", "x-ssl-client-cert", "ssl-client-cert", "x509_pem_cert"):
        name = header.replace("_", "-")
        assert (await place.refusal(nobody, (name, text)))[0] is grpc.StatusCode.UNAUTHENTICATED
        assert (await place.over_http(nobody, {name: text})).status_code == 401


async def test_a_token_says_who_asks_and_a_bad_one_is_not_made_good_by_a_certificate(place: Place) -> None:
    pair = place.authority.issue("old-gate")
    me = await place.ask(pair, ("authorization", f"Bearer {place.server.token}"))
    assert me.principal == "user:admin"
    bad = ("authorization", f"Bearer {place.server.token[:-1]}")
    assert (await place.refusal(pair, bad))[0] is grpc.StatusCode.UNAUTHENTICATED


async def test_the_command_line_shows_a_certificate(place: Place) -> None:
    certificate, key = place.authority.issue("old-gate").write(place.folder, "client")
    shell = Shell(place.folder, f"localhost:{place.server.process.grpc_port}")
    ca = str(place.folder / "ca.pem")
    words = ("whoami", "-o", "json", "--ca-file", ca, "--cert-file", str(certificate))
    done = await asyncio.to_thread(shell, *words, "--key-file", str(key))
    assert json.loads(done.stdout)["principal"] == "sa:old-gate"
    alone = await asyncio.to_thread(partial(shell, *words, expect=2))
    assert "together" in alone.stderr


async def test_health_needs_a_connection_and_no_credential(place: Place) -> None:
    async with place.channel(place.authority.issue("unknown")) as to_server:
        stub: Any = health_pb2_grpc.HealthStub(to_server)
        answer = await stub.Check(health_pb2.HealthCheckRequest())
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_ban_ends_a_certificate_on_an_open_connection(place: Place) -> None:
    pair = place.authority.issue("old-gate")
    serial = f"{x509.load_pem_x509_certificate(pair.certificate).serial_number:x}"
    async with place.channel(pair) as to_server:
        stub: Any = AccessServiceStub(to_server)
        await stub.WhoAmI(WHO_AM_I)
        ban = access_pb2.Ban(principal="sa:old-gate", credential=serial, reason="key was copied")
        token = (("authorization", f"Bearer {place.server.token}"),)
        await stub.CreateBan(access_service_pb2.CreateBanRequest(ban=ban), metadata=token)
        with pytest.raises(aio.AioRpcError) as refused:
            await stub.WhoAmI(WHO_AM_I)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert (await place.ask(place.authority.issue("old-gate"))).principal == "sa:old-gate"


async def test_both_ports_follow_files_that_are_replaced(place: Place) -> None:
    new = Authority("New authority")
    old_client, client = place.authority.issue("old-gate"), new.issue("old-gate")
    await place.ask(old_client)
    replaced(place.folder, "server.pem", b"-----BEGIN CERTIFICATE-----\nhalf")
    assert (await place.ask(old_client)).principal == "sa:old-gate"
    server = new.server()
    replaced(place.folder, "server.key", server.key)
    assert (await place.over_http(old_client, {})).json()["principal"] == "sa:old-gate"
    replaced(place.folder, "server.pem", server.certificate)
    replaced(place.folder, "ca.pem", new.pem)
    after = Place(place.folder, new, place.server)
    assert (await after.ask(client)).principal == "sa:old-gate"
    assert (await after.over_http(client, {})).json()["principal"] == "sa:old-gate"
    assert (await after.refusal(old_client))[0] is grpc.StatusCode.UNAVAILABLE
    with pytest.raises(httpx.TransportError):
        await after.over_http(old_client, {})


def replaced(folder: Path, name: str, content: bytes) -> None:
    """Put a file in place of another, as tools that renew certificates do."""
    (folder / "new").write_bytes(content)
    (folder / "new").replace(folder / name)
