"""Begin a new epoch after the store was put back to an earlier state: nothing that was lost may count as it was.

What was revoked since is valid again in a restored store, and nobody can tell what that was. So no token and no role
survives but the first admin's, who reads the list and gives them anew: until then nobody else is answered, which holds
every gate.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

from release_passport_server.domain.access import PLATFORM, Principal
from release_passport_server.domain.acts import Exemption, Override, Vote, Waiver
from release_passport_server.domain.catalog import RoleBinding
from release_passport_server.domain.ids import RoleBindingName, TenantName
from release_passport_server.domain.policy_change import PolicyChange
from release_passport_server.domain.record import Listed, LoggedEntry, Page
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.log import Setback, SetbackKind, StoreRestores
from release_passport_server.ports.store import AuditFilter, Reader, Store, Transaction
from release_passport_server.ports.tokens import Tokens
from release_passport_server.services.access import ADMIN, is_full_admin, put_binding
from release_passport_server.services.asking import Ask, record
from release_passport_server.services.tenants import FIRST_ADMIN
from release_passport_server.services.tokens import TokenOrder, issue

T = TypeVar("T")
METHOD = "AcceptRestore"
# Who acts: the operator, from the server's own command line.
_OPERATOR = "server:restored"
_UNSET = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)
# So far back a change may have been mended in the time that was lost.
LOOKED_BACK = timedelta(days=7)
PAGE = 200
# What is done all day, and gives nobody a right.
_EVERYDAY = frozenset(
    {"Evaluate", "CreateRelease", "SubmitEvidence", "StreamEvidence", "StartRollout", "FinishRollout"}
)


class RestoreRefused(Exception):
    """What is not done with this store; the text says why, and what to do."""


class Blocking(Protocol):
    """Runs what blocks beside the loop."""

    def __call__(self, act: Callable[[], T], /) -> Awaitable[T]: ...


@dataclass(frozen=True, slots=True)
class Review:
    """What a restored store lost, and what was done in it by hand shortly before that, by tenant."""

    setbacks: tuple[Setback, ...]
    to_look_at: tuple[tuple[str, LoggedEntry], ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The epoch that began, and the secret of an admin's token of each tenant, shown once."""

    epoch: int
    secrets: tuple[tuple[str, str], ...]
    revoked: int


@dataclass(frozen=True, slots=True)
class Restored:
    """Looks at a restored store, and begins its new epoch; no server may have the store meanwhile."""

    store: Store
    restores: StoreRestores
    ids: Ids
    tokens: Tokens
    clock: Clock
    blocking: Blocking

    async def review(self) -> Review:
        """Return what was lost, and what is to be looked at before tokens are given out again."""
        setbacks = await self.blocking(self.restores.setbacks)
        found: list[tuple[str, LoggedEntry]] = []
        for tenant in await self._tenants() if setbacks else []:
            since = await self.store.read(tenant, _last_time) - LOOKED_BACK
            found += [(tenant, one) for one in await self.store.read(tenant, _by_hand_since(since))]
        return Review(setbacks, tuple(found))

    async def accept(self) -> Accepted:
        """Begin a new epoch; raise RestoreRefused where nothing was put back, or the copy is no whole one."""
        setbacks = await self.blocking(self.restores.setbacks)
        if not setbacks:
            text = "this store is not behind what was anchored: there is nothing to accept"
            raise RestoreRefused(text)
        for one in setbacks:
            if one.kind is SetbackKind.ROWS_MISSING:
                text = f"{one.origin}: the audit log has fewer rows than its own tree of {one.size} leaves"
                raise RestoreRefused(f"{text}: put a whole copy back")
        epoch = await self.blocking(self.restores.next_epoch)
        secrets, revoked = [], 0
        for tenant in await self._tenants():
            mine = [one for one in setbacks if one.tenant in (tenant, PLATFORM)]
            count, secret = (await self.store.write(tenant, self._void(mine, epoch))).value
            secrets.append((tenant, secret))
            revoked += count
        await self.store.write(PLATFORM, lambda tx: _take_roles(tx, _asked_in(tx)))
        # Last, so that what fails before is begun anew.
        await self.blocking(lambda: self.restores.begin(setbacks, epoch, self.clock.now()))
        return Accepted(epoch, tuple(secrets), revoked)

    async def adopt(self) -> tuple[Setback, ...]:
        """Return the logs that are anchored from now on as the store has them; raise RestoreRefused for any setback."""
        setbacks = await self.blocking(self.restores.setbacks)
        for one in setbacks:
            if one.kind is not SetbackKind.NOT_ANCHORED:
                text = f"{one.origin} differs from what was anchored: `passport-server restored accept`"
                raise RestoreRefused(text)
        await self.blocking(lambda: self.restores.adopt(setbacks, self.clock.now()))
        return setbacks

    async def _tenants(self) -> list[str]:
        found: list[str] = []
        page = Page(PAGE)
        while True:
            listed = await self.store.list_tenants(page)
            found += [tenant.tenant_id for tenant in listed.items]
            if not listed.next_after:
                return found
            page = Page(PAGE, listed.next_after)

    def _void(self, setbacks: list[Setback], epoch: int) -> Callable[[Transaction], tuple[int, str]]:
        def act(tx: Transaction) -> tuple[int, str]:
            ask = _asked_in(tx)
            standing = [one for one in list(_every(tx.list_tokens)) if one.revoke_time is None]
            for token in standing:
                tx.put_token(replace(token, revoke_time=tx.now))
            for binding in list(_every(tx.list_observe_only)):
                if binding.end_time is None:
                    tx.put_observe_only(replace(binding, end_time=tx.now))
            _end_acts(tx)
            _take_roles(tx, ask)
            if not tx.all_role_bindings():
                put_binding(tx, ask, self.ids, RoleBinding("", FIRST_ADMIN, ADMIN, _UNSET, ""))
            new = issue(tx, self.ids, self.tokens, TokenOrder(FIRST_ADMIN, "after a restore"), _OPERATOR)
            lost = [_lost(one) for one in setbacks]
            name = str(TenantName(tx.tenant))
            record(tx, ask, name, epoch=epoch, lost=lost, tokensRevoked=len(standing))
            return len(standing), new.secret

        return act


