"""A vote by the command line: what is shown is what is approved, and the release goes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from e2e.test_cli_session import ALLOW, PLAIN, decided, digest, identity, opened, render
from support.cli_process import Shell

WHY = "two of us looked at the change together"
ASKS = 10
POLICY = """\
apiVersion: release-passport.dev/v1
kind: Policy
metadata:
  name: agreed
spec:
  mode: ENFORCE
  rules:
    - rule_id: agreed
      title: Has the group agreed?
      needs:
        - kind: manifest_render
          sources: ["sa:*"]
      expect: evidence.manifest_render.object_count == 0
      on_fail: REQUIRE_APPROVAL
      approval:
        groups:
          - group: sre
            count: 1
"""


def person(admin: Shell, principal: str, role: str) -> Shell:
    made = admin("token", "create", principal, "--role", role, "-o", "json")
    return replace(admin, token=json.loads(made.stdout)["secret"])


@pytest.mark.parametrize("says_yes", [True, False])
def test_a_person_sees_what_they_approve_before_they_do(tmp_path: Path, says_yes: bool) -> None:
    with opened(tmp_path) as session:
        (tmp_path / "agreed.yaml").write_text(POLICY)
        session.admin("policy", "apply", "agreed.yaml", "--quiet")
        ada = person(session.admin, "user:ada", "approver")
        session.admin("group", "set", "sre", "user:ada", "user:eve")
        (tmp_path / "render.json").write_text(json.dumps(render(digest("b"))))
        words = (*identity(PLAIN, digest("b")), "--author", "user:dev", "--evidence", "render.json")
        decided(session.ci, *words, expect=ASKS)
        waiting = ada("approval", "pending").stdout
        assert "plain" in waiting
        asked = ada(
            "approve", PLAIN, "--reason", WHY, *(["--yes"] if says_yes else []), expect=0 if says_yes else 2
        )
        for shown in ("sha256:" + "a" * 64, "Has the group agreed?", "user:dev", "1 of sre"):
            assert shown in asked.stderr
        if says_yes:
            decided(session.ci, "--release", PLAIN, expect=ALLOW)
            assert "approved for sre by user:ada" in ada("approval", "list", PLAIN).stdout
        else:
            decided(session.ci, "--release", PLAIN, expect=ASKS)
