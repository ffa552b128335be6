"""A real server on free ports of 127.0.0.1, and what its callers need."""

from __future__ import annotations

import importlib
import re
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grpc import aio

from release_passport_server import bootstrap
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.config import Settings
from release_passport_server.domain.access import Principal
from release_passport_server.domain.errors import Unauthenticated
from release_passport_server.ports.workloads import ClusterObjects
from release_passport_server.process import Application, Process

GOOD = "rp1_good"
PRINCIPAL = Principal("sa:ci", "default", datetime(2100, 1, 1, tzinfo=UTC))


class OneToken:
    """Knows one credential."""

    async def authenticate(self, bearer: str | None, certificate: bytes = b"") -> Principal:
        if bearer is None:
            raise Unauthenticated("CREDENTIAL_MISSING", "send `authorization: Bearer` and a token")
        if bearer != GOOD:
            raise Unauthenticated("CREDENTIAL_INVALID", "the token is unknown, expired or revoked")
        return PRINCIPAL


async def _nothing() -> None:
    return None


def application(handlers: Mapping[str, object], **changes: Any) -> Application:
    """Return an application with these handlers, one credential and a store that is always ready."""
    parts: dict[str, Any] = {
        "handlers": handlers,
        "authenticator": OneToken(),
        "ready": _nothing,
        "version": "0.0.test",
    }
    return Application(**(parts | changes))


def free_ports(**sections: Mapping[str, Any]) -> Settings:
    """Return settings that listen on free ports."""
    values: dict[str, dict[str, Any]] = {
        "grpc": {"listen": "127.0.0.1:0"},
        "http": {"listen": "127.0.0.1:0"},
        "shutdown": {"grace_seconds": 5},
        # No test leaves keys in the folder that it was started in.
        "signing": {"key_folder": str(Path(tempfile.mkdtemp(prefix="passport-")) / "keys")},
    }
    for section, settings in sections.items():
        values[section] = values.get(section, {}) | dict(settings)
    return Settings.model_validate(values)


@asynccontextmanager
async def serving(served: Application, settings: Settings | None = None) -> AsyncIterator[Process]:
    """Serve an application for a while."""
    process = Process(served, settings or free_ports())
    await process.start()
    try:
        yield process
    finally:
        await process.stop()


def channel(process: Process) -> aio.Channel:
    """Return a plaintext channel to the server."""
    return aio.insecure_channel(f"127.0.0.1:{process.grpc_port}")


def bearer(token: str = GOOD, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the metadata of a call with this token."""
    return (("authorization", f"Bearer {token}"), *more)


@dataclass(frozen=True)
class RealServer:
    """A whole server on an embedded store, and its first admin's token."""

    process: Process
    store: SQLStore
    token: str
    channel: aio.Channel

    def stub(self, service: str) -> Any:
        """Return the stub of a service of the contract, such as "DecisionService"."""
        stem = "_".join(re.findall("[A-Z][a-z]+", service.removesuffix("Service"))).lower()
        module = importlib.import_module(f"release_passport.v1.{stem}_service_pb2_grpc")
        return getattr(module, f"{service}Stub")(self.channel)


@asynccontextmanager
async def real_server(
    folder: Path,
    *,
    dev: bool = False,
    objects: ClusterObjects | None = None,
    **sections: Mapping[str, Any],
) -> AsyncIterator[RealServer]:
    """Serve everything over a new store, in the folder unless told otherwise; make one a module to save time."""
    embedded = {
        "store": {"url": f"sqlite:///{folder / 'passport.db'}"},
        "signing": {"key_folder": str(folder / "keys")},
    }
    settings = free_ports(**(embedded | sections))
    token = await bootstrap.init(settings, "default")
    store = bootstrap.open_store(settings)
    try:
        async with (
            serving(await bootstrap.build(store, settings, dev=dev, clusters=objects), settings) as process,
            channel(process) as to_server,
        ):
            yield RealServer(process, store, token, to_server)
    finally:
        await store.close()
