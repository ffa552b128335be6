"""Every client says the same about every unary RPC: one table, one runner a language, a server over TLS."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from release_passport_server.transport.grpc.methods import all_methods
from support.certificates import Certificates
from support.client_runners import RUNNERS, ready
from support.client_table import cases, mismatch
from support.server import RealServer, real_server

pytestmark = pytest.mark.asyncio
ROOT = Path(__file__).parents[2]


async def test_the_table_has_every_unary_rpc() -> None:
    named = {case.call for case in cases()}
    assert named == {
        method.path.removeprefix("/release_passport.v1.") for method in all_methods() if method.unary
    }


@pytest.mark.parametrize("client", RUNNERS)
async def test_a_client_answers_as_the_table_says(client: str, tmp_path: Path) -> None:
    if lacking := await asyncio.to_thread(ready, client):
        pytest.skip(f"the {client} client cannot run here: {lacking}")
    files = Certificates.make(tmp_path)
    tls = {"tls_certificate": files.server_certificate, "tls_key": files.server_key}
    async with real_server(tmp_path, grpc=tls, http=tls, worker={"enabled": False}) as server:
        table = cases()
        lines = [json.dumps({"call": case.call, "request": case.request}) for case in table]
        said = await _run(RUNNERS[client], server, files, lines)
    assert [wrong for case, line in zip(table, said, strict=True) if (wrong := mismatch(case, line))] == []


async def _run(
    command: list[str], server: RealServer, files: Certificates, lines: list[str]
) -> list[dict[str, object]]:
    environment = os.environ | {
        "PASSPORT_ADDRESS": f"localhost:{server.process.grpc_port}",
        "PASSPORT_URL": f"https://localhost:{server.process.http_port}",
        "PASSPORT_CA": str(files.authority),
        "PASSPORT_TOKEN": server.token,
        "PYTHONPATH": str(ROOT / "clients/python"),
    }
    pipe = asyncio.subprocess.PIPE
    run = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment
    )
    async with asyncio.timeout(60):
        output, trouble = await run.communicate("\n".join(lines).encode() + b"\n")
    assert run.returncode == 0, trouble.decode()
    return [json.loads(line) for line in output.splitlines()]
