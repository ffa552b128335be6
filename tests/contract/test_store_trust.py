"""What a tenant trusts, and what was proven of its evidence, on both engines."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.attestation import Proof, SignerClaims
from release_passport_server.domain.evidence import Verification
from release_passport_server.domain.record import Page
from release_passport_server.domain.trust import (
    Match,
    Scope,
    SignerRule,
    Trust,
    TrustedKey,
    TrustedRoot,
    TrustRevision,
)
from release_passport_server.ports.store import Transaction
from release_passport_server.services.cases import case_key
from support.store import START, TENANT, a_release, an_item, put_item, put_release

CONTENT = b'{"mediaType": "x"}\x00'
ROOT = TrustedRoot("root.json", f"sha256:{hashlib.sha256(CONTENT).hexdigest()}", CONTENT)
RULE = SignerRule(
    "ci",
    Match("https://issuer.example"),
    identity=Match("https://h/o/*", True),
    scope=Scope(frozenset({"sbom", "provenance"}), ("shop-*",), ("prod",)),
)
PROOF = Proof(
    SignerClaims(issuer="https://issuer.example", identity="https://h/o/\u00e9\x00", ref="refs/heads/main"),
    "sigstore-bundle+rekor-v1",
    root=ROOT.sha256,
    builder="https://builder.example",
    trust_revision=3,
)


def revision(number: int) -> TrustRevision:
    return TrustRevision(Trust(number, (ROOT,), (RULE,), (TrustedKey("k", "pem"),)), "user:ada", START)


async def put(store: SQLStore, one: TrustRevision) -> None:
    await store.write(TENANT, lambda tx: tx.put_trust(one))


async def test_revisions_are_found_as_they_were_put(store: SQLStore) -> None:
    assert await store.read(TENANT, lambda reader: reader.find_trust()) is None
    await put(store, revision(1))
    await put(store, revision(2))
    assert await store.read(TENANT, lambda reader: reader.find_trust()) == revision(2)
    assert await store.read(TENANT, lambda reader: reader.find_trust(1)) == revision(1)
    assert await store.read(TENANT, lambda reader: reader.find_trust(3)) is None
    assert await store.read("other", lambda reader: reader.find_trust()) is None


async def test_lists_are_newest_first_and_without_contents(store: SQLStore) -> None:
    for number in (1, 2, 3):
        await put(store, revision(number))
    page = await store.read(TENANT, lambda reader: reader.list_trust(Page(2)))
    assert [one.trust.revision for one in page.items] == [3, 2]
    assert page.items[0].trust.roots == (replace(ROOT, content=b""),)
    rest = await store.read(TENANT, lambda reader: reader.list_trust(Page(2, page.next_after)))
    assert [one.trust.revision for one in rest.items] == [1]


async def test_what_is_proven_is_kept_with_the_item(store: SQLStore) -> None:
    item = an_item(verification=Verification.VERIFIED, proof=PROOF, external_id="run-1")
    written = await store.write(TENANT, lambda tx: put_item(tx, item))
    found = await store.read(TENANT, lambda reader: reader.find_evidence(item.name))
    assert found is not None
    assert found == written.value
    # Two proofs are one whatever configuration they were made under.
    assert found.proof is not None
    assert found.proof.trust_revision == PROOF.trust_revision


async def test_the_same_facts_proven_otherwise_are_another_item(store: SQLStore) -> None:
    first = an_item(verification=Verification.VERIFIED, proof=PROOF, external_id="run-1")
    again = an_item(
        verification=Verification.VERIFIED, proof=replace(PROOF, trust_revision=4), external_id="run-1"
    )
    other = an_item(verification=Verification.VERIFIED, proof=replace(PROOF, root="x"), external_id="run-1")
    names = [
        (await store.write(TENANT, lambda tx, one=one: put_item(tx, one))).value.name  # type: ignore[misc]
        for one in (first, again, other)
    ]
    assert names == [first.name, first.name, other.name]


async def test_a_case_has_what_is_trusted_when_it_is_decided(store: SQLStore) -> None:
    release = a_release()
    await store.write(TENANT, lambda tx: put_release(tx, release))

    def trusted(tx: Transaction) -> int:
        return tx.load_case(case_key(release), START).trust.revision

    assert (await store.write(TENANT, trusted)).value == 0
    await put(store, revision(1))
    assert (await store.write(TENANT, trusted)).value == 1

    def within(tx: Transaction) -> int:
        tx.put_trust(revision(2))
        return trusted(tx)

    assert (await store.write(TENANT, within)).value == 2
    found = await store.read(TENANT, lambda reader: reader.load_case(case_key(release), START))
    assert (found.trust.revision, found.trust.roots[0].content) == (2, b"")
