"""`passport` as people start it: a process of its own that speaks to a server."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from support.server_process import environment

PROGRAM = [sys.executable, "-c", "import sys; from release_passport.cli.main import main; sys.exit(main())"]


@dataclass(frozen=True, slots=True)
class Shell:
    """Somebody at a terminal: a folder of files, the address of the server, and a token if any."""

    folder: Path
    server: str
    token: str = ""

    def __call__(
        self, *words: str, expect: int | None = 0, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; fail where the exit code is another than expected."""
        own = {
            "PASSPORT_CONFIG": str(self.folder / "no-config.yaml"),
            "PASSPORT_SERVER": self.server,
            **({"PASSPORT_TOKEN": self.token} if self.token else {}),
            "CI": "",
        }
        done = subprocess.run(
            [*PROGRAM, *words],
            cwd=self.folder,
            env=environment(self.folder) | own | variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if expect is not None:
            assert done.returncode == expect, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def submit(self, *items: dict[str, object]) -> None:
        """Submit evidence out of a file."""
        path = self.folder / "items.json"
        path.write_text(json.dumps(items), encoding="utf-8")
        self("evidence", "submit", "-f", str(path), "--quiet")
