"""What verification keeps to itself: the server loads no library of it, and its processes reach nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from release_passport_server.adapters.sigstore.checks import library
from support.minisigstore import as_bytes
from support.sigstore import MINI, WHO, about

FOREIGN = {"sigstore", "sigstore_models", "rekor_types", "tuf", "requests", "rfc3161_client"}
OFFLINE = """
import pathlib, socket, sys
from release_passport_server.adapters.sigstore.checks import worker
worker._cut_off()
for use in (socket.socket, lambda: socket.create_connection(("127.0.0.1", 9)), lambda: socket.getaddrinfo("a", 80)):
    try:
        use()
    except OSError as error:
        assert "offline" in str(error)
    else:
        sys.exit(1)
pathlib.Path.home = lambda *_: sys.exit(2)
found = worker.examine(sys.stdin.buffer.read(), [pathlib.Path(sys.argv[1]).read_bytes()], [])
sys.exit(3 if found.failure else 0)
"""


def python(script: str, *arguments: str, given: bytes = b"") -> int:
    """Run a script with an environment that has nothing but the way to the modules; return its exit code."""
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, env=environment, input=given, check=False).returncode


def test_the_server_does_not_load_the_libraries() -> None:
    script = (
        "import sys, release_passport_server.adapters.sigstore.verifier; "
        f"sys.exit(any(name.split('.')[0] in {FOREIGN!r} for name in sys.modules))"
    )
    assert python(script) == 0
    assert python(script.replace(".verifier", ".checks.examine")) == 1


def test_a_process_reaches_neither_network_nor_home(tmp_path: Path) -> None:
    root = tmp_path / "root.json"
    root.write_bytes(MINI.trusted_root())
    assert python(OFFLINE, str(root), given=as_bytes(MINI.bundle(WHO, about()))) == 0


def test_the_library_is_the_one_that_was_read() -> None:
    assert version("sigstore") == library.VERSION
