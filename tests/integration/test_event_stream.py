"""Streams of answers as server-sent events: over real decisions, with resuming, errors and readers that leave."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from release_passport.v1 import decision_service_pb2 as pb
from release_passport_server.domain.errors import Unavailable
from support.calls import Caller
from support.server import GOOD, RealServer, application, real_server, serving
from support.shop import decided, opened, released, scanned
from support.watched import PATH

pytestmark = pytest.mark.asyncio(loop_scope="module")
README = Path(__file__).parents[2] / "server/README.md"
STREAM = {"content-type": "application/json", "accept": "text/event-stream"}
BAD = ("CVE-2026-1", "critical", "")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealServer]:
    async with real_server(tmp_path_factory.mktemp("events"), worker={"enabled": False}) as running:
        await opened(Caller(running, running.token))
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http(server: RealServer) -> AsyncIterator[httpx.AsyncClient]:
    url = f"http://127.0.0.1:{server.process.http_port}"
    headers = STREAM | {"authorization": f"Bearer {server.token}"}
    async with httpx.AsyncClient(base_url=url, headers=headers) as client:
        yield client


async def events(answer: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    """Yield each event with its data read as JSON."""
    event: dict[str, Any] = {}
    async for line in answer.aiter_lines():
        if not line:
            yield event
            event = {}
            continue
        field, _, value = line.partition(": ")
        event[field] = json.loads(value) if field == "data" else value


async def until(stream: AsyncIterator[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Return the next event whose message is of the kind."""
    async with asyncio.timeout(20):
        async for event in stream:
            if kind in event["data"]:
                return event
    raise EOFError(kind)


async def test_each_message_is_an_event_and_its_id_resumes_behind_it(
    server: RealServer, http: httpx.AsyncClient
) -> None:
    admin = Caller(server, server.token)
    name = await released(admin, "1.0.0")
    await scanned(admin, "1.0.0")
    first = await decided(admin, name)
    body = {"subscriptions": [{"release": name}]}
    async with http.stream("POST", PATH, json=body) as answer:
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")
        stream = events(answer)
        stood = await until(stream, "decision")
        assert stood["data"]["decision"]["decision"]["name"] == first.name
        end = await until(stream, "snapshotEnd")
        assert end["id"] == end["data"]["resumeToken"]
    await scanned(admin, "1.0.0", BAD)
    newest = await decided(admin, name)
    async with http.stream("POST", PATH, json=body, headers={"last-event-id": end["id"]}) as answer:
        changed = await until(events(answer), "decision")
        assert changed["data"]["decision"]["kind"] == "DECISION_EVENT_KIND_CHANGED"
        assert changed["data"]["decision"]["decision"]["name"] == newest.name


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"accept": "application/json"}, 406),
        ({"content-type": "text/plain"}, 415),
        ({"authorization": ""}, 401),
        ({"authorization": "Bearer rp1_wrong"}, 401),
        ({"last-event-id": "nonsense"}, 400),
        ({"last-event-id": "x" * 2000}, 400),
        ({"connect-timeout-ms": "soon"}, 400),
    ],
)
async def test_what_fails_before_the_first_message_is_an_http_error(
    http: httpx.AsyncClient, change: dict[str, str], status: int
) -> None:
    answer = await http.post(PATH, json={}, headers=change)
    assert answer.status_code == status, answer.text


async def test_unknown_fields_are_refused_and_a_token_in_the_address_is_not_read(
    http: httpx.AsyncClient, server: RealServer
) -> None:
    answer = await http.post(PATH, json={"subscribtions": []})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_argument")
    answer = await http.post(f"{PATH}?access_token={server.token}", json={}, headers={"authorization": ""})
    assert answer.status_code == 401


class Failing:
    """Sends one message and fails, or waits to be left."""

    def __init__(self) -> None:
        self.left = asyncio.Event()

    async def WatchDecision(self, _: object, request: Any) -> AsyncIterator[Any]:
        yield pb.WatchDecisionResponse(resume_token="one")
        if request.client_id == "fails":
            raise Unavailable("STORE_UNAVAILABLE", "the store is away")
        try:
            await asyncio.Event().wait()
        finally:
            self.left.set()


async def test_a_later_failure_is_the_last_event_and_a_reader_that_leaves_ends_the_stream() -> None:
    handlers = Failing()
    served = application({"release_passport.v1.DecisionService": handlers})
    headers = STREAM | {"authorization": f"Bearer {GOOD}"}
    async with serving(served) as process, httpx.AsyncClient(headers=headers) as client:
        url = f"http://127.0.0.1:{process.http_port}{PATH}"
        answer = await client.post(url, json={"clientId": "fails"})
        assert answer.text.startswith('id: one\ndata: {"resumeToken": "one"}\n\nevent: error\ndata: {')
        assert '"code":"unavailable"' in answer.text
        assert answer.text.endswith("\n\n")
        async with client.stream("POST", url, json={}) as stream:
            assert (await anext(events(stream)))["id"] == "one"
        async with asyncio.timeout(10):
            await handlers.left.wait()


async def test_the_examples_of_the_readme_run(server: RealServer) -> None:
    examples = re.findall(r"^```\n(curl -s.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    assert len(examples) == 2
    answers = []
    for example in examples:
        command = example.replace("127.0.0.1:7480", f"127.0.0.1:{server.process.http_port}")
        # A watch does not end by itself: curl is given a few seconds and says so with 28.
        command = command.replace("curl -sN ", "curl -sN --max-time 2 ")
        answers.append(await asyncio.to_thread(shell, command, server.token))
    assert json.loads(answers[0])["principal"]
    assert "\ndata: {" in answers[1]


def shell(command: str, token: str) -> str:
    """Return what a shell command prints."""
    environment = os.environ | {"PASSPORT_TOKEN": token}
    run = subprocess.run(
        ["bash", "-c", command], env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode in {0, 28}, run.stderr
    return run.stdout
