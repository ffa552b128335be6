"""An item keeps what its submitter said when the server adds its parts."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta

from release_passport_server.domain.access import Scope
from release_passport_server.domain.evidence import EvidenceItem

NOON = datetime(2026, 8, 20, 12, tzinfo=UTC)


def test_the_servers_parts_replace_what_was_there_and_nothing_else() -> None:
    # Each field holds something of its own, so that a field that is new, or in another's place, is seen.
    said = {field.name: f"<{field.name}>" for field in fields(EvidenceItem)}
    given = {
        "name": "tenants/acme/evidence/1",
        "source": "ci",
        "receive_time": NOON + timedelta(seconds=5),
        "scopes": (Scope(("checkout",)),),
        "bundle": b"{}",
        "revision": 41,
        "source_identities": ("ada@example.org",),
    }
    item = EvidenceItem(**said)  # type: ignore[arg-type]
    assert item.with_server_parts() == item
    assert item.with_server_parts(**given) == EvidenceItem(**(said | given))  # type: ignore[arg-type]
