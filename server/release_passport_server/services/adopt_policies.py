"""Have a rollout that is under way judged by the policies of now, and no longer by those that it began with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.adoption import Adoption, adoption
from release_passport_server.domain.decide import decide
from release_passport_server.domain.errors import NotFound, Precondition
from release_passport_server.domain.etags import adoption_etag, require_etag
from release_passport_server.domain.ids import AttemptName
from release_passport_server.domain.release import Attempt, Release
from release_passport_server.domain.watch_window import WatchWindow
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.messages import Messages
from release_passport_server.ports.store import Reader, Store, Transaction, Written
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.cases import Cases, case_key
from release_passport_server.services.grants import GuardedStore
from release_passport_server.services.reconsider import reconsider, workload
from release_passport_server.services.window_view import read_window


@dataclass(frozen=True, slots=True)
class AdoptPolicies:
    """Shows what the policies of now would say of a rollout, and has it judged by them."""

    store: Store
    access: Authorizer
    guarded: GuardedStore
    cases: Cases
    messages: Messages
    clock: Clock

    async def show(self, principal: Principal, name: AttemptName) -> tuple[WatchWindow, Adoption]:
        """Return the window and what would change; raise NotFound, Precondition `ATTEMPT_FINISHED`."""
        self._allow(principal, name)
        return await self.store.read(
            principal.tenant, lambda reader: self._look(reader, name, self.clock.now())
        )

    async def __call__(
        self, ask: Ask, name: AttemptName, reason: str, etag: str
    ) -> Written[tuple[WatchWindow, Adoption]]:
        """Return the window and what changed.

        Raises Conflict `ETAG_MISMATCH` where something else changes than what was shown, Precondition
        `NOTHING_ASKED` where nothing does, `ATTEMPT_FINISHED` where the rollout has ended.
        """

        def put(tx: Transaction) -> tuple[tuple[WatchWindow, Adoption], str]:
            window, found = self._look(tx, name, tx.now)
            if not found.changes:
                text = f"{window.attempt.name} is judged by the policies as they are now"
                raise Precondition("NOTHING_ASKED", text)
            require_etag(etag, adoption_etag(found), f"what {window.attempt.name} would be judged by")
            self._adopt(tx, ask, found, reason)
            return (read_window(tx, self.messages, _attempt(tx, name)), found), str(name)

        def act(tx: Transaction) -> tuple[WatchWindow, Adoption]:
            return once(tx, ask, lambda: put(tx), lambda _: self._look(tx, name, tx.now))[0]

        return await self.guarded.write(ask.principal, lambda: self._allow(ask.principal, name), act)

    def _look(self, reader: Reader, name: AttemptName, now: datetime) -> tuple[WatchWindow, Adoption]:
        attempt = _attempt(reader, name)
        if attempt.finish_time is not None:
            text = f"{attempt.name} ended as {attempt.outcome} before: nothing judges it any more"
            raise Precondition("ATTEMPT_FINISHED", text, metadata={"outcome": attempt.outcome})
        release = _release(reader, name)
        loaded = reader.load_case(case_key(release, reader.attempts(release.name)), now)
        place = self.cases.place(loaded)
        current = [one for one in loaded.policies if self.cases.compiler.compile(one).match.selects(place)]
        before = self.cases.build(loaded)
        after = self.cases.build(replace(loaded, kept_policies=tuple(current)))
        found = adoption(attempt, before, after, decide(before, now=now), decide(after, now=now))
        return read_window(reader, self.messages, attempt), found

    def _adopt(self, tx: Transaction, ask: Ask, found: Adoption, reason: str) -> None:
        attempt = replace(found.attempt, policies=found.policies)
        name = AttemptName.parse(attempt.name)
        release, where = _release(tx, name), name.release
        tx.put_attempt(release, attempt)
        scopes = (
            f"release:{release.name}",
            f"digests:{release.identity.content_digest}",
            f"workload:{where.service}/{where.environment}",
        )
        told = [[one.policy_id, one.before, one.after] for one in found.changes]
        record(tx, ask, attempt.name, scopes, reason=reason, policies=told)
        reconsider(tx, [workload(where.service, where.environment)])

    def _allow(self, principal: Principal, name: AttemptName) -> None:
        place = {"service": name.release.service, "environment": name.release.environment}
        self.access.require(principal, Verb.POLICIES, **place)


def _attempt(reader: Reader, name: AttemptName) -> Attempt:
    found = reader.find_attempt(str(name))
    if found is None:
        raise NotFound("NOT_FOUND", f"there is no attempt {name}")
    return found


def _release(reader: Reader, name: AttemptName) -> Release:
    where = name.release
    found = reader.find_release(where.service, where.environment, where.version)
    assert found is not None
    return found
