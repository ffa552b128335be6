"""Which evidence a rule judges: bound to the subject, from allowed sources, newest of each series."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from release_passport_server.domain.case import MAX_SERIES, Case
from release_passport_server.domain.evidence import EvidenceItem, Subject
from release_passport_server.domain.glob import is_exact, matches
from release_passport_server.domain.kind import SubjectType, kind_named
from release_passport_server.domain.outcome import Reason
from release_passport_server.domain.policy import Need
from release_passport_server.domain.release import Artifact
from release_passport_server.domain.verdict import Stage

# Items that claim to be observed later than this after `now` do not exist yet.
FUTURE_SKEW = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Series:
    """Observations of one need, key, subject and source, oldest first; there is at least one."""

    need: Need
    source: str
    items: tuple[EvidenceItem, ...]

    @property
    def newest(self) -> EvidenceItem:
        """Return the observation that counts."""
        return self.items[-1]

    @property
    def stale_time(self) -> datetime:
        """Return when the need stops being met: its newest observation is too old, or too few are fresh."""
        need, newest = self.need, self.newest
        end = newest.stale_time(need.max_age)
        if newest.samples is not None or not 1 < need.min_samples <= len(self.items):
            return end
        ends = sorted((item.stale_time(need.max_age) for item in self.items), reverse=True)
        return min(end, ends[need.min_samples - 1])


@dataclass(frozen=True, slots=True)
class Lack:
    """Why a need is not met, before anything is evaluated."""

    reason: Reason
    message: str
    need: Need
    items: tuple[EvidenceItem, ...] = ()
    path: str = ""


def per_artifact(need: Need) -> bool:
    """Say whether each artifact of the release needs evidence of its own."""
    binds = kind_named(need.kind).binds
    return SubjectType.ARTIFACT in binds and len(binds) < len(SubjectType)


def bound(
    case: Case, need: Need, artifact: Artifact | None, *, service_wide: bool, now: datetime
) -> list[EvidenceItem]:
    """Return the items about this release (and artifact), oldest first, that had come in by `now`.

    At stage WATCH facts of the canary count only with the attempt as their subject; `service_wide` asks for
    the others instead, which may stop a rollout and never satisfy a rule.
    """
    attempt_only = case.stage is Stage.WATCH and kind_named(need.kind).attempt_bound
    latest = now + FUTURE_SKEW
    return [
        item
        for item in case.evidence.get(need.kind, ())
        if not (attempt_only and (item.subject.type is SubjectType.ATTEMPT) == service_wide)
        and item.observe_time <= latest
        and item.receive_time <= latest
        and _is_about(item, case, artifact)
    ]


def series_by_key(case: Case, need: Need, items: list[EvidenceItem]) -> dict[str, tuple[Series, ...] | Lack]:
    """Return for each key that the need asks for its series by source, or what lacks.

    Exact keys and exact sources are each required; a glob takes every one seen, at least one. Keys that only
    others have seen do not matter, unless nobody has whose word counts.
    """
    if kind_named(need.kind).key_field is None:
        return {"": _by_source(case, need, "", items)}
    keys: dict[str, None] = {}
    for glob in need.keys:
        if is_exact(glob):
            keys[glob] = None
            continue
        fitting = [item for item in items if matches(glob, item.key)]
        # Whoever's word does not count must not add a key that then lacks evidence for ever.
        counted = [item for item in fitting if _counts(case, need, item)]
        keys.update(dict.fromkeys(sorted({item.key for item in counted or fitting})))
    if not keys:
        return {"": _missing(need, "")}
    return {key: _by_source(case, need, key, [item for item in items if item.key == key]) for key in keys}


def _counts(case: Case, need: Need, item: EvidenceItem) -> bool:
    place = case.place
    return item.counts_for(place.service, place.environment) and (
        not need.sources or any(matches(glob, item.source) for glob in need.sources)
    )


def _by_source(case: Case, need: Need, key: str, items: list[EvidenceItem]) -> tuple[Series, ...] | Lack:
    if not items:
        return _missing(need, key)
    counted = [item for item in items if _counts(case, need, item)]
    if not counted:
        senders = ", ".join(sorted({item.source for item in items}))
        text = f"{need.kind} evidence is there, but only from {senders}, whose word does not count here"
        return Lack(Reason.EVIDENCE_UNTRUSTED, text, need, (items[-1],))
    if len(counted) == 1 and not any(is_exact(source) for source in need.sources):
        return (Series(need, counted[0].source, (counted[0],)),)
    sources = sorted({item.source for item in counted})
    absent = [source for source in need.sources if is_exact(source) and source not in sources]
    if absent:
        return Lack(
            Reason.EVIDENCE_MISSING, f"no {_named(need, key)} evidence from {', '.join(absent)}", need
        )
    series: dict[tuple[str, Subject], list[EvidenceItem]] = {}
    for item in counted:
        series.setdefault((item.source, item.subject), []).append(item)
    return tuple(
        Series(need, source, tuple(observed[-MAX_SERIES:]))
        for (source, _), observed in sorted(series.items(), key=_series_order)
    )


def _series_order(entry: tuple[tuple[str, Subject], list[EvidenceItem]]) -> tuple[str, str, str]:
    (source, subject), _ = entry
    return (source, subject.type.value, subject.value)


def _is_about(item: EvidenceItem, case: Case, artifact: Artifact | None) -> bool:
    identity, value = case.release.identity, item.subject.value
    match item.subject.type:
        case SubjectType.ARTIFACT if artifact is not None:
            return value == artifact.digest
        case SubjectType.ARTIFACT:
            return any(value == a.digest for a in identity.artifacts)
        case SubjectType.SOURCE:
            return value == identity.source_revision
        case SubjectType.MANIFEST:
            return value == identity.manifest_digest
        case SubjectType.RELEASE:
            return value == case.release.name
        case SubjectType.ATTEMPT:
            return case.attempt is not None and value == case.attempt.name
        case SubjectType.WORKLOAD:
            return value == f"{identity.service}/{identity.environment}"


def _missing(need: Need, key: str) -> Lack:
    return Lack(
        Reason.EVIDENCE_MISSING, f"no {_named(need, key)} evidence about this {_subject_words(need)}", need
    )


def _named(need: Need, key: str) -> str:
    return f"{need.kind} {key!r}" if key else need.kind


def _subject_words(need: Need) -> str:
    words = {
        SubjectType.ARTIFACT: "artifact",
        SubjectType.SOURCE: "source revision",
        SubjectType.MANIFEST: "manifest",
        SubjectType.RELEASE: "release",
        SubjectType.ATTEMPT: "rollout attempt",
        SubjectType.WORKLOAD: "service in this environment",
    }
    return _listed(words[subject] for subject in kind_named(need.kind).binds)


def _listed(words: Iterable[str]) -> str:
    return " or ".join(words)
