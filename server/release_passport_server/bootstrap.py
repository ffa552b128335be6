"""The only wiring: settings in, a store, an application or a running server out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from release_passport import __version__
from release_passport.bundle.form import Document
from release_passport_server import restoring
from release_passport_server.adapters.cel.compiler import CELCompiler
from release_passport_server.adapters.cel.policies import CELPolicies
from release_passport_server.adapters.http.client import GuardedClients
from release_passport_server.adapters.http.webhook import SecretInvalid, SignedWebhook, secret_of
from release_passport_server.adapters.kubernetes.objects import KubernetesObjects
from release_passport_server.adapters.sql.jobs import SQLJobs
from release_passport_server.adapters.sql.notice_counts import SQLNoticeCounts
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.adapters.sqlite.writable import unwritable
from release_passport_server.adapters.system.clock import SystemClock
from release_passport_server.adapters.system.ids import SystemIds
from release_passport_server.adapters.tokens.bearer import BearerTokens
from release_passport_server.assembly import gate_answers, handlers_of, recorder_of, watch_windows_of
from release_passport_server.config import Settings, SettingsInvalid
from release_passport_server.connector_wiring import (
    LEASE,
    Connecting,
    Reached,
    connecting_of,
    connector_work,
)
from release_passport_server.core import ENGINE_VERSION, Core, core_of
from release_passport_server.dev_mode import NOTICE
from release_passport_server.domain.access import Principal
from release_passport_server.domain.connector import COLLECT, FOLLOW
from release_passport_server.domain.errors import AlreadyExists, Violation, invalid
from release_passport_server.domain.ids import SLUG_RULE, is_slug
from release_passport_server.domain.job import REEVALUATE
from release_passport_server.domain.notices import ANNOUNCE, TELL
from release_passport_server.domain.notification import NOTIFY
from release_passport_server.domain.outbound import OriginInvalid
from release_passport_server.domain.record import Page
from release_passport_server.domain.watch_window import EXPIRE_WINDOW
from release_passport_server.notification_wiring import notification_work
from release_passport_server.ports.authentication import Authenticator
from release_passport_server.ports.workloads import ClusterObjects, NoClusters
from release_passport_server.process import Application, Process, run
from release_passport_server.services.admit_gate import AdmitGate
from release_passport_server.services.authenticate import Authenticate
from release_passport_server.services.dev_access import admit_everybody
from release_passport_server.services.reconsider import RECONSIDER
from release_passport_server.services.reevaluate import Reevaluate
from release_passport_server.services.replaying import Replayer, replay_statement
from release_passport_server.services.restored import Restored
from release_passport_server.services.reverify import Reverify
from release_passport_server.services.tenants import bootstrap_tenant
from release_passport_server.transport.grpc.limits import Limits
from release_passport_server.transport.http.gates import GateEdge
from release_passport_server.transport.roles import EVERY_ROLE, Role, Roles, in_words, roles_of
from release_passport_server.webhook_settings import WebhookSettings
from release_passport_server.wire.bundle import BundledBodies, recorded
from release_passport_server.wire.messages import WireMessages
from release_passport_server.worker.feed_keeper import TRIM_FEED, FeedKeeper
from release_passport_server.worker.job_status import JobStatus
from release_passport_server.worker.log_keeper import KIND
from release_passport_server.worker.notice_status import NoticeStatus
from release_passport_server.worker.notifier import Notifier
from release_passport_server.worker.reevaluation import Reevaluator, Sweeper
from release_passport_server.worker.runner import Pace, Runner, Work
from release_passport_server.worker.windows import WindowKeeper

logger = logging.getLogger(__name__)


# Who asks goes first: no more of the server's own questions are decided at once.
DECIDED_AT_ONCE = 2
JOB_KINDS = (KIND, TRIM_FEED, REEVALUATE, NOTIFY, RECONSIDER, ANNOUNCE, TELL, EXPIRE_WINDOW, COLLECT, FOLLOW)
BEHIND_PROXY = "this server ends no TLS itself: whoever stands between it and its proxy can read tokens"


async def migrate(settings: Settings) -> None:
    """Bring the schema to this version."""
    async with _store(settings) as store:
        store.migrate()


async def init(settings: Settings, tenant: str) -> str:
    """Make the store and its first tenant; return its admin's token. Raise AlreadyExists where there is a tenant."""
    if not is_slug(tenant):
        raise invalid([Violation("tenant", SLUG_RULE)])
    async with _store(settings) as store:
        store.migrate()
        if (await store.list_tenants(Page(1))).items:
            text = "this store is initialised; its admins make tokens with `passport token create`"
            raise AlreadyExists("ALREADY_EXISTS", text)
        return (await bootstrap_tenant(store, SystemIds(), BearerTokens(), tenant))[1]


