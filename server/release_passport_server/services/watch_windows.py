"""Show how rollouts are watched, take people's answers to what was recommended, and end what nobody ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.authors import is_person
from release_passport_server.domain.errors import Conflict, Denied, NotFound, Precondition
from release_passport_server.domain.ids import AttemptName, ReleaseName
from release_passport_server.domain.record import Listed, Page
from release_passport_server.domain.reevaluation import WORKER
from release_passport_server.domain.release import Attempt
from release_passport_server.domain.watch_window import EXPIRED, Acknowledgement, WatchWindow
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.messages import Messages
from release_passport_server.ports.store import Reader, Store, Transaction, Written
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.ballots import Ballots
from release_passport_server.services.finish_rollout import FinishRollout
from release_passport_server.services.grants import GuardedStore
from release_passport_server.services.reconsider import reconsider, workload
from release_passport_server.services.window_view import read_window

_FAR = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class WatchWindows:
    """The watch windows of attempts."""

    store: Store
    access: Authorizer
    guarded: GuardedStore
    messages: Messages
    ballots: Ballots
    finish: FinishRollout
    ids: Ids

    async def get(self, principal: Principal, name: AttemptName) -> WatchWindow:
        """Return the window of an attempt; raise NotFound."""
        self._allow(principal, Verb.READ, name.release)
        return await self.store.read(
            principal.tenant, lambda reader: read_window(reader, self.messages, _attempt(reader, name))
        )

    async def list(
        self, principal: Principal, service: str, environment: str, page: Page
    ) -> Listed[WatchWindow]:
        """Return the windows of the rollouts that are under way and that the asker may see, by name."""
        self.access.require_somewhere(principal, Verb.READ)
        scopes = self.access.allowed_scopes(principal, Verb.READ)

        def shown(attempt: Attempt) -> bool:
            release = AttemptName.parse(attempt.name).release
            return attempt.name > page.after and any(
                scope.covers(release.service, release.environment) for scope in scopes
            )

        def act(reader: Reader) -> Listed[WatchWindow]:
            under_way = sorted(
                filter(shown, reader.open_attempts(service, environment)), key=lambda one: one.name
            )
            found = under_way[: page.size]
            after = found[-1].name if len(under_way) > page.size else ""
            return Listed(tuple(read_window(reader, self.messages, one) for one in found), after)

        return await self.store.read(principal.tenant, act)

    async def acknowledge(self, ask: Ask, name: AttemptName, reason: str) -> Written[WatchWindow]:
        """Return the window after what latched on its digests was cleared.

        Raises Denied `SELF_APPROVAL` for an author, Precondition `NOTHING_ASKED` where nothing is latched.
        """
        principal, release = ask.principal, name.release

        def put(tx: Transaction) -> tuple[WatchWindow, str]:
            attempt = _attempt(tx, name)
            self._require_other(tx, principal, release)
            self._clear(tx, ask, attempt, reason)
            return read_window(tx, self.messages, attempt), str(name)

        def act(tx: Transaction) -> WatchWindow:
            return once(
                tx, ask, lambda: put(tx), lambda _: read_window(tx, self.messages, _attempt(tx, name))
            )[0]

        def allow() -> None:
            self._allow(principal, Verb.ACKNOWLEDGE, release)

        return await self.guarded.write(principal, allow, act)

    async def close(self, ask: Ask, name: AttemptName, outcome: str, reason: str) -> Written[WatchWindow]:
        """Return the window after its rollout was ended by hand; what latched stands."""

        def put(tx: Transaction) -> tuple[WatchWindow, str]:
            ended, _ = self.finish.end(tx, ask, name, outcome, reason)
            return read_window(tx, self.messages, ended), str(name)

        def act(tx: Transaction) -> WatchWindow:
            return once(
                tx, ask, lambda: put(tx), lambda _: read_window(tx, self.messages, _attempt(tx, name))
            )[0]

        def allow() -> None:
            self._allow(ask.principal, Verb.ACKNOWLEDGE, name.release)

        return await self.guarded.write(ask.principal, allow, act)

    async def expire(self, tenant: str, name: AttemptName) -> None:
        """End a window whose time is over: as PASSED where its rollout is seen to be healthy."""
        ask = Ask(Principal(WORKER, tenant, _FAR), "ExpireWatchWindow")

        def act(tx: Transaction) -> None:
            attempt = tx.find_attempt(str(name))
            if attempt is None or attempt.finish_time is not None:
                return
            reason = "the watch window is over, and nobody ended the rollout"
            if read_window(tx, self.messages, attempt).open_time is not None:
                try:
                    self.finish.end(tx, ask, name, "PASSED", reason)
                except (Precondition, Conflict):
                    pass
                else:
                    return
            self.finish.end(tx, ask, name, EXPIRED, reason)

        await self.store.write(tenant, act)

    def _clear(self, tx: Transaction, ask: Ask, attempt: Attempt, reason: str) -> None:
        where = AttemptName.parse(attempt.name).release
        release = tx.find_release(where.service, where.environment, where.version)
        assert release is not None
        content = release.identity.content_digest
        latches = tx.latches(content)
        if not latches:
            raise Precondition("NOTHING_ASKED", f"nothing is latched on the digests of {where}")
        said = Acknowledgement(
            name=f"{where}/acknowledgements/{self.ids.ulid(tx.now)}",
            content_digest=content,
            principal=ask.principal.id,
            reason=reason,
            time=tx.now,
            latches=tuple(one.name for one in latches),
            decision=latches[0].decision,
        )
        tx.put_act(said)
        tx.clear_latches(content)
        scopes = (f"release:{where}", f"digests:{content}", f"workload:{where.service}/{where.environment}")
        told = {"reason": reason, "decision": said.decision, "latches": list(said.latches)}
        record(tx, ask, attempt.name, scopes, release=str(where), **told)
        reconsider(tx, [workload(where.service, where.environment)])

    def _require_other(self, tx: Transaction, principal: Principal, release: ReleaseName) -> None:
        if not is_person(principal.id):
            raise Denied("ACCESS_DENIED", f"{principal.id} is no person: somebody has to answer for this")
        if self.ballots.authors(tx, release).include(principal.id, principal.identities):
            text = f"{principal.id} is an author of {release}: somebody else has to acknowledge it"
            raise Denied("SELF_APPROVAL", text)

    def _allow(self, principal: Principal, verb: Verb, release: ReleaseName) -> None:
        self.access.require(principal, verb, service=release.service, environment=release.environment)


def _attempt(reader: Reader, name: AttemptName) -> Attempt:
    found = reader.find_attempt(str(name))
    if found is None:
        raise NotFound("NOT_FOUND", f"there is no attempt {name}")
    return found
