"""The curl examples of the server's README do what they say against a running server."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from support.server import real_server
from support.story import Story

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]
README = (Path(__file__).parents[2] / "server/README.md").read_text(encoding="utf-8")
PLAIN = re.findall(r"^```\w*\n(curl .*?)^```$", README, re.MULTILINE | re.DOTALL)
CALLS = re.search(r"^```console\n\$ (call\(\) .*?)^```$", README, re.MULTILINE | re.DOTALL)
ADDRESS = "http://127.0.0.1:7480"
PATIENCE = 30.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, str]]:
    """Give the environment of a shell beside a server with a release that may go."""
    async with real_server(tmp_path_factory.mktemp("shop"), worker={"enabled": False}) as server:
        told = Story(server)
        await told.begin()
        await told.decided("1.4.2")
        yield {
            "URL": f"http://127.0.0.1:{server.process.http_port}",
            "PASSPORT_TOKEN": server.token,
            "RELEASE": "tenants/default/services/checkout/environments/prod/releases/1.4.2",
            "RUN": "run-00000001",
        }


async def test_there_is_one_example_of_a_call_and_one_of_a_stream() -> None:
    assert [text.partition("/release_passport.v1.")[2].split()[0] for text in PLAIN] == [
        "AccessService/WhoAmI",
        "DecisionService/WatchDecision",
    ]
    assert CALLS is not None


async def test_the_call_is_answered_in_json(shop: dict[str, str]) -> None:
    assert json.loads(await said(PLAIN[0], shop))["principal"]


async def test_the_stream_begins_with_what_stands(shop: dict[str, str]) -> None:
    heard = await said(PLAIN[1], shop, until=b"snapshotEnd")
    lines = heard.splitlines()
    first = json.loads(next(line for line in lines if line.startswith("data:")).removeprefix("data:"))
    assert first["decision"]["decision"]["effectiveVerdict"] == "VERDICT_ALLOW"
    assert [line for line in lines if line.startswith("id:")] != []


async def test_a_controller_asks_redeems_and_reports(shop: dict[str, str]) -> None:
    assert CALLS is not None
    define, evaluate, redeem, report = re.split(r"^\$ ", CALLS[1], flags=re.MULTILINE)
    answer = json.loads(await said(define + evaluate, shop))
    assert answer["decision"]["effectiveVerdict"] == "VERDICT_ALLOW"
    held = shop | {"PERMIT": answer["permit"], "DECISION": answer["decision"]["name"]}
    assert json.loads(await said(define + redeem, held)) != {}
    assert json.loads(await said(define + report, held)) is not None


async def said(text: str, shop: dict[str, str], until: bytes = b"") -> str:
    """Return what a shell prints for an example, to its end or until something was said."""
    assert ADDRESS in text
    pipe, errors = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    run = await asyncio.create_subprocess_exec(
        "bash", "-c", text.replace(ADDRESS, shop["URL"]), stdout=pipe, stderr=errors, env=os.environ | shop
    )
    assert run.stdout is not None
    heard = b""
    try:
        async with asyncio.timeout(PATIENCE):
            while (part := await run.stdout.read(65536)) and not (until and until in heard + part):
                heard += part
            heard += part
    finally:
        if run.returncode is None and until:
            run.kill()
        await run.wait()
    assert until or run.returncode == 0, heard.decode()
    return heard.decode()
