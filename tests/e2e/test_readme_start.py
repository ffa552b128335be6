"""The server of one's own that the README begins: its lines are run as they stand there."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Short of that the server of the lines is not there.
PATIENCE = 120.0


def lines() -> str:
    """Return the lines of the section."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"^## Your own server\n.*?^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_the_lines_of_the_readme_bring_a_release_from_hold_to_allow(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        ports = [listener.getsockname()[1] for listener in (one, other)]
    # Somebody may have a server on the usual ports, and settings of their own.
    given = {name: value for name, value in os.environ.items() if not name.startswith("PASSPORT_")}
    given["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), given.get("PATH", "")])
    given["PASSPORT_CONFIG"] = str(tmp_path / "none.yaml")
    given["PASSPORT_SERVER_GRPC_LISTEN"], given["PASSPORT_SERVER_HTTP_LISTEN"] = (
        f"127.0.0.1:{port}" for port in ports
    )
    script = lines().replace(":7443", f":{ports[0]}")
    script = re.sub(r"^(passport gate .*?) +#.*$", r"\1; echo exit $?", script, flags=re.MULTILINE)
    told = tmp_path / "told"
    with told.open("w") as out:
        process = subprocess.Popen(
            ["bash", "-c", script],
            cwd=tmp_path,
            env=given,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        assert process.wait(PATIENCE) == 0
    finally:
        # The server goes on when the lines have ended.
        os.killpg(process.pid, signal.SIGTERM)
    said = told.read_text(encoding="utf-8")
    assert re.findall(r"^(HOLD|ALLOW) |^exit (\d+)$", said, re.MULTILINE) == [
        ("HOLD", ""),
        ("", "11"),
        ("ALLOW", ""),
        ("", "0"),
    ], said
