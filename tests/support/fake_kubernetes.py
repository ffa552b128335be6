"""A Kubernetes API server for tests: GET, LIST, WATCH and writes over HTTP or HTTPS, with RBAC and optimistic locking.

    with FakeKubernetes() as api:                      # from any thread, or around asyncio code
        api.put(rollout)                               # an object as YAML gives it, status too
        token = api.account("reader", Rule(("get", "list", "watch"), ("rollouts",), ("checkout",), ("prod",)))
        folder = api.folder(tmp_path, token)           # as `clusters.folder` has it: cluster "eu-1"
        api.status("Rollout", "prod", "checkout", phase="Paused")

It runs in a thread with a loop of its own, so a test may block or use asyncio as it likes. Simulated controllers
write either directly (`put`, `status`, `delete`) or over HTTP with `api.account("controller", *ADMIN)`: PUT and
merge-PATCH of objects and of `/status`, where a `resourceVersion` that is not the object's is answered with 409.

What can go wrong: `compact()` makes earlier versions 410 (as an ERROR event in the stream, as the real one does, or as
the answer's status with `gone_as_status`), `cut()` breaks all streams off in mid-chunk, `end()` ends them in order,
`bookmark()` sends bookmarks, `expire(token)` makes it unknown, `trouble` answers before the API server does, and
`asked` holds what was asked.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from support.fake_kubernetes_store import (
    ADMIN,
    KINDS,
    RESOURCES,
    Manifest,
    ObjectStore,
    Refused,
    Rule,
)
from support.fake_kubernetes_wire import (
    Asked,
    Raw,
    Stream,
    body_of,
    read,
    selection,
    understood,
    write,
    write_raw,
)

# Where a token asks what it may do; this is not among `asked`.
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

__all__ = ["ADMIN", "Asked", "FakeKubernetes", "Raw", "Rule"]


class FakeKubernetes:
    """The running server; see the module."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.store = ObjectStore(changed=self._wake)
        self.asked: list[Asked] = []
        # Answers instead of the API server where it returns something; may be exchanged at any time.
        self.trouble: Callable[[Asked], Raw | None] = lambda asked: None
        self.gone_as_status = False
        # Whether a token may ask what it may do.
        self.reviews = True
        self.port = 0
        self._tls = tls
        self._accounts: dict[str, tuple[str, tuple[Rule, ...]]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._streams: set[Stream] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    # For tests.

    def __enter__(self) -> Self:
        self._thread.start()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        """Return the server's address."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def watches(self) -> int:
        """Return how many streams are open."""
        return len(self._streams)

    def account(self, name: str, *rules: Rule) -> str:
        """Return the token of a service account with these rules; an account of that name is replaced."""
        token = f"token-of-{name}"
        self._accounts[token] = (f"system:serviceaccount:release-passport:{name}", rules)
        return token

    def expire(self, token: str) -> None:
        """Make a token unknown."""
        self._accounts.pop(token, None)

    def folder(self, folder: Path, token: str, cluster: str = "eu-1", ca: Path | None = None) -> Path:
        """Write the folder by which the server knows this cluster, and return the folder of all clusters."""
        (folder / cluster).mkdir(parents=True, exist_ok=True)
        (folder / cluster / "server").write_text(self.url + "\n")
        (folder / cluster / "token").write_text(token + "\n")
        if ca is not None:
            (folder / cluster / "ca.crt").write_bytes(ca.read_bytes())
        return folder

    def put(self, *given: Any) -> Manifest:
        """Put objects as they are, and return the last of them."""
        return [self.store.put(one) for one in given][-1]

    def read(self, kind: str, namespace: str, name: str) -> Manifest:
        """Return an object."""
        return self.store.read(RESOURCES[kind], namespace, name)

    def status(self, kind: str, namespace: str, name: str, /, **changes: Any) -> Manifest:
        """Change fields of an object's status; None takes one away."""
        return self.store.merge((RESOURCES[kind], namespace, name), {"status": changes}, status=True)

    def spec(self, kind: str, namespace: str, name: str, /, **changes: Any) -> Manifest:
        """Change fields of an object's spec, which is a new generation."""
        return self.store.merge((RESOURCES[kind], namespace, name), {"spec": changes}, status=False)

    def delete(self, kind: str, namespace: str, name: str) -> None:
        """Delete an object."""
        self.store.delete(RESOURCES[kind], namespace, name)

    def compact(self) -> None:
        """Forget what happened so far, and tell open streams nothing."""
        self.store.compact()

    def cut(self) -> None:
        """Break all streams off in the midst of a chunk."""
        self._each_stream(lambda one: one.cut())

    def end(self) -> None:
        """End all streams, as the server does after `timeoutSeconds`."""
        self._each_stream(lambda one: one.end())

    def bookmark(self) -> None:
        """Send a bookmark on all streams that asked for bookmarks."""
        self._each_stream(lambda one: one.bookmark(self.store.version))

    def send(self, line: bytes) -> None:
        """Send a line of a test's own on all streams."""
        self._each_stream(lambda one: one.line(line))

    def start(self) -> None:
        """Listen, on the port of before if there was one."""

        async def listen() -> None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)
            self.port = self._server.sockets[0].getsockname()[1]

        asyncio.run_coroutine_threadsafe(listen(), self._loop).result(10)

    def stop(self) -> None:
        """Close the port and all connections."""

        async def close() -> None:
            if self._server is not None:
                self._server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(10)

    # The server itself, in its own thread.

    def _each_stream(self, act: Callable[[Stream], None]) -> None:
        async def run() -> None:
            for one in list(self._streams):
                act(one)

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    def _wake(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._wake_streams)

    def _wake_streams(self) -> None:
        for one in self._streams:
            one.woken.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while (got := await read(reader)) is not None:
                await self._answered(got, writer)
        except (ConnectionError, ValueError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answered(
        self, got: tuple[str, str, dict[str, str], bytes], writer: asyncio.StreamWriter
    ) -> None:
        if got[1] == REVIEWS:
            await write(writer, *((201, self._reviewed(got)) if self.reviews else (403, {})))
            return
        try:
            asked = understood(*got)
        except Refused as refused:
            await write(writer, refused.code, refused.status())
            return
        self.asked.append(asked)
        raw = self.trouble(asked)
        if raw is not None:
            await write_raw(writer, raw)
            return
        try:
            self._authorize(asked)
            if asked.verb == "watch":
                await self._watch(asked, writer)
                return
            status, body = self._act(asked)
        except Refused as refused:
            status, body = refused.code, refused.status()
        await write(writer, status, body)

    def _authorize(self, asked: Asked) -> None:
        known = self._accounts.get(asked.token)
        if known is None:
            raise Refused(401, "Unauthorized", "Unauthorized")
        user, rules = known
        if any(rule.allows(asked.verb, asked.resource, asked.namespace, asked.name) for rule in rules):
            return
        resource = asked.resource.partition("/")[0]
        group, slash, _ = KINDS[resource][0].partition("/")
        group = group if slash else ""
        named = f"{resource}.{group}" if group else resource
        where = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
        text = (
            f'{named} "{asked.name}" is forbidden: User "{user}" cannot {asked.verb} resource '
            f'"{asked.resource}" in API group "{group}" {where}'
        )
        raise Refused(403, "Forbidden", text, {"name": asked.name, "group": group, "kind": resource})

    def _reviewed(self, got: tuple[str, str, dict[str, str], bytes]) -> Manifest:
        review: Manifest = json.loads(got[3])
        wanted = review["spec"]["resourceAttributes"]
        _, rules = self._accounts.get(got[2]["authorization"].removeprefix("Bearer "), ("", ()))
        resource = "/".join(one for one in (wanted["resource"], wanted.get("subresource")) if one)
        named = (wanted["verb"], resource, wanted["namespace"], wanted["name"])
        return review | {"status": {"allowed": any(rule.allows(*named) for rule in rules)}}

    def _act(self, asked: Asked) -> tuple[int, Manifest]:
        resource, _, part = asked.resource.partition("/")
        key = resource, asked.namespace, asked.name
        match asked.verb:
            case "get":
                return 200, self.store.read(*key)
            case "list":
                version, kind, _ = KINDS[resource]
                with self.store.lock:
                    items = self.store.select(resource, asked.namespace, selection(asked.query))
                    meta = {"resourceVersion": str(self.store.version)}
                return 200, {"kind": f"{kind}List", "apiVersion": version, "metadata": meta, "items": items}
            case "create":
                return 201, self.store.create(resource, asked.namespace, body_of(asked))
            case "update":
                return 200, self.store.replace(key, body_of(asked), status=part == "status")
            case "patch":
                if "json-patch" in asked.content_type or "apply" in asked.content_type:
                    raise Refused(415, "UnsupportedMediaType", "this server takes merge patches")
                return 200, self.store.merge(key, body_of(asked), status=part == "status")
            case _:
                self.store.delete(*key)
                return 200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}

    async def _watch(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        stream = Stream(asked, writer)
        given = asked.query.get("resourceVersion", "")
        try:
            with self.store.lock:
                if given in {"", "0"}:
                    start = self.store.version
                    first = self.store.select(asked.resource, asked.namespace, stream.keeps)
                else:
                    start, first = int(given), []
                    self.store.since(start)
        except Refused as refused:
            if self.gone_as_status:
                raise
            stream.open()
            stream.event("ERROR", refused.status())
            stream.end()
            await writer.drain()
            return
        stream.open()
        for one in first:
            stream.event("ADDED", one)
        self._streams.add(stream)
        try:
            await stream.run(self.store, start, float(asked.query.get("timeoutSeconds", 3600)))
        finally:
            self._streams.discard(stream)
