"""Decides the cases of a verified passport again, where the engine is installed."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from release_passport.bundle.verify import Report

# The client does not need the server; where it is installed, its engine decides.
_ENGINE = "release_passport_server.bootstrap"


def replayed(report: Report) -> tuple[list[str], list[str]]:
    """Return which verdicts do not follow, and what could not be decided again."""
    if find_spec(_ENGINE.partition(".")[0]) is None:
        return [], ["the verdicts were not decided again: the engine is not installed here"]
    results = import_module(_ENGINE).bundle_replayer()(report.document, report.statements)
    wrong = [
        f"{name}: the verdict does not follow from its case"
        for name, how in results.items()
        if how == "TAMPERED"
    ]
    words = {
        "ENGINE_DIFFERS": "the engine here is another one, and comes to another outcome",
        "BODY_PURGED": "facts were purged, so it cannot be decided again",
    }
    skipped = [f"{name}: {words[how]}" for name, how in results.items() if how in words]
    unknown = [f"{name}: {how}" for name, how in results.items() if how not in {"SAME", "TAMPERED", *words}]
    return wrong + unknown, skipped
