"""Run the table's calls as JSON over HTTP, with nothing of the project's own."""

import json
import os
import ssl
import sys
from typing import Any

import httpx


def main() -> None:
    """Answer each line."""
    headers = {"authorization": f"Bearer {os.environ['PASSPORT_TOKEN']}"}
    context = ssl.create_default_context(cafile=os.environ["PASSPORT_CA"])
    with httpx.Client(base_url=os.environ["PASSPORT_URL"], headers=headers, verify=context) as client:
        for line in sys.stdin:
            sys.stdout.write(json.dumps(answered(client, json.loads(line))) + "\n")


def answered(client: httpx.Client, line: dict[str, Any]) -> dict[str, Any]:
    """Return what one call came to."""
    answer = client.post(f"/release_passport.v1.{line['call']}", json=line["request"])
    body = answer.json()
    if answer.is_success:
        return {"answer": body}
    reasons = [part["debug"]["reason"] for part in body["details"] if part["type"] == "google.rpc.ErrorInfo"]
    code = {"canceled": "CANCELLED"}.get(body["code"], body["code"].upper())
    return {"error": {"code": code, "reason": next(iter(reasons), "")}}


if __name__ == "__main__":
    main()
