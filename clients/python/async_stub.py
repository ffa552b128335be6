"""Write the types of `AsyncClient`, or check that they are those of `Client` with an await before each.

python clients/python/async_stub.py            write clients/python/release_passport/async_client.pyi
python clients/python/async_stub.py --check    write nothing; fail where it differs
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import get_args, get_type_hints

FOLDER = Path(__file__).resolve().parent
STUB = FOLDER / "release_passport/async_client.pyi"
HEAD = """# The types of the client for programs that await. Made by clients/python/async_stub.py; do not edit.
# ruff: noqa: ASYNC109  The RPC carries the timeout.
# fmt: off

from release_passport.async_connection import AsyncAnswers, AsyncConnection
from release_passport.v1 import (
{modules})

class AsyncClient(AsyncConnection):
"""
METHOD = """    async def {name}(
        self, request: {request}, *, timeout: float | None = None
    ) -> {answer}: ...
"""


def main(arguments: list[str]) -> int:
    """Write the stub, or with `--check` compare it; return the exit code."""
    fresh = stub()
    if fresh == (STUB.read_text(encoding="utf-8") if STUB.exists() else ""):
        return 0
    if arguments == ["--check"]:
        sys.stderr.write(f"out of date: {STUB.name}. Run: python clients/python/async_stub.py\n")
        return 1
    STUB.write_text(fresh, encoding="utf-8")
    return 0


def stub() -> str:
    """Return the stub for the methods that `Client` has."""
    from release_passport.async_client import AsyncClient
    from release_passport.client import Client
    from release_passport.connection import Connection

    methods = ""
    for name in sorted(set(dir(Client)) - set(dir(Connection))):
        assert hasattr(AsyncClient, name), f"AsyncClient lacks {name}"
        types = get_type_hints(getattr(Client, name))
        streamed = get_args(types["return"])
        answer = f"AsyncAnswers[{named(streamed[0])}]" if streamed else named(types["return"])
        methods += METHOD.format(name=name, request=named(types["request"]), answer=answer)
    modules = sorted(set(re.findall(r"\b(\w+_pb2)\.", methods)))
    return HEAD.format(modules="".join(f"    {module},\n" for module in modules)) + methods


def named(message: type) -> str:
    """Return a message's name as the stub imports it."""
    return f"{message.__module__.rpartition('.')[2]}.{message.__name__}"


if __name__ == "__main__":
    sys.path.insert(0, str(FOLDER))
    sys.exit(main(sys.argv[1:]))
