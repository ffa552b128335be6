"""What verification costs beside sigstore-python's own time, what two processes give, and what bombs cost.

Run: `python tests/perf/bench_verify.py`; everything is measured in one run, in turns, and told as ratios.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "server"), str(ROOT / "clients" / "python"), str(ROOT / "tests")]

from sigstore.hashes import Hashed  # noqa: E402
from sigstore.models import Bundle, TrustedRoot  # noqa: E402
from sigstore.verify import Verifier, policy  # noqa: E402
from sigstore_models.common.v1 import HashAlgorithm  # noqa: E402
from sigstore_models.trustroot.v1 import TrustedRoot as RootModel  # noqa: E402

from release_passport_server.adapters.sigstore.checks.examine import examine  # noqa: E402
from release_passport_server.adapters.sigstore.judgement import judged  # noqa: E402
from release_passport_server.adapters.sigstore.pool import PoolSettings  # noqa: E402
from release_passport_server.adapters.sigstore.report import Report  # noqa: E402
from release_passport_server.adapters.sigstore.screen import screened  # noqa: E402
from release_passport_server.adapters.sigstore.verifier import SigstoreVerifier  # noqa: E402
from release_passport_server.domain.attestation import Failed  # noqa: E402
from support.minisigstore import How, as_bytes  # noqa: E402
from support.sigstore import DIGEST, MINI, WHO, about, pinned, trust  # noqa: E402

ROUNDS, BATCH = 15, 15
POOLED = 400
TRUST = trust()


@dataclass(frozen=True)
class Sample:
    """A bundle that is good, and what verifies it."""

    name: str
    raw: bytes
    root: bytes
    digest: str


def samples() -> list[Sample]:
    """Return bundles of the test instance, and of real ones where they are at hand."""
    root = MINI.trusted_root()
    hows = {"mini, Rekor v1": How(), "mini, Rekor v2": How(rekor=2)}
    made = [
        Sample(name, as_bytes(MINI.bundle(WHO, about(), how)), root, DIGEST) for name, how in hows.items()
    ]
    index = Path(os.environ.get("PASSPORT_TEST_DATA") or ROOT.parent / "shared" / "data") / "provenance"
    if not (index / "index.json").exists():
        print("real bundles are not at hand: set PASSPORT_TEST_DATA to the folder that has them")
        return made
    for entry in json.loads((index / "index.json").read_text())["entries"]:
        name = Path(entry["file"]).stem
        if entry["sigstore_python_4.5.1"] == entry["expected_verdict"] == "accept" and not name.startswith(
            "mini-"
        ):
            raw, content = (index / entry["file"]).read_bytes(), (index / entry["trusted_root"]).read_bytes()
            made.append(Sample(name, raw, content, entry["artifact_digest"]))
    return made


def ours(sample: Sample) -> None:
    """Verify as the server does, from bytes to facts and an answer."""
    assert screened(sample.raw) is None
    report = Report.of(examine(sample.raw, [sample.root], []).parts())
    judged(report, [sample.digest], TRUST, "")
    assert report.failure is None


def theirs(sample: Sample, root: TrustedRoot) -> None:
    """Verify with the library: signature and log, and nothing of the statement."""
    verifier, bundle = Verifier(trusted_root=root), Bundle.from_json(sample.raw)
    if bundle._inner.dsse_envelope is not None:
        verifier.verify_dsse(bundle, policy.UnsafeNoOp())
    else:
        digest = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=bytes.fromhex(sample.digest[7:]))
        verifier.verify_artifact(digest, bundle, policy.UnsafeNoOp())


def compare() -> None:
    """Print both times for each sample, and the ratio of all."""
    logging.disable(logging.WARNING)
    sums = [0.0, 0.0]
    for sample in samples():
        root = TrustedRoot(RootModel.from_json(sample.root))
        runs: tuple[Callable[[], None], ...] = (partial(ours, sample), partial(theirs, sample, root))
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(ROUNDS):
            for run, taken in zip(runs, times, strict=True):
                start = time.process_time()
                for _ in range(BATCH):
                    run()
                taken.append((time.process_time() - start) / BATCH * 1e3)
        a, b = statistics.median(times[0]), statistics.median(times[1])
        sums = [sums[0] + a, sums[1] + b]
        print(f"{sample.name:42} ours {a:5.2f} ms   sigstore-python {b:5.2f} ms   ratio {a / b:4.2f}")
    a, b = sums
    print(f"{'all together':42} ours {a:5.2f} ms   sigstore-python {b:5.2f} ms   ratio {a / b:4.2f}")


async def throughput(workers: int, sample: Sample) -> float:
    """Return bundles a second through a pool of this size that has begun."""
    verifier = SigstoreVerifier(PoolSettings(workers=workers, queue=10_000))
    given = replace(trust(), roots=(pinned(sample.root),))

    async def one(number: int) -> None:
        # Spaces after it make it another bundle for the cache.
        found = await verifier.verify(sample.raw + b" " * number, [sample.digest], given)
        assert not isinstance(found, Failed) or found.code == "SIGNER_NOT_TRUSTED"

    await asyncio.gather(*(one(number) for number in range(10 * workers)))
    start = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(100, 100 + POOLED)))
    taken = time.perf_counter() - start
    await verifier.close()
    return POOLED / taken


async def pools() -> None:
    """Print what one process and two give, in turns, and what a bundle that is known costs."""
    for sample in (samples()[1], samples()[-1]):
        found = [(await throughput(1, sample), await throughput(2, sample)) for _ in range(3)]
        one, two = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"{sample.name:42} one process {one:5.0f}/s   two {two:5.0f}/s   ratio {two / one:.2f}")
    raw = samples()[0].raw
    verifier, given = SigstoreVerifier(PoolSettings(workers=1)), trust()
    start = time.perf_counter()
    await verifier.verify(raw, [DIGEST], given)
    cold = time.perf_counter() - start
    start = time.perf_counter()
    for _ in range(1000):
        await verifier.verify(raw, [DIGEST], given)
    known = time.perf_counter() - start
    print(f"first bundle of all {cold * 1e3:.0f} ms (the process begins), a known one {known:.3f} ms")
    await verifier.close()


def bombs() -> dict[str, bytes]:
    """Return what nobody should spend time on."""
    good = json.loads(as_bytes(MINI.bundle(WHO, about())))

    def payload(raw: bytes) -> bytes:
        return as_bytes(
            {**good, "dsseEnvelope": {**good["dsseEnvelope"], "payload": base64.b64encode(raw).decode()}}
        )

    def signed(statement: dict[str, Any]) -> bytes:
        return as_bytes(MINI.bundle(WHO, statement))

    subjects = [{"digest": {"sha256": f"{n:064x}"}} for n in range(7000)]
    return {
        "a long bundle": b'{"verificationMaterial":' + b" " * 50_000_000,
        "deep lists": b'{"verificationMaterial":' + b"[" * 1_000_000,
        "wide objects": b'{"verificationMaterial":[' + b"{}," * 300_000 + b"{}]}",
        "many keys": b'{"verificationMaterial":{' + b",".join(b'"%d":0' % n for n in range(90_000)) + b"}}",
        "many numbers": b'{"verificationMaterial":[' + b"1e1," * 250_000 + b"0]}",
        "unsigned deep payload": payload(b"[" * 700_000),
        "signed subjects": signed({**about(), "subject": subjects}),
        "signed wide predicate": signed({**about(), "predicate": {"a": [{} for _ in range(180_000)]}}),
        "signed wide lists": signed({**about(), "predicate": {"a": [[] for _ in range(180_000)]}}),
        "signed many keys": signed({**about(), "predicate": {str(n): 0 for n in range(60_000)}}),
        "signed SBOM": signed(
            {
                **about({"components": [{"name": "a", "components": []} for _ in range(18_000)]}),
                "predicateType": "https://cyclonedx.org/bom",
            }
        ),
    }


def explode() -> None:
    """Print what each bomb costs: time here, and in a process of its own how much its memory grows."""
    content = MINI.trusted_root()
    for name, raw in bombs().items():
        script = (
            "import sys, time\n"
            f"sys.path[:0] = {sys.path[:3]!r}\n"
            "from release_passport_server.adapters.sigstore.checks.examine import examine\n"
            "from release_passport_server.adapters.sigstore.screen import screened\n"
            "size = int(sys.stdin.buffer.readline()); root = sys.stdin.buffer.read(size)\n"
            "raw = sys.stdin.buffer.read()\n"
            "examine(b'{}', [root], [])\n"
            # What `getrusage` tells includes the parent's memory.
            "def peak(): return int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])\n"
            "before, start = peak(), time.process_time()\n"
            "found = screened(raw) or (examine(raw, [root], []).failure or 'read',)\n"
            "print(found[0], (time.process_time() - start) * 1e3, (peak() - before) / 1024)\n"
        )
        given = b"%d\n" % len(content) + content + raw
        done = subprocess.run([sys.executable, "-c", script], input=given, capture_output=True, check=True)
        code, taken, grown = done.stdout.decode().split()
        print(
            f"{name:24} {len(raw) / 1e6:6.2f} MB   {code:22} {float(taken):6.1f} ms   {float(grown):6.1f} MB more"
        )


def main() -> None:
    """Print everything."""
    compare()
    asyncio.run(pools())
    explode()


if __name__ == "__main__":
    main()
