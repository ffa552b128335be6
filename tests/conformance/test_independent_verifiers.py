"""What is written here is accepted by other people's code, and what was tampered with is refused by it.

The programs in `go/` use golang.org/x/mod/sumdb (note, tlog), transparency-dev/merkle, go-securesystemslib's DSSE and
in-toto's own statement and verification summary. They are built from modules that go.sum fixes.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from release_passport.log.tiles import CHECKPOINT
from release_passport.log.tree import TileTree
from release_passport_server.adapters.tlog.integrator import entries
from release_passport_server.domain.permit import (
    PERMIT_PREDICATE,
)
from release_passport_server.domain.signing_key import Algorithm
from release_passport_server.domain.statement import (
    DECISION_PREDICATE,
    REFUSAL_PREDICATE,
)
from release_passport_server.domain.verification_summary import (
    VSA_PREDICATE,
    allowed_level,
)
from support.attesting import ISSUER, MemorySigner
from support.builders import DIGESTS
from support.logs import LOG, LogUnderTest
from support.sealed import STATEMENTS, Sealed, without

Verify = Callable[..., subprocess.CompletedProcess[str]]
MODULE = Path(__file__).parent / "go"
RESOURCE = "https://passport.example/tenants/acme/environments/prod/services/checkout"


@pytest.fixture(scope="module")
def verify(tmp_path_factory: pytest.TempPathFactory) -> Verify:
    """Return the verifiers as a function of a command and its arguments."""
    go = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if go is None:
        without("Go is not installed")
    assert go is not None
    fetched = subprocess.run([go, "mod", "download"], cwd=MODULE, capture_output=True, text=True, check=False)
    if fetched.returncode:
        without(f"Go's modules cannot be had ({fetched.stderr.strip()[:200]})")
    program = tmp_path_factory.mktemp("go") / "conformance"
    build = [go, "build", "-mod=readonly", "-o", str(program), "."]
    built = subprocess.run(build, cwd=MODULE, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [str(program), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    return run


def passed(result: subprocess.CompletedProcess[str]) -> bool:
    """Say whether the verifiers accepted; a wrong call of theirs is no refusal."""
    assert result.returncode in (0, 1), result.stderr
    assert (result.returncode == 0) is (result.stdout == "PASSED\n"), result.stderr
    return result.returncode == 0


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> LogUnderTest:
    made = LogUnderTest(tmp_path_factory.mktemp("log"))
    made.grow(3, 250, 300, 147)
    return made


@pytest.fixture
def copy(log: LogUnderTest, tmp_path: Path) -> Path:
    """Return a folder with the log, to be tampered with."""
    return Path(shutil.copytree(log.folder, tmp_path / "copy"))


def vkey(log: LogUnderTest) -> str:
    return str(log.keys[0])


def test_checkpoints_open_with_gos_notes(verify: Verify, log: LogUnderTest, copy: Path) -> None:
    assert passed(verify("note", vkey(log), log.folder / CHECKPOINT))
    text = (copy / CHECKPOINT).read_text()
    (copy / CHECKPOINT).write_text(text.replace("\n700\n", "\n701\n"))
    assert not passed(verify("note", vkey(log), copy / CHECKPOINT))


def test_the_whole_log_reads_with_gos_tiles_and_trees(verify: Verify, log: LogUnderTest) -> None:
    assert passed(verify("log", vkey(log), log.folder))


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/000",
        "tile/0/002.p/188",
        "tile/1/000.p/2",
        "tile/entries/001",
        "tile/entries/002.p/188",
        CHECKPOINT,
    ],
)
def test_a_log_with_a_changed_byte_is_refused(
    verify: Verify, log: LogUnderTest, copy: Path, path: str
) -> None:
    content = bytearray((copy / path).read_bytes())
    content[40] ^= 1
    (copy / path).write_bytes(bytes(content))
    assert not passed(verify("log", vkey(log), copy))


@pytest.mark.parametrize("number", [0, 1, 255, 256, 511, 512, 699])
def test_inclusion_proofs_are_accepted_for_their_entry_alone(
    verify: Verify, log: LogUnderTest, tmp_path: Path, number: int
) -> None:
    path = tmp_path / "proof"
    path.write_text(log.proofs.inclusion(LOG, number))
    [entry] = entries(log.leaves.rows[number : number + 1], number)
    assert passed(verify("proof", vkey(log), path, entry.hex()))
    assert not passed(verify("proof", vkey(log), path, b"another".hex()))


@pytest.mark.parametrize(
    ("older", "newer"), [(1, 2), (3, 253), (256, 700), (253, 553), (511, 512), (700, 700)]
)
def test_consistency_proofs_are_accepted_for_their_roots_alone(
    verify: Verify, log: LogUnderTest, older: int, newer: int
) -> None:
    tree = TileTree(log.read, 700)
    hashes = [base64.b64encode(one).decode() for one in log.proofs.consistency(LOG, older, newer)]
    first, second = (base64.b64encode(tree.root(size)).decode() for size in (older, newer))
    assert passed(verify("consistency", older, newer, first, second, *hashes))
    wrong = base64.b64encode(b"\0" * 32).decode()
    assert not passed(verify("consistency", older, newer, wrong, second, *hashes))
    assert not passed(verify("consistency", older, newer, first, wrong, *hashes))


@pytest.fixture(params=Algorithm)
def sealed(request: pytest.FixtureRequest, tmp_path: Path) -> Sealed:
    return Sealed(tmp_path, request.param)


@pytest.mark.parametrize("predicate", STATEMENTS)
def test_statements_open_with_securesystemslib_and_read_as_in_totos(
    verify: Verify, sealed: Sealed, predicate: str
) -> None:
    path = sealed.file(STATEMENTS[predicate])
    assert passed(verify("envelope", sealed.key, path, predicate, DIGESTS[0]))
    assert not passed(verify("envelope", sealed.key, path, predicate, DIGESTS[1]))
    assert not passed(verify("envelope", sealed.key, path, "https://example.com/other", DIGESTS[0]))


def test_a_changed_envelope_or_another_key_is_refused(verify: Verify, sealed: Sealed) -> None:
    path = sealed.file(STATEMENTS[VSA_PREDICATE])
    ask = ("envelope", sealed.key, path, VSA_PREDICATE, DIGESTS[0])
    sealed.key.write_text(MemorySigner().known[0].public_key)
    assert not passed(verify(*ask))
    sealed.key.write_text(sealed.signer.known[0].public_key)
    changed = path.read_text().replace('"sig":"M', '"sig":"N').replace('"payload":"e', '"payload":"f')
    path.write_text(changed)
    assert not passed(verify(*ask))


def summary(
    verify: Verify, sealed: Sealed, statement: bytes, *, resource: str = RESOURCE, level: str = ""
) -> bool:
    """Ask for what an admission check in production asks for."""
    wanted = level or allowed_level("prod")
    path = sealed.file(statement)
    return passed(verify("vsa", sealed.key, path, DIGESTS[0], ISSUER.uri, resource, wanted))


def test_the_summary_of_a_clean_allow_is_accepted(verify: Verify, sealed: Sealed) -> None:
    assert summary(verify, sealed, STATEMENTS[VSA_PREDICATE])


def test_the_summary_of_one_environment_admits_to_no_other(verify: Verify, sealed: Sealed) -> None:
    staging = RESOURCE.replace("/prod/", "/staging/")
    assert not summary(verify, sealed, STATEMENTS[VSA_PREDICATE], resource=staging)
    assert not summary(verify, sealed, STATEMENTS[VSA_PREDICATE], level=allowed_level("staging"))
    assert not summary(verify, sealed, STATEMENTS[VSA_PREDICATE], level="SLSA_BUILD_LEVEL_3")


@pytest.mark.parametrize("predicate", [DECISION_PREDICATE, REFUSAL_PREDICATE, PERMIT_PREDICATE])
def test_no_other_statement_passes_as_a_summary(verify: Verify, sealed: Sealed, predicate: str) -> None:
    assert not summary(verify, sealed, STATEMENTS[predicate])
