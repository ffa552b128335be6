"""`passport doctor --gate`: looks at the way to a gate as the controller goes it, and opens nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
import pytest_asyncio

from release_passport.cli.checkup import CheckResult
from release_passport.cli.gate_checkup import DOCTOR, check_gate
from release_passport_server.services import answer_gate
from support.calls import Caller
from support.gates import CONFIRMING, GateCaller, Objects, image, registered
from support.server import real_server
from support.shop import opened, released

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[GateCaller]:
    objects = Objects()
    async with real_server(tmp_path_factory.mktemp("doctor"), objects=objects) as running:
        admin = await opened(Caller(running, running.token))
        await released(admin, "1.0.0")
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.process.http_port}") as http:
            made = await registered(admin, http, hooks=[*CONFIRMING, "rollback", "prometheus"])
            objects.deployment(image("1.0.0"))
            objects.canary(webhooks=made.webhooks(*CONFIRMING))
            yield made


async def looked(gate: GateCaller, path: str, credential: str = "") -> CheckResult:
    host = f"127.0.0.1:{gate.http.base_url.port}"
    url = f"http://flagger:{credential or gate.credential}@{host}{path}"
    return await asyncio.to_thread(check_gate, url)


@pytest.mark.parametrize("hook", [*CONFIRMING, "rollback", "prometheus"])
async def test_a_good_way_is_found_good_and_nothing_begins(gate: GateCaller, hook: str) -> None:
    found = await looked(gate, gate.url(hook))
    # Good but for TLS, which this test does without.
    assert (found.state, "without TLS" in found.text) == ("warn", True), found
    assert gate.credential not in f"{found.text} {found.advice}"


async def test_what_the_doctor_asks_is_not_recorded_and_begins_nothing(gate: GateCaller) -> None:
    assert DOCTOR == answer_gate.DOCTOR
    await looked(gate, gate.url("confirm-rollout"))
    answer = await gate.flagger("confirm-rollout", auth=None)
    assert answer.status_code == 403


async def test_a_wrong_credential_is_named(gate: GateCaller) -> None:
    found = await looked(gate, gate.url("confirm-rollout"), "wrong")
    assert (found.state, "edge rotate" in found.advice) == ("fail", True)


@pytest.mark.parametrize("path", ["/", "/v1/flagger", "/v1/elsewhere/x/confirm-rollout"])
async def test_what_is_no_address_of_a_gate_is_said(gate: GateCaller, path: str) -> None:
    assert (await looked(gate, path)).state == "fail"


@contextmanager
def stranger(status: int, body: bytes = b"log in") -> Iterator[int]:
    """Answer everything the same way, as a proxy in front of a gate would."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(status)
            self.send_header("location", "https://login.example/")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("status", [200, 201, 202, 301, 302, 303, 307, 308, 401, 404, 403])
@pytest.mark.parametrize("path", ["/v1/flagger/G/confirm-rollout", "/v1/argo-rollouts/G/verdict"])
async def test_whatever_else_answers_in_a_gates_place_is_refused(status: int, path: str) -> None:
    with stranger(status) as port:
        found = await asyncio.to_thread(check_gate, f"http://flagger:pw@127.0.0.1:{port}{path}")
    assert found.state == "fail"
    assert ("redirects" in found.text) == (300 <= status < 400)