def _asked_in(tx: Transaction) -> Ask:
    return Ask(Principal(_OPERATOR, tx.tenant, _NEVER), METHOD)


def _end_acts(tx: Transaction) -> None:
    """End every yes that people gave: one that was taken back since would count again. Rejections and freezes stand."""
    for vote in list(_every(lambda page: tx.list_acts(Vote, page))):
        if vote.end_time is None and vote.approves:
            tx.put_act(replace(vote, end_time=tx.now, ended_by=_OPERATOR, end_reason=METHOD))
    for waiver in list(_every(lambda page: tx.list_acts(Waiver, page))):
        if waiver.end_time is None:
            tx.put_act(replace(waiver, end_time=tx.now, ended_by=_OPERATOR, end_reason=METHOD))
    for override in list(_every(lambda page: tx.list_acts(Override, page))):
        if override.end_time is None:
            tx.put_act(replace(override, end_time=tx.now, ended_by=_OPERATOR))
    for exemption in list(_every(lambda page: tx.list_acts(Exemption, page))):
        if exemption.end_time is None:
            tx.put_act(replace(exemption, end_time=tx.now, ended_by=_OPERATOR))
    for change in list(_every(lambda page: tx.list_acts(PolicyChange, page))):
        if change.apply_time is None and change.expire_time > tx.now:
            tx.put_act(replace(change, expire_time=tx.now))


def _take_roles(tx: Transaction, ask: Ask) -> None:
    """Take away every role but the first admins': one that was taken away since would count again.

    Each is recorded as it was, so that it can be given again by who knows that it still should be there.
    """
    for binding in tx.all_role_bindings():
        first = binding.principal.endswith(f"/{FIRST_ADMIN}") if tx.tenant == PLATFORM else _is_first(binding)
        if first:
            continue
        tx.delete_role_binding(binding.binding_id)
        name = str(RoleBindingName(tx.tenant, binding.binding_id))
        record(
            tx,
            ask,
            name,
            principal=binding.principal,
            role=binding.role,
            services=list(binding.services),
            environments=list(binding.environments),
            evidenceKinds=list(binding.evidence_kinds),
        )


def _is_first(binding: RoleBinding) -> bool:
    return binding.principal == FIRST_ADMIN and is_full_admin(binding)


def _lost(one: Setback) -> dict[str, object]:
    return {
        "origin": one.anchored_origin,
        "size": str(one.anchored_size),
        "root": one.anchored_root.hex(),
        "kept": str(one.size),
    }


def _every(listed: Callable[[Page], Listed[T]]) -> Iterator[T]:
    page = Page(PAGE)
    while True:
        found = listed(page)
        yield from found.items
        if not found.next_after:
            return
        page = Page(PAGE, found.next_after)


def _last_time(reader: Reader) -> datetime:
    count = reader.leaf_count()
    last = reader.list_audit(AuditFilter(from_leaf=max(0, count - 1)), Page(1)).items
    return last[0].time if last else _NEVER


def _by_hand_since(since: datetime) -> Callable[[Reader], list[LoggedEntry]]:
    def act(reader: Reader) -> list[LoggedEntry]:
        entries = _every(lambda page: reader.list_audit(AuditFilter(from_time=since), page))
        return [one for one in entries if one.action not in _EVERYDAY]

    return act
