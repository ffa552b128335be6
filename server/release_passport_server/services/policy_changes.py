"""Change policies by two people: one proposes, and another one applies what was proposed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.act_names import PolicyChangeName
from release_passport_server.domain.acts import same_person
from release_passport_server.domain.authors import is_person
from release_passport_server.domain.canonical import digest_of
from release_passport_server.domain.catalog import PolicyDocument
from release_passport_server.domain.errors import Conflict, Denied, NotFound, Precondition
from release_passport_server.domain.etags import policy_etag, require_etag
from release_passport_server.domain.policy_change import PROPOSED_FOR, PolicyChange, ShownChange
from release_passport_server.domain.record import Listed, Page
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.policies import PolicyCompiler
from release_passport_server.ports.store import Reader, Store, Transaction, Written
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.enforcement import last_enforced, unenforced
from release_passport_server.services.grants import GuardedStore
from release_passport_server.services.policies import (
    compiled,
    policy_at,
    put_deletion,
    put_revision,
    standing_policy,
)

# So many places are named; all of them count.
_NAMED = 100
_WEAKENINGS = 100


@dataclass(frozen=True, slots=True)
class PolicyChanges:
    """Takes, shows and applies proposed changes of policies."""

    store: Store
    access: Authorizer
    guarded: GuardedStore
    compiler: PolicyCompiler
    clock: Clock
    ids: Ids

    async def propose(
        self, ask: Ask, policy_id: str, spec: object | None, etag: str, reason: str
    ) -> Written[ShownChange]:
        """Return the change, to be applied by somebody else; no spec means that the policy would be deleted."""
        self.access.require(ask.principal, Verb.POLICIES)
        draft = None if spec is None else await compiled(self.compiler, policy_id, spec)

        def put(tx: Transaction) -> tuple[PolicyChange, str]:
            _require_person(ask.principal)
            before = standing_policy(tx, policy_id)
            require_etag(etag, policy_etag(before), f"policy {policy_id}")
            places = unenforced(tx, self.compiler, before, spec)
            name = PolicyChangeName(tx.tenant, self.ids.ulid(tx.now))
            stored = PolicyChange(
                name=str(name),
                policy_id=policy_id,
                base_revision=before.revision,
                spec=b"" if spec is None else self.compiler.written(spec),
                digest="" if draft is None else draft.digest,
                places=places[:_NAMED],
                place_count=len(places),
                places_digest=digest_of(list(places)),
                weakenings=self.compiler.weakenings(before.spec, spec)[:_WEAKENINGS],
                reason=reason,
                proposer=ask.principal.id,
                proposer_identities=ask.principal.identities,
                create_time=tx.now,
                expire_time=tx.now + PROPOSED_FOR,
            )
            tx.put_act(stored)
            record(tx, ask, stored.name, ("tenant",), base=stored.base_revision, **_said(stored))
            return stored, name.change_id

        return await self._write(ask, put)

    async def apply(self, ask: Ask, name: PolicyChangeName) -> Written[tuple[ShownChange, PolicyDocument]]:
        """Return the change and the policy's new revision.

        Raises Denied `SELF_APPROVAL` for who proposed it, Precondition `ALREADY_ENDED` for one that was applied or has
        expired, Conflict where the policy was changed since, and Precondition `LAST_ENFORCED` where other places
        would be left without an ENFORCE policy than the change says.
        """
        self.access.require(ask.principal, Verb.POLICIES)
        seen = await self.store.read(ask.principal.tenant, lambda reader: _change(reader, name.change_id))
        # A change never says anything else; only that it was applied is added to it.
        spec = None if seen.deletes else self.compiler.read(seen.spec)
        draft = None if spec is None else await compiled(self.compiler, seen.policy_id, spec)

        def put(tx: Transaction) -> tuple[PolicyChange, str]:
            change = _change(tx, name.change_id)
            _require_second_person(ask.principal, change)
            before = _based_on(tx, change)
            places = unenforced(tx, self.compiler, before, spec)
            if places and digest_of(list(places)) != change.places_digest:
                advice = f"that is not what {change.name} says: propose the change again"
                raise last_enforced(change.policy_id, places, advice)
            told = {"change": change.name, "proposer": change.proposer, **_said(change)}
            if draft is None:
                put_deletion(tx, ask, before, **told)
            else:
                del told["digest"]
                put_revision(tx, ask, draft, before, **told)
            stored = replace(change, applier=ask.principal.id, apply_time=tx.now)
            tx.put_act(stored)
            return stored, name.change_id

        written = await self._write(ask, put)
        shown = written.value
        document = await self.store.read(
            ask.principal.tenant,
            lambda reader: policy_at(reader, shown.change.policy_id, shown.change.base_revision + 1),
        )
        return Written((shown, document), written.revision)

    async def withdraw(self, ask: Ask, name: PolicyChangeName, reason: str) -> Written[ShownChange]:
        """Return the change, taken back by who proposed it or anybody else who writes policies."""

        def put(tx: Transaction) -> tuple[PolicyChange, str]:
            _require_person(ask.principal)
            change = _change(tx, name.change_id)
            _require_open(change, tx.now)
            stored = replace(
                change, withdrawn_by=ask.principal.id, withdraw_time=tx.now, withdraw_reason=reason
            )
            tx.put_act(stored)
            record(tx, ask, stored.name, ("tenant",), policy=stored.policy_id, reason=reason)
            return stored, name.change_id

        return await self._write(ask, put)

    async def get(self, principal: Principal, name: PolicyChangeName) -> ShownChange:
        """Return one proposed change."""
        self.access.require_somewhere(principal, Verb.READ)
        return await self.store.read(
            principal.tenant, lambda reader: self._shown(reader, _change(reader, name.change_id))
        )

    async def list(self, principal: Principal, policy_id: str, page: Page) -> Listed[ShownChange]:
        """Return proposed changes, newest first; an empty policy means all."""
        self.access.require_somewhere(principal, Verb.READ)

        def act(reader: Reader) -> Listed[ShownChange]:
            listed = reader.list_acts(PolicyChange, page, key=policy_id)
            return Listed(tuple(self._shown(reader, one) for one in listed.items), listed.next_after)

        return await self.store.read(principal.tenant, act)

    async def _write(
        self, ask: Ask, put: Callable[[Transaction], tuple[PolicyChange, str]]
    ) -> Written[ShownChange]:
        def allow() -> None:
            self.access.require(ask.principal, Verb.POLICIES)

        def act(tx: Transaction) -> ShownChange:
            return self._shown(tx, once(tx, ask, lambda: put(tx), lambda found: _change(tx, found))[0])

        return await self.guarded.write(ask.principal, allow, act)

    def _shown(self, reader: Reader, change: PolicyChange) -> ShownChange:
        newest = reader.find_policy(change.policy_id)
        revision = 0 if newest is None else newest.revision
        spec = None if change.deletes else self.compiler.read(change.spec)
        return ShownChange(change, spec, change.state(revision, self.clock.now()))


def _said(change: PolicyChange) -> dict[str, object]:
    """Return what the audit log says of a change."""
    return {
        "policy": change.policy_id,
        "digest": change.digest,
        "deletes": change.deletes,
        "unenforced": list(change.places),
        "unenforcedCount": change.place_count,
        "weakenings": list(change.weakenings),
        "reason": change.reason,
    }


def _based_on(tx: Transaction, change: PolicyChange) -> PolicyDocument:
    """Return the policy as it was when the change was proposed; raise Precondition or Conflict where that is over."""
    _require_open(change, tx.now)
    found = standing_policy(tx, change.policy_id)
    if found.revision != change.base_revision:
        text = (
            f"policy {change.policy_id} was changed since {change.name} was made from revision "
            f"{change.base_revision}: propose the change again"
        )
        raise Conflict("ETAG_MISMATCH", text, metadata={"etag": policy_etag(found)})
    return found


def _require_open(change: PolicyChange, now: datetime) -> None:
    if change.apply_time is not None:
        raise Precondition("ALREADY_ENDED", f"{change.name} was applied by {change.applier} already")
    if change.withdraw_time is not None:
        raise Precondition("ALREADY_ENDED", f"{change.name} was withdrawn by {change.withdrawn_by}")
    if change.expire_time <= now:
        raise Precondition("ALREADY_ENDED", f"{change.name} has expired: propose the change again")


def _require_person(principal: Principal) -> None:
    if not is_person(principal.id):
        text = f"{principal.id} is no person: two people have to answer for the change"
        raise Denied("ACCESS_DENIED", text)


def _require_second_person(principal: Principal, change: PolicyChange) -> None:
    _require_person(principal)
    proposers = (change.proposer, *change.proposer_identities)
    if same_person(proposers, (principal.id, *principal.identities)):
        text = f"{principal.id} proposed {change.name}: somebody else has to apply it"
        raise Denied("SELF_APPROVAL", text)


def _change(reader: Reader, change_id: str) -> PolicyChange:
    found = reader.find_act(PolicyChange, change_id)
    if found is None:
        raise NotFound("NOT_FOUND", f"there is no proposed change {change_id}")
    return found
