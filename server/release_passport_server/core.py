"""What several services share, wired once for each process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version as version_of

from release_passport import __version__
from release_passport_server.adapters.calendar.recurring import RecurringFreezes
from release_passport_server.adapters.casbin.index import AccessIndex
from release_passport_server.adapters.cel.compiler import CELCompiler
from release_passport_server.adapters.cel.policies import CELPolicies
from release_passport_server.adapters.dsse.verifier import DSSEVerifier
from release_passport_server.adapters.http.client import GuardedClients
from release_passport_server.adapters.oci.registry import OCIRegistry
from release_passport_server.adapters.signing.key_folder import KeyFolder
from release_passport_server.adapters.signing.sealer import DSSESealer
from release_passport_server.adapters.sigstore.verifier import SigstoreVerifier
from release_passport_server.adapters.sql.leases import SQLLeases
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.adapters.system.alerts import LoggedAlerts
from release_passport_server.adapters.system.clock import SystemClock
from release_passport_server.adapters.system.ids import SystemIds
from release_passport_server.adapters.tlog.anchor_file import AnchorFile
from release_passport_server.adapters.tlog.integrator import Integrator
from release_passport_server.adapters.tlog.log_names import LogNames
from release_passport_server.adapters.tlog.proofs import LogProofs
from release_passport_server.adapters.tokens.bearer import BearerTokens
from release_passport_server.config import Settings
from release_passport_server.domain.verification_summary import Issuer
from release_passport_server.federation import vouchers
from release_passport_server.notification_wiring import mail_of
from release_passport_server.ports.log import LogIdentity
from release_passport_server.resources import policies_dir
from release_passport_server.services.audit import Audit
from release_passport_server.services.authenticate import Authenticate, Vouchers
from release_passport_server.services.backlog import Backlog
from release_passport_server.services.cases import Cases
from release_passport_server.services.collect_attestations import CollectAttestations
from release_passport_server.services.grants import GrantLoader, GuardedStore
from release_passport_server.services.intake import EvidenceIntake
from release_passport_server.services.people import Standing
from release_passport_server.services.reading import Reading
from release_passport_server.services.signing import Signing
from release_passport_server.services.tail import Tail
from release_passport_server.services.tell_channel import ChannelMail
from release_passport_server.services.verify_envelope import VerifyEnvelope
from release_passport_server.services.verify_evidence import VerifyEvidence
from release_passport_server.services.watching import StreamLimits, Watching
from release_passport_server.verification import bundle_verifier, default_roots, registries
from release_passport_server.wire.intoto.claims import EnvelopeClaims
from release_passport_server.wire.messages import WireMessages
from release_passport_server.worker.log_keeper import LogKeeper

# Decisions name what made them: another engine may answer otherwise.
ENGINE_VERSION = f"release-passport {__version__}; cel-expr-python {version_of('cel-expr-python')}"

DEV_ORIGIN = "dev"


@dataclass(frozen=True, slots=True)
class Log:
    """The transparency logs."""

    identity: Callable[[str], LogIdentity]
    reader: LogProofs
    anchor: AnchorFile
    keeper: LogKeeper


@dataclass(frozen=True, slots=True)
class Core:
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
    collect: CollectAttestations
    reading: Reading
    authenticate: Authenticate
    signing: Signing
    keys: KeyFolder
    log: Log
    audit: Audit
    watching: Watching
    mail: ChannelMail
    clock: SystemClock
    ids: SystemIds
    tokens: BearerTokens
    alerts: LoggedAlerts
    # What everybody who asks who they are is told of this server.
    notices: tuple[str, ...]


def core_of(store: SQLStore, settings: Settings, *, dev: bool, notices: tuple[str, ...]) -> Core:
    """Wire what is shared, on a store with the schema of this version."""
    clock, ids, tokens = SystemClock(), SystemIds(), BearerTokens()
    access = AccessIndex(policies_dir() / "rbac")
    loader = GrantLoader(store, access, access, clock)
    compiler, verifier, messages = CELPolicies(CELCompiler()), DSSEVerifier(), WireMessages()
    bundles, roots = bundle_verifier(settings.verification), default_roots(settings.verification)
    keys = KeyFolder.open(settings.key_folder, clock.now())
    log = _log(store, settings, keys, dev=dev)
    verify = VerifyEvidence(store, VerifyEnvelope(bundles, verifier), messages, roots)
    intake = EvidenceIntake(access, verify, ids)
    return Core(
        store=store,
        access=access,
        loader=loader,
        guarded=GuardedStore(store, access, loader),
        compiler=compiler,
        verifier=verifier,
        bundles=bundles,
        messages=messages,
        cases=Cases(compiler, messages, verifier, dev, roots, Standing(access, RecurringFreezes(), messages)),
        intake=intake,
        collect=_collect(store, access, intake, settings),
        reading=Reading(store, access),
        authenticate=Authenticate(store, tokens, access, loader, clock, dev, _vouchers(settings, clock)),
        signing=Signing(
            DSSESealer(keys), Issuer(settings.signing.issuer), settings.signing.verification_summaries
        ),
        keys=keys,
        log=log,
        audit=Audit(store, access, log.reader, keys, settings.signing.issuer, log.identity, store.blocking),
        watching=Watching(store, access, loader, clock, Tail(store), Backlog(store), _streams(settings)),
        mail=mail_of(settings, clock),
        clock=clock,
        ids=ids,
        tokens=tokens,
        alerts=LoggedAlerts(),
        notices=notices,
    )


def _streams(settings: Settings) -> StreamLimits:
    return StreamLimits(settings.limits.watch_of_principal, settings.limits.watch_of_tenant)


def _vouchers(settings: Settings, clock: SystemClock) -> Vouchers:
    return vouchers(settings, GuardedClients(f"release-passport/{__version__}"), clock)


def _collect(
    store: SQLStore, access: AccessIndex, intake: EvidenceIntake, settings: Settings
) -> CollectAttestations:
    given = settings.registries
    registry = OCIRegistry(GuardedClients(f"release-passport/{__version__}"), seconds=given.timeout_seconds)
    return CollectAttestations(
        store, access, intake, registry, EnvelopeClaims(), SystemClock(), registries(given)
    )


def _log(store: SQLStore, settings: Settings, keys: KeyFolder, *, dev: bool) -> Log:
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
    return Log(identity, LogProofs(log, keys), anchor, keeper)
