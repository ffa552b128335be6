"""Who made a release, whichever of their names they come with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from release_passport_server.domain.authors import authors_of
from release_passport_server.domain.release import Artifact, Release, ReleaseIdentity

IDENTITY = ReleaseIdentity(
    "checkout", "prod", "1.0.0", "4f6c2a90", (Artifact("app", "sha256:" + "a" * 64),), "", {}
)
RELEASE = Release(
    "r",
    IDENTITY,
    "user:corp/42",
    datetime(2026, 3, 2, tzinfo=UTC),
    creator_identities=("ada@example.com", "ada"),
)


@pytest.mark.parametrize(
    ("principal", "identities", "author"),
    [
        ("user:corp/42", (), True),
        ("user:google/7", ("ada@example.com",), True),
        ("user:google/7", ("Ada@Example.com",), True),
        ("user:google/7", ("eve@example.com", "ada"), True),
        ("user:google/42", ("grace@example.com",), False),
        ("user:google/42", (), False),
    ],
)
def test_a_second_identity_of_the_creator_is_the_creator(
    principal: str, identities: tuple[str, ...], author: bool
) -> None:
    assert authors_of(RELEASE, ()).include(principal, identities) == author


def test_a_committer_is_known_by_the_address_of_their_sign_in() -> None:
    committed = replace(RELEASE, identity=replace(IDENTITY, authors=("grace@example.com",)))
    assert authors_of(committed, ()).include("user:corp/9", ("GRACE@example.com",))
