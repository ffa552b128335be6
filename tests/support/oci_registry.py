"""Registries for tests: one in memory that can do what a test needs, and Debian's as a process of its own."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from support.certificates import Certificates
from support.http_peer import Asked, Peer, Write, peer, reply

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
ENVELOPE = "application/vnd.dsse.envelope.v1+json"
EMPTY = b"{}"
_PATH = re.compile(r"/v2/(.+?)/(blobs/uploads|blobs|manifests|referrers)/([^/?]*)")


def digest_of(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


def descriptor(body: bytes, media_type: str, **more: Any) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(body), "size": len(body), **more}


def manifest(*layers: dict[str, Any], **more: Any) -> bytes:
    config = descriptor(EMPTY, "application/vnd.oci.empty.v1+json")
    value = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": list(layers), **more}
    return json.dumps(value).encode()


def index(*manifests: dict[str, Any]) -> bytes:
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": list(manifests)}).encode()


def bundle_manifest(bundle: bytes, subject: bytes, **more: Any) -> bytes:
    """Return the manifest by which cosign 3 attaches a bundle."""
    about = descriptor(subject, MANIFEST)
    return manifest(descriptor(bundle, BUNDLE), subject=about, artifactType=BUNDLE, **more)


@dataclass
class FakeRegistry:
    """A registry in memory: distribution 1.1 with or without referrers, and with what tests let go wrong."""

    referrers: bool = True
    page: int = 1
    # "Bearer …" or "Basic …" that calls must bring; `challenge` is what those without are told.
    wants: str = ""
    challenge: str = ""
    content: dict[tuple[str, str], tuple[bytes, str]] = field(default_factory=dict)
    tags: dict[tuple[str, str], str] = field(default_factory=dict)
    # Answers of the test's own, by path; they come before everything else.
    instead: dict[str, Callable[[Asked, Write], Any]] = field(default_factory=dict)

    async def __call__(self, asked: Asked, write: Write) -> None:
        path = urlsplit(asked.target).path
        if path in self.instead:
            await self.instead[path](asked, write)
        elif self.wants and asked.headers.get("authorization") != self.wants:
            await reply(b"{}", 401, Www_Authenticate=self.challenge)(asked, write)
        else:
            await self._answer(asked)(asked, write)

    def _answer(self, asked: Asked) -> Any:
        found = _PATH.fullmatch(urlsplit(asked.target).path)
        if found is None:
            return reply(b"{}", 404)
        repository, kind, name = found.groups()
        query = parse_qs(urlsplit(asked.target).query)
        if kind == "blobs/uploads":
            if asked.method == "POST":
                return reply(status=202, Location=f"/v2/{repository}/blobs/uploads/1?_state=x")
            self.content[repository, query["digest"][0]] = asked.body, "application/octet-stream"
            return reply(status=201)
        if asked.method == "PUT":
            digest = digest_of(asked.body)
            self.content[repository, digest] = asked.body, asked.headers["content-type"]
            self.tags[repository, name] = digest
            return reply(status=201)
        if kind == "referrers":
            return self._referrers(repository, name, int(query.get("o", ["0"])[0]))
        digest = name if name.startswith("sha256:") else self.tags.get((repository, name), "")
        if (repository, digest) not in self.content:
            return reply(b"{}", 404)
        body, media_type = self.content[repository, digest]
        return reply(body, Content_Type=media_type)

    def _referrers(self, repository: str, digest: str, start: int) -> Any:
        if not self.referrers:
            return reply(b"404 page not found\n", 404)
        found = []
        for (where, _), (body, media_type) in self.content.items():
            if where != repository or media_type not in {MANIFEST, INDEX}:
                continue
            value = json.loads(body)
            if value.get("subject", {}).get("digest") == digest:
                more = {"artifactType": value["artifactType"], "annotations": value.get("annotations", {})}
                found.append(descriptor(body, media_type, **more))
        more_headers: dict[str, Any] = {}
        if len(found) > start + self.page:
            following = f"/v2/{repository}/referrers/{digest}?o={start + self.page}"
            more_headers["Link"] = f'<{following}>; rel="next"'
        return reply(index(*found[start : start + self.page]), Content_Type=INDEX, **more_headers)


@asynccontextmanager
async def running(registry: FakeRegistry) -> AsyncIterator[Peer]:
    """Run a registry in memory."""
    async with peer(registry) as it:
        yield it


@dataclass(frozen=True)
class Pushed:
    """Pushes into any registry, over its API."""

    client: httpx.AsyncClient
    repository: str

    async def blob(self, body: bytes) -> None:
        start = await self.client.post(f"/v2/{self.repository}/blobs/uploads/")
        assert start.status_code == 202, start.text
        where = start.headers["location"]
        # `params=` would replace the query that is there.
        where += f"{'&' if '?' in where else '?'}digest={digest_of(body)}"
        done = await self.client.put(
            where, content=body, headers={"content-type": "application/octet-stream"}
        )
        assert done.status_code == 201, done.text

    async def manifest(self, body: bytes, tag: str = "", media_type: str = MANIFEST) -> str:
        path = f"/v2/{self.repository}/manifests/{tag or digest_of(body)}"
        done = await self.client.put(path, content=body, headers={"content-type": media_type})
        assert done.status_code == 201, done.text
        return digest_of(body)

    async def image(self, name: str = "app") -> bytes:
        """Push an image and return its manifest."""
        layer = f"the content of {name}".encode()
        for body in (EMPTY, layer):
            await self.blob(body)
        made = manifest(descriptor(layer, "application/vnd.oci.image.layer.v1.tar"))
        await self.manifest(made, name)
        return made

    async def bundle(self, bundle: bytes, subject: bytes, **more: Any) -> bytes:
        """Attach a bundle as cosign 3 does and return its manifest."""
        await self.blob(bundle)
        made = bundle_manifest(bundle, subject, **more)
        await self.manifest(made)
        return made

    async def attach_by_tag(self, envelopes: Mapping[bytes, Mapping[str, str]], subject: bytes) -> None:
        """Attach envelopes with annotations as cosign 2 does."""
        for envelope in envelopes:
            await self.blob(envelope)
        layers = [descriptor(body, ENVELOPE, annotations=dict(notes)) for body, notes in envelopes.items()]
        await self.manifest(manifest(*layers), f"{digest_of(subject).replace(':', '-')}.att")


@asynccontextmanager
async def pushing(url: str, repository: str = "team/app", authorization: str = "") -> AsyncIterator[Pushed]:
    """Give somebody who pushes into a registry."""
    headers = {"authorization": authorization} if authorization else {}
    async with httpx.AsyncClient(base_url=url.rstrip("/"), headers=headers, trust_env=False) as client:
        yield Pushed(client, repository)


@dataclass(frozen=True)
class TokenServer:
    """Gives out tokens that Debian's registry takes: signed by a certificate that it was told of."""

    certificates: Certificates
    credential: str = "Basic " + base64.b64encode(b"robot:s3cret").decode()
    asked: list[dict[str, list[str]]] = field(default_factory=list)

    async def __call__(self, asked: Asked, write: Write) -> None:
        query = parse_qs(urlsplit(asked.target).query)
        self.asked.append(query)
        if asked.headers.get("authorization") != self.credential:
            await reply(b"{}", 401)(asked, write)
            return
        body = json.dumps({"token": self.token(query["scope"][0])}).encode()
        await reply(body, Content_Type="application/json")(asked, write)

    def token(self, scope: str) -> str:
        """Return a token for `repository:name:actions`."""
        kind, name, actions = scope.split(":")
        certificate = x509.load_pem_x509_certificate(self.certificates.client_certificate.read_bytes())
        der = certificate.public_bytes(serialization.Encoding.DER)
        now = int(time.time())
        header = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(der).decode()]}
        claims = {
            "iss": "test",
            "sub": "robot",
            "aud": "test-registry",
            "exp": now + 300,
            "nbf": now - 300,
            "iat": now,
            "jti": "1",
            "access": [{"type": kind, "name": name, "actions": actions.split(",")}],
        }
        signed = b".".join(_url64(json.dumps(part).encode()) for part in (header, claims))
        key = serialization.load_pem_private_key(self.certificates.client_key.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        r, s = utils.decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
        return (signed + b"." + _url64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))).decode()


