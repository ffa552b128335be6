"""A freeze by the command line: what it holds says so, and goes on when the freeze ends."""

from __future__ import annotations

import json
from pathlib import Path

from e2e.test_cli_session import HOLD, PLAIN, decided, digest, identity, opened

WHY = "the quarter ends, and nobody is here to look"


def reasons(decision: dict[str, object]) -> set[str]:
    found = decision["findings"]
    assert isinstance(found, list)
    return {one["reason"] for one in found}


def test_a_freeze_holds_and_its_end_lets_go(tmp_path: Path) -> None:
    with opened(tmp_path) as session:
        where = ("--environment", "prod", "--reason", WHY)
        made = session.admin("freeze", "create", "--title", "year's end", "--for", "2h", *where, "-o", "json")
        name = json.loads(made.stdout)["name"]
        held = decided(session.ci, *identity(PLAIN, digest("b")), expect=HOLD)
        assert "FROZEN" in reasons(held)
        assert "year's end" in session.viewer("freeze", "list", "--current").stdout
        exempt = ("freeze", "exempt", name.rpartition("/")[2], PLAIN, "--ticket", "OPS-1", "--reason", WHY)
        session.admin(*exempt)
        assert "FROZEN" not in reasons(decided(session.ci, "--release", PLAIN, expect=HOLD))
        assert name in session.admin("freeze", "end", name, "-o", "json").stdout
        assert "no freezes" in session.viewer("freeze", "list", "--current").stdout
        weekly = ("--rrule", "FREQ=WEEKLY;BYDAY=FR", "--time-zone", "Europe/Berlin")
        listed = session.admin("freeze", "create", "--title", "weekend", "--for", "60h", *weekly, *where)
        assert "FREQ=WEEKLY" in listed.stdout
        wrong = session.admin("freeze", "create", "--title", "for ever", *where, expect=2)
        assert "until_time" in wrong.stderr
