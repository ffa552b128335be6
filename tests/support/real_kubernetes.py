"""A real Kubernetes API server on an etcd of its own, without nodes.

The programs are in the folder that PASSPORT_TEST_KUBERNETES names; `tests/support/kubernetes/build.sh` builds them. The
controller manager makes ReplicaSets and pods; `play_kubelet` says of each pod that it runs, which is all that
controllers look at.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from support.certificates import Certificates

Manifest = dict[str, Any]

ADMIN = "admin-of-the-tests"
_PATIENCE = 90.0
_PLURALS = {
    "NetworkPolicy": "networkpolicies",
    "Ingress": "ingresses",
    "Canary": "canaries",
    "Analysis": "analyses",
}
_CLUSTER_WIDE = {"Namespace", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding", "IngressClass"}


def programs(*names: str) -> Path:
    """Return the folder that has these programs; skip the test by name where one is missing."""
    folder = Path(os.environ.get("PASSPORT_TEST_KUBERNETES") or "/nonexistent")
    for name in names:
        if not (folder / name).is_file():
            pytest.skip(f"{name} is not in PASSPORT_TEST_KUBERNETES (tests/support/kubernetes/build.sh)")
    return folder


def documents(path: Path, replaced: Mapping[str, str] | None = None) -> list[Manifest]:
    """Return the objects of a file of manifests, with words of it replaced."""
    text = path.read_text()
    for word, by in (replaced or {}).items():
        text = text.replace(word, by)
    return [one for one in yaml.safe_load_all(text) if one]


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@dataclass(slots=True)
class RealCluster:
    """An API server, and a client of it that may do everything."""

    folder: Path
    programs: Path
    port: int
    certificates: Certificates
    http: httpx.AsyncClient
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    etcd: str = ""

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def run(self, name: str, *arguments: str) -> None:
        """Start a program of the folder; what it prints is kept in NAME.log."""
        with (self.folder / f"{name}.log").open("ab") as log:
            command = [str(self.programs / name), *arguments]
            self.running[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder
            )

    def end(self, name: str, *, kill: bool = False) -> None:
        """End a program."""
        process = self.running.pop(name)
        process.kill() if kill else process.terminate()
        process.wait()

    async def call(
        self, method: str, path: str, body: Manifest | None = None, *, token: str = ADMIN, **more: Any
    ) -> httpx.Response:
        """Return the answer to a call."""
        kind = more.pop("kind", "application/json")
        headers = {"authorization": f"Bearer {token}", "content-type": kind}
        return await self.http.request(method, f"{self.url}{path}", headers=headers, json=body, **more)

    async def apply(self, *manifests: Manifest, dry_run: bool = False) -> None:
        """Apply objects as `kubectl apply --server-side` does; fail with what the API server says."""
        query = {"fieldManager": "tests", "force": "true", "fieldValidation": "Strict"}
        for one in manifests:
            answer = await self.call(
                "PATCH",
                path_of(one),
                one,
                kind="application/apply-patch+yaml",
                params=query | ({"dryRun": "All"} if dry_run else {}),
            )
            if answer.is_error:
                raise AssertionError(f"{path_of(one)}: {answer.status_code} {answer.text}")

    async def get(self, kind: str, name: str, namespace: str = "shop") -> Manifest:
        """Return an object; empty where there is none."""
        answer = await self.call("GET", _path(kind, name, namespace))
        if answer.status_code == 404:
            return {}
        answer.raise_for_status()
        found: Manifest = answer.json()
        return found

    async def items(self, kind: str, namespace: str = "shop") -> list[Manifest]:
        """Return all objects of a kind."""
        answer = await self.call("GET", _path(kind, "", namespace))
        answer.raise_for_status()
        return list(answer.json()["items"])

    async def patch(self, kind: str, name: str, change: Manifest, part: str = "") -> None:
        """Merge a change into an object, or into a part of it such as `status`."""
        path = _path(kind, name, "shop") + (f"/{part}" if part else "")
        answer = await self.call("PATCH", path, change, kind="application/merge-patch+json")
        answer.raise_for_status()

    async def delete(self, kind: str, name: str, namespace: str = "shop") -> None:
        """Delete an object where there is one."""
        await self.call("DELETE", _path(kind, name, namespace))

    async def token_of(self, account: str, namespace: str = "shop") -> str:
        """Return a token of a service account, as `kubectl create token` does."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        answer = await self.call("POST", path, asked)
        answer.raise_for_status()
        return str(answer.json()["status"]["token"])

    def kubeconfig(self, name: str, token: str = ADMIN) -> Path:
        """Write what a controller is given to call this API server."""
        path = self.folder / f"{name}.kubeconfig"
        server = {"server": self.url, "certificate-authority": str(self.certificates.authority)}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": server}],
            "users": [{"name": "test", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "current-context": "test",
        }
        path.write_text(yaml.safe_dump(config))
        return path

    def give(self, clusters: Path, cluster: str, token: str) -> None:
        """Write the folder by which a server may read this cluster."""
        (clusters / cluster).mkdir(parents=True, exist_ok=True)
        given = {"server": self.url, "token": token, "ca.crt": self.certificates.authority.read_text()}
        for name, content in given.items():
            (clusters / cluster / name).write_text(content)

    async def until(
        self, kind: str, name: str, is_so: Callable[[Manifest], object], patience: float = _PATIENCE
    ) -> Manifest:
        """Return an object as soon as something holds of it; fail with the object where it never does."""
        end = asyncio.get_running_loop().time() + patience
        while not is_so(found := await self.get(kind, name)):
            if asyncio.get_running_loop().time() > end:
                raise AssertionError(f"{kind} {name} stays {yaml.safe_dump(found)}")
            await asyncio.sleep(0.2)
        return found

    def start_api_server(self) -> None:
        """Start the API server, or start it again."""
        keys = self.folder / "accounts"
        self.run(
            "kube-apiserver",
            f"--etcd-servers={self.etcd}",
            f"--secure-port={self.port}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--tls-cert-file={self.certificates.server_certificate}",
            f"--tls-private-key-file={self.certificates.server_key}",
            f"--cert-dir={self.folder / 'certificates'}",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            f"--service-account-issuer={self.url}",
            f"--service-account-key-file={keys}.pub",
            f"--service-account-signing-key-file={keys}.key",
            "--service-cluster-ip-range=10.96.0.0/16",
        )

    async def await_api_server(self) -> None:
        """Wait until the API server answers."""
        end = asyncio.get_running_loop().time() + _PATIENCE
        while True:
            with suppress(httpx.TransportError):
                if (await self.call("GET", "/readyz")).status_code == 200:
                    return
            process = self.running["kube-apiserver"]
            if process.poll() is not None or asyncio.get_running_loop().time() > end:
                log = (self.folder / "kube-apiserver.log").read_text()
                raise AssertionError(f"the API server does not start: {log[-3000:]}")
            await asyncio.sleep(0.1)


def path_of(manifest: Mapping[str, Any]) -> str:
    """Return the path of an object."""
    metadata = manifest["metadata"]
    return _path(
        manifest["kind"], metadata["name"], metadata.get("namespace", "shop"), manifest["apiVersion"]
    )


_VERSIONS = {
    "Pod": "v1",
    "Service": "v1",
    "Event": "v1",
    "Deployment": "apps/v1",
    "ReplicaSet": "apps/v1",
    "StatefulSet": "apps/v1",
    "Ingress": "networking.k8s.io/v1",
    "Role": "rbac.authorization.k8s.io/v1",
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
    "ServiceAccount": "v1",
    "Rollout": "argoproj.io/v1alpha1",
    "AnalysisRun": "argoproj.io/v1alpha1",
    "Canary": "flagger.app/v1beta1",
}


def _path(kind: str, name: str, namespace: str, version: str = "") -> str:
    version = version or _VERSIONS[kind]
    plural = _PLURALS.get(kind, f"{kind.lower()}s")
    place = f"/namespaces/{namespace}" if namespace and kind not in _CLUSTER_WIDE else ""
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    return f"{root}{place}/{plural}" + (f"/{name}" if name else "")


@asynccontextmanager
async def real_cluster(folder: Path, definitions: Sequence[str] = ()) -> AsyncIterator[RealCluster]:
    """Run an API server with the namespace shop and these definitions of objects; end all that it ran after."""
    needed = programs("etcd", "kube-apiserver", "kube-controller-manager")
    certificates = Certificates.make(folder)
    _write_keys(folder)
    trust = ssl.create_default_context(cafile=str(certificates.authority))
    async with httpx.AsyncClient(verify=trust, timeout=30) as http:
        cluster = RealCluster(folder, needed, free_port(), certificates, http)
        try:
            _start_etcd(cluster)
            cluster.start_api_server()
            await cluster.await_api_server()
            _start_controller_manager(cluster)
            await _prepared(cluster, definitions)
            kubelet = asyncio.create_task(play_kubelet(cluster))
            try:
                yield cluster
            finally:
                kubelet.cancel()
                with suppress(asyncio.CancelledError):
                    await kubelet
        finally:
            for name in reversed(list(cluster.running)):
                cluster.end(name, kill=name == "kube-apiserver")


def _write_keys(folder: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (folder / "accounts.key").write_bytes(private)
    (folder / "accounts.pub").write_bytes(public)
    (folder / "tokens.csv").write_text(f'{ADMIN},admin,1,"system:masters"\n')


def _start_etcd(cluster: RealCluster) -> None:
    cluster.etcd, peers = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    cluster.run(
        "etcd",
        f"--data-dir={cluster.folder / 'etcd'}",
        f"--listen-client-urls={cluster.etcd}",
        f"--advertise-client-urls={cluster.etcd}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster=default={peers}",
        "--unsafe-no-fsync",
    )


def _start_controller_manager(cluster: RealCluster) -> None:
    cluster.run(
        "kube-controller-manager",
        f"--kubeconfig={cluster.kubeconfig('kube-controller-manager')}",
        "--controllers=deployment,replicaset,statefulset,serviceaccount,root-ca-cert-publisher,garbagecollector,namespace",
        f"--service-account-private-key-file={cluster.folder / 'accounts.key'}",
        f"--root-ca-file={cluster.certificates.authority}",
        "--leader-elect=false",
        f"--secure-port={free_port()}",
        f"--cert-dir={cluster.folder / 'certificates-of-manager'}",
    )


async def _prepared(cluster: RealCluster, definitions: Iterable[str]) -> None:
    for name in definitions:
        found = documents(cluster.programs / "crds" / f"{name}.yaml")
        await cluster.apply(*found)
        for one in found:
            await cluster.until("CustomResourceDefinition", one["metadata"]["name"], _established)
    await cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    # Without it the API server takes no pods.
    await cluster.until("ServiceAccount", "default", bool)


def _established(definition: Manifest) -> bool:
    conditions = definition.get("status", {}).get("conditions") or []
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


async def play_kubelet(cluster: RealCluster) -> None:
    """Say of each pod that it runs and is ready, until cancelled."""
    while True:
        with suppress(httpx.HTTPError):
            for pod in await cluster.items("Pod"):
                if pod.get("status", {}).get("phase") != "Running":
                    await cluster.patch("Pod", pod["metadata"]["name"], {"status": _running(pod)}, "status")
        await asyncio.sleep(0.3)


def _running(pod: Manifest) -> Manifest:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    conditions = [
        {"type": one, "status": "True", "lastTransitionTime": now}
        for one in ("PodScheduled", "Initialized", "ContainersReady", "Ready")
    ]
    containers = [
        {
            "name": one["name"],
            "image": one["image"],
            "imageID": one["image"],
            "ready": True,
            "restartCount": 0,
            "state": {"running": {"startedAt": now}},
        }
        for one in pod["spec"]["containers"]
    ]
    return {"phase": "Running", "startTime": now, "conditions": conditions, "containerStatuses": containers}
