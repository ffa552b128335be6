"""Every client makes the same of what happens to its streams: one table, one runner a language, TLS."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from support.certificates import Certificates
from support.client_runners import RUNNERS, WATCHING, WITHOUT_WATCHER, ready
from support.watch_table import cutting_proxy, scenarios, scripted_server

pytestmark = pytest.mark.asyncio
ROOT = Path(__file__).parents[2]
PATIENCE = 120


@pytest.mark.parametrize("client", WATCHING)
async def test_a_watcher_goes_on_and_fails_closed_as_the_table_says(client: str, tmp_path: Path) -> None:
    if absent := WITHOUT_WATCHER.get(client):
        pytest.skip(f"the {client} client is not asked to watch: {absent}")
    if lacking := await asyncio.to_thread(ready, client):
        pytest.skip(f"the {client} client cannot run here: {lacking}")
    files = Certificates.make(tmp_path)
    async with scripted_server(files) as server, cutting_proxy(server) as port:
        own = {
            "PASSPORT_ADDRESS": f"localhost:{port}",
            "PASSPORT_URL": "",
            "PASSPORT_CA": str(files.authority),
            "PASSPORT_TOKEN": server.token,
            "PYTHONPATH": str(ROOT / "clients/python"),
        }
        lines = "".join(json.dumps(one.line) + "\n" for one in scenarios())
        pipe = asyncio.subprocess.PIPE
        run = await asyncio.create_subprocess_exec(
            *RUNNERS[client], "watch", stdin=pipe, stdout=pipe, stderr=pipe, env=os.environ | own
        )
        async with asyncio.timeout(PATIENCE):
            output, trouble = await run.communicate(lines.encode())
    assert run.returncode == 0, trouble.decode()
    said = [json.loads(line) for line in output.splitlines()]
    asked = [server.asked[one.name] for one in scenarios()]
    wrong = [one.mismatch(*heard) for one, *heard in zip(scenarios(), said, asked, strict=True)]
    assert list(filter(None, wrong)) == []
