"""The examples of the READMEs do what they say: programs against a server over TLS, command lines by their parser."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import click
import grpc
import pytest
import pytest_asyncio

from release_passport.cli.main import passport
from support import java, typescript
from support.certificates import Certificates
from support.server import real_server
from support.story import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROOT = Path(__file__).parents[2]
ADDRESS = "passport.example.com:443"
PATIENCE = 60.0
# README, heading: what the program prints, in this order. Those that go on for ever are ended then.
PRINTED = {
    ("python", "A verdict"): ["True ()"],
    ("python", "A watcher"): ["News.STOOD VERDICT_ALLOW", "News.SYNCED VERDICT_HOLD"],
    ("python", "Without blocking"): ["VERDICT_ALLOW", "News.STOOD", "News.SYNCED"],
    ("typescript", "A verdict"): ["true []"],
    ("typescript", "A watcher"): ["STOOD ALLOW", "SYNCED ALLOW"],
    ("typescript", "Every other call"): ["NOT_FOUND NOT_FOUND"],
    ("java", "Release Passport: Java client"): ["true VERDICT_ALLOW []"],
}
LANGUAGES = {"python": "python", "typescript": "ts", "java": "java"}
_BLOCK = re.compile(
    r"^#+ (?P<heading>.+?)$|^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


def blocks(readme: Path, language: str) -> dict[str, str]:
    """Return the blocks of a language by the heading above each."""
    found, heading = {}, ""
    for match in _BLOCK.finditer(readme.read_text(encoding="utf-8")):
        heading = match["heading"] or heading
        if match["language"] == language:
            assert heading not in found, f"two examples below {heading!r}"
            found[heading] = match["text"]
    return found


def examples(client: str) -> dict[str, str]:
    return blocks(ROOT / "clients" / client / "README.md", LANGUAGES[client])


@dataclass
class Shop:
    """A server with a release that may go, and how a program reaches it."""

    address: str
    url: str
    authority: Path
    environment: dict[str, str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    files = Certificates.make(folder)
    tls = {"tls_certificate": files.server_certificate, "tls_key": files.server_key}
    async with real_server(folder, grpc=tls, worker={"enabled": False}) as server:
        address = f"localhost:{server.process.grpc_port}"
        credentials = grpc.ssl_channel_credentials(files.authority.read_bytes())
        async with grpc.aio.secure_channel(address, credentials) as channel:
            told = Story(replace(server, channel=channel))
            await told.begin()
            await told.decided("1.4.2")
        own = {
            "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(files.authority),
            "NODE_EXTRA_CA_CERTS": str(files.authority),
            "PASSPORT_TOKEN": server.token,
            "PYTHONPATH": str(ROOT / "clients/python"),
        }
        url = f"http://127.0.0.1:{server.process.http_port}"
        yield Shop(address, url, files.authority, os.environ | own)


async def test_each_example_is_known_here() -> None:
    found = {(client, heading) for client in LANGUAGES for heading in examples(client)}
    assert found == set(PRINTED)


@pytest.mark.parametrize("heading", examples("python"))
async def test_a_python_example_prints_what_it_should(shop: Shop, heading: str, tmp_path: Path) -> None:
    program = tmp_path / "example.py"
    program.write_text(placed(examples("python")[heading], shop))
    await prints([sys.executable, str(program)], shop, PRINTED["python", heading], tmp_path)


@pytest.mark.parametrize("heading", examples("typescript"))
async def test_a_typescript_example_is_typed_and_prints_what_it_should(
    shop: Shop, heading: str, tmp_path: Path
) -> None:
    if lacking := typescript.missing():
        pytest.skip(f"the typescript examples are not run here: {lacking}")
    folder = await asyncio.to_thread(
        typescript.project, tmp_path, placed(examples("typescript")[heading], shop)
    )
    await prints(["node", str(folder / "example.js")], shop, PRINTED["typescript", heading], tmp_path)


@pytest.mark.parametrize("heading", examples("java"))
async def test_a_java_example_prints_what_it_should(shop: Shop, heading: str, tmp_path: Path) -> None:
    if lacking := java.missing():
        pytest.skip(f"the java example is not run here: {lacking}")
    path = await asyncio.to_thread(java.built)
    trusting = await asyncio.to_thread(java.trusting, tmp_path, shop.authority)
    program = tmp_path / "Example.java"
    program.write_text(
        "import dev.releasepassport.Gate;\nimport io.grpc.*;\nclass Example {\n"
        f"public static void main(String[] given) {{\n{placed(examples('java')[heading], shop)}}}}}\n"
    )
    await prints(["java", *trusting, "-cp", path, str(program)], shop, PRINTED["java", heading], tmp_path)


def placed(text: str, shop: Shop) -> str:
    """Return an example with the server of this test."""
    assert ADDRESS in text
    return text.replace(ADDRESS, shop.address)


async def prints(command: list[str], shop: Shop, expected: list[str], folder: Path) -> None:
    """Run a program until it printed what is expected; fail with all that it said if it ends before."""
    pipe, both = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    run = await asyncio.create_subprocess_exec(
        *command, stdout=pipe, stderr=both, env=shop.environment, cwd=folder
    )
    assert run.stdout is not None
    said: list[str] = []
    try:
        async with asyncio.timeout(PATIENCE):
            while said != expected and (line := await run.stdout.readline()):
                said.append(line.decode().rstrip())
    finally:
        if run.returncode is None:
            run.kill()
        await run.wait()
    assert said == expected


COMMANDS = [
    pytest.param(line, id=f"{readme.parent.name}: {line[:60]}")
    for readme in (ROOT / "README.md", ROOT / "clients/python/README.md")
    for text in re.findall(
        r"^```console\n(.*?)^```$", readme.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    for line in re.findall(r"^\$ (passport .*)$", text, re.MULTILINE)
]


@pytest.mark.parametrize("line", COMMANDS)
async def test_each_command_line_of_a_readme_is_understood(line: str) -> None:
    words = [word for word in shlex.split(line, comments=True)[1:] if word != "…"]
    words = words[: words.index(">")] if ">" in words else words
    command: click.Command = passport
    context = click.Context(passport, info_name="passport")
    while isinstance(command, click.Group):
        name, found, words = command.resolve_command(context, words)
        assert found is not None, line
        command, context = found, click.Context(found, info_name=name, parent=context)
    # Values are the business of each command's own tests; here its name, its options and its arguments are.
    command.make_parser(context).parse_args(words)
