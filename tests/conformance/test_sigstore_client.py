"""The entry point for the public conformance suite keeps to its protocol, over the cases that are at hand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.data import sample
from support.minisigstore import as_bytes
from support.sigstore import ARTIFACT, DIGEST, MINI, WHO, about

CLIENT = Path(__file__).parent / "sigstore_client.py"


def client(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(CLIENT), *map(str, arguments)]
    # Neither HOME nor anything else: what is needed is named.
    return subprocess.run(command, capture_output=True, text=True, check=False, env={})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bundle.json").write_bytes(as_bytes(MINI.bundle(WHO, about())))
    (tmp_path / "root.json").write_bytes(MINI.trusted_root())
    (tmp_path / "artifact").write_bytes(ARTIFACT)
    return tmp_path


def identity(name: str = WHO.san) -> tuple[str, ...]:
    return ("--certificate-identity", name, "--certificate-oidc-issuer", WHO.issuer)


def test_a_file_and_a_digest_are_verified(folder: Path) -> None:
    for subject in (folder / "artifact", DIGEST):
        done = client(
            "verify-bundle",
            *(
                "--bundle",
                folder / "bundle.json",
                *identity(),
                "--trusted-root",
                folder / "root.json",
                subject,
            ),
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_another_identity_is_refused_with_its_code(folder: Path) -> None:
    named = identity("https://github.com/acme/other")
    root = ("--trusted-root", folder / "root.json")
    done = client("verify-bundle", "--bundle", folder / "bundle.json", *named, *root, folder / "artifact")
    assert done.returncode == 1
    assert done.stderr.startswith("SIGNER_NOT_TRUSTED: IDENTITY_MISMATCH: ")


def test_the_public_instance_is_the_default(folder: Path) -> None:
    for staging in ((), ("--staging",)):
        done = client(
            "verify-bundle", *staging, "--bundle", folder / "bundle.json", *identity(), folder / "artifact"
        )
        assert done.returncode == 1
        assert done.stderr.startswith("LOG_UNKNOWN: ")


def test_a_key_beside_an_identity_is_refused(folder: Path) -> None:
    both = (*identity(), "--key", folder / "artifact")
    done = client("verify-bundle", "--bundle", folder / "bundle.json", *both, folder / "artifact")
    assert done.returncode == 2


def test_signing_is_refused() -> None:
    assert client("sign-bundle", "--identity-token", "t", "--bundle", "b", "f").returncode == 2


def test_the_suites_own_cases_come_to_their_verdicts() -> None:
    corpus = sample("provenance/index.json").parent
    listed: list[dict[str, Any]] = json.loads((corpus / "index.json").read_text())["entries"]
    cases = [entry for entry in listed if Path(entry["file"]).name.startswith("conf-")]
    assert cases
    told = {}
    for case in cases:
        signer: tuple[object, ...] = ("--key", corpus / case["key"]) if case["key"] else ()
        if not case["key"]:
            names = (case["expected_identity"], case["expected_issuer"])
            signer = ("--certificate-identity", names[0], "--certificate-oidc-issuer", names[1])
        root = ("--trusted-root", corpus / case["trusted_root"])
        subject = corpus / case["artifact"]
        done = client("verify-bundle", "--bundle", corpus / case["file"], *signer, *root, subject)
        told[case["file"]] = "accept" if done.returncode == 0 else "reject"
    assert told == {case["file"]: case["expected_verdict"] for case in cases}
