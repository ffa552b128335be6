"""Waivers and overrides by the command line: what they cover is shown before anybody answers for it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from e2e.test_cli_session import BLOCK, PLAIN, decided, digest, identity, opened, render
from support.cli_process import Shell

WHY = "the chart of a vendor pins no image, and it is mended next week"
FINDING = "manifest-render/images-pinned"
ALLOW, ASKS = 0, 10


def somebody(admin: Shell, principal: str, role: str) -> Shell:
    made = admin("token", "create", principal, "--role", role, "-o", "json")
    return replace(admin, token=json.loads(made.stdout)["secret"])


def test_a_finding_is_waived_by_two_people_and_overruled_by_one(tmp_path: Path) -> None:
    with opened(tmp_path) as session:
        session.ci.submit(render(digest("b"), 2))
        blocked = decided(session.ci, *identity(PLAIN, digest("b")), expect=BLOCK)
        findings = blocked["findings"]
        assert isinstance(findings, list)
        (failing,) = [one for one in findings if one["verdict"] == "VERDICT_BLOCK"]
        finding = f"{failing['policy']}/{failing['rule']}"
        waived_by_two(session.admin, session.ci, finding)
        overruled_and_reviewed(session.admin, session.ci)


def waived_by_two(admin: Shell, ci: Shell, finding: str) -> None:
    ada, grace = somebody(admin, "user:ada", "release-manager"), somebody(admin, "user:grace", "approver")
    why = ("--ticket", "SEC-7", "--reason", WHY, "--for", "3d")
    made = json.loads(ada("waiver", "request", PLAIN, finding, *why, "-o", "json").stdout)
    waiver = made["name"].rpartition("/")[2]
    assert "unpinned_images=2" in grace("waiver", "show", waiver).stdout
    # Nobody is there to be asked.
    assert "--yes" in grace("waiver", "grant", waiver, expect=2).stderr
    granted = grace("waiver", "grant", waiver, "--yes")
    assert "unpinned_images=2" in granted.stderr
    assert "expiring" in granted.stdout
    assert waiver in grace("waiver", "list", "--state", "expiring").stdout
    assert decided(ci, "--release", PLAIN, expect=ASKS)["weakenings"] == ["WAIVED"]
    assert "ended" in grace("waiver", "revoke", waiver, "--reason", "mended").stdout


def overruled_and_reviewed(admin: Shell, ci: Shell) -> None:
    decided(ci, "--release", PLAIN, expect=BLOCK)
    why = ("--ticket", "INC-7", "--reason", WHY)
    assert "BLOCK" in admin("override", "create", PLAIN, *why, expect=2).stderr
    made = json.loads(admin("override", "create", PLAIN, *why, "--yes", "-o", "json").stdout)
    name = made["override"]["name"]
    assert made["decision"]["weakenings"] == ["OVERRIDDEN"]
    decided(ci, "--release", PLAIN, expect=ALLOW)
    assert name in admin("override", "list", "--unreviewed").stdout
    rita = somebody(admin, "user:rita", "admin")
    assert "by user:rita" in rita("override", "review", name, "--review", WHY).stdout
    assert "no overrides" in admin("override", "list", "--unreviewed").stdout
    assert "withdrawn" in rita("override", "withdraw", name).stdout
    decided(ci, "--release", PLAIN, expect=BLOCK)
    assert "done by hand" in admin("override", "record", PLAIN, *why, "--ago", "2h").stdout
