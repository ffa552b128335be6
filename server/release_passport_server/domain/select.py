"""Which evidence rules judge: bound to the subject, from allowed sources, newest of each series."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from release_passport_server.domain.case import MAX_SERIES, Case
from release_passport_server.domain.chosen import Chosen, Lack, Series
from release_passport_server.domain.evidence import EvidenceItem, Verification
from release_passport_server.domain.glob import any_matches, is_exact, matches
from release_passport_server.domain.kind import SubjectType
from release_passport_server.domain.outcome import Reason
from release_passport_server.domain.policy import Need
from release_passport_server.domain.release import Artifact
from release_passport_server.domain.verdict import Stage

# Items that claim to be observed later than this after `now` do not exist yet.
FUTURE_SKEW = timedelta(seconds=60)

_SUBJECT_WORDS = {
    SubjectType.ARTIFACT: "artifact",
    SubjectType.SOURCE: "source revision",
    SubjectType.MANIFEST: "manifest",
    SubjectType.RELEASE: "release",
    SubjectType.ATTEMPT: "rollout attempt",
    SubjectType.WORKLOAD: "service in this environment",
}


class _Seen(NamedTuple):
    """Items about the release, oldest first, and by key those whose submitter's word counts in this place."""

    items: list[EvidenceItem]
    counted: dict[str, list[EvidenceItem]]
    sources: set[str]


class Selection:
    """The evidence of one case at one time; what several rules ask alike is looked up once for all of them."""

    def __init__(self, case: Case, now: datetime) -> None:
        """Take the case as it is; nothing is looked up before a rule asks."""
        self._case = case
        self._now = now
        self._watching = case.stage is Stage.WATCH
        self._about = _subjects(case)
        self._several_artifacts = len(case.release.identity.artifacts) > 1
        self._seen: dict[str, _Seen] = {}
        self._of_artifacts: dict[str, dict[str, _Seen]] = {}
        self._chosen: dict[tuple[int, str | None, bool], Mapping[str, Chosen]] = {}

    def chosen(
        self, need: Need, artifact: Artifact | None, *, service_wide: bool = False
    ) -> Mapping[str, Chosen]:
        """Return for each key that the need asks for what counts, or what lacks.

        Exact keys and exact sources are each required; a glob takes every one seen, at least one. Keys that only
        others have seen do not matter, unless nobody has whose word counts.

        At stage WATCH facts of the canary count only with the attempt as their subject; `service_wide` asks for
        the others instead, which may stop a rollout and never satisfy a rule.
        """
        # Policies keep one object for needs that say the same.
        asked = (id(need), None if artifact is None else artifact.digest, service_wide)
        found = self._chosen.get(asked)
        if found is None:
            seen = self._bound(need, artifact, service_wide)
            # That there are no service-wide facts says nothing of a rollout.
            found = {} if service_wide and not seen.items else self._by_key(need, seen)
            self._chosen[asked] = found
        return found

    def _bound(self, need: Need, artifact: Artifact | None, service_wide: bool) -> _Seen:
        """Return the items about this release (and artifact) that had come in by `now`."""
        seen = self._seen.get(need.kind)
        if seen is None:
            seen = self._seen[need.kind] = self._look(need)
        if artifact is not None and self._several_artifacts:
            of_artifacts = self._of_artifacts.get(need.kind)
            if of_artifacts is None:
                digests = self._about[SubjectType.ARTIFACT]
                of_artifacts = self._of_artifacts[need.kind] = _by_artifact(seen, digests)
            seen = of_artifacts[artifact.digest]
        if self._watching and need.of_kind.attempt_bound:
            seen = _only(seen, lambda item: (item.subject.type is SubjectType.ATTEMPT) is not service_wide)
        return seen

    def _look(self, need: Need) -> _Seen:
        place, keyed = self._case.place, need.of_kind.key_field is not None
        about, latest = self._about, self._now + FUTURE_SKEW
        seen = _Seen([], {}, set())
        for item in self._case.evidence.get(need.kind, ()):
            subject = item.subject
            if subject.value in about[subject.type] and item.observe_time <= latest >= item.receive_time:
                seen.items.append(item)
                seen.sources.add(item.source)
                if item.counts_for(place.service, place.environment):
                    seen.counted.setdefault(item.key if keyed else "", []).append(item)
        return seen

    def _by_key(self, need: Need, seen: _Seen) -> dict[str, Chosen]:
        counted = seen.counted
        if need.sources and not all(any_matches(need.sources, source) for source in seen.sources):
            counted = _kept(counted, lambda item: any_matches(need.sources, item.source))
        keyed = need.of_kind.key_field is not None
        found = {}
        for key in _keys(need, seen.items, counted) if keyed else ("",):
            if key in counted:
                found[key] = self._of_series(need, key, counted[key])
            else:
                others = [item for item in seen.items if not keyed or item.key == key]
                found[key] = _untrusted(need, others) if others else _missing(need, key)
        return found or {"": _missing(need, "")}

    def _of_series(self, need: Need, key: str, items: list[EvidenceItem]) -> Chosen:
        if need.exact_sources:
            sources = {item.source for item in items}
            absent = [source for source in need.exact_sources if source not in sources]
            if absent:
                text = f"no {_named(need, key)} evidence from {', '.join(absent)}"
                return Chosen(lacks=(Lack(Reason.EVIDENCE_MISSING, text, need),))
        if len(items) == 1:
            (item,) = items
            alone = Series(need, item.source, (item,))
            lack = self._lack(alone)
            until = item.stale_time(need.max_age)
            return Chosen(((alone,),), alone.items, until, () if lack is None else (lack,))
        series = _by_source(need, items)
        return Chosen(
            groups=(series,),
            newest=tuple(one.newest for one in series),
            until=min(one.stale_time for one in series),
            lacks=tuple(lack for one in series if (lack := self._lack(one)) is not None),
            history=any(len(one.items) > 1 for one in series),
        )

    def _lack(self, series: Series) -> Lack | None:
        """Return why the newest observation does not meet the need, before anything is evaluated."""
        need, newest = series.need, series.items[-1]
        if newest.revocation is not None:
            text = f"the newest {need.kind} evidence was revoked: {newest.revocation.reason}"
            return Lack(Reason.EVIDENCE_MISSING, text, need, (newest,))
        if newest.verification is Verification.FAILED:
            text = f"the {need.kind} evidence could not be verified: {newest.verification_reason}"
            return Lack(Reason.EVIDENCE_UNVERIFIED, text, need, (newest,))
        if need.verified and newest.verification is not Verification.VERIFIED:
            text = f"the {need.kind} evidence carries no verified signature"
            return Lack(Reason.EVIDENCE_UNVERIFIED, text, need, (newest,))
        case = self._case
        if need.verified and newest.signer not in case.place.signers and newest.name not in case.vouched:
            text = f"SIGNER_NOT_TRUSTED: {newest.signer} is neither a signer of this service nor trusted to vouch here"
            return Lack(Reason.EVIDENCE_UNVERIFIED, text, need, (newest,))
        return self._too_few(series) if need.min_samples else None

    def _too_few(self, series: Series) -> Lack | None:
        need, newest = series.need, series.newest
        count = newest.samples
        if count is None:
            count = sum(self._now < item.stale_time(need.max_age) for item in series.items)
        if count < need.min_samples and self._now < newest.stale_time(need.max_age):
            text = f"{count} of {need.min_samples} samples of {need.kind}"
            return Lack(Reason.EVIDENCE_MISSING, text, need, (newest,))
        return None


