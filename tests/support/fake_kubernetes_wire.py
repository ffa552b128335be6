"""What goes over the connections of the fake Kubernetes API: requests, answers, and streams of events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from support.fake_kubernetes_store import KINDS, Happened, Manifest, ObjectStore, Refused

REASONS = {
    200: "OK",
    201: "Created",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, with what it was understood as."""

    method: str
    target: str
    token: str
    verb: str
    resource: str
    namespace: str
    name: str
    query: dict[str, str]
    body: bytes = b""
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer of a test's own."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    # Seconds before it is given, and whether the connection is broken off in its midst.
    delay: float = 0.0
    cut: bool = False


class Stream:
    """One open watch."""

    def __init__(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        self.asked, self.writer = asked, writer
        self.keeps = selection(asked.query)
        self.woken = asyncio.Event()
        self.over = False

    def open(self) -> None:
        self.writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )

    def line(self, line: bytes) -> None:
        self.writer.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")

    def event(self, kind: str, made: Manifest) -> None:
        self.line(json.dumps({"type": kind, "object": made}).encode() + b"\n")

    def bookmark(self, version: int) -> None:
        if self.asked.query.get("allowWatchBookmarks") in {"true", "1"}:
            api_version, kind, _ = KINDS[self.asked.resource]
            meta = {"resourceVersion": str(version), "creationTimestamp": None}
            self.event("BOOKMARK", {"kind": kind, "apiVersion": api_version, "metadata": meta})

    def cut(self) -> None:
        self.writer.write(b'4000\r\n{"type":"MODIF')
        self.over = True
        self.woken.set()
        self.writer.transport.close()

    def end(self) -> None:
        if not self.over:
            self.over = True
            self.writer.write(b"0\r\n\r\n")
            self.woken.set()

    def _concerns(self, one: Happened) -> bool:
        resource, namespace, _ = one.key
        return (
            resource == self.asked.resource
            and self.asked.namespace in {"", namespace}
            and self.keeps(one.object)
        )

    async def run(self, store: ObjectStore, version: int, seconds: float) -> None:
        """Send what happens until the time is up."""
        end = asyncio.get_running_loop().time() + seconds
        while not self.over:
            self.woken.clear()
            try:
                found = list(store.since(version))
            except Refused as refused:
                # A stream that is open is told of what happens whatever is compacted; one that fell behind is not.
                self.event("ERROR", refused.status())
                self.end()
                break
            for one in found:
                version = one.version
                if self._concerns(one):
                    self.event(one.type, one.object)
            version = max(version, store.compacted)
            await self.writer.drain()
            try:
                async with asyncio.timeout_at(end):
                    await self.woken.wait()
            except TimeoutError:
                self.bookmark(store.version)
                self.end()
        await self.writer.drain()


_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def understood(method: str, target: str, headers: dict[str, str], body: bytes) -> Asked:
    """Return what a request asks for; raise Refused 404 for paths that are not served."""
    parts = urlsplit(target)
    query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    path = [unquote(one) for one in parts.path.strip("/").split("/")]
    version, rest = (path[1:2], path[2:]) if path[0] == "api" else (path[1:3], path[3:])
    namespace = ""
    if rest[:1] == ["namespaces"]:
        namespace, rest = rest[1], rest[2:]
    resource, name = [*rest, "", ""][:2]
    known = KINDS.get(resource)
    if path[0] not in {"api", "apis"} or known is None or known[0] != "/".join(version) or len(rest) > 3:
        raise Refused(404, "NotFound", "the server could not find the requested resource")
    if len(rest) == 3:
        if rest[2] != "status" or not known[2]:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        resource = f"{resource}/status"
    verb = _VERBS.get(method, "get" if name else "list")
    if verb == "list":
        if query.get("watch") in {"true", "1"}:
            verb = "watch"
        # The name that a field selector gives is the request's name: rules with names cover it.
        name = _fields(query).get("metadata.name", "")
    token = headers.get("authorization", "").removeprefix("Bearer ")
    content_type = headers.get("content-type", "")
    return Asked(method, target, token, verb, resource, namespace, name, query, body, content_type)


def _fields(query: dict[str, str]) -> dict[str, str]:
    pairs = (
        one.replace("==", "=").partition("=") for one in query.get("fieldSelector", "").split(",") if one
    )
    found = {name: value for name, _, value in pairs}
    if not set(found) <= {"metadata.name", "metadata.namespace"}:
        raise Refused(400, "BadRequest", "field label not supported")
    return found


def selection(query: dict[str, str]) -> Callable[[Manifest], bool]:
    wanted = [one.replace("==", "=").split("=") for one in query.get("labelSelector", "").split(",") if one]
    name = _fields(query).get("metadata.name")

    def keeps(made: Manifest) -> bool:
        labels = made["metadata"].get("labels") or {}
        return (name is None or made["metadata"]["name"] == name) and all(
            labels.get(label) == value for label, value in wanted
        )

    return keeps


def body_of(asked: Asked) -> Manifest:
    try:
        found = json.loads(asked.body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refused(400, "BadRequest", "the body is no object")
    return found


async def write(writer: asyncio.StreamWriter, status: int, body: Manifest) -> None:
    await write_raw(writer, Raw(status, json.dumps(body).encode()))


async def write_raw(writer: asyncio.StreamWriter, raw: Raw) -> None:
    if raw.delay:
        await asyncio.sleep(raw.delay)
    given = {"Content-Type": "application/json", "Content-Length": str(len(raw.body))} | raw.headers
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    text = f"HTTP/1.1 {raw.status} {REASONS.get(raw.status, 'Status')}\r\n{head}\r\n"
    body = raw.body[: len(raw.body) // 2] if raw.cut else raw.body
    writer.write(text.encode() + body)
    await writer.drain()
    if raw.cut:
        writer.transport.close()


async def read(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str], bytes] | None:
    first = await reader.readline()
    if not first:
        return None
    method, target, _ = first.decode().split(" ", 2)
    headers = {}
    while (line := await reader.readline()) not in {b"\r\n", b""}:
        name, _, value = line.decode().partition(":")
        headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return method, target, headers, body
