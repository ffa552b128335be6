"""Take the votes of people: who may, about exactly what they were shown, and never about their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.act_names import ApprovalName
from release_passport_server.domain.acts import Vote
from release_passport_server.domain.approving import About, Ballot, CastVote, Ended, Request
from release_passport_server.domain.authors import is_person
from release_passport_server.domain.errors import AlreadyExists, Conflict, Denied, NotFound, Precondition
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.people import seen_codes
from release_passport_server.domain.record import DecisionRecord, Listed, Page
from release_passport_server.domain.verdict import Verdict
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.store import DecisionFilter, Reader, Store, Transaction, Written
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.ballots import Ballots
from release_passport_server.services.filling import filled
from release_passport_server.services.grants import GuardedStore
from release_passport_server.services.reconsider import reconsider_release
from release_passport_server.services.reevaluate import QuestionClosed, Reevaluate

# Each is decided anew to be shown, in one read.
MOST_PENDING = 100
# So many decisions are looked at, until a page is full.
MOST_LOOKED_AT = 500
# Votes about a release that one rule keeps, those taken back too: every decision reads them.
MOST_VOTES = 200


@dataclass(frozen=True, slots=True)
class Approvals:
    """Takes, shows and ends votes."""

    store: Store
    access: Authorizer
    guarded: GuardedStore
    ballots: Ballots
    reevaluate: Reevaluate
    clock: Clock
    ids: Ids

    async def vote(self, ask: Ask, ballot: Ballot) -> tuple[Written[Vote], DecisionRecord | None]:
        """Return the vote as stored, and the decision that stands now.

        Raises Denied `SELF_APPROVAL` for an author, Precondition `NOTHING_ASKED` where nobody is asked, Conflict
        `ETAG_MISMATCH` where the release, the rule or the other findings are not what was shown.
        """
        principal, release = ask.principal, ballot.about.release

        def put(tx: Transaction) -> tuple[Vote, str]:
            request = self.ballots.request(tx, principal, ballot.about, tx.now)
            _require_voter(request, principal)
            if ballot.etag != request.etag:
                raise _changed(request, ballot.etag)
            group = _group(request, ballot) if ballot.approves else ""
            _require_once(request, principal, approves=ballot.approves)
            _require_room(request)
            name = ApprovalName(release, self.ids.ulid(tx.now))
            stored = self._cast(tx.now, request, ballot, principal, str(name))
            stored = replace(stored, group=group)
            tx.put_act(stored)
            told: dict[str, object] = {"release": str(release), "policy": stored.policy, "rule": stored.rule}
            told |= {"group": group, "reason": ballot.reason, "decision": stored.decision}
            record(tx, ask, stored.name, (f"release:{release}",), **told)
            reconsider_release(tx, str(release))
            return stored, name.approval_id

        def act(tx: Transaction) -> Vote:
            return once(tx, ask, lambda: put(tx), lambda found: _vote(tx, found))[0]

        written = await self.guarded.write(principal, lambda: self._allow(principal, release), act)
        return written, await self._decided(release)

    async def revoke(self, ask: Ask, ended: Ended) -> Written[Vote]:
        """Return the vote, ended; raise Denied for the vote of somebody else."""

        def check(_: Transaction, vote: Vote) -> None:
            if vote.voter != ask.principal.id:
                text = f"{vote.name} is the vote of {vote.voter}: only they take it back"
                raise Denied("ACCESS_DENIED", text)

        release = ended.name.release
        return await self._end(ask, ended, check, lambda: self._allow(ask.principal, release))

    async def resolve(self, ask: Ask, ended: Ended) -> Written[Vote]:
        """Return the rejection, ended by somebody who is no author and did not vote it."""
        release, principal = ended.name.release, ask.principal

        def check(tx: Transaction, vote: Vote) -> None:
            if vote.approves:
                raise Precondition("NOTHING_ASKED", f"{vote.name} is no rejection: its voter can revoke it")
            if not is_person(principal.id):
                raise Denied("ACCESS_DENIED", f"{principal.id} is no person: somebody has to answer for this")
            if self.ballots.authors(tx, release).include(principal.id, principal.identities):
                text = f"{principal.id} is an author of {release}: somebody else has to resolve it"
                raise Denied("SELF_APPROVAL", text)

        def allow() -> None:
            place = {"service": release.service, "environment": release.environment}
            self.access.require(principal, Verb.RESOLVE_REJECTION, **place)

        return await self._end(ask, ended, check, allow)

    async def requests(self, principal: Principal, about: About) -> tuple[Request, ...]:
        """Return what is asked about a release: by each rule that asks, or by the one that is named."""
        self._allow_read(principal, about.release)

        def act(reader: Reader) -> tuple[Request, ...]:
            if about.rule:
                return (self.ballots.request(reader, principal, about, self.clock.now()),)
            return self.ballots.requests(reader, principal, about.release, self.clock.now())

        return await self.store.read(principal.tenant, act)

    async def list(self, principal: Principal, release: ReleaseName, page: Page) -> Listed[CastVote]:
        """Return the votes about a release, newest first, each with why it does not count."""
        self._allow_read(principal, release)

        def act(reader: Reader) -> Listed[CastVote]:
            listed = reader.list_acts(Vote, page, key=str(release))
            return Listed(
                self.ballots.counted(reader, release, listed.items, self.clock.now()), listed.next_after
            )

        return await self.store.read(principal.tenant, act)

    async def pending(self, principal: Principal, page: Page, *, everybody: bool) -> Listed[Request]:
        """Return what waits for votes that the asker may cast, or for anybody's; pages are full where they can be."""
        self.access.require_somewhere(principal, Verb.READ)
        scopes = self.access.allowed_scopes(principal, Verb.READ if everybody else Verb.APPROVE)
        wanted = DecisionFilter(scopes, effective_verdict=Verdict.REQUIRE_APPROVAL)

        def act(reader: Reader) -> Listed[Request]:
            def shown(one: DecisionRecord) -> tuple[Request, ...] | None:
                newest = reader.newest_decision(one.release)
                if newest is None or newest.name != one.name:
                    return None
                return self._waiting(reader, principal, ReleaseName.parse(one.release), everybody) or None

            part = replace(page, size=min(page.size, MOST_PENDING))
            lists = MOST_LOOKED_AT // part.size
            listed = filled(lambda rest: reader.list_decisions(wanted, rest), part, shown, lists=lists)
            return Listed(tuple(one for found in listed.items for one in found), listed.next_after)

        return await self.store.read(principal.tenant, act)

    def _waiting(
        self, reader: Reader, principal: Principal, name: ReleaseName, everybody: bool
    ) -> tuple[Request, ...]:
        """Return what a release still waits for: for anybody's vote, or for one that the asker may cast."""
        asked = self.ballots.requests(reader, principal, name, self.clock.now())
        waiting = (one for one in asked if one.finding.verdict is Verdict.REQUIRE_APPROVAL)
        return tuple(one for one in waiting if everybody or one.waits_for(principal.id))

    async def _end(
        self, ask: Ask, ended: Ended, check: Callable[[Transaction, Vote], None], allow: Callable[[], None]
    ) -> Written[Vote]:
        def put(tx: Transaction) -> tuple[Vote, str]:
            before = _vote(tx, ended.name.approval_id)
            if before.name != str(ended.name):
                raise NotFound("NOT_FOUND", f"there is no vote {ended.name}")
            check(tx, before)
            if before.end_time is not None:
                raise Precondition("ALREADY_ENDED", f"{before.name} was ended by {before.ended_by}")
            stored = replace(before, end_time=tx.now, ended_by=ask.principal.id, end_reason=ended.reason)
            tx.put_act(stored)
            record(tx, ask, stored.name, (f"release:{before.release}",), reason=ended.reason)
            reconsider_release(tx, before.release)
            return stored, ended.name.approval_id

        def act(tx: Transaction) -> Vote:
            return once(tx, ask, lambda: put(tx), lambda found: _vote(tx, found))[0]

        return await self.guarded.write(ask.principal, allow, act)

    async def _decided(self, release: ReleaseName) -> DecisionRecord | None:
        """Decide anew at once, so that whoever voted sees what came of it."""
        try:
            judged, _ = await self.reevaluate(release, self.clock.now())
        except QuestionClosed:
            return None
        return judged.record

    def _cast(self, now: datetime, request: Request, ballot: Ballot, principal: Principal, name: str) -> Vote:
        return Vote(
            name=name,
            release=request.release.name,
            release_digest=request.release.identity.digest,
            policy=request.finding.policy,
            rule=request.finding.rule,
            rule_digest=request.rule_digest,
            approves=ballot.approves,
            group="",
            voter=principal.id,
            voter_groups=principal.groups,
            voter_identities=principal.identities,
            reason=ballot.reason,
            seen=seen_codes(request.others),
            attempt=request.attempt,
            decision=request.decision,
            create_time=now,
            expire_time=now + request.requirement.expires,
        )

    def _allow(self, principal: Principal, release: ReleaseName) -> None:
        place = {"service": release.service, "environment": release.environment}
        self.access.require(principal, Verb.APPROVE, **place)

    def _allow_read(self, principal: Principal, release: ReleaseName) -> None:
        place = {"service": release.service, "environment": release.environment}
        self.access.require(principal, Verb.READ, **place)


