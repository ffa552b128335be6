"""The handlers of every service, each with what it needs."""

from __future__ import annotations

from collections.abc import Mapping

from release_passport import __version__
from release_passport_server.adapters.calendar.recurring import RecurringFreezes
from release_passport_server.core import ENGINE_VERSION, Core
from release_passport_server.ports.workloads import ClusterObjects
from release_passport_server.services.access import RoleBindings, WhoAmI
from release_passport_server.services.access_review import AccessReview
from release_passport_server.services.adopt_policies import AdoptPolicies
from release_passport_server.services.answer_gate import AnswerGate
from release_passport_server.services.approvals import Approvals
from release_passport_server.services.ballots import Ballots
from release_passport_server.services.bans import Bans
from release_passport_server.services.bypasses import Bypasses
from release_passport_server.services.catalog import Environments, Services
from release_passport_server.services.collect_evidence import CollectEvidence
from release_passport_server.services.connectors import Connectors
from release_passport_server.services.create_release import CreateRelease
from release_passport_server.services.dead_jobs import DeadJobs
from release_passport_server.services.duties import Duties
from release_passport_server.services.evaluate import Evaluate, Recorder
from release_passport_server.services.explain import Explain
from release_passport_server.services.export import Export
from release_passport_server.services.finish_rollout import FinishRollout
from release_passport_server.services.freezes import Freezes
from release_passport_server.services.gate_record import GateRecord
from release_passport_server.services.gate_skips import GateSkips
from release_passport_server.services.gates import Gates
from release_passport_server.services.groups import Groups
from release_passport_server.services.live_reading import LiveReading
from release_passport_server.services.notifications import Notifications
from release_passport_server.services.observe_only import ObserveOnlyBindings
from release_passport_server.services.overrides import Overrides
from release_passport_server.services.permits import Permits
from release_passport_server.services.policies import Policies
from release_passport_server.services.policy_changes import PolicyChanges
from release_passport_server.services.reevaluate import Reevaluate
from release_passport_server.services.refresh import Refresh
from release_passport_server.services.revoke_evidence import RevokeEvidence
from release_passport_server.services.show_passport import ShowPassport
from release_passport_server.services.simulate import Simulate
from release_passport_server.services.start_rollout import StartRollout
from release_passport_server.services.submit_evidence import SubmitEvidence
from release_passport_server.services.superseding import Superseding
from release_passport_server.services.tenants import Tenants
from release_passport_server.services.tokens import APITokens
from release_passport_server.services.trust import TrustConfigurations
from release_passport_server.services.try_policy import TryPolicy
from release_passport_server.services.waivers import Waivers
from release_passport_server.services.watch_windows import WatchWindows
from release_passport_server.transport.grpc.handlers.access import AccessHandlers
from release_passport_server.transport.grpc.handlers.approvals import ApprovalHandlers, GroupHandlers
from release_passport_server.transport.grpc.handlers.audit import AuditHandlers
from release_passport_server.transport.grpc.handlers.catalog import CatalogHandlers
from release_passport_server.transport.grpc.handlers.connectors import ConnectorHandlers
from release_passport_server.transport.grpc.handlers.decisions import DecisionHandlers
from release_passport_server.transport.grpc.handlers.evidence import EvidenceHandlers
from release_passport_server.transport.grpc.handlers.freezes import FreezeHandlers
from release_passport_server.transport.grpc.handlers.gates import GateHandlers
from release_passport_server.transport.grpc.handlers.jobs import JobHandlers
from release_passport_server.transport.grpc.handlers.notifications import NotificationHandlers
from release_passport_server.transport.grpc.handlers.overrides import OverrideHandlers
from release_passport_server.transport.grpc.handlers.permits import PermitHandlers
from release_passport_server.transport.grpc.handlers.policies import PolicyHandlers
from release_passport_server.transport.grpc.handlers.releases import ReleaseHandlers
from release_passport_server.transport.grpc.handlers.tenants import TenantHandlers
from release_passport_server.transport.grpc.handlers.trust import TrustHandlers
from release_passport_server.transport.grpc.handlers.waivers import WaiverHandlers
from release_passport_server.transport.grpc.handlers.watch_windows import WatchWindowHandlers
from release_passport_server.wire.collected import ObservedEvidence


def handlers_of(
    core: Core, collect: CollectEvidence, clusters: ClusterObjects | None = None
) -> Mapping[str, object]:
    """Return what answers the calls of every service, by the service's full name."""
    return {
        f"release_passport.v1.{name}": handler
        for name, handler in (
            ("AccessService", _access(core)),
            ("ApprovalService", ApprovalHandlers(_approvals(core))),
            ("AuditService", AuditHandlers(core.audit, _duties(core))),
            ("CatalogService", _catalog(core)),
            ("ConnectorService", ConnectorHandlers(_connectors(core, collect))),
            ("DecisionService", _decisions(core, collect)),
            ("EvidenceService", _evidence(core)),
            ("FreezeService", FreezeHandlers(_freezes(core))),
            ("GateService", GateHandlers(_gates(core, clusters))),
            ("GroupService", GroupHandlers(Groups(core.store, core.access, core.guarded))),
            ("JobService", JobHandlers(DeadJobs(core.store, core.access, core.guarded))),
            ("NotificationService", NotificationHandlers(_notifications(core))),
            ("OverrideService", OverrideHandlers(_overrides(core))),
            ("PermitService", PermitHandlers(_permits(core))),
            ("PolicyService", _policies(core)),
            ("ReleaseService", _releases(core)),
            ("TenantService", _tenants(core)),
            ("TrustService", _trust(core)),
            ("WaiverService", WaiverHandlers(_waivers(core))),
            ("WatchWindowService", WatchWindowHandlers(watch_windows_of(core), adopt_policies_of(core))),
        )
    }


