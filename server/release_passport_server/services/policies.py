"""Keep policies and their revisions; a bad one is refused and never takes the place of a good one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.catalog import PolicyDocument
from release_passport_server.domain.errors import AlreadyExists, NotFound
from release_passport_server.domain.etags import policy_etag, require_etag
from release_passport_server.domain.expression import ExpressionProblem
from release_passport_server.domain.record import Listed, Page
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.policies import PolicyCompiler
from release_passport_server.ports.store import Reader, Store, Transaction, Written
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.enforcement import announced, require_alone, require_enforced, unmatched
from release_passport_server.services.grants import GuardedStore
from release_passport_server.services.reconsider import reconsider_tenant

_UNSET = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Policies:
    """Registers, changes, deletes and shows policies."""

    store: Store
    access: Authorizer
    guarded: GuardedStore
    compiler: PolicyCompiler

    async def create(self, ask: Ask, policy_id: str, spec: object) -> Written[PolicyDocument]:
        """Return the new policy; the id of a deleted one goes on with its next revision."""
        self.access.require(ask.principal, Verb.POLICIES)
        draft = await compiled(self.compiler, policy_id, spec)

        def put(tx: Transaction) -> tuple[PolicyDocument, str]:
            before = tx.find_policy(policy_id)
            if before is not None and before.delete_time is None:
                text = f"there is a policy {policy_id} already: read it and update it"
                raise AlreadyExists("ALREADY_EXISTS", text)
            stored = put_revision(tx, ask, draft, before)
            return stored, str(stored.revision)

        return await self._write(ask, policy_id, put)

    async def update(self, ask: Ask, policy_id: str, spec: object, etag: str) -> Written[PolicyDocument]:
        """Return the policy with its spec replaced; the same spec again makes no revision.

        Raises Conflict where it was changed meanwhile, and Precondition `LAST_ENFORCED` where services would lose
        their last ENFORCE policy.
        """
        self.access.require(ask.principal, Verb.POLICIES)
        draft = await compiled(self.compiler, policy_id, spec)

        def put(tx: Transaction) -> tuple[PolicyDocument, str]:
            before = standing_policy(tx, policy_id)
            require_etag(etag, policy_etag(before), f"policy {policy_id}")
            if before.digest == draft.digest:
                return before, str(before.revision)
            require_enforced(tx, self.compiler, before, spec)
            weakenings = require_alone(tx, self.compiler, before, spec)
            said = announced(tx, ask, policy_id, weakenings)
            return put_revision(tx, ask, draft, before, **said), str(before.revision + 1)

        return await self._write(ask, policy_id, put)

    async def delete(self, ask: Ask, policy_id: str, etag: str) -> Written[PolicyDocument]:
        """Return the deleted policy; its revisions stay. Raises what `update` raises."""

        def put(tx: Transaction) -> tuple[PolicyDocument, str]:
            before = standing_policy(tx, policy_id)
            require_etag(etag, policy_etag(before), f"policy {policy_id}")
            require_enforced(tx, self.compiler, before, None)
            said = announced(tx, ask, policy_id, require_alone(tx, self.compiler, before, None))
            deleted = put_deletion(tx, ask, before, **said)
            return deleted, str(deleted.revision)

        return await self._write(ask, policy_id, put)

    async def get(self, principal: Principal, policy_id: str) -> PolicyDocument:
        """Return the newest revision, deleted or not."""
        self.access.require_somewhere(principal, Verb.READ)
        return await self.store.read(principal.tenant, lambda reader: _policy(reader, policy_id))

    async def list(self, principal: Principal, page: Page, *, deleted: bool) -> Listed[PolicyDocument]:
        """Return newest revisions by id."""
        self.access.require_somewhere(principal, Verb.READ)
        return await self.store.read(
            principal.tenant, lambda reader: reader.list_policies(page, deleted=deleted)
        )

    async def revisions(self, principal: Principal, policy_id: str, page: Page) -> Listed[PolicyDocument]:
        """Return the revisions of a policy, newest first."""
        self.access.require_somewhere(principal, Verb.READ)

        def act(reader: Reader) -> Listed[PolicyDocument]:
            _policy(reader, policy_id)
            return reader.list_policy_revisions(policy_id, page)

        return await self.store.read(principal.tenant, act)

    async def validate(
        self, principal: Principal, spec: object
    ) -> tuple[tuple[ExpressionProblem, ...], tuple[str, ...]]:
        """Return every problem of a spec and what weakens it; nothing changes."""
        self.access.require_somewhere(principal, Verb.READ)
        problems = await asyncio.to_thread(self.compiler.check, spec)
        warnings = self.compiler.warnings(spec)
        if not problems:
            match = self.compiler.outline(spec).match
            nothing = await self.store.read(principal.tenant, lambda reader: tuple(unmatched(reader, match)))
            warnings = (*warnings, *nothing)
        return problems, warnings

    async def _write(
        self, ask: Ask, policy_id: str, put: Callable[[Transaction], tuple[PolicyDocument, str]]
    ) -> Written[PolicyDocument]:
        def allow() -> None:
            self.access.require(ask.principal, Verb.POLICIES)

        def act(tx: Transaction) -> PolicyDocument:
            return once(tx, ask, lambda: put(tx), lambda revision: policy_at(tx, policy_id, int(revision)))[0]

        return await self.guarded.write(ask.principal, allow, act)


async def compiled(compiler: PolicyCompiler, policy_id: str, spec: object) -> PolicyDocument:
    """Return the document of a spec that compiles; raise Invalid with every problem otherwise."""
    draft = PolicyDocument(policy_id, 0, compiler.digest(spec), spec, "", _UNSET, _UNSET)
    await asyncio.to_thread(compiler.compile, draft)
    return draft


def put_revision(
    tx: Transaction, ask: Ask, draft: PolicyDocument, before: PolicyDocument | None, **detail: object
) -> PolicyDocument:
    """Return the policy with a new revision stored, and everything that it judges to be decided anew."""
    stored = replace(
        draft,
        revision=1 if before is None else before.revision + 1,
        author=ask.principal.id,
        create_time=tx.now if before is None else before.create_time,
        update_time=tx.now,
    )
    tx.put_policy(stored)
    name = f"policies/{stored.policy_id}"
    record(tx, ask, name, ("tenant",), revision=stored.revision, digest=stored.digest, **detail)
    reconsider_tenant(tx)
    return stored


def put_deletion(tx: Transaction, ask: Ask, before: PolicyDocument, **detail: object) -> PolicyDocument:
    """Return the policy, deleted softly, and have everything that it judged decided anew."""
    deleted = replace(
        before,
        revision=before.revision + 1,
        author=ask.principal.id,
        update_time=tx.now,
        delete_time=tx.now,
    )
    tx.put_policy(deleted)
    name = f"policies/{before.policy_id}"
    record(tx, ask, name, ("tenant",), revision=deleted.revision, deleted=True, **detail)
    reconsider_tenant(tx)
    return deleted


def _policy(reader: Reader, policy_id: str) -> PolicyDocument:
    found = reader.find_policy(policy_id)
    if found is None:
        raise NotFound("NOT_FOUND", f"there is no policy {policy_id}: `passport policy apply` registers it")
    return found


def standing_policy(reader: Reader, policy_id: str) -> PolicyDocument:
    """Return a policy that is not deleted; raise NotFound."""
    found = _policy(reader, policy_id)
    if found.delete_time is not None:
        raise NotFound("NOT_FOUND", f"policy {policy_id} was deleted: create it again to go on with it")
    return found


def policy_at(reader: Reader, policy_id: str, revision: int) -> PolicyDocument:
    """Return one revision of a policy; raise NotFound."""
    found = reader.policy_revision(policy_id, revision)
    if found is None:
        raise NotFound("NOT_FOUND", f"there is no revision {revision} of policy {policy_id}")
    return found
