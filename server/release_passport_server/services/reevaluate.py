"""Decide a release again without being asked, and record the decision where the outcome changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from release_passport_server.domain.errors import NotFound
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.record import DecisionRecord
from release_passport_server.domain.reevaluation import WORKER, has_ended, look_again_time, renewal_time
from release_passport_server.domain.release import Attempt
from release_passport_server.ports.judging import CaseKey, Conclusion, Judged, LoadedCase
from release_passport_server.ports.store import Store, Transaction
from release_passport_server.services.cases import case_key
from release_passport_server.services.evaluate import Recorder, expired
from release_passport_server.services.grants import GrantLoader


class QuestionClosed(Exception):
    """Nothing is open about a release: its rollout is over, or nobody has ever asked."""


class TenantSuspended(Exception):
    """The questions of a tenant that is suspended wait."""


@dataclass(frozen=True, slots=True)
class Reevaluate:
    """Decides as Evaluate does, in the name of the server itself."""

    store: Store
    loader: GrantLoader
    recorder: Recorder

    async def __call__(self, release: ReleaseName, asked: datetime) -> tuple[Judged, datetime | None]:
        """Return the decision that stands and when to look again, None once the question that was asked has ended.

        Raises QuestionClosed where there is nothing to decide, NotFound where there is no such release, or tenant,
        and TenantSuspended.
        """
        # Whose votes count depends on who may vote now.
        await self.loader.fresh(release.tenant)
        question = _Again(release, asked, self.recorder)
        judged = await self.store.judge(question)
        return judged, question.next_time


@dataclass(slots=True)
class _Again:
    """An open question, answered inside the store's transaction."""

    release: ReleaseName
    asked: datetime
    recorder: Recorder
    next_time: datetime | None = None
    principal: str = WORKER
    request_id: str = ""
    body_digest: str = ""
    writes: bool = False
    items: Sequence[EvidenceItem] = ()

    @property
    def tenant(self) -> str:
        return self.release.tenant

    @property
    def about(self) -> str:
        return str(self.release)

    def prepare(self, tx: Transaction) -> CaseKey:
        """Find the release."""
        name, tenant = self.release, tx.find_tenant()
        if tenant is not None and tenant.suspended:
            raise TenantSuspended
        release = None if tenant is None else tx.find_release(name.service, name.environment, name.version)
        if release is None:
            raise NotFound("NOT_FOUND", f"there is no release {name}")
        return case_key(release, tx.attempts(release.name))

    def conclude(self, loaded: LoadedCase) -> Conclusion:
        """Decide at the stage that the release is in."""
        standing = loaded.standing
        if standing is None or _over(loaded, standing.decide_time):
            raise QuestionClosed
        if has_ended(self.asked, loaded.now):
            return self._last_look(loaded, standing)
        concluded = self.recorder.conclude(loaded, WORKER, self.asked)
        times = (renewal_time(concluded.answer), *concluded.times)
        self.next_time = look_again_time(loaded.release.name, times, self.asked, loaded.now)
        return concluded

    def recall(self, standing: DecisionRecord, attempt: Attempt | None, now: datetime) -> bool:
        """Say that it has to be decided anew: when to look again is asked as well."""
        return False

    def _last_look(self, loaded: LoadedCase, standing: DecisionRecord) -> Conclusion:
        """Let the last decision of a question that nobody asks any more stand until its end, and tell of that."""
        if standing.valid_until is None:
            raise QuestionClosed
        if loaded.now < standing.valid_until:
            self.next_time = standing.valid_until
            return Conclusion(None, standing)
        return Conclusion(None, standing, events=(expired(standing, loaded.release.identity.content_digest),))


def _over(loaded: LoadedCase, decided: datetime) -> bool:
    """Say whether the release's last rollout has ended since it was decided last."""
    mine = f"{loaded.release.name}/attempts/"
    ends = [one.finish_time for one in loaded.previous_attempts if one.name.startswith(mine)]
    ended = max((end for end in ends if end is not None), default=None)
    return loaded.attempt is None and ended is not None and decided <= ended