def _approvals(core: Core) -> Approvals:
    return Approvals(
        core.store,
        core.access,
        core.guarded,
        _ballots(core),
        Reevaluate(core.store, core.loader, recorder_of(core)),
        core.clock,
        core.ids,
    )


def _ballots(core: Core) -> Ballots:
    assert core.cases.standing is not None
    return Ballots(core.access, core.cases, core.cases.standing)


def _access(core: Core) -> AccessHandlers:
    return AccessHandlers(
        WhoAmI(core.access, core.loader, __version__, core.notices),
        RoleBindings(core.store, core.access, core.guarded, core.ids),
        APITokens(core.store, core.access, core.guarded, core.loader, core.ids, core.tokens),
        Bans(core.store, core.access, core.guarded, core.ids),
        AccessReview(core.store, core.access, core.clock),
    )


def _connectors(core: Core, collect: CollectEvidence) -> Connectors:
    return Connectors(core.store, core.access, core.guarded, collect, core.ids)


def _freezes(core: Core) -> Freezes:
    return Freezes(core.store, core.access, core.guarded, RecurringFreezes(), core.clock, core.ids)


def _notifications(core: Core) -> Notifications:
    return Notifications(core.store, core.access, core.guarded, core.mail, core.clock, core.ids)


def _overrides(core: Core) -> Overrides:
    return Overrides(core.store, core.access, core.guarded, recorder_of(core), core.alerts, core.ids)


def _waivers(core: Core) -> Waivers:
    return Waivers(core.store, core.access, core.guarded, core.cases, core.clock, core.ids)


def _catalog(core: Core) -> CatalogHandlers:
    return CatalogHandlers(
        Services(core.store, core.access, core.guarded, core.verifier),
        Environments(core.store, core.access, core.guarded),
        ObserveOnlyBindings(core.store, core.access, core.guarded, core.ids),
    )


def _decisions(core: Core, collect: CollectEvidence) -> DecisionHandlers:
    return DecisionHandlers(
        Evaluate(core.store, core.access, core.intake, recorder_of(core), Refresh(core.store, collect)),
        Explain(core.compiler, core.messages, ENGINE_VERSION, core.store, core.access),
        Simulate(core.store, core.access, core.cases, core.clock, ENGINE_VERSION),
        core.reading,
        _permits(core),
        core.clock,
        core.watching,
    )


def _permits(core: Core) -> Permits:
    return Permits(core.store, core.access, core.cases, core.messages, core.signing.sealer, core.ids)


def _duties(core: Core) -> Duties:
    return Duties(core.store, core.access, core.compiler, core.clock)


def _evidence(core: Core) -> EvidenceHandlers:
    return EvidenceHandlers(
        SubmitEvidence(core.store, core.intake, Superseding(core.messages)),
        RevokeEvidence(core.store, core.access),
        core.reading,
        core.collect,
    )


def _policies(core: Core) -> PolicyHandlers:
    return PolicyHandlers(
        Policies(core.store, core.access, core.guarded, core.compiler),
        TryPolicy(core.access, core.compiler),
        PolicyChanges(core.store, core.access, core.guarded, core.compiler, core.clock, core.ids),
    )


def _releases(core: Core) -> ReleaseHandlers:
    return ReleaseHandlers(
        CreateRelease(core.store, core.access),
        _start(core),
        _finish(core),
        core.reading,
        core.clock,
        Export(core.store, core.access, core.audit, core.log.anchor, core.signing.sealer, core.clock),
        ShowPassport(core.store, core.access, _ballots(core), core.clock),
    )


def _start(core: Core) -> StartRollout:
    return StartRollout(core.store, core.access, core.cases, _finish(core))


def _finish(core: Core) -> FinishRollout:
    return FinishRollout(core.store, core.access, core.cases, core.messages, core.ids)


def _tenants(core: Core) -> TenantHandlers:
    return TenantHandlers(Tenants(core.store, core.access, core.loader, core.ids, core.tokens))


def _trust(core: Core) -> TrustHandlers:
    return TrustHandlers(TrustConfigurations(core.store, core.access, core.guarded, core.verifier))


def _gates(core: Core, clusters: ClusterObjects | None) -> Gates:
    return Gates(core.store, core.access, core.guarded, core.ids, core.tokens, clusters)


def gate_answers(core: Core, clusters: ClusterObjects) -> AnswerGate:
    """Return what answers controllers at their gates."""
    record = GateRecord(
        core.store,
        _start(core),
        _finish(core),
        GateSkips(Bypasses(core.messages, core.ids), ObservedEvidence(), core.ids),
    )
    return AnswerGate(
        core.store, core.loader, recorder_of(core), core.messages, LiveReading(clusters), record
    )


def watch_windows_of(core: Core) -> WatchWindows:
    """Return what shows and ends watch windows."""
    finish = FinishRollout(core.store, core.access, core.cases, core.messages, core.ids)
    return WatchWindows(
        core.store, core.access, core.guarded, core.messages, _ballots(core), finish, core.ids
    )


def adopt_policies_of(core: Core) -> AdoptPolicies:
    """Return what has rollouts judged by the policies of now."""
    return AdoptPolicies(core.store, core.access, core.guarded, core.cases, core.messages, core.clock)


def recorder_of(core: Core) -> Recorder:
    """Return what decides and makes the record."""
    return Recorder(core.cases, core.messages, core.ids, core.signing, ENGINE_VERSION)