def _url64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


@contextmanager
def debian_registry(folder: Path, auth: Mapping[str, Any] | None = None) -> Iterator[str]:
    """Run Debian's `docker-registry` and give its URL; skip where it is not installed, fail where CI misses it."""
    program = shutil.which("docker-registry")
    if program is None:
        reason = "docker-registry is not installed (Debian package docker-registry)"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(f"{reason}, which CI requires", pytrace=False)
        pytest.skip(reason)
    for attempt in range(3):
        address = f"127.0.0.1:{_free_port()}"
        settings = {
            "version": 0.1,
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(folder / "registry")}},
            "http": {"addr": address},
        }
        if auth is not None:
            settings["auth"] = dict(auth)
        path = folder / "registry.yml"
        # JSON is YAML.
        path.write_text(json.dumps(settings))
        with (folder / "registry.log").open("wb") as log:
            process = subprocess.Popen(
                [program, "serve", str(path)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        if _listens(process, address):
            break
        if attempt == 2:
            raise RuntimeError(f"docker-registry does not start: {(folder / 'registry.log').read_text()}")
    try:
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait()


def htpasswd(folder: Path) -> Mapping[str, Any]:
    """Return the settings for a log-in with the password `s3cret`."""
    path = folder / "htpasswd"
    path.write_text("robot:$2b$05$abcdefghijklmnopqrstuuLK7U1u6pVRmL7L1BBM2aS35PSZnDXlK\n")
    return {"htpasswd": {"realm": "basic-realm", "path": str(path)}}


def token_auth(realm: str, certificates: Certificates) -> Mapping[str, Any]:
    """Return the settings for tokens from a server."""
    return {
        "token": {
            "realm": realm,
            "service": "test-registry",
            "issuer": "test",
            "rootcertbundle": str(certificates.authority),
        }
    }


def _listens(process: subprocess.Popen[bytes], address: str) -> bool:
    """Wait until the registry takes connections; say whether it does not end instead."""
    host, _, port = address.rpartition(":")
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))) == 0:
                return True
        time.sleep(0.02)
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