async def serve(
    settings: Settings,
    *,
    dev: bool,
    behind_proxy: bool = False,
    shared_ports: bool = False,
    roles: Roles | None = None,
) -> int:
    """Serve until a signal; return the exit code. Raise SettingsInvalid for a store that is not ready to be served."""
    path = settings.store.sqlite_path
    if path is not None and not path.exists():
        raise SettingsInvalid(f"store.url: there is no store at {path}: run `passport-server init`")
    if path is not None and (obstacle := unwritable(path)):
        raise SettingsInvalid(f"store.url: {obstacle}")
    async with _store(settings) as store:
        if not store.schema_usable():
            if not dev:
                raise SettingsInvalid(
                    f"store.url: the schema in {settings.store.url} is older than this version, or none: run "
                    "`passport-server migrate`, or `passport-server init` for a new store"
                )
            store.migrate()
        if not dev:
            # What is tried out may be thrown away and begun anew.
            restoring.require_as_published(store, settings)
        application = await build(store, settings, dev=dev, behind_proxy=behind_proxy, roles=roles)
        return await run(Process(application, settings, shared_ports))


def chosen_roles(settings: Settings, text: str | None) -> Roles:
    """Return what a process is for that is told so, or not told; raise SettingsInvalid."""
    if text is None:
        return _roles_by(settings)
    try:
        roles = roles_of(text)
    except ValueError as error:
        raise SettingsInvalid(f"--roles: {error}") from None
    if Role.WORKER in roles and not settings.worker.enabled:
        raise SettingsInvalid(
            "--roles: worker.enabled says that this process does no jobs; leave one of both out"
        )
    if settings.store.sqlite_path is not None and roles != EVERY_ROLE:
        text = f"--roles: nobody beside this process could do what it leaves out of {in_words(EVERY_ROLE)}"
        raise SettingsInvalid(f"{text}: the embedded store belongs to one process; use PostgreSQL")
    return roles


def _roles_by(settings: Settings) -> Roles:
    return EVERY_ROLE if settings.worker.enabled else EVERY_ROLE - {Role.WORKER}


async def build(
    store: SQLStore,
    settings: Settings,
    *,
    dev: bool = False,
    behind_proxy: bool = False,
    clusters: ClusterObjects | None = None,
    roles: Roles | None = None,
) -> Application:
    """Return what answers calls, on a store with the schema of this version."""
    core = core_of(store, settings, dev=dev, notices=(BEHIND_PROXY,) if behind_proxy else ())
    authenticator: Authenticator = core.authenticate
    if dev:
        logger.warning(NOTICE, extra={"dev": True})
        authenticator = _DevAuthenticator(
            core.authenticate, await admit_everybody(store, core.ids, core.tokens)
        )
    objects = _objects(settings)
    connecting = connecting_of(
        store,
        settings,
        core.clock,
        core.ids,
        Reached(core.collect.registry, core.collect.registries, objects),
    )
    workers: tuple[Runner, ...] = ()
    if roles is None:
        roles = _roles_by(settings)
    if Role.WORKER in roles:
        await core.log.keeper.schedule(store)
        await _feeds(core, settings).schedule()
        workers = _workers(core, settings, connecting)

    async def close() -> None:
        await core.bundles.close()
        await connecting.sources.close()
        if objects is not None:
            await objects.close()

    return Application(
        handlers_of(core, connecting.collect, clusters or objects),
        authenticator,
        store.ready,
        __version__,
        NOTICE if dev else "",
        workers,
        core.log.keeper,
        core.audit,
        close,
        alerts=core.alerts,
        jobs=JobStatus(SQLJobs(store.aside, store.write), JOB_KINDS, core.clock),
        notices=NoticeStatus(SQLNoticeCounts(store.aside), core.clock),
        goodbye=core.watching.end,
        gates=_gates(core, clusters or objects or NoClusters()),
        roles=roles,
    )


@asynccontextmanager
async def restored(settings: Settings) -> AsyncIterator[Restored]:
    """Give what looks at a restored store and begins its new epoch; no server may have it meanwhile."""
    async with _store(settings) as store:
        if not store.schema_usable():
            raise SettingsInvalid(
                "store.url: the schema is older than this version: run `passport-server migrate`"
            )
        yield restoring.restored(store, settings)


