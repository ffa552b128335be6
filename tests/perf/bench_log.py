"""What trust costs: signing a decision with its leaf, integrating leaves, proving one, and auditing a million.

Run: `python tests/perf/bench_log.py [--leaves 1000000]`; prints CPU times, and ends with 1 where one is over its limit.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import random
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "server"), str(ROOT / "clients" / "python"), str(ROOT / "tests")]

from perf.bench_decide import whole_library  # noqa: E402
from release_passport.log.audit import AuditRow, find_fault  # noqa: E402
from release_passport.log.merkle import commitment, leaf_hash  # noqa: E402
from release_passport.log.proof import verify_proof  # noqa: E402
from release_passport_server.adapters.signing.sealer import DSSESealer  # noqa: E402
from release_passport_server.adapters.tlog.checkpoints import Checkpoints  # noqa: E402
from release_passport_server.adapters.tlog.integrator import Integrator, entries  # noqa: E402
from release_passport_server.adapters.tlog.proofs import LogProofs  # noqa: E402
from release_passport_server.domain.canonical import canonical, digest  # noqa: E402
from release_passport_server.domain.record import DecisionDraft  # noqa: E402
from release_passport_server.domain.signing_key import Algorithm  # noqa: E402
from release_passport_server.domain.statement import PAYLOAD_TYPE, decision_statement  # noqa: E402
from release_passport_server.ports.log import AnchoredCheckpoint, LogIdentity, LogLeaf, Publication  # noqa: E402
from support.attesting import MemorySigner, allowed, draft_of  # noqa: E402
from support.builders import NOW  # noqa: E402

LOG = LogIdentity("acme", "passport.example/log/acme")
SIGN_LIMIT, PROOF_LIMIT, AUDIT_LIMIT = 0.4e-3, 2e-3, 60.0
BATCH = 8192


class Tiles:
    """Tiles in memory: what is measured is the tree and not a disk."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}

    def read(self, log: LogIdentity, path: str) -> bytes | None:
        return self.content.get(path)

    def publish(self, log: LogIdentity, content: Mapping[str, bytes], change: Publication) -> None:
        self.content |= {**content, "checkpoint": change.checkpoint}


class NoAnchor:
    """Keeps nothing."""

    def anchor(self, *_: object) -> None: ...

    def begin(self, *_: object) -> None: ...

    def highest(self, origin: str) -> AnchoredCheckpoint | None:
        return None

    def anchored(self, origin: str) -> tuple[AnchoredCheckpoint, ...]:
        return ()


class Rows:
    """An audit table that makes its rows when they are read."""

    def __init__(self, count: int) -> None:
        self.count = count

    def leaves(self, tenant: str, first: int, count: int) -> Sequence[LogLeaf]:
        return [row(number) for number in range(first, min(first + count, self.count))]


def row(number: int) -> LogLeaf:
    """Return a row with a body as long as that of a decision."""
    salt, body = b"%016d" % number, b'{"act":"%0400d"}' % number
    return LogLeaf(number, leaf_hash(commitment(salt, body)), salt, body)


def signed_and_logged(draft: DecisionDraft, sealer: DSSESealer) -> None:
    """Do what a decision costs beyond being decided: its statement, its signature, its leaf."""
    statement = decision_statement(draft)
    envelope = sealer.seal(PAYLOAD_TYPE, statement, NOW)
    body = canonical({"statementDigest": digest(statement), "envelopeDigest": digest(envelope)})
    committed = hmac.new(secrets.token_bytes(16), body, hashlib.sha256).digest()
    hashlib.sha256(b"\x00" + committed).digest()


def each(act: Callable[[], object], number: int, repeat: int = 7) -> float:
    """Return the CPU seconds of one act, the best of some runs."""
    best = float("inf")
    for _ in range(repeat):
        start = time.process_time()
        for _ in range(number):
            act()
        best = min(best, (time.process_time() - start) / number)
    return best


def once(act: Callable[[], object]) -> float:
    """Return the CPU seconds of an act."""
    start = time.process_time()
    act()
    return time.process_time() - start


def signing() -> bool:
    """Measure signing; return whether it is within its limit."""
    case, _ = whole_library()
    library = draft_of(case)
    fits = True
    for algorithm in Algorithm:
        sealer = DSSESealer(MemorySigner(algorithm))
        for name, draft in (("one rule", draft_of(allowed())), ("the whole library", library)):
            cost = each(lambda draft=draft, sealer=sealer: signed_and_logged(draft, sealer), 200)  # type: ignore[misc]
            size = len(decision_statement(draft))
            print(f"sign + leaf, {algorithm}, {name} ({size} bytes): {cost * 1e3:.3f} ms")
            fits = fits and cost <= SIGN_LIMIT
    return fits


def logging(count: int) -> bool:
    """Measure a log of this size; return whether proofs and the audit are within their limits."""
    tiles, signer = Tiles(), MemorySigner()
    integrator = Integrator(Rows(count), tiles, signer, NoAnchor(), batch=BATCH)

    def integrate() -> None:
        while integrator.integrate(LOG, 1, NOW) is not None:
            pass

    cost = once(integrate)
    print(f"integrate {count} leaves in batches of {BATCH}: {cost:.1f} s, {cost / count * 1e6:.1f} us a leaf")
    proofs, keys = LogProofs(tiles, signer), Checkpoints(signer).verifier_keys(LOG.origin)
    chosen = random.Random(0)
    proof = each(lambda: proofs.inclusion(LOG, chosen.randrange(count)), 200)
    text, [entry] = proofs.inclusion(LOG, count // 2), entries([row(count // 2)], count // 2)
    check = each(lambda: verify_proof(text, entry, LOG.origin, keys), 200)
    print(f"inclusion proof: {proof * 1e3:.3f} ms, its verification {check * 1e3:.3f} ms")
    rows = [AuditRow(r.number, r.leaf, r.salt, r.body) for r in map(row, range(count))]
    checkpoint = proofs.checkpoint(LOG).checkpoint

    def audit() -> None:
        def streamed() -> Iterator[AuditRow]:
            yield from rows

        assert find_fault(streamed(), tiles.content.get, checkpoint) is None

    whole = once(audit)
    print(f"audit of {count} leaves: {whole:.1f} s, {whole / count * 1e6:.1f} us a leaf")
    return proof <= PROOF_LIMIT and whole * 1e6 / count <= AUDIT_LIMIT


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--leaves", type=int, default=1_000_000)
    count: int = parser.parse_args().leaves
    fits = [signing(), logging(count)]
    return 0 if all(fits) else 1


if __name__ == "__main__":
    sys.exit(main())
