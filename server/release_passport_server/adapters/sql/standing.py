"""Answers that still stand: a question whose case nobody has touched since is answered without loading it again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from release_passport_server.adapters.sql.batch_state import Head
from release_passport_server.adapters.sql.codec import subject_text
from release_passport_server.adapters.sql.heads import Heads
from release_passport_server.adapters.sql.requests import Ask
from release_passport_server.domain.record import DecisionRecord
from release_passport_server.domain.release import Attempt
from release_passport_server.ports.judging import CaseKey, Judged

EVERYBODY = "tenant"
MAX_ANSWERS = 5000
# Who is so many revisions behind forgets, and does not read what was touched.
MAX_BEHIND = 2000


@dataclass(frozen=True, slots=True)
class Standing:
    """A standing decision, with what its case depends on and how long it would be decided the same."""

    decision: DecisionRecord
    attempt: Attempt | None
    scopes: frozenset[str]
    since: datetime
    until: datetime

    @classmethod
    def of(cls, ask: Ask) -> Standing | None:
        """Return what was found out for a question; None where that is good for this once."""
        case, conclusion = ask.case, ask.conclusion
        if case is None or conclusion is None or conclusion.record or conclusion.events or ask.error:
            return None
        until = conclusion.same_until
        if until is None or until <= case.now:
            return None
        return cls(conclusion.answer, case.attempt, ask.scopes, case.now, until)


@dataclass(slots=True)
class _Tenant:
    """A tenant's answers, all of which stood at the revision."""

    revision: int
    epoch: int
    answers: OrderedDict[str, Standing] = field(default_factory=OrderedDict)


class StandingAnswers:
    """The answers of one writer's thread, each dropped by the first revision that touches what it depends on."""

    def __init__(self) -> None:
        self._tenants: dict[str, _Tenant] = {}

    def follow(self, heads: Heads) -> None:
        """Drop what was touched between the revisions that were seen before and those of the heads."""
        behind = {
            tenant: known.revision
            for tenant, head in heads.now.items()
            if (known := self._at(tenant, head)).answers and known.revision < head.revision
        }
        touched: Mapping[str, frozenset[str]] = heads.changed_since(behind) if behind else {}
        for tenant, head in heads.now.items():
            known = self._tenants[tenant]
            scopes = touched.get(tenant, frozenset())
            if EVERYBODY in scopes:
                known.answers.clear()
            elif scopes:
                for name in [name for name, one in known.answers.items() if one.scopes & scopes]:
                    del known.answers[name]
            known.revision = head.revision

    def recall(self, ask: Ask, head: Head, now: datetime) -> Judged | None:
        """Return the answer to a question, where one stands and answers this question too."""
        question = ask.question
        if question.writes or question.request_id:
            return None
        known = self._tenants[ask.tenant].answers.get(question.about)
        if known is None or not known.since <= now < known.until:
            return None
        if not question.recall(known.decision, known.attempt, now):
            return None
        decision = known.decision
        return Judged(decision, decision.revision, replayed=False, standing=True, epoch=head.epoch)

    def keep(self, tenant: str, about: str, standing: Standing) -> None:
        """Remember an answer that stood at the revision that was followed last, or behind it."""
        answers = self._tenants[tenant].answers
        answers[about] = standing
        answers.move_to_end(about)
        if len(answers) > MAX_ANSWERS:
            answers.popitem(last=False)

    def _at(self, tenant: str, head: Head) -> _Tenant:
        known = self._tenants.get(tenant)
        gone = (
            known is None
            or known.epoch != head.epoch
            or not known.revision <= head.revision <= known.revision + MAX_BEHIND
        )
        if known is None or gone:
            known = self._tenants[tenant] = _Tenant(head.revision, head.epoch)
        return known


def scopes_of(key: CaseKey) -> frozenset[str]:
    """Return the feed scopes whose changes a case depends on."""
    identity = key.release.identity
    return frozenset(
        {
            *(subject_text(subject) for subject in key.subjects),
            f"release:{key.release.name}",
            f"workload:{identity.service}/{identity.environment}",
            f"digests:{identity.content_digest}",
        }
    )
