"""A case: what was loaded for a question, put into the form that `decide` takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from operator import attrgetter

from release_passport_server.domain.case import Case, Held
from release_passport_server.domain.catalog import PolicyDocument
from release_passport_server.domain.evidence import EvidenceItem, Verification
from release_passport_server.domain.people import NOBODY
from release_passport_server.domain.policy import Policy
from release_passport_server.domain.release import Attempt, Ground, ObserveOnly, Place, Release
from release_passport_server.domain.trust import TrustedRoot
from release_passport_server.domain.verdict import Stage, Verdict
from release_passport_server.domain.watch_window import is_gone
from release_passport_server.ports.attestations import AttestationVerifier
from release_passport_server.ports.judging import CaseKey, LoadedCase
from release_passport_server.ports.messages import Messages
from release_passport_server.ports.policies import PolicyCompiler
from release_passport_server.services.people import Standing
from release_passport_server.services.subjects import subjects_of
from release_passport_server.services.window_view import look_at

# What `EvidenceItem.order` gives, read without a call for each item.
_ORDER = attrgetter("observe_time", "receive_time", "name")


@dataclass(frozen=True, slots=True)
class Cases:
    """Builds cases; the same way for a recorded decision, a simulation and the start of a rollout."""

    compiler: PolicyCompiler
    messages: Messages
    verifier: AttestationVerifier
    dev: bool = False
    # What tenants that have named no trusted root verify against.
    default_roots: tuple[TrustedRoot, ...] = ()
    # Which of people's acts stand; without it none do.
    standing: Standing | None = None

    def build(self, loaded: LoadedCase, *, stage: Stage | None = None) -> Case:
        """Return the case of what was loaded, at the stage that the attempt's state says, or at a given one."""
        at = stage or (Stage.PRE_ROLLOUT if loaded.attempt is None else Stage.WATCH)
        attempt = loaded.attempt if at is Stage.WATCH else None
        before, evidence = _previous_outcome(loaded), by_kind(loaded.evidence)
        kept = None if attempt is None else loaded.kept_policies
        place = self.place(loaded)
        if kept is not None:
            # What an environment has come to require since is asked of its next rollout.
            there = {document.policy_id for document in kept}
            required = tuple(one for one in place.required_policies if one in there)
            place = replace(place, required_policies=required)
        policies = tuple(self.policies(loaded.policies if kept is None else kept, place))
        return Case(
            release=loaded.release,
            place=place,
            stage=at,
            policies=policies,
            evidence=evidence,
            release_facts=self.messages.release_facts(loaded.release, place, at),
            attempt=attempt,
            attempt_facts=None if attempt is None else self.messages.attempt_facts(attempt, before),
            ground=_ground(loaded) if attempt is not None else None,
            latches=loaded.latches,
            rollback_target=loaded.rollback_target,
            previous_outcome=before,
            vouched=self._vouched(loaded),
            dev=self.dev,
            people=self.standing.people(loaded, place, policies) if self.standing else NOBODY,
            silenced=self._silenced(loaded.release, evidence.get("incident_state", ())),
            held=None if attempt is None else self._held(loaded, attempt, evidence.get("rollout_status", ())),
            foreign_images=()
            if attempt is None
            else self._foreign(loaded.release, attempt, evidence.get("rollout_status", ())),
        )

    def _held(self, loaded: LoadedCase, attempt: Attempt, seen: Iterable[EvidenceItem]) -> Held | None:
        """Return since when the rollout has been on hold, by the decision that stands; None where it has not."""
        standing = loaded.standing
        if standing is None or standing.stage is not Stage.WATCH:
            return None
        of_attempt, since = self.messages.held(standing.body)
        if standing.effective_verdict is Verdict.HOLD:
            since = since or standing.decide_time
        if of_attempt != attempt.name or since is None:
            return None
        digests = frozenset(artifact.digest for artifact in loaded.release.identity.artifacts)
        looks = [look for item in seen if (look := look_at(self.messages, item, digests)) is not None]
        # Where nobody looks it may take traffic from the start on.
        return Held(since, exposed=not looks or not is_gone(looks))

    def _silenced(self, release: Release, seen: Iterable[EvidenceItem]) -> frozenset[str]:
        """Return the items about incidents that came to be quiet after the release was made."""
        times = {item.name: self.messages.silence_time(item) for item in seen}
        return frozenset(name for name, time in times.items() if time and time > release.create_time)

    def _foreign(self, release: Release, attempt: Attempt, seen: Iterable[EvidenceItem]) -> tuple[str, ...]:
        """Return the images that a rollout was last seen to bring, by each who looked, beside its release's."""
        newest = {
            (item.source, item.key): item
            for item in seen
            if item.subject.value == attempt.name and item.revocation is None
        }
        images = {digest for item in newest.values() for digest in self.messages.new_images(item)}
        return tuple(sorted(images - {artifact.digest for artifact in release.identity.artifacts}))

    def policies(self, documents: Iterable[PolicyDocument], place: Place) -> Iterable[Policy]:
        """Yield the compiled policies that match, by id."""
        for document in sorted(documents, key=lambda document: document.policy_id):
            policy = self.compiler.compile(document)
            if policy.match.selects(place):
                yield policy

    def _vouched(self, loaded: LoadedCase) -> frozenset[str]:
        """Return the verified items whose signer the trust configuration lets vouch here, as it stands now.

        What a signature proves is kept with its item; whose word counts is asked anew for each decision, so that an
        identity, a key or a root that is taken away counts no longer.
        """
        proven = [one for one in loaded.evidence if one.proof and one.verification is Verification.VERIFIED]
        if not proven:
            return frozenset()
        trust = loaded.trust.with_defaults(self.default_roots)
        identity = loaded.release.identity
        place = identity.service, identity.environment
        return frozenset(
            item.name
            for item in proven
            if item.proof
            and (
                trust.vouches(item.proof, item.kind, *place)
                or any(
                    key.scope.admits(item.kind, *place) and self.verifier.key_signer(key.pem) == item.signer
                    for key in trust.keys
                )
            )
        )

    def place(self, loaded: LoadedCase) -> Place:
        """Return the place that the release goes to, as the catalogue has it."""
        identity, service, environment = loaded.release.identity, loaded.service, loaded.environment
        binding = loaded.observe_only
        return Place(
            service=identity.service,
            environment=identity.environment,
            service_known=service is not None,
            environment_known=environment is not None,
            service_labels=service.labels if service else None,
            environment_labels=environment.labels if environment else None,
            signers=tuple(self.verifier.key_signer(key) for key in service.signers) if service else (),
            trust_revision=loaded.trust.revision,
            required_policies=environment.required_policies if environment else (),
            observe_only=None
            if binding is None
            else ObserveOnly(binding.binding_id, binding.owner, binding.expire_time),
        )


def case_key(release: Release, attempts: Iterable[Attempt] = ()) -> CaseKey:
    """Return what the store needs to load a release's case."""
    return CaseKey(release, subjects_of(release, attempts), release.name)


def by_kind(items: Iterable[EvidenceItem]) -> dict[str, tuple[EvidenceItem, ...]]:
    """Return items by kind, oldest first."""
    kinds: defaultdict[str, list[EvidenceItem]] = defaultdict(list)
    for item in sorted(items, key=_ORDER):
        kinds[item.kind].append(item)
    return {kind: tuple(found) for kind, found in kinds.items()}


def _ground(loaded: LoadedCase) -> Ground | None:
    decision = loaded.ground
    if decision is None:
        return None
    return Ground(decision.name, decision.verdict, decision.effective_verdict, loaded.ground_withdrawn)


def _previous_outcome(loaded: LoadedCase) -> str:
    current = loaded.attempt.name if loaded.attempt else ""
    ended = [one for one in loaded.previous_attempts if one.finish_time is not None and one.name != current]
    return max(ended, key=lambda one: one.start_time).outcome if ended else ""
