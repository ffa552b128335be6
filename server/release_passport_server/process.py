"""A running server: both ports in one loop, and an orderly end."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from release_passport_server.config import GRPCSettings, HTTPSettings, Settings, host_and_port
from release_passport_server.ports.authentication import Authenticator
from release_passport_server.services.audit import Audit
from release_passport_server.transport.grpc.connections import Connections
from release_passport_server.transport.grpc.dispatcher import Dispatcher
from release_passport_server.transport.grpc.limits import Limits
from release_passport_server.transport.grpc.methods import CallClass, all_methods
from release_passport_server.transport.grpc.server import GRPCServer
from release_passport_server.transport.http.app import http_app
from release_passport_server.transport.http.event_stream import event_stream_routes
from release_passport_server.transport.http.gates import GateEdge
from release_passport_server.transport.http.json_rpc import json_rpc_routes
from release_passport_server.transport.http.log_files import log_routes
from release_passport_server.transport.http.metrics import metrics_route
from release_passport_server.transport.http.probes import Readiness, probe_routes
from release_passport_server.transport.http.server import HTTPServer
from release_passport_server.transport.http.wakes import wake_routes
from release_passport_server.transport.metrics import AlertSource, JobSource, Metrics, NoticeSource
from release_passport_server.transport.roles import EVERY_ROLE, Role, Roles, elsewhere, in_words
from release_passport_server.transport.tls import TLSFiles
from release_passport_server.worker.log_keeper import LogKeeper
from release_passport_server.worker.runner import Runner

logger = logging.getLogger(__name__)

_LAST_ANSWERS_SECONDS = 0.5
# The core sheds what reaches it as it ends, as CANCELLED: it is ended in a moment in which nothing comes.
_QUIET_SECONDS = 0.03
_QUIET_LOOKS = 30


@dataclass(frozen=True, slots=True)
class Application:
    """What answers calls, and says whether it can."""

    handlers: Mapping[str, object]
    authenticator: Authenticator
    ready: Callable[[], Awaitable[None]]
    version: str
    # What every line about starting and stopping says beside its own; not empty in development mode alone.
    notice: str = ""
    # What does jobs when they are due, none where this process does none, and what keeps the logs.
    workers: tuple[Runner, ...] = ()
    log: LogKeeper | None = None
    audit: Audit | None = None
    # Ends what runs beside the server, once nothing more is answered.
    close: Callable[[], Awaitable[None]] | None = None
    # Ends the streams that watch, each with a goodbye, before no more calls are taken.
    goodbye: Callable[[], Awaitable[None]] | None = None
    # Makes what answers controllers at their gates.
    gates: Callable[[Limits], GateEdge] | None = None
    alerts: AlertSource | None = None
    jobs: JobSource | None = None
    notices: NoticeSource | None = None
    # What this process is for.
    roles: Roles = EVERY_ROLE

    @property
    def dev(self) -> bool:
        """Say whether anybody on this machine may do anything."""
        return bool(self.notice)


@dataclass(slots=True)
class Process:
    """Serves an application; `start` and `stop` each once."""

    application: Application
    settings: Settings
    # Other processes of this server listen on the same ports.
    shared_ports: bool = False
    grpc_port: int = 0
    http_port: int = 0
    _limits: Limits = field(init=False)
    _metrics: Metrics = field(init=False)
    _grpc: GRPCServer = field(init=False)
    _http: HTTPServer = field(init=False)
    _watching: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        application, settings, methods = self.application, self.settings, all_methods()
        self._limits = Limits({kind: getattr(settings.limits, kind) for kind in CallClass})
        self._metrics = Metrics(application.version, methods, self._limits)
        if application.log is not None:
            self._metrics.watch_logs(application.log)
        if application.jobs is not None:
            self._metrics.watch_jobs(application.jobs)
        if application.notices is not None:
            self._metrics.watch_notices(application.notices)
        if application.alerts is not None:
            self._metrics.watch_alerts(application.alerts)
        dispatcher = Dispatcher(
            application.handlers, application.authenticator, self._limits, self._metrics, application.roles
        )
        # Routes are tried in turn, and controllers ask the most.
        gates = [] if application.gates is None else application.gates(self._limits_of_api()).routes()
        routes = [
            *gates,
            *probe_routes(Readiness(self._limits, application.ready), application.roles),
            metrics_route(self._metrics),
            *json_rpc_routes(dispatcher, methods),
            *event_stream_routes(dispatcher, methods),
            *wake_routes(dispatcher, methods),
        ]
        if application.audit is not None:
            routes += log_routes(application.audit, dispatcher, self._limits_of_api())
        tls = _tls(settings.http)
        connections = Connections(most=settings.grpc.connections)
        self._grpc = GRPCServer(
            dispatcher,
            methods,
            connections,
            tls=_tls(settings.grpc),
            open_reflection=application.dev,
            shared=self.shared_ports,
            roles=application.roles,
        )
        self._http = HTTPServer(http_app(routes, tls=tls is not None, only_local_hosts=application.dev), tls)

    def _limits_of_api(self) -> Limits:
        """Return what lets in those who ask without naming a method."""
        roles = self.application.roles
        if Role.API in roles:
            return self._limits
        # A controller at a gate hears that it has to hold, in the form that it reads.
        return Limits(dict.fromkeys(CallClass, 1), closed=lambda: elsewhere(Role.API, roles))

    async def start(self) -> None:
        """Listen on both ports; raise OSError or RuntimeError where an address is taken."""
        host, port = host_and_port(self.settings.http.listen)
        self.http_port = await self._http.start(host, port, shared=self.shared_ports)
        try:
            self.grpc_port = await self._grpc.start(self.settings.grpc.listen)
        except BaseException:
            await self._http.stop()
            raise
        self._watching = asyncio.create_task(self._metrics.watch_loop(), name="loop lag")
        for worker in self.application.workers:
            worker.start()
        logger.info("serving", extra=self._where())

    async def stop(self, hurry: asyncio.Event | None = None) -> bool:
        """Refuse new calls, let those in flight end, close; return whether none had to be cut off."""
        await self._grpc.say_not_serving()
        if self.application.goodbye is not None:
            await self.application.goodbye()
        self._limits.drain()
        logger.info("draining", extra={"grace_seconds": self.settings.shutdown.grace_seconds})
        worked = asyncio.create_task(self._worked(), name="worker's end")
        finished = await self._finished(hurry or asyncio.Event())
        await worked
        if finished:
            await self._limits.quiet(_QUIET_SECONDS, _QUIET_LOOKS)
        await self._grpc.stop(_LAST_ANSWERS_SECONDS if finished else 0)
        await self._http.stop()
        if self._watching is not None:
            self._watching.cancel()
        if self.application.close is not None:
            await self.application.close()
        logger.info("stopped", extra={"finished": finished})
        return finished

    async def _worked(self) -> None:
        """Let jobs that run end, and give back what has not ended in time."""
        grace = timedelta(seconds=self.settings.shutdown.grace_seconds)
        await asyncio.gather(*(worker.stop(grace) for worker in self.application.workers))

    async def _finished(self, hurry: asyncio.Event) -> bool:
        waits = [asyncio.create_task(self._limits.idle()), asyncio.create_task(hurry.wait())]
        try:
            await asyncio.wait(
                waits, timeout=self.settings.shutdown.grace_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            return waits[0].done()
        finally:
            for wait in waits:
                wait.cancel()

    def _where(self) -> dict[str, object]:
        grpc_host, _ = host_and_port(self.settings.grpc.listen)
        http_host, _ = host_and_port(self.settings.http.listen)
        where: dict[str, object] = {
            "grpc": _address(grpc_host, self.grpc_port),
            "http": _address(http_host, self.http_port),
            "version": self.application.version,
            "roles": in_words(self.application.roles),
        }
        return where | ({"dev": True, "notice": self.application.notice} if self.application.dev else {})


async def run(process: Process) -> int:
    """Serve until SIGTERM or SIGINT, drain, and return the exit code; a second signal ends it at once."""
    stop, hurry = asyncio.Event(), asyncio.Event()

    def signalled() -> None:
        (hurry if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signalled)
    await process.start()
    _set_aside()
    await stop.wait()
    return 0 if await process.stop(hurry) else 1


def _set_aside() -> None:
    """Keep the garbage collector from looking through what is there for good, again and again.

    Modules, types of messages and compiled rules are most of the heap; calls would wait while it is searched.
    """
    gc.collect()
    gc.freeze()
    gc.enable()


def _tls(listener: GRPCSettings | HTTPSettings) -> TLSFiles | None:
    if listener.tls_certificate is None or listener.tls_key is None:
        return None
    return TLSFiles(listener.tls_certificate, listener.tls_key, listener.tls_client_ca)


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
