"""Roots and proofs of trees: the public vectors, and every small tree against the definition of RFC 6962."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest

from release_passport.log.merkle import (
    EMPTY_ROOT,
    ProofInvalid,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from release_passport.log.tree import TileInvalid, TileTree
from release_passport_server.adapters.tlog.growth import Growth

# The leaves and roots that implementations of Certificate Transparency share.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATHS = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}


def defined_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root as RFC 6962, section 2.1, defines it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(defined_root(leaves[:split]), defined_root(leaves[split:]))


def grown(leaves: Sequence[bytes]) -> TileTree:
    growth = Growth(lambda _: None, 0)
    growth.append(leaves)
    growth.finish()
    return TileTree(growth.content.get, growth.size)


def numbered(count: int) -> list[bytes]:
    return [b"leaf %d" % number for number in range(count)]


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_are_those_of_the_public_vectors(size: int) -> None:
    assert grown(LEAVES[:size]).root().hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("index", "size"), PATHS)
def test_the_paths_are_those_of_the_public_vectors(index: int, size: int) -> None:
    assert [one.hex() for one in grown(LEAVES[:size]).inclusion(index)] == PATHS[index, size]


def test_a_tree_without_leaves_has_the_hash_of_nothing() -> None:
    assert grown([]).root() == EMPTY_ROOT == defined_root([])


@pytest.mark.parametrize("size", [*range(1, 24), 255, 256, 257, 511, 512, 513, 700])
def test_every_proof_of_a_tree_leads_to_its_root(size: int) -> None:
    leaves = numbered(size)
    tree, root = grown(leaves), defined_root(leaves)
    assert tree.root() == root
    for index in {*range(min(size, 24)), size // 2, size - 1}:
        verify_inclusion(index, size, leaf_hash(leaves[index]), tree.inclusion(index), root)
    for older in {*range(min(size, 24) + 1), 255, 256, 257, size}:
        if older <= size:
            verify_consistency(older, size, tree.consistency(older), defined_root(leaves[:older]), root)


@pytest.mark.parametrize("size", [1, 2, 5, 8, 13])
def test_a_proof_of_anything_else_is_refused(size: int) -> None:
    leaves = numbered(size)
    tree = grown(leaves)
    for index in range(size):
        proof, leaf = tree.inclusion(index), leaf_hash(leaves[index])
        wrong: list[tuple[int, int, bytes, list[bytes], bytes]] = [
            (index + size, size, leaf, proof, tree.root()),
            (-1, size, leaf, proof, tree.root()),
            (index, size, leaf_hash(b"another"), proof, tree.root()),
            (index, size, leaf, [*proof, leaf], tree.root()),
            (index, size, leaf, proof, EMPTY_ROOT),
            (index, size, b"", proof, tree.root()),
            *((index, size, leaf, proof[:n] + proof[n + 1 :], tree.root()) for n in range(len(proof))),
            *(
                (index, size, leaf, [*proof[:n], b"", *proof[n + 1 :]], tree.root())
                for n in range(len(proof))
            ),
            *((other, size, leaf, proof, tree.root()) for other in range(size) if other != index),
        ]
        for case in wrong:
            with pytest.raises(ProofInvalid):
                verify_inclusion(*case)


@pytest.mark.parametrize("size", [2, 5, 8, 13])
def test_a_tree_that_does_not_continue_another_is_refused(size: int) -> None:
    leaves = numbered(size)
    tree, root = grown(leaves), defined_root(leaves)
    for older in range(1, size):
        proof, before = tree.consistency(older), defined_root(leaves[:older])
        forked = defined_root([b"forked", *leaves[1:older]])
        wrong: list[tuple[int, int, list[bytes], bytes, bytes]] = [
            (older, size, proof, forked, root),
            (older, size, proof, before, forked),
            (older, size, proof, root, before),
            (size, older, proof, root, before),
            (older, size, [*proof, root], before, root),
            (older, size, proof[:-1], before, root),
            (older, size, [b"", *proof[1:]], before, root),
            (older, older, proof, before, before),
            (0, size, proof, EMPTY_ROOT, root),
            (0, size, [], root, root),
            (size, size, [], before, root),
        ]
        for case in wrong:
            with pytest.raises(ProofInvalid):
                verify_consistency(*case)


def test_trees_of_different_sizes_share_their_tiles() -> None:
    tree = grown(numbered(700))
    for size in (1, 255, 256, 300, 512, 699):
        assert tree.root(size) == defined_root(numbered(size))
        verify_inclusion(0, size, leaf_hash(b"leaf 0"), tree.inclusion(0, size), tree.root(size))


def test_a_tile_that_became_whole_answers_for_its_beginnings() -> None:
    growth = Growth(lambda _: None, 0)
    growth.append(numbered(300))
    growth.finish()
    assert "tile/0/000.p/7" not in growth.content
    assert TileTree(growth.content.get, 7).root() == defined_root(numbered(7))


def test_a_missing_or_cut_tile_is_named() -> None:
    with pytest.raises(TileInvalid, match=r"no tile/0/000\.p/3"):
        TileTree(lambda _: None, 3).root()
    with pytest.raises(TileInvalid, match=r"tile/0/000\.p/3 has 5 bytes"):
        TileTree(lambda _: b"short", 3).root()


def test_what_is_past_the_end_has_no_proof() -> None:
    tree = grown(numbered(5))
    for ask in (
        lambda: tree.inclusion(5),
        lambda: tree.inclusion(0, 6),
        lambda: tree.consistency(6),
        lambda: tree.leaf(5),
    ):
        with pytest.raises(ProofInvalid, match="has none"):
            ask()
