"""Run the table's calls with the Python client."""

import importlib
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from google.protobuf import json_format

from release_passport.client import Client
from release_passport.errors import PassportAPIError
from release_passport.target import Target


def main() -> None:
    """Answer each line."""
    ca = Path(os.environ["PASSPORT_CA"]).read_bytes()
    target = Target(os.environ["PASSPORT_ADDRESS"], token=os.environ["PASSPORT_TOKEN"], ca_certificates=ca)
    with Client(target) as client:
        for line in sys.stdin:
            sys.stdout.write(json.dumps(answered(client, json.loads(line))) + "\n")


def answered(client: Client, line: dict[str, Any]) -> dict[str, Any]:
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
        return {"answer": json_format.MessageToDict(call(request))}
    except PassportAPIError as error:
        return {"error": {"code": error.code, "reason": error.reason}}


if __name__ == "__main__":
    main()
