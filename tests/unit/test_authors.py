"""Who made a release, whichever of their names they come with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from release_passport_server.domain.attestation import Proof, SignerClaims
from release_passport_server.domain.authors import authors_of
from release_passport_server.domain.release import Artifact, Release, ReleaseIdentity
from support.builders import item

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


@pytest.mark.parametrize(
    ("signer", "author"),
    [
        (SignerClaims(identity="Grace@example.com"), True),
        (
            SignerClaims(identity="https://github.com/acme/app/.github/workflows/ci.yml@refs/heads/main"),
            False,
        ),
        (SignerClaims(identity="spiffe://acme.example/ci"), False),
        (SignerClaims(key_id="grace@example.com"), False),
    ],
)
def test_who_signed_evidence_about_it_is_an_author_where_that_is_a_person(
    signer: SignerClaims, author: bool
) -> None:
    signed = item(proof=Proof(signer))
    authors = authors_of(RELEASE, (signed,))
    assert authors.include("user:corp/9", ("grace@example.com",)) == author
    assert authors_of(RELEASE, (item(),)).names == authors_of(RELEASE, ()).names
    assert len(authors.names) == len(authors_of(RELEASE, ()).names) + author


def test_who_submitted_evidence_about_it_is_an_author_and_a_machine_is_none() -> None:
    authors = authors_of(RELEASE, (item(source="user:Eve"), item(source="sa:ci")))
    assert authors.include("user:eve", ())
    assert not authors.include("sa:ci", ())


def test_who_triggered_the_pipeline_that_sent_evidence_is_an_author_and_the_pipeline_is_none() -> None:
    authors = authors_of(RELEASE, (item(source="sa:github/7", source_identities=("Eve",)),))
    assert authors.include("user:corp/9", ("eve",))
    assert not authors.include("sa:github/7", ())
