"""Take evidence in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from release_passport_server.domain.errors import NotFound
from release_passport_server.domain.evidence import EvidenceDraft, EvidenceItem
from release_passport_server.ports.store import Store, Transaction, Written
from release_passport_server.services.asking import Ask, once
from release_passport_server.services.intake import EvidenceIntake
from release_passport_server.services.superseding import Superseding


@dataclass(frozen=True, slots=True)
class SubmitEvidence:
    """Store items, all or none."""

    store: Store
    intake: EvidenceIntake
    superseding: Superseding

    async def __call__(
        self, ask: Ask, drafts: Sequence[EvidenceDraft]
    ) -> tuple[Written[tuple[EvidenceItem, ...]], bool]:
        """Return the stored items in the order given, and whether the request id was seen before."""
        items = await self.intake.prepare(ask.principal, drafts)
        replayed = False

        def act(tx: Transaction) -> tuple[EvidenceItem, ...]:
            nonlocal replayed

            def put() -> tuple[tuple[EvidenceItem, ...], str]:
                stored = self.intake.put(tx, items, ask.principal, ask.method)
                self.superseding(tx, stored)
                return stored, " ".join(item.name for item in stored)

            stored, replayed = once(tx, ask, put, lambda names: _found(tx, names))
            return stored

        return await self.store.write(ask.principal.tenant, act), replayed


def _found(tx: Transaction, names: str) -> tuple[EvidenceItem, ...]:
    items = [tx.find_evidence(name) for name in names.split()]
    if None in items:
        raise NotFound("NOT_FOUND", "the items of this request id are gone")
    return tuple(item for item in items if item is not None)