def _require_voter(request: Request, principal: Principal) -> None:
    if not is_person(principal.id):
        raise Denied("ACCESS_DENIED", f"{principal.id} is no person, and only people vote")
    if request.authors.include(principal.id, principal.identities):
        text = f"{principal.id} is an author of {request.release.name}: somebody else has to vote"
        raise Denied("SELF_APPROVAL", text)


def _group(request: Request, ballot: Ballot) -> str:
    asked, mine = [one.group for one in request.requirement.groups], request.groups
    if ballot.group:
        if ballot.group not in asked:
            text = f"{ballot.group} is not asked: {', '.join(asked)} are"
            raise Precondition("NOTHING_ASKED", text)
        if ballot.group not in mine:
            raise Denied("ACCESS_DENIED", f"you are not in the group {ballot.group}")
        return ballot.group
    if not mine:
        raise Denied("ACCESS_DENIED", f"you are in none of the groups that are asked: {', '.join(asked)}")
    wanted = [one for one in mine if one in request.lacking]
    if len(wanted) == 1:
        return wanted[0]
    if len(mine) > 1:
        text = f"you are in several of the groups that are asked, and count once: say for which of {', '.join(mine)}"
        raise Precondition("NOTHING_ASKED", text)
    return mine[0]


def _require_once(request: Request, principal: Principal, *, approves: bool) -> None:
    for cast in request.votes:
        mine = cast.vote.voter == principal.id and not cast.not_counting
        if mine and cast.vote.approves == approves:
            text = f"you have voted so already: {cast.vote.name}"
            raise AlreadyExists("ALREADY_EXISTS", text)


def _require_room(request: Request) -> None:
    if len(request.votes) >= MOST_VOTES:
        text = f"{MOST_VOTES} votes were cast about {request.release.name} by this rule: make another release"
        raise Precondition("NOTHING_ASKED", text)


def _changed(request: Request, etag: str) -> Conflict:
    differs = "; ".join(request.differences(etag))
    text = f"this is not what you were shown: {differs}. Read the request again"
    return Conflict("ETAG_MISMATCH", text, metadata={"etag": request.etag})


def _vote(reader: Reader, approval_id: str) -> Vote:
    found = reader.find_act(Vote, approval_id)
    if found is None:
        raise NotFound("NOT_FOUND", f"there is no vote {approval_id}")
    return found
