"""The only wiring: settings in, a store, an application or a running server out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version as version_of
from typing import Any

from release_passport import __version__
from release_passport.bundle.form import Document
from release_passport_server import restoring
from release_passport_server.adapters.calendar.recurring import RecurringFreezes
from release_passport_server.adapters.casbin.index import AccessIndex
from release_passport_server.adapters.cel.compiler import CELCompiler
from release_passport_server.adapters.cel.policies import CELPolicies
from release_passport_server.adapters.dsse.verifier import DSSEVerifier
from release_passport_server.adapters.signing.key_folder import KeyFolder
from release_passport_server.adapters.signing.sealer import DSSESealer
from release_passport_server.adapters.sigstore.verifier import SigstoreVerifier
from release_passport_server.adapters.sql.jobs import SQLJobs
from release_passport_server.adapters.sql.leases import SQLLeases
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.adapters.system.clock import SystemClock
from release_passport_server.adapters.system.ids import SystemIds
from release_passport_server.adapters.tlog.anchor_file import AnchorFile
from release_passport_server.adapters.tlog.integrator import Integrator
from release_passport_server.adapters.tlog.log_names import LogNames
from release_passport_server.adapters.tlog.proofs import LogProofs
from release_passport_server.adapters.tokens.bearer import BearerTokens
from release_passport_server.config import Settings, SettingsInvalid
from release_passport_server.dev_mode import NOTICE
from release_passport_server.domain.access import Principal
from release_passport_server.domain.errors import AlreadyExists, Violation, invalid
from release_passport_server.domain.ids import SLUG_RULE, is_slug
from release_passport_server.domain.job import REEVALUATE
from release_passport_server.domain.record import Page
from release_passport_server.domain.verification_summary import Issuer
from release_passport_server.ports.authentication import Authenticator
from release_passport_server.ports.log import LogIdentity
from release_passport_server.process import Application, Process, run
from release_passport_server.resources import policies_dir
from release_passport_server.services.access import RoleBindings, WhoAmI
from release_passport_server.services.audit import Audit
from release_passport_server.services.authenticate import Authenticate
from release_passport_server.services.cases import Cases
from release_passport_server.services.catalog import Environments, Services
from release_passport_server.services.create_release import CreateRelease
from release_passport_server.services.dev_access import admit_everybody
from release_passport_server.services.evaluate import Evaluate, Recorder
from release_passport_server.services.explain import Explain
from release_passport_server.services.export import Export
from release_passport_server.services.finish_rollout import FinishRollout
from release_passport_server.services.freezes import Freezes
from release_passport_server.services.grants import GrantLoader, GuardedStore
from release_passport_server.services.intake import EvidenceIntake
from release_passport_server.services.observe_only import ObserveOnlyBindings
from release_passport_server.services.people import Standing
from release_passport_server.services.permits import Permits
from release_passport_server.services.policies import Policies
from release_passport_server.services.reading import Reading
from release_passport_server.services.reconsider import RECONSIDER
from release_passport_server.services.reevaluate import Reevaluate
from release_passport_server.services.replaying import Replayer, replay_statement
from release_passport_server.services.restored import Restored
from release_passport_server.services.reverify import Reverify
from release_passport_server.services.revoke_evidence import RevokeEvidence
from release_passport_server.services.signing import Signing
from release_passport_server.services.simulate import Simulate
from release_passport_server.services.start_rollout import StartRollout
from release_passport_server.services.submit_evidence import SubmitEvidence
from release_passport_server.services.tenants import Tenants, bootstrap_tenant
from release_passport_server.services.tokens import APITokens
from release_passport_server.services.trust import TrustConfigurations
from release_passport_server.services.try_policy import TryPolicy
from release_passport_server.services.verify_envelope import VerifyEnvelope
from release_passport_server.services.verify_evidence import VerifyEvidence
from release_passport_server.transport.grpc.handlers.access import AccessHandlers
from release_passport_server.transport.grpc.handlers.audit import AuditHandlers
from release_passport_server.transport.grpc.handlers.catalog import CatalogHandlers
from release_passport_server.transport.grpc.handlers.decisions import DecisionHandlers
from release_passport_server.transport.grpc.handlers.evidence import EvidenceHandlers
from release_passport_server.transport.grpc.handlers.freezes import FreezeHandlers
from release_passport_server.transport.grpc.handlers.permits import PermitHandlers
from release_passport_server.transport.grpc.handlers.policies import PolicyHandlers
from release_passport_server.transport.grpc.handlers.releases import ReleaseHandlers
from release_passport_server.transport.grpc.handlers.tenants import TenantHandlers
from release_passport_server.transport.grpc.handlers.trust import TrustHandlers
from release_passport_server.verification import bundle_verifier, default_roots
from release_passport_server.wire.bundle import BundledBodies, recorded
from release_passport_server.wire.messages import WireMessages
from release_passport_server.worker.log_keeper import KIND, LogKeeper
from release_passport_server.worker.reevaluation import Reevaluator, Sweeper
from release_passport_server.worker.runner import Pace, Runner, Work

logger = logging.getLogger(__name__)

# Decisions name what made them: another engine may answer otherwise.
ENGINE_VERSION = f"release-passport {__version__}; cel-expr-python {version_of('cel-expr-python')}"

DEV_ORIGIN = "dev"
# Who asks goes first: no more of the server's own questions are decided at once.
DECIDED_AT_ONCE = 2
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


async def serve(settings: Settings, *, dev: bool, behind_proxy: bool = False) -> int:
    """Serve until a signal; return the exit code. Raise SettingsInvalid for a store that is not ready to be served."""
    path = settings.store.sqlite_path
    if path is not None and not path.exists():
        raise SettingsInvalid(f"store.url: there is no store at {path}: run `passport-server init`")
    async with _store(settings) as store:
        if not store.schema_current():
            if not dev:
                raise SettingsInvalid(
                    f"store.url: the schema in {settings.store.url} is not this version's: run `passport-server "
                    "migrate`, or `passport-server init` for a new store"
                )
            store.migrate()
        if not dev:
            # What is tried out may be thrown away and begun anew.
            restoring.require_as_published(store, settings)
        application = await build(store, settings, dev=dev, behind_proxy=behind_proxy)
        return await run(Process(application, settings))


async def build(
    store: SQLStore, settings: Settings, *, dev: bool = False, behind_proxy: bool = False
) -> Application:
    """Return what answers calls, on a store with the schema of this version."""
    core = _core(store, settings, dev=dev, notices=(BEHIND_PROXY,) if behind_proxy else ())
    authenticator: Authenticator = core.authenticate
    if dev:
        logger.warning(NOTICE, extra={"dev": True})
        authenticator = _DevAuthenticator(
            core.authenticate, await admit_everybody(store, core.ids, core.tokens)
        )
    worker = None
    if settings.worker.enabled:
        await core.log.keeper.schedule(store)
        worker = _worker(core, settings)
    return Application(
        _handlers(core),
        authenticator,
        store.ready,
        __version__,
        NOTICE if dev else "",
        worker,
        core.log.keeper,
        core.audit,
        core.bundles.close,
    )


@asynccontextmanager
async def restored(settings: Settings) -> AsyncIterator[Restored]:
    """Give what looks at a restored store and begins its new epoch; no server may have it meanwhile."""
    async with _store(settings) as store:
        if not store.schema_current():
            raise SettingsInvalid("store.url: the schema is not this version's: run `passport-server migrate`")
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

    async def authenticate(self, bearer: str | None) -> Principal:
        """Return who asks."""
        return await self.known.authenticate(bearer or self.token)


@dataclass(frozen=True, slots=True)
class _Log:
    """The transparency logs."""

    identity: Callable[[str], LogIdentity]
    reader: LogProofs
    anchor: AnchorFile
    keeper: LogKeeper


@dataclass(frozen=True, slots=True)
class _Core:
    """What several services share."""

    store: SQLStore
    access: AccessIndex
    loader: GrantLoader
    guarded: GuardedStore
    compiler: CELPolicies
    verifier: DSSEVerifier
    bundles: SigstoreVerifier
    messages: WireMessages
    cases: Cases
    intake: EvidenceIntake
    reading: Reading
    authenticate: Authenticate
    signing: Signing
    keys: KeyFolder
    log: _Log
    audit: Audit
    clock: SystemClock
    ids: SystemIds
    tokens: BearerTokens
    # What everybody who asks who they are is told of this server.
    notices: tuple[str, ...]


def _core(store: SQLStore, settings: Settings, *, dev: bool, notices: tuple[str, ...]) -> _Core:
    clock, ids, tokens = SystemClock(), SystemIds(), BearerTokens()
    access = AccessIndex(policies_dir() / "rbac")
    loader = GrantLoader(store, access, access, clock)
    compiler, verifier, messages = CELPolicies(CELCompiler()), DSSEVerifier(), WireMessages()
    bundles, roots = bundle_verifier(settings.verification), default_roots(settings.verification)
    keys = KeyFolder.open(settings.key_folder, clock.now())
    log = _log(store, settings, keys, dev=dev)
    return _Core(
        store=store,
        access=access,
        loader=loader,
        guarded=GuardedStore(store, access, loader),
        compiler=compiler,
        verifier=verifier,
        bundles=bundles,
        messages=messages,
        cases=Cases(compiler, messages, verifier, dev, roots, Standing(access, RecurringFreezes(), messages)),
        intake=EvidenceIntake(
            access, VerifyEvidence(store, VerifyEnvelope(bundles, verifier), messages, roots), ids
        ),
        reading=Reading(store, access),
        authenticate=Authenticate(store, tokens, access, loader, clock, dev),
        signing=Signing(
            DSSESealer(keys), Issuer(settings.signing.issuer), settings.signing.verification_summaries
        ),
        keys=keys,
        log=log,
        audit=Audit(store, access, log.reader, keys, settings.signing.issuer, log.identity, store.blocking),
        clock=clock,
        ids=ids,
        tokens=tokens,
        notices=notices,
    )


def _log(store: SQLStore, settings: Settings, keys: KeyFolder, *, dev: bool) -> _Log:
    # What was tried out can never be taken for the log of a service.
    name = DEV_ORIGIN if dev else settings.log_origin
    log, clock, anchor = store.log, SystemClock(), AnchorFile(settings.anchor_folder)

    # Which names logs have changes only while no server has the store.
    identity = LogNames.found(name, log.origins())
    keeper = LogKeeper(
        backlog=log,
        growth=Integrator(log, log, keys, anchor),
        leases=SQLLeases(store.aside),
        clock=clock,
        identity=identity,
        blocking=store.blocking,
        holder=SystemIds().ulid(clock.now()),
        lease=timedelta(seconds=settings.worker.lease_seconds),
    )
    return _Log(identity, LogProofs(log, keys), anchor, keeper)


def _worker(core: _Core, settings: Settings) -> Runner:
    keeper, store = core.log.keeper, core.store
    pace = Pace(at_once=settings.worker.at_once, lease=keeper.lease)
    jobs = SQLJobs(store.aside, store.write)
    reevaluate = Reevaluate(store, core.loader, _recorder(core))
    work = {
        KIND: Work(keeper, at_once=1),
        REEVALUATE: Work(Reevaluator(reevaluate, store, core.clock), at_once=DECIDED_AT_ONCE),
        RECONSIDER: Work(Sweeper(store, jobs, Reverify(store, core.intake.verify)), at_once=1),
    }
    runner = Runner(jobs, work, keeper.holder, pace)
    loop = asyncio.get_running_loop()

    def told() -> None:
        # The store outlives the loop by the last of its writes.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(runner.wake)

    store.on_due(told)
    return runner


def _recorder(core: _Core) -> Recorder:
    return Recorder(core.cases, core.messages, core.ids, core.signing, ENGINE_VERSION)


def _handlers(core: _Core) -> Mapping[str, object]:
    return {
        f"release_passport.v1.{name}": handler
        for name, handler in (
            ("AccessService", _access(core)),
            ("AuditService", AuditHandlers(core.audit)),
            ("CatalogService", _catalog(core)),
            ("DecisionService", _decisions(core)),
            ("EvidenceService", _evidence(core)),
            ("FreezeService", FreezeHandlers(_freezes(core))),
            ("PermitService", PermitHandlers(_permits(core))),
            ("PolicyService", _policies(core)),
            ("ReleaseService", _releases(core)),
            ("TenantService", _tenants(core)),
            ("TrustService", _trust(core)),
        )
    }


def _access(core: _Core) -> AccessHandlers:
    return AccessHandlers(
        WhoAmI(core.access, core.loader, __version__, core.notices),
        RoleBindings(core.store, core.access, core.guarded, core.ids),
        APITokens(core.store, core.access, core.guarded, core.loader, core.ids, core.tokens),
    )


def _freezes(core: _Core) -> Freezes:
    return Freezes(core.store, core.access, core.guarded, RecurringFreezes(), core.clock, core.ids)


def _catalog(core: _Core) -> CatalogHandlers:
    return CatalogHandlers(
        Services(core.store, core.access, core.guarded, core.verifier),
        Environments(core.store, core.access, core.guarded),
        ObserveOnlyBindings(core.store, core.access, core.guarded, core.ids),
    )


def _decisions(core: _Core) -> DecisionHandlers:
    return DecisionHandlers(
        Evaluate(core.store, core.access, core.intake, _recorder(core)),
        Explain(core.compiler, core.messages, ENGINE_VERSION, core.store, core.access),
        Simulate(core.store, core.access, core.cases, core.clock, ENGINE_VERSION),
        core.reading,
        _permits(core),
        core.clock,
    )


def _permits(core: _Core) -> Permits:
    return Permits(core.store, core.access, core.cases, core.messages, core.signing.sealer, core.ids)


def _evidence(core: _Core) -> EvidenceHandlers:
    return EvidenceHandlers(
        SubmitEvidence(core.store, core.intake), RevokeEvidence(core.store, core.access), core.reading
    )


def _policies(core: _Core) -> PolicyHandlers:
    return PolicyHandlers(
        Policies(core.store, core.access, core.guarded, core.compiler), TryPolicy(core.access, core.compiler)
    )


def _releases(core: _Core) -> ReleaseHandlers:
    return ReleaseHandlers(
        CreateRelease(core.store, core.access),
        StartRollout(core.store, core.access, core.cases),
        FinishRollout(core.store, core.access, core.cases, core.messages, core.ids),
        core.reading,
        core.clock,
        Export(core.store, core.access, core.audit, core.log.anchor, core.signing.sealer, core.clock),
    )


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


def _tenants(core: _Core) -> TenantHandlers:
    return TenantHandlers(Tenants(core.store, core.access, core.loader, core.ids, core.tokens))


def _trust(core: _Core) -> TrustHandlers:
    return TrustHandlers(TrustConfigurations(core.store, core.access, core.guarded, core.verifier))