def open_store(settings: Settings) -> SQLStore:
    """Return the store that the settings name; raise Unavailable where another process has it."""
    password = None
    if settings.store.password_file is not None:
        password = settings.store.password_file.read_text(encoding="utf-8").rstrip("\r\n")
    return SQLStore.open(
        settings.store.url, SystemClock().now, pool_size=settings.store.pool_size, password=password
    )


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[SQLStore]:
    store = open_store(settings)
    try:
        yield store
    finally:
        await store.close()


@dataclass(frozen=True, slots=True)
class _DevAuthenticator:
    """Takes a caller without a token for `user:dev`; a token still says who else it is."""

    known: Authenticate
    token: str

    async def authenticate(self, bearer: str | None, certificate: bytes = b"") -> Principal:
        """Return who asks."""
        if bearer is None and certificate:
            return await self.known.authenticate(None, certificate)
        return await self.known.authenticate(bearer or self.token)


def _objects(settings: Settings) -> KubernetesObjects | None:
    folder = settings.clusters.folder
    if folder is None:
        return None
    return KubernetesObjects(folder, GuardedClients(f"release-passport/{__version__}"))


def _gates(core: Core, clusters: ClusterObjects) -> Callable[[Limits], GateEdge]:
    admit, answer = AdmitGate(core.store, core.tokens), gate_answers(core, clusters)
    return lambda limits: GateEdge(admit, answer, core.clock, limits)


def _workers(core: Core, settings: Settings, connecting: Connecting) -> tuple[Runner, ...]:
    keeper, store = core.log.keeper, core.store
    pace = Pace(at_once=settings.worker.at_once, lease=keeper.lease)
    jobs = SQLJobs(store.aside, store.write)
    reevaluate = Reevaluate(store, core.loader, recorder_of(core))
    work = {
        KIND: Work(keeper, at_once=1),
        TRIM_FEED: Work(_feeds(core, settings), at_once=1),
        REEVALUATE: Work(Reevaluator(reevaluate, core.clock), at_once=DECIDED_AT_ONCE),
        **notification_work(store, core.messages, core.mail),
        EXPIRE_WINDOW: Work(WindowKeeper(watch_windows_of(core))),
        NOTIFY: Work(Notifier(_delivery(settings.webhook), core.clock), at_once=2),
        RECONSIDER: Work(Sweeper(store, jobs, Reverify(store, core.intake.verify)), at_once=1, waits=True),
    }
    # Sources that hang take no turn from what is decided.
    reads, many = connector_work(connecting.collect, core.clock, settings.connectors.at_once)
    apart = Pace(at_once=many, lease=max(keeper.lease, LEASE))
    runners = (Runner(jobs, work, keeper.holder, pace), Runner(jobs, reads, keeper.holder, apart))
    loop = asyncio.get_running_loop()

    def told(kinds: Collection[str]) -> None:
        # The store outlives the loop by the last of its writes.
        for runner in runners:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(runner.wake, kinds)

    store.on_due(told)
    return runners


def _feeds(core: Core, settings: Settings) -> FeedKeeper:
    return FeedKeeper(core.store, core.clock, timedelta(hours=settings.store.feed_hours))


def _delivery(settings: WebhookSettings) -> SignedWebhook | None:
    if settings.secret_file is None:
        return None
    try:
        secret = secret_of(settings.secret_file.read_text(encoding="ascii"))
        return SignedWebhook(
            GuardedClients(f"release-passport/{__version__}"),
            settings.url,
            secret,
            internal=settings.internal,
            ca_file=settings.ca_file,
        )
    except (OSError, UnicodeError) as error:
        raise SettingsInvalid(
            f"webhook.secret_file: {settings.secret_file} cannot be read: {error}"
        ) from error
    except SecretInvalid as error:
        raise SettingsInvalid(f"webhook.secret_file: the secret {error}") from error
    except OriginInvalid as error:
        raise SettingsInvalid(f"webhook.url: {error}") from error


def bundle_replayer() -> Callable[[Document, Mapping[str, Mapping[str, Any]]], dict[str, str]]:
    """Return what decides the cases of an exported passport again; it needs no store.

    It takes the passport and the verified statement of each decision, and says how each compares.
    """
    replayer = Replayer(CELPolicies(CELCompiler()), WireMessages(), ENGINE_VERSION)

    def replay(document: Document, statements: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        bodies = BundledBodies(document)
        return {
            given["name"]: replay_statement(
                replayer, bodies, recorded(given, statements[given["name"]]), statements[given["name"]]
            ).value
            for given in document["decisions"]
        }

    return replay
