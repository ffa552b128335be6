"""The Go client: its own tests, its generated code, and the programs of its README against a real server over TLS."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.certificates import Certificates
from support.server import real_server

FOLDER = Path(__file__).parents[2] / "clients/go"
EXAMPLES = re.findall(r"```go\n(.*?)```", (FOLDER / "README.md").read_text(encoding="utf-8"), re.DOTALL)
pytestmark = pytest.mark.skipif(
    shutil.which("go") is None, reason="the go client cannot run here: go is not installed"
)


def _go(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["go", "-C", str(FOLDER), *words]
    own = os.environ | environment
    return subprocess.run(command, env=own, capture_output=True, text=True, check=False, timeout=300)


def test_the_code_is_formatted_and_vetted() -> None:
    unformatted = subprocess.run(["gofmt", "-l", str(FOLDER)], capture_output=True, text=True, check=True)
    vetted = _go("vet", "./...")
    assert (unformatted.stdout, vetted.stderr, vetted.returncode) == ("", "", 0)


def test_its_own_tests_pass_with_the_race_detector() -> None:
    done = _go("test", "-race", "./...")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_generated_code_is_that_of_the_protos() -> None:
    command = [sys.executable, str(FOLDER / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("example", "says"),
    [(0, "false VERDICT_HOLD [{NOT_FOUND"), (1, "synced  VERDICT_HOLD")],
    ids=["gate", "watch"],
)
async def test_the_programs_of_the_readme_run(example: int, says: str, tmp_path: Path) -> None:
    files = Certificates.make(tmp_path)
    tls = {"tls_certificate": files.server_certificate, "tls_key": files.server_key}
    async with real_server(tmp_path, grpc=tls, worker={"enabled": False}) as server:
        program = EXAMPLES[example].replace(
            "passport.example.com:443", f"localhost:{server.process.grpc_port}"
        )
        (tmp_path / "main.go").write_text(program)
        own = os.environ | {"PASSPORT_TOKEN": server.token, "SSL_CERT_FILE": str(files.authority)}
        built = await asyncio.to_thread(_go, "build", "-o", str(tmp_path / "main"), str(tmp_path / "main.go"))
        assert built.returncode == 0, built.stderr
        run = await asyncio.create_subprocess_exec(
            str(tmp_path / "main"), cwd=tmp_path, env=own, stdout=asyncio.subprocess.PIPE
        )
        assert run.stdout is not None
        async with asyncio.timeout(20):
            line = await run.stdout.readline()
        if run.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                run.terminate()
        await run.wait()
    assert line.decode().startswith(says)
