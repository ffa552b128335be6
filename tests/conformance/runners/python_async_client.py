"""Run the table's calls, or with the argument `watch` its watches, with the Python client for programs that await."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from google.protobuf import json_format

# The folder of the program that runs is on its path.
from python_client import answered  # type: ignore[import-not-found]

from release_passport import AsyncClient, PassportAPIError, Target
from release_passport.async_watching import AsyncWatcher
from release_passport.v1 import decision_service_pb2, verdict_pb2


async def main(target: Target) -> None:
    """Answer each line."""
    async with AsyncClient(target) as client:
        for line in sys.stdin:
            said = await (watched if sys.argv[1:] == ["watch"] else called)(client, json.loads(line))
            sys.stdout.write(json.dumps(said) + "\n")


async def called(client: AsyncClient, line: dict[str, Any]) -> dict[str, Any]:
    """Return what one call came to."""
    loop = asyncio.get_running_loop()

    def wait(call: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(call, loop).result()

    said: dict[str, Any] = await asyncio.to_thread(answered, client, line, wait)
    return said


async def watched(client: AsyncClient, line: dict[str, Any]) -> dict[str, Any]:
    """Return what one watcher heard, and what may be acted on then."""
    request = json_format.ParseDict(line["request"], decision_service_pb2.WatchDecisionRequest())
    watcher = AsyncWatcher(client, request, lambda: datetime.now(UTC), chance=lambda: 0.02)
    updates: list[str] = []
    verdicts: dict[str, str] = {}
    try:
        async for update in watcher:
            release = update.decision.release if update.decision is not None else ""
            updates.append(f"{update.news.value} {release}".strip())
            if len(updates) == line["updates"]:
                found = {name: watcher.effective_verdict(name) for name in line["releases"]}
                verdicts = {name: verdict_pb2.Verdict.Name(verdict) for name, verdict in found.items()}
                watcher.close()
    except PassportAPIError as error:
        return {
            "updates": updates,
            "verdicts": verdicts,
            "error": {"code": error.code, "reason": error.reason},
        }
    return {"updates": updates, "verdicts": verdicts, "error": None}


if __name__ == "__main__":
    ca = Path(os.environ["PASSPORT_CA"]).read_bytes()
    there = Target(os.environ["PASSPORT_ADDRESS"], token=os.environ["PASSPORT_TOKEN"], ca_certificates=ca)
    asyncio.run(main(there))
