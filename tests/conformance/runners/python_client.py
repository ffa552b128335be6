"""Run the table's calls, or with the argument `watch` its watches, with the Python client."""

import importlib
import json
import os
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from google.protobuf import json_format

from release_passport.client import Client
from release_passport.errors import PassportAPIError
from release_passport.gate import Gate, async_gate, gate
from release_passport.target import Target
from release_passport.v1 import decision_service_pb2, verdict_pb2
from release_passport.watching import Watcher


def main() -> None:
    """Answer each line."""
    ca = Path(os.environ["PASSPORT_CA"]).read_bytes()
    target = Target(os.environ["PASSPORT_ADDRESS"], token=os.environ["PASSPORT_TOKEN"], ca_certificates=ca)
    with Client(target) as client:
        for line in sys.stdin:
            asked = json.loads(line)
            watching = sys.argv[1:] == ["watch"]
            said = watched(client, asked) if watching else answered(client, asked, lambda answer: answer)
            sys.stdout.write(json.dumps(said) + "\n")


def answered(client: object, line: dict[str, Any], wait: Callable[[Any], Any]) -> dict[str, Any]:
    """Return what one call came to."""
    service, _, method = line["call"].partition("/")
    stem = "_".join(re.findall("[A-Z][a-z]+", service.removesuffix("Service"))).lower()
    messages = importlib.import_module(f"release_passport.v1.{stem}_service_pb2")
    request = json_format.ParseDict(line["request"], getattr(messages, f"{method}Request")())
    words = re.findall("[A-Z]+(?![a-z])|[A-Z][a-z]+", method)
    call = getattr(client, "_".join(words).lower(), None)
    if call is None:
        return {"error": {"code": "", "reason": "the client has no such method"}}
    try:
        if line.get("gate"):
            asking: Any = gate if isinstance(client, Client) else async_gate
            answer = asking(client, request, now=lambda: datetime.now(UTC), timeout=line.get("timeout"))
            return {"gate": gated(wait(answer))}
        return {"answer": json_format.MessageToDict(wait(call(request, timeout=line.get("timeout"))))}
    except PassportAPIError as error:
        return {"error": {"code": error.code, "reason": error.reason}}


def gated(answer: Gate) -> dict[str, Any]:
    """Return what a gate said."""
    verdict = verdict_pb2.Verdict.Name(answer.verdict)
    codes = [reason.code for reason in answer.reasons]
    return {"verdict": verdict, "proceed": answer.may_proceed, "reasons": codes}


def watched(client: Client, line: dict[str, Any]) -> dict[str, Any]:
    """Return what one watcher heard, and what may be acted on then."""
    request = json_format.ParseDict(line["request"], decision_service_pb2.WatchDecisionRequest())
    watcher = Watcher(client, request, now=lambda: datetime.now(UTC))
    updates: list[str] = []
    verdicts: dict[str, str] = {}
    error: dict[str, str] | None = None
    try:
        for update in watcher:
            release = update.decision.release if update.decision is not None else ""
            updates.append(f"{update.news.value} {release}".strip())
            if len(updates) == line["updates"]:
                verdicts = {
                    name: verdict_pb2.Verdict.Name(watcher.effective_verdict(name))
                    for name in line["releases"]
                }
                break
    except PassportAPIError as failure:
        error = {"code": failure.code, "reason": failure.reason}
    watcher.close()
    return {"updates": updates, "verdicts": verdicts, "error": error}


if __name__ == "__main__":
    main()
