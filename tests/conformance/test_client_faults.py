"""Every client makes the same of a server that fails: one table, one runner a language, TLS."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from support.certificates import Certificates
from support.client_runners import RUNNERS, ready
from support.fault_table import TOKEN, failing_server, faults

pytestmark = pytest.mark.asyncio
ROOT = Path(__file__).parents[2]
PATIENCE = 120
# The scripted server speaks gRPC; a caller without a client has HTTP's own failures.
WITHOUT_GRPC = {"http"}


@pytest.mark.parametrize("client", RUNNERS)
async def test_a_client_ends_with_its_error_or_goes_on_as_the_table_says(client: str, tmp_path: Path) -> None:
    await _needs(client)
    files = Certificates.make(tmp_path)
    async with failing_server(files) as server:
        said = await _said(client, server.port, files, [one.line for one in faults()])
    wrong = [one.mismatch(client, line) for one, line in zip(faults(), said, strict=True)]
    assert list(filter(None, wrong)) == []


@pytest.mark.parametrize("client", RUNNERS)
async def test_a_server_that_is_away_is_told_as_unavailable(client: str, tmp_path: Path) -> None:
    await _needs(client)
    files = Certificates.make(tmp_path)
    async with failing_server(files) as server:
        port = server.port
    [said] = await _said(client, port, files, [faults()[0].line])
    assert said == {"error": {"code": "UNAVAILABLE", "reason": ""}}


async def _needs(client: str) -> None:
    if client in WITHOUT_GRPC:
        pytest.skip(f"the {client} client is not asked here: it does not speak gRPC")
    if lacking := await asyncio.to_thread(ready, client):
        pytest.skip(f"the {client} client cannot run here: {lacking}")


async def _said(client: str, port: int, files: Certificates, lines: list[dict[str, Any]]) -> list[Any]:
    own = {
        "PASSPORT_ADDRESS": f"localhost:{port}",
        "PASSPORT_URL": "",
        "PASSPORT_CA": str(files.authority),
        "PASSPORT_TOKEN": TOKEN,
        "PYTHONPATH": str(ROOT / "clients/python"),
    }
    pipe = asyncio.subprocess.PIPE
    run = await asyncio.create_subprocess_exec(
        *RUNNERS[client], stdin=pipe, stdout=pipe, stderr=pipe, env=os.environ | own
    )
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    async with asyncio.timeout(PATIENCE):
        output, trouble = await run.communicate(content)
    assert run.returncode == 0, trouble.decode()
    return [json.loads(line) for line in output.splitlines()]
