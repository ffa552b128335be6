"""What the demo prints: run it, cut it to what the README shows, and compare without what changes at each run.

`python tests/support/demo_output.py --write README.md` brings the README up to date.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "deploy" / "demo" / "run.sh"
BEGIN, END = "<!-- demo -->", "<!-- /demo -->"
CUT = "…"
# The parts of the story that the README tells, by the words that their headings begin with.
SHOWN = ("CI registers", "The pipeline", "Then one in twelve")
MAX_BLOCKING = 2
MAX_WIDTH = 118
_CHANGES = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ"), "<time>"),
    (re.compile(r"\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b"), "<ulid>"),
    (re.compile(r"sha256:[0-9a-f]{64}"), "<digest>"),
    (re.compile(r"\(in (?:\d+[hms])+\)"), "(in <span>)"),
)


def start_demo(*words: str) -> subprocess.Popen[str]:
    """Start the demo with the programs of this interpreter's environment."""
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return subprocess.Popen(
        [str(SCRIPT), *words],
        env={**os.environ, "PATH": programs},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def excerpt(output: str) -> str:
    """Return the parts of the demo's output that the README shows."""
    parts = output.split("\n── ")
    chosen = [part for part in parts if part.startswith(SHOWN)]
    return "\n\n".join("\n".join(_shortened(f"── {part}".rstrip().splitlines())) for part in chosen)


def normalised(text: str) -> str:
    """Return a text without what differs from run to run: times, spans, names and digests."""
    for pattern, word in _CHANGES:
        text = pattern.sub(word, text)
    return text


def block_of(readme: str) -> str:
    """Return the demo's output as a README shows it; raise ValueError where it shows none."""
    begin, end = readme.index(BEGIN), readme.index(END)
    lines = readme[begin + len(BEGIN) : end].strip().splitlines()
    if len(lines) < 2 or lines[0] != "```console" or lines[-1] != "```":
        raise ValueError(f"between {BEGIN} and {END} must be a ```console block")
    return "\n".join(lines[1:-1])


def written(readme: str, shown: str) -> str:
    """Return a README with another output of the demo in it."""
    begin, end = readme.index(BEGIN) + len(BEGIN), readme.index(END)
    return f"{readme[:begin]}\n```console\n{shown}\n```\n{readme[end:]}"


def _shortened(lines: list[str]) -> Iterator[str]:
    """Yield the lines, with long lists of findings and long lines cut."""
    blocking = 0
    for line in lines:
        if line.startswith(("  • ", "  ↩ ")):
            blocking += 1
        elif not line.strip():
            blocking = 0
        if blocking == MAX_BLOCKING + 1 and line.startswith(("  • ", "  ↩ ")):
            yield f"  {CUT}"
        if blocking <= MAX_BLOCKING:
            yield line if len(line) <= MAX_WIDTH else f"{line[: MAX_WIDTH - 1].rstrip()}{CUT}"


def main() -> int:
    """Run the demo and write what it prints into a README."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, required=True, metavar="README")
    readme: Path = parser.parse_args().write
    demo = start_demo()
    output, errors = demo.communicate()
    if demo.returncode:
        sys.stderr.write(errors)
        return demo.returncode
    text = readme.read_text(encoding="utf-8")
    readme.write_text(written(text, excerpt(output)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
