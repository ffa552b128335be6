"""Decide without recording: candidate policies, given evidence, a given time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.canonical import digest_of
from release_passport_server.domain.case import case_record
from release_passport_server.domain.catalog import PolicyDocument
from release_passport_server.domain.decide import decide
from release_passport_server.domain.errors import Invalid, NotFound, Violation
from release_passport_server.domain.evidence import EvidenceDraft
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.record import DecisionDraft
from release_passport_server.domain.release import Release, ReleaseIdentity
from release_passport_server.domain.verdict import Stage
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.store import Reader, Store
from release_passport_server.services.cases import Cases, case_key
from release_passport_server.services.intake import place_of


@dataclass(frozen=True, slots=True)
class SimulateCommand:
    """What to decide, and what to suppose."""

    principal: Principal
    release: ReleaseName | None = None
    identity: ReleaseIdentity | None = None
    policies: Sequence[PolicyDocument] = ()
    policies_only: bool = False
    evidence: Sequence[EvidenceDraft] = ()
    now: datetime | None = None
    stage: Stage | None = None


@dataclass(frozen=True, slots=True)
class Simulate:
    """Decide a supposed case; nothing is stored and the answer gates nothing."""

    store: Store
    access: Authorizer
    cases: Cases
    clock: Clock
    engine_version: str

    async def __call__(self, command: SimulateCommand) -> DecisionDraft:
        """Return what would be decided; raise NotFound for a release that is neither stored nor described."""
        named = command.release or command.identity
        assert named is not None
        place = {"service": named.service, "environment": named.environment}
        self.access.require(command.principal, Verb.READ, **place)
        for draft in command.evidence:
            place_of(command.principal.tenant, draft.item.subject)
        await asyncio.to_thread(self._compile, command.policies)
        return await self.store.read(command.principal.tenant, lambda reader: self._decide(reader, command))

    def _compile(self, policies: Sequence[PolicyDocument]) -> None:
        """Compile what is supposed before the store is asked; raise Invalid with the problems of each policy."""
        problems: list[Violation] = []
        for index, document in enumerate(policies):
            try:
                self.cases.compiler.compile(document)
            except Invalid as error:
                problems += [
                    Violation(f"policies[{index}]{one.field.removeprefix('policy')}", one.description)
                    for one in error.violations
                ]
        if problems:
            text = "; ".join(f"{one.field}: {one.description}" for one in problems)
            raise Invalid("POLICY_INVALID", text, violations=problems)

    def _decide(self, reader: Reader, command: SimulateCommand) -> DecisionDraft:
        now = command.now or self.clock.now()
        release = _release(reader, command, now)
        key = case_key(release, reader.attempts(release.name))
        loaded = reader.load_case(replace(key, every_history=True), now)
        supposed = tuple(
            replace(
                draft.item,
                name=f"supposed/{index}",
                source=draft.item.source or command.principal.id,
                receive_time=draft.item.observe_time,
            )
            for index, draft in enumerate(command.evidence)
        )
        given = {document.policy_id: document for document in command.policies}
        watching = command.stage is not Stage.PRE_ROLLOUT and loaded.kept_policies is not None
        stored = loaded.kept_policies if watching and loaded.kept_policies is not None else loaded.policies
        others = [one for one in stored if one.policy_id not in given and not command.policies_only]
        loaded = replace(
            loaded,
            policies=(*others, *given.values()),
            kept_policies=None,
            evidence=(*loaded.evidence, *supposed),
            now=now,
        )
        case = self.cases.build(loaded, stage=command.stage)
        return DecisionDraft(
            case=case,
            outcome=decide(case, now=now),
            now=now,
            engine_version=self.engine_version,
            case_digest=digest_of(case_record(case)),
            considered_revision=loaded.read_revision,
        )


def _release(reader: Reader, command: SimulateCommand, now: datetime) -> Release:
    if command.identity is not None:
        identity = command.identity
        name = ReleaseName(reader.tenant, identity.service, identity.environment, identity.version)
        found = reader.find_release(identity.service, identity.environment, identity.version)
        return found or Release(str(name), identity, command.principal.id, now)
    assert command.release is not None
    wanted = command.release
    found = reader.find_release(wanted.service, wanted.environment, wanted.version)
    if found is None:
        raise NotFound("NOT_FOUND", f"there is no release {wanted}")
    return found
