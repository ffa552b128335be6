"""Permits: given with a decision, used once, and checked against what is true at that moment."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.decide import OBSERVE_ONLY, decide
from release_passport_server.domain.errors import Conflict, Denied, NotFound, Precondition
from release_passport_server.domain.ids import DecisionName, ReleaseName
from release_passport_server.domain.permit import (
    Errand,
    Permit,
    PermitRefusal,
    Redemption,
    Terms,
    new_permit,
    permit_of,
    permit_refusal,
    permit_statement,
)
from release_passport_server.domain.record import DecisionRecord
from release_passport_server.domain.release import Release
from release_passport_server.domain.statement import PAYLOAD_TYPE
from release_passport_server.domain.verdict import Stage, Verdict
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.judging import Judged
from release_passport_server.ports.messages import Messages
from release_passport_server.ports.signing import Sealer
from release_passport_server.ports.store import Reader, Store, Transaction, Written
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.cases import Cases, case_key


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What the redeeming of a permit came to."""

    decision: str
    effective_verdict: Verdict
    redeem_time: datetime


@dataclass(frozen=True, slots=True)
class Permits:
    """Gives permits and takes them back in."""

    store: Store
    access: Authorizer
    cases: Cases
    messages: Messages
    sealer: Sealer
    ids: Ids

    async def give(self, principal: Principal, judged: Judged, target: str) -> bytes:
        """Return the permit of a decision for this target; empty where it lets nothing go, or enforces nothing."""
        decision = judged.record
        # Most questions name no target: the decision is read for those alone that do.
        if not target or not decision.effective_verdict.allows:
            return b""
        limits = self.messages.limits(decision.body)
        if OBSERVE_ONLY in limits.weakenings:
            return b""

        def act(reader: Reader) -> tuple[Release | None, str]:
            name = ReleaseName.parse(decision.release)
            release = reader.find_release(name.service, name.environment, name.version)
            return release, _open_attempt(reader, decision.release)

        release, attempt = await self.store.read(principal.tenant, act)
        if release is None:
            return b""
        errand = Errand(target, attempt, judged.epoch)
        now = decision.decide_time
        terms = Terms(errand, now, limits.max_weight, limits.steps, limits.dev, limits.weakenings)
        permit = new_permit(self.ids.ulid(now), decision, release, terms)
        if permit is None:
            return b""
        return self.sealer.seal(PAYLOAD_TYPE, permit_statement(permit, release.identity.artifacts), now)

    async def redeem(
        self, ask: Ask, envelope: bytes, target: str, digests: frozenset[str]
    ) -> Written[Redeemed]:
        """Mark a permit as used, if all that it says is true now.

        Raises Denied for an envelope that is not ours, Precondition `PERMIT_REDEEMED` or `PERMIT_INVALID`, and
        Conflict `VERDICT_CHANGED` where the release would not be let go any more.
        """
        permit = _read(self.sealer.open(envelope, PAYLOAD_TYPE))
        name = ReleaseName.parse(permit.release)
        if name.tenant != ask.principal.tenant:
            raise NotFound("NOT_FOUND", f"there is no release {name}")
        self.access.require(ask.principal, Verb.REDEEM, service=name.service, environment=name.environment)

        def act(tx: Transaction) -> Redeemed:
            def again(time: str) -> Redeemed:
                return Redeemed(permit.decision, permit.verdict, datetime.fromisoformat(time))

            def use() -> tuple[Redeemed, str]:
                verdict = self._use(tx, ask, permit, target, digests)
                return Redeemed(permit.decision, verdict, tx.now), tx.now.isoformat()

            return once(tx, ask, use, again)[0]

        return await self.store.write(ask.principal.tenant, act)

    async def report(self, ask: Ask, name: DecisionName, detail: dict[str, object]) -> Written[None]:
        """Record what was done with a decision; raise NotFound for one that there is not."""
        release = name.release
        self.access.require(
            ask.principal, Verb.REPORT, service=release.service, environment=release.environment
        )

        def act(tx: Transaction) -> None:
            def put() -> tuple[None, str]:
                if tx.find_decision(str(name)) is None:
                    raise NotFound("NOT_FOUND", f"there is no decision {name}")
                record(tx, ask, str(name), (f"report:{release}",), **detail)
                return None, ""

            once(tx, ask, put, lambda _: None)

        return await self.store.write(ask.principal.tenant, act)

    def _use(
        self, tx: Transaction, ask: Ask, permit: Permit, target: str, digests: frozenset[str]
    ) -> Verdict:
        name = ReleaseName.parse(permit.release)
        release = tx.find_release(name.service, name.environment, name.version)
        if release is None:
            raise NotFound("NOT_FOUND", f"there is no release {name}")
        newest = tx.newest_decision(release.name)
        attempt = _open_attempt(tx, release.name)
        refusal = permit_refusal(
            permit,
            Redemption(
                release=release,
                stage=Stage.WATCH if attempt else Stage.PRE_ROLLOUT,
                errand=Errand(target, attempt, tx.epoch()),
                newest=newest,
                used=tx.permit_redeemed(permit.permit_id),
                now=tx.now,
                dev=self.cases.dev,
            ),
        )
        if refusal is not None:
            raise _refused(refusal, newest)
        deployed = frozenset(artifact.digest for artifact in release.identity.artifacts)
        if digests and digests != deployed:
            text = "other digests are about to run than the permit is for: evaluate the release that they belong to"
            raise Precondition("PERMIT_INVALID", text, metadata={"cause": "PERMIT_OTHER_DIGESTS"})
        verdict = self._now(tx, release)
        tx.put_permit(permit.permit_id, ask.principal.id)
        record(tx, ask, permit.decision, (f"release:{release.name}",), permit=permit.permit_id, target=target)
        return verdict

    def _now(self, tx: Transaction, release: Release) -> Verdict:
        """Return what the effective verdict would be now; raise Conflict where it lets nothing go."""
        loaded = tx.load_case(case_key(release, tx.attempts(release.name)), tx.now)
        outcome = decide(self.cases.build(loaded), now=tx.now)
        if not outcome.effective_verdict.allows:
            text = f"it would be {outcome.effective_verdict.name} now: call Evaluate for the reasons"
            raise Conflict("VERDICT_CHANGED", f"the permit opens nothing: {text}")
        return outcome.effective_verdict


def _open_attempt(reader: Reader, release: str) -> str:
    unfinished = [one.name for one in reader.attempts(release) if one.finish_time is None]
    return unfinished[-1] if unfinished else ""


def _read(payload: bytes) -> Permit:
    try:
        return permit_of(json.loads(payload))
    except ValueError as error:
        raise Denied("PERMIT_INVALID", f"this is no permit of this service: {error}") from error


def _refused(refusal: PermitRefusal, newest: DecisionRecord | None) -> Conflict | Precondition:
    name = "" if newest is None else newest.name
    if refusal is PermitRefusal.VERDICT_CHANGED:
        text = "the permit opens nothing: the newest decision says something else, or has expired"
        return Conflict("VERDICT_CHANGED", text, metadata={"newest": name})
    if refusal is PermitRefusal.REDEEMED:
        text = "the permit was used before, and each is good for once: call Evaluate for another one"
        return Precondition("PERMIT_REDEEMED", text)
    text = f"the permit opens nothing here and now ({refusal}): call Evaluate for one that does"
    return Precondition("PERMIT_INVALID", text, metadata={"cause": str(refusal)})
