"""Signed documents are accepted by the clients that people have: sigstore-js and cosign."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from release_passport_server.domain.signing_key import Algorithm
from release_passport_server.domain.statement import DECISION_PREDICATE
from support.attesting import MemorySigner
from support.builders import DIGESTS
from support.sealed import STATEMENTS, Sealed

Done = subprocess.CompletedProcess[str]
Accepts = Callable[[Sealed, Path, str, str], bool]
JS = Path(__file__).parent / "js"
REFUSALS = (
    "accepted signatures do not match threshold",
    "provided artifact digest does not match any digest in statement",
    "invalid predicate type",
)
NO_LOGS = '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'


def ran(*command: object, cwd: Path | None = None, home: Path | None = None) -> Done:
    environment = os.environ | ({"HOME": str(home)} if home else {})
    return subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def bundled(path: Path) -> Path:
    """Return a Sigstore bundle of an envelope, as both clients read it."""
    bundle = {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": "passport"}, "tlogEntries": []},
        "dsseEnvelope": json.loads(path.read_text()),
    }
    made = path.with_name("bundle.json")
    made.write_text(json.dumps(bundle))
    return made


@pytest.fixture(scope="module")
def sigstore_js(tmp_path_factory: pytest.TempPathFactory) -> Accepts:
    """Return sigstore-js as its lock file fixes it, which looks at the signature alone."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("sigstore-js: Node.js is not installed")
    folder = Path(shutil.copytree(JS, tmp_path_factory.mktemp("npm") / "js"))
    fetched = ran(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=folder)
    if fetched.returncode:
        pytest.skip(f"sigstore-js: its packages cannot be had ({fetched.stderr.strip()[-200:]})")

    def accepts(sealed: Sealed, path: Path, predicate: str, digest: str) -> bool:
        done = ran(node, folder / "verify.js", bundled(path), sealed.key)
        assert (done.returncode == 0) is (done.stdout == "PASSED\n"), done.stderr
        assert done.returncode == 0 or done.stderr.startswith("SIGNATURE_ERROR: "), done.stderr
        return done.returncode == 0

    return accepts


@pytest.fixture(scope="module")
def cosign(tmp_path_factory: pytest.TempPathFactory) -> Accepts:
    """Return cosign, which also looks at the subject and the predicate type."""
    program = shutil.which("cosign")
    if program is None:
        pytest.skip("cosign is not installed: go install github.com/sigstore/cosign/v2/cmd/cosign@v2.6.5")
    home = tmp_path_factory.mktemp("home")
    root = home / "root.json"
    root.write_text(NO_LOGS)

    def accepts(sealed: Sealed, path: Path, predicate: str, digest: str) -> bool:
        claims = ("--type", predicate, "--digestAlg", "sha256", "--digest", digest.removeprefix("sha256:"))
        # Decisions are in the passport's own log, which cosign does not know; with a root it asks nobody for one.
        logs = ("--insecure-ignore-tlog", "--trusted-root", root)
        signed = ("--key", sealed.key, "--bundle", bundled(path))
        done = ran(program, "verify-blob-attestation", *signed, *claims, *logs, home=home)
        assert (done.returncode == 0) is ("Verified OK" in done.stderr), done.stderr
        assert done.returncode == 0 or any(text in done.stderr for text in REFUSALS), done.stderr
        return done.returncode == 0

    return accepts


@pytest.fixture(params=["sigstore_js", "cosign"])
def accepts(request: pytest.FixtureRequest) -> Accepts:
    client: Accepts = request.getfixturevalue(request.param)
    return client


@pytest.fixture(params=Algorithm)
def sealed(request: pytest.FixtureRequest, tmp_path: Path) -> Sealed:
    return Sealed(tmp_path, request.param)


@pytest.mark.parametrize("predicate", STATEMENTS)
def test_every_signed_document_is_accepted(accepts: Accepts, sealed: Sealed, predicate: str) -> None:
    assert accepts(sealed, sealed.file(STATEMENTS[predicate]), predicate, DIGESTS[0])


def test_another_key_and_a_changed_payload_are_refused(accepts: Accepts, sealed: Sealed) -> None:
    path = sealed.file(STATEMENTS[DECISION_PREDICATE])
    ask = (path, DECISION_PREDICATE, DIGESTS[0])
    whole = path.read_text()
    envelope = json.loads(whole)
    envelope["payload"] = base64.b64encode(base64.b64decode(envelope["payload"]) + b" ").decode()
    path.write_text(json.dumps(envelope))
    assert not accepts(sealed, *ask)
    path.write_text(whole)
    sealed.key.write_text(MemorySigner().known[0].public_key)
    assert not accepts(sealed, *ask)


def test_cosign_binds_the_subject_and_the_predicate(cosign: Accepts, sealed: Sealed) -> None:
    path = sealed.file(STATEMENTS[DECISION_PREDICATE])
    assert not cosign(sealed, path, DECISION_PREDICATE, DIGESTS[1])
    assert not cosign(sealed, path, "https://example.com/other", DIGESTS[0])
