"""What is trusted as a file: read strictly, roots held to their digests, and written as it can be applied again."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import yaml

from release_passport.strict_yaml import FileInvalid
from release_passport.trust_file import read_trust_file, trust_yaml
from release_passport.v1 import trust_pb2, trust_service_pb2
from support.cli_fixtures import connected, fake, passport
from support.command_line import CommandLine
from support.fake_server import FakeServer
from support.requests import PUBLIC_KEY

__all__ = ["connected", "fake", "passport"]

ROOT = b'{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'
PINNED = f"sha256:{hashlib.sha256(ROOT).hexdigest()}"
FILE = f"""\
apiVersion: release-passport.dev/v1
kind: Trust
spec:
  roots:
    - {{ref: root.json, sha256: "{PINNED}"}}
  rules:
    - name: ci
      issuer: {{exact: "https://token.actions.githubusercontent.com"}}
      identity: {{pattern: "https://github.com/acme/checkout/*"}}
      scope: {{kinds: [provenance]}}
  keys:
    - name: builder
      pem: |
        {PUBLIC_KEY.replace(chr(10), chr(10) + "        ").rstrip()}
"""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Write the file with its root beside it."""
    (tmp_path / "root.json").write_bytes(ROOT)
    path = tmp_path / "trust.yaml"
    path.write_text(FILE)
    return path


def problems(path: Path) -> str:
    with pytest.raises(FileInvalid) as raised:
        read_trust_file(path, {})
    return str(raised.value).replace(str(path), "F")


def test_a_file_says_roots_rules_and_keys(written: Path) -> None:
    found = read_trust_file(written, {})
    assert (found.roots[0].ref, found.roots[0].sha256, found.roots[0].content) == ("root.json", PINNED, ROOT)
    assert found.rules[0].identity == trust_pb2.ClaimMatch(pattern="https://github.com/acme/checkout/*")
    assert list(found.rules[0].scope.kinds) == ["provenance"]
    assert found.keys[0].pem == PUBLIC_KEY


def test_what_is_written_can_be_applied_again_with_the_roots_that_stand(written: Path) -> None:
    found = read_trust_file(written, {})
    (written.parent / "root.json").unlink()
    written.write_text(trust_yaml(found))
    assert read_trust_file(written, {PINNED: ROOT}) == found


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (
            "    - name: ci",
            "    - nmae: ci",
            "F:7:7: 'nmae' is not a field of rules[0]; did you mean 'name'?",
        ),
        ("  keys:", "  author: me\n  keys:", "F:11:3: 'author' is not one of roots, rules, keys"),
        ("kind: Trust", "kind: Policy", "F:2:7: kind must be Trust"),
        ("root.json", "none.json", "F:5:7: roots[0].ref: 'none.json' cannot be read"),
        (PINNED, "sha256:" + "0" * 64, f"F:5:7: roots[0].sha256: the root is {PINNED}"),
        ("{exact:", "{pattern: x, exact:", "cannot stand beside pattern"),
        ("spec:", "spec: &a", "anchors"),
    ],
)
def test_what_is_wrong_is_refused_in_its_place(written: Path, old: str, new: str, text: str) -> None:
    assert old in FILE
    written.write_text(FILE.replace(old, new, 1))
    assert text in problems(written)


def test_apply_sends_the_file_with_the_etag_that_stands(
    connected: CommandLine, fake: FakeServer, written: Path
) -> None:
    now = trust_pb2.TrustConfiguration(revision=4, etag="now")
    fake.reply("GetTrust", trust_service_pb2.GetTrustResponse(trust=now))
    made = trust_pb2.TrustConfiguration(revision=5, rules=[trust_pb2.SignerRule(name="ci")])
    fake.reply("UpdateTrust", trust_service_pb2.UpdateTrustResponse(trust=made))
    result = connected("trust", "apply", "-f", str(written), "-o", "yaml")
    assert result.code == 0, result.err
    assert yaml.safe_load(result.out)["revision"] == "5"
    (asked,) = fake.asked("UpdateTrust")
    assert (asked.trust.etag, asked.trust.roots[0].content) == ("now", ROOT)


def test_a_file_that_is_wrong_changes_nothing(
    connected: CommandLine, fake: FakeServer, written: Path
) -> None:
    fake.reply("GetTrust", trust_service_pb2.GetTrustResponse())
    written.write_text(FILE.replace("kind: Trust", "kind: Trusted"))
    result = connected("trust", "apply", "-f", str(written))
    assert (result.code, fake.asked("UpdateTrust")) == (2, [])
    assert "trust.yaml:2:7" in result.err
