"""The TypeScript client comes in with a client certificate alone, and not without one, at a whole server."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509

from support.authority import Authority, Pair
from support.client_runners import RUNNERS, ready
from support.server import RealServer, real_server

pytestmark = pytest.mark.asyncio
ADMIT = [{"tenant": "default", "when": {"dns": "gate.prod.test"}, "principal": "connector:gate"}]


async def test_a_certificate_is_who_the_caller_is(tmp_path: Path) -> None:
    if lacking := await asyncio.to_thread(ready, "typescript"):
        pytest.skip(f"the typescript client cannot run here: {lacking}")
    authority = Authority()
    certificate, key = authority.server().write(tmp_path, "server")
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    files = {"tls_certificate": certificate, "tls_key": key, "tls_client_ca": tmp_path / "ca.pem"}
    identities = tmp_path / "identities.yaml"
    identities.write_text(
        yaml.safe_dump({"certificates": {"alias": "mesh", "admit": ADMIT}}), encoding="utf-8"
    )
    name = x509.DNSName("gate.prod.test")
    async with real_server(tmp_path, grpc=files, authentication={"file": identities}) as server:
        admitted = await _who_am_i(server, tmp_path, authority.issue("x", name))
        unknown = await _who_am_i(server, tmp_path, authority.issue("unknown"))
        foreign = await _who_am_i(server, tmp_path, Authority().issue("x", name))
        without = await _who_am_i(server, tmp_path, None)
    assert admitted["answer"]["principal"] == "connector:gate"
    assert unknown["error"]["code"] == "UNAUTHENTICATED"
    # Whether one has to be shown at all is the server's setting; whoever shows none is nobody.
    assert foreign["error"]["code"] in {"UNAVAILABLE", "UNAUTHENTICATED"}
    assert without["error"]["code"] in {"UNAVAILABLE", "UNAUTHENTICATED"}


async def _who_am_i(server: RealServer, folder: Path, shown: Pair | None) -> Any:
    own = {
        "PASSPORT_ADDRESS": f"localhost:{server.process.grpc_port}",
        "PASSPORT_CA": str(folder / "ca.pem"),
        "PASSPORT_TOKEN": "",
    }
    if shown is not None:
        chain, key = shown.write(folder, "shown")
        own |= {"PASSPORT_CERT": str(chain), "PASSPORT_KEY": str(key)}
    pipe = asyncio.subprocess.PIPE
    run = await asyncio.create_subprocess_exec(
        *RUNNERS["typescript"], stdin=pipe, stdout=pipe, stderr=pipe, env=os.environ | own
    )
    line = json.dumps({"call": "AccessService/WhoAmI", "request": {}}) + "\n"
    async with asyncio.timeout(60):
        output, trouble = await run.communicate(line.encode())
    assert run.returncode == 0, trouble.decode()
    return json.loads(output)
