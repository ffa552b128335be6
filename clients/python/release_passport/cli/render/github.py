"""A decision for GitHub Actions: annotations, step outputs and the step's summary."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from release_passport.cli.render.markdown import decision_markdown
from release_passport.cli.render.text import clean, clean_line
from release_passport.cli.render.view import DecisionView, rule_name, time_words, verdict_name

# The runner shows ten annotations of a kind for a step, and drops a summary above 1 MiB as a whole.
_MAX_ANNOTATIONS = 10
_MAX_SUMMARY_BYTES = 900_000


def workflow_commands(view: DecisionView, *, exit_code: int) -> str:
    """Return the workflow commands that annotate the step."""
    allowed = view.verdict in {"ALLOW", "ALLOW_WITH_CANARY"}
    level = "notice" if allowed else "error"
    said = [(level, f"Release Passport: {view.verdict}", f"{view.release}: {view.headline}")]
    for finding in view.blocking[: _MAX_ANNOTATIONS - 1]:
        text = " ".join(part for part in (finding.message or finding.title, finding.next_action) if part)
        title = f"{rule_name(finding)}: {verdict_name(finding.verdict)} {finding.reason}"
        said.append(("warning" if allowed else "error", title, text))
    said += [
        ("notice", f"{rule_name(finding)} (not enforced)", finding.message or finding.title)
        for finding in view.unenforced[: _MAX_ANNOTATIONS - 1]
    ]
    weakenings = view.decision.weakenings[: _MAX_ANNOTATIONS - 1]
    said += [("warning", "Release Passport: weakened", weakening) for weakening in weakenings]
    if not allowed and exit_code == 0:
        said.append(("warning", "Release Passport: report only", "the verdict did not stop this job"))
    return "".join(f"{_command(*command)}\n" for command in said)


def write_files(view: DecisionView, *, exit_code: int, environ: Mapping[str, str]) -> None:
    """Append outputs and summary to the files that the runner names, where it names any."""
    outputs = {
        "verdict": view.verdict,
        "decision": view.name,
        "valid_until": time_words(view.decision.valid_until),
        "exit_code": str(exit_code),
        "max_weight": str(view.decision.canary.max_weight or ""),
    }
    if path := environ.get("GITHUB_OUTPUT"):
        _append(path, "".join(f"{name}={clean_line(value)}\n" for name, value in outputs.items()))
    if path := environ.get("GITHUB_STEP_SUMMARY"):
        summary = decision_markdown(view).encode()[:_MAX_SUMMARY_BYTES]
        _append(path, summary.decode(errors="ignore") + "\n")


def _append(path: str, text: str) -> None:
    with Path(path).open("a", encoding="utf-8") as stream:
        stream.write(text)


def _command(level: str, title: str, text: str) -> str:
    return f"::{level} title={_property(title)}::{_data(clean(text))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(clean_line(text)).replace(":", "%3A").replace(",", "%2C")
