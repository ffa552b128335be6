"""Who made a release: they neither approve it nor make exceptions for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.release import Attempt, Release

# People's principals; everything else is a machine.
PERSON = "user:"


@dataclass(frozen=True, slots=True)
class Authors:
    """The authors of a release by every name that is known of them; `known` where a person is among them."""

    names: frozenset[str]
    known: bool

    def include(self, principal: str, identities: Iterable[str]) -> bool:
        """Say whether somebody is an author under any of their identities; case does not tell people apart."""
        return not self.names.isdisjoint(one.casefold() for one in (principal, *identities))


def authors_of(release: Release, evidence: Iterable[EvidenceItem]) -> Authors:
    """Return who created a release or committed to it, and the people who submitted or signed evidence about it."""
    made = {release.creator, *release.creator_identities, *release.identity.authors}
    for item in evidence:
        if item.source.startswith(PERSON):
            made.add(item.source)
        # Whoever triggered a pipeline is known by the pipeline's own token.
        made.update(item.source_identities)
        signer = _signer(item)
        if signer:
            made.add(signer)
    known = bool(release.identity.authors) or release.creator.startswith(PERSON)
    return Authors(frozenset(one.casefold() for one in made), known)


def starters_of(attempts: Iterable[Attempt]) -> frozenset[str]:
    """Return who started rollouts, by every name that their credentials proved."""
    names = (name for one in attempts for name in (one.starter, *one.starter_identities))
    return frozenset(name.casefold() for name in names if name)


def _signer(item: EvidenceItem) -> str:
    """Return the e-mail address of the person who signed an item; empty where a machine or a key did."""
    claims = item.proof.claims if item.proof else None
    identity = claims.identity if claims else ""
    return identity if "@" in identity and "/" not in identity else ""


def is_person(principal: str) -> bool:
    """Say whether a principal is a person."""
    return principal.startswith(PERSON)
