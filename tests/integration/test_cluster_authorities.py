"""A cluster's file of authorities is read again when it is replaced, and until then no other certificate is taken."""

from __future__ import annotations

import os
import shutil
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from release_passport_server.adapters.http.client import GuardedClients
from release_passport_server.adapters.kubernetes.objects import KubernetesObjects
from release_passport_server.domain.errors import Unavailable
from release_passport_server.ports.cluster import ObjectRef
from support.certificates import Certificates
from support.fake_kubernetes import FakeKubernetes
from support.fake_kubernetes_store import ADMIN

pytestmark = pytest.mark.asyncio
WANTED = ObjectRef("eu-1", "flagger.app/v1beta1", "Canary", "shop", "checkout")
CANARY = {
    "apiVersion": "flagger.app/v1beta1",
    "kind": "Canary",
    "metadata": {"name": "checkout", "namespace": "shop"},
    "spec": {},
}


@dataclass
class Place:
    """An API server over TLS, and who reads it."""

    api: FakeKubernetes
    tls: ssl.SSLContext
    authority: Path
    objects: KubernetesObjects
    folder: Path

    def serve(self, name: str) -> Certificates:
        """Have the API server come back with a certificate of another authority."""
        (self.folder / name).mkdir()
        made = Certificates.make(self.folder / name)
        self.tls.load_cert_chain(made.server_certificate, made.server_key)
        self.api.stop()
        self.api.start()
        return made

    async def read(self) -> str:
        """Return the name of the object that is read."""
        name: str = (await self.objects.get("default", WANTED))["metadata"]["name"]
        return name


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    certificates = Certificates.make(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificates.server_certificate, certificates.server_key)
    with FakeKubernetes(tls) as api:
        api.put(CANARY)
        folder = api.folder(tmp_path / "clusters", api.account("reader", *ADMIN), ca=certificates.authority)
        objects = KubernetesObjects(folder, GuardedClients("test"))
        yield Place(api, tls, folder / "eu-1" / "ca.crt", objects, tmp_path)
        await objects.close()


async def test_an_authority_that_is_replaced_counts_without_a_restart(place: Place) -> None:
    assert await place.read() == "checkout"
    renewed = place.serve("renewed")
    with pytest.raises(Unavailable, match="certificate is not accepted"):
        await place.read()
    # As the kubelet does it: the new file is put in the place of the old one, here with the time of that one.
    before = place.authority.stat().st_mtime_ns
    other = place.authority.with_suffix(".new")
    shutil.copy(renewed.authority, other)
    os.utime(other, ns=(before, before))
    other.replace(place.authority)
    assert await place.read() == "checkout"


async def test_half_a_file_is_no_authority_and_the_whole_one_is_taken_after_it(place: Place) -> None:
    renewed = place.serve("renewed").authority.read_bytes()
    place.authority.write_bytes(renewed[: len(renewed) // 2])
    with pytest.raises(Unavailable, match="no certificates can be read"):
        await place.read()
    place.authority.write_bytes(renewed)
    assert await place.read() == "checkout"


async def test_with_both_authorities_the_change_is_not_noticed(place: Place) -> None:
    both = place.authority.read_bytes()
    assert await place.read() == "checkout"
    renewed = place.serve("renewed")
    place.authority.write_bytes(both + renewed.authority.read_bytes())
    assert await place.read() == "checkout"


async def test_what_is_watched_is_watched_anew_with_the_authorities_of_now(
    place: Place, tmp_path: Path
) -> None:
    _, version = await place.objects.first("default", WANTED)
    changes = (await place.objects.watching("default", WANTED)).changes(version, 300)
    place.api.put(CANARY | {"spec": {"suspend": True}})
    assert (await anext(changes)).object is not None
    other = tmp_path / "other"
    other.mkdir()
    place.authority.write_bytes(Certificates.make(other).authority.read_bytes())
    with pytest.raises(Unavailable, match="certificate is not accepted"):
        await place.read()
    with pytest.raises(Unavailable, match=r"cannot be reached|broke the answer off"):
        await anext(changes)
