"""Hashes of an RFC 6962 Merkle tree, and the verification of its proofs (RFC 9162, 2.1.3.2 and 2.1.4.2)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


class ProofInvalid(ValueError):
    """A proof does not show what it should; the message says where it fails."""


def commitment(salt: bytes, body: bytes) -> bytes:
    """Return the entry that stands in the log for a body: without the salt, nobody can guess the body from it."""
    return hmac.digest(salt, body, "sha256")


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Raise ProofInvalid unless the leaf hash stands at the index of the tree with this size and root."""
    if not 0 <= index < size:
        raise ProofInvalid(f"there is no leaf {index} in a tree of {size}")
    _check_lengths(leaf, root, *proof)
    node, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofInvalid("the inclusion proof is too long")
        if node & 1 or node == last:
            found = node_hash(sibling, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        node, last = node >> 1, last >> 1
    if last or found != root:
        raise ProofInvalid(f"the inclusion proof of leaf {index} does not lead to the root of size {size}")


def verify_consistency(
    older: int, newer: int, proof: Sequence[bytes], older_root: bytes, newer_root: bytes
) -> None:
    """Raise ProofInvalid unless the newer tree begins with the older one; a tree without leaves begins every tree."""
    if not 0 <= older <= newer:
        raise ProofInvalid(f"size {older} is not before size {newer}")
    _check_lengths(older_root, newer_root, *proof)
    if older in (0, newer):
        _verify_trivial(older, newer, proof, older_root, newer_root)
        return
    if not proof:
        raise ProofInvalid("the consistency proof is empty")
    # An older tree that is complete is its own first node.
    path = [older_root, *proof] if older & (older - 1) == 0 else list(proof)
    node, last = older - 1, newer - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofInvalid("the consistency proof is too long")
        if node & 1 or node == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        node, last = node >> 1, last >> 1
    if last or first != older_root or second != newer_root:
        raise ProofInvalid(f"the trees of size {older} and {newer} are not consistent")


def _verify_trivial(
    older: int, newer: int, proof: Sequence[bytes], older_root: bytes, newer_root: bytes
) -> None:
    if proof:
        raise ProofInvalid("the consistency proof must be empty here")
    if older == 0 and older_root != EMPTY_ROOT:
        raise ProofInvalid("the root of the tree without leaves is another one")
    if older == newer and older_root != newer_root:
        raise ProofInvalid(f"two trees of size {older} have different roots")


def _check_lengths(*hashes: bytes) -> None:
    if any(len(one) != HASH_BYTES for one in hashes):
        raise ProofInvalid(f"every hash has {HASH_BYTES} bytes")
