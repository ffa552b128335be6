"""Every reason that the server raises is in the contract."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from release_passport.v1.error_reason_pb2 import ErrorReason
from release_passport_server.domain import errors
from release_passport_server.transport.grpc import errors as transport_errors

SERVER = Path(__file__).parents[2] / "server" / "release_passport_server"
PREFIX = "ERROR_REASON_"
KINDS = {
    name
    for module in (errors, transport_errors)
    for name, found in vars(module).items()
    if isinstance(found, type) and issubclass(found, errors.PassportError)
}


def raised() -> Iterator[tuple[str, str]]:
    for path in SERVER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            reason = node.args[0]
            if called in KINDS and isinstance(reason, ast.Constant):
                yield str(reason.value), f"{path.relative_to(SERVER)}:{node.lineno}"


def test_every_reason_that_is_raised_is_in_the_contract() -> None:
    known = {name.removeprefix(PREFIX) for name in ErrorReason.keys()}  # noqa: SIM118
    assert [place for reason, place in raised() if reason not in known] == []
