"""Others' tools at their part of the job: OPA decides without a record, sigstore-python verifies a bundle."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import time
import timeit
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from google.protobuf.json_format import MessageToDict

from perf.load import BadAnswer
from perf.report import Figure
from perf.servers import NotAvailable
from perf.stage import Stage
from perf.workload import POLICIES, RULES, Version, evidence

ROOT = Path(__file__).resolve().parents[2]
OPA = "github.com/open-policy-agent/opa@v1.22.2"
_INSTALL_SECONDS = 900


def opa(stage: Stage) -> None:
    """Measure OPA's server on the same rules and evidence, as many in flight."""
    try:
        program = _opa_program()
        with _opa_server(program) as port:
            bodies = [
                _opa_request(Version("service-1", f"1.{number}.0")) for number in range(stage.options.calls)
            ]
            asyncio.run(_ask_all(port, bodies[:200], stage.options.in_flight))
            values = [
                asyncio.run(_ask_all(port, bodies, stage.options.in_flight))
                for _ in range(stage.options.rounds)
            ]
    except NotAvailable as missing:
        stage.report.skip("OPA", str(missing))
        return
    name = f"OPA, the same {RULES} rules, without a record, throughput"
    stage.report.add(Figure(name, "/s", values, note=OPA.rpartition("@")[2]))


def sigstore(stage: Stage) -> None:
    """Measure how long sigstore-python takes for one bundle of the samples."""
    folder = Path(os.environ.get("PASSPORT_TEST_DATA") or ROOT.parent / "shared" / "data") / "provenance"
    if not folder.is_dir():
        stage.report.skip("sigstore-python", "set PASSPORT_TEST_DATA to the folder of the samples")
        return
    from sigstore.models import Bundle, TrustedRoot
    from sigstore.verify import Verifier, policy

    entries = json.loads((folder / "index.json").read_text())["entries"]
    entry = next(
        one for one in entries if one["sigstore_python_4.5.1"] == "accept" and one["expected_identity"]
    )
    verifier = Verifier(trusted_root=TrustedRoot.from_file(str(folder / entry["trusted_root"])))
    raw = (folder / entry["file"]).read_bytes()
    wanted = policy.Identity(identity=entry["expected_identity"], issuer=entry["expected_issuer"])

    def verify() -> None:
        verifier.verify_dsse(Bundle.from_json(raw), wanted)

    number = 30 if stage.options.quick else 200
    values = [
        seconds / number * 1000
        for seconds in timeit.repeat(verify, number=number, repeat=stage.options.rounds)
    ]
    stage.report.add(
        Figure("sigstore-python, one bundle", "ms", values, note=entry["file"].rpartition("/")[2])
    )


def _opa_program() -> Path:
    """Return OPA's program: the one on the path, or one that Go's toolchain has built here."""
    found = shutil.which("opa")
    if found:
        return Path(found)
    built = ROOT / "build" / "bin" / "opa"
    if built.exists():
        return built
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        raise NotAvailable("neither opa nor go is installed")
    print(f"  building {OPA}, once", flush=True)
    environment = {**os.environ, "GOBIN": str(built.parent)}
    try:
        subprocess.run(
            [go, "install", OPA], env=environment, capture_output=True, text=True, check=True,
            timeout=_INSTALL_SECONDS,
        )  # fmt: skip
    except subprocess.CalledProcessError as failed:
        raise NotAvailable(f"go install {OPA}: {failed.stderr.strip().splitlines()[-1]}") from failed
    except subprocess.TimeoutExpired as late:
        raise NotAvailable(f"go install {OPA} took more than {_INSTALL_SECONDS} s") from late
    return built


@contextmanager
def _opa_server(program: Path) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = [str(program), "run", "--server", "--disable-telemetry", "--log-level", "error"]
    process = subprocess.Popen(
        [*command, "--addr", f"127.0.0.1:{port}", str(POLICIES / "opa.rego")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            if process.poll() is not None:
                raise NotAvailable(f"opa ended with {process.returncode}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.wait()


def _opa_request(version: Version) -> bytes:
    facts: dict[str, object] = {}
    for item in evidence(version, datetime.now(UTC)):
        facts |= MessageToDict(
            item.facts, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
    facts["provenance"] = {"source_ref": "refs/heads/main", "build_trigger": "push"}
    body = json.dumps({"input": {"evidence": _numbers(facts)}}).encode()
    head = f"POST /v1/data/bench HTTP/1.1\r\nHost: opa\r\nContent-Length: {len(body)}\r\n"
    return (head + "Content-Type: application/json\r\n\r\n").encode() + body


def _numbers(value: object) -> object:
    """Return facts with numbers where protobuf's JSON has texts, because it has 64 bits."""
    if isinstance(value, dict):
        return {name: _numbers(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_numbers(one) for one in value]
    return int(value) if isinstance(value, str) and value.isdigit() else value


async def _http_body(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b"chunked" not in head:
        return await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0]))
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")
    return body


async def _ask_all(port: int, requests: Sequence[bytes], in_flight: int) -> float:
    """Return the answers a second; raise BadAnswer where one is not the right one."""
    waiting = iter(requests)
    answers: list[bytes] = []

    async def ask_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for request in waiting:
            writer.write(request)
            answers.append(await _http_body(reader))
        writer.close()

    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(in_flight)]
    started = time.perf_counter()
    await asyncio.gather(*(ask_on(*one) for one in opened))
    seconds = time.perf_counter() - started
    for answer in answers:
        result = json.loads(answer).get("result", {})
        if not result.get("allow") or len(result["findings"]) != RULES:
            raise BadAnswer(f"OPA answered {answer!r}")
    return len(answers) / seconds