def _subjects(case: Case) -> dict[SubjectType, tuple[str, ...]]:
    """Return the values that subjects of evidence about this release have, by type."""
    release = case.release
    identity = release.identity
    return {
        SubjectType.ARTIFACT: tuple(artifact.digest for artifact in identity.artifacts),
        SubjectType.SOURCE: (identity.source_revision,),
        SubjectType.MANIFEST: (identity.manifest_digest,),
        SubjectType.RELEASE: (release.name,),
        SubjectType.ATTEMPT: () if case.attempt is None else (case.attempt.name,),
        SubjectType.WORKLOAD: (f"{identity.service}/{identity.environment}",),
    }


def _by_artifact(seen: _Seen, digests: Iterable[str]) -> dict[str, _Seen]:
    """Return what is about each artifact; what is about something else is about all of them."""
    found = {digest: _Seen([], {}, seen.sources) for digest in digests}

    def about(item: EvidenceItem) -> Iterable[_Seen]:
        return (found[item.subject.value],) if item.subject.type is SubjectType.ARTIFACT else found.values()

    for item in seen.items:
        for one in about(item):
            one.items.append(item)
    for key, items in seen.counted.items():
        for item in items:
            for one in about(item):
                one.counted.setdefault(key, []).append(item)
    return found


def _only(seen: _Seen, wanted: Callable[[EvidenceItem], bool]) -> _Seen:
    return _Seen([item for item in seen.items if wanted(item)], _kept(seen.counted, wanted), seen.sources)


def _kept(
    items: Mapping[str, list[EvidenceItem]], wanted: Callable[[EvidenceItem], bool]
) -> dict[str, list[EvidenceItem]]:
    kept = {key: [item for item in some if wanted(item)] for key, some in items.items()}
    return {key: some for key, some in kept.items() if some}


def _keys(need: Need, items: list[EvidenceItem], counted: Mapping[str, list[EvidenceItem]]) -> Iterable[str]:
    if need.keys == ("*",) and counted:
        return sorted(counted)
    keys: dict[str, None] = {}
    for glob in need.keys:
        if is_exact(glob):
            keys[glob] = None
            continue
        # Whoever's word does not count must not add a key that then lacks evidence for ever.
        fitting = {key for key in counted if matches(glob, key)}
        fitting = fitting or {item.key for item in items if matches(glob, item.key)}
        keys.update(dict.fromkeys(sorted(fitting)))
    return keys


def _by_source(need: Need, items: list[EvidenceItem]) -> tuple[Series, ...]:
    series: dict[tuple[str, str, str], list[EvidenceItem]] = {}
    for item in items:
        series.setdefault((item.source, item.subject.type, item.subject.value), []).append(item)
    return tuple(
        Series(need, source, tuple(observed[-MAX_SERIES:]))
        for (source, _, _), observed in sorted(series.items(), key=_series_order)
    )


def _series_order(entry: tuple[tuple[str, str, str], list[EvidenceItem]]) -> tuple[str, str, str]:
    return entry[0]


def _untrusted(need: Need, items: list[EvidenceItem]) -> Chosen:
    senders = ", ".join(sorted({item.source for item in items}))
    text = f"{need.kind} evidence is there, but only from {senders}, whose word does not count here"
    return Chosen(lacks=(Lack(Reason.EVIDENCE_UNTRUSTED, text, need, (items[-1],)),))


def _missing(need: Need, key: str) -> Chosen:
    about = " or ".join(_SUBJECT_WORDS[subject] for subject in need.of_kind.binds)
    text = f"no {_named(need, key)} evidence about this {about}"
    return Chosen(lacks=(Lack(Reason.EVIDENCE_MISSING, text, need),))


def _named(need: Need, key: str) -> str:
    return f"{need.kind} {key!r}" if key else need.kind
