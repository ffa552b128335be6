"""A process of the pool: reads requests from one descriptor, writes reports to another, and reaches nothing else."""

from __future__ import annotations

import json
import os
import resource
import socket
import sys
import traceback
from typing import BinaryIO, NoReturn

from release_passport_server.adapters.sigstore.checks.examine import examine
from release_passport_server.adapters.sigstore.frames import HEAD, length, pack, unpack
from release_passport_server.adapters.sigstore.report import Report
from release_passport_server.domain.attestation import AttestationFailure


def main(memory_bytes: int) -> int:
    """Serve requests until the other side closes; return the exit code."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _cut_off()
    # Whatever a library prints must not get between the messages.
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    _write(answers, [b"ready"])
    while head := requests.read(HEAD):
        _write(answers, answer(unpack(requests.read(length(head)))))
    return 0


def answer(request: list[bytes]) -> list[bytes]:
    """Return the report on one bundle as the parts of a message."""
    head, bundle, *roots = request
    try:
        report = examine(bundle, roots, json.loads(head)["keys"])
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a bundle that trips a library must not pass, nor end the process
        traceback.print_exception(error, limit=-8, file=sys.stderr)
        text = f"verifying it ended in an unforeseen {type(error).__name__}; the server's log has more"
        report = Report(AttestationFailure.VERIFIER_CRASHED, text)
    return report.parts()


def _write(answers: BinaryIO, parts: list[bytes]) -> None:
    answers.write(pack(parts))
    answers.flush()


def _cut_off() -> None:
    """Make every attempt to use the network fail: verification needs none."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise OSError("verification is offline")

    socket.socket = refuse  # type: ignore[assignment,misc]
    socket.create_connection = refuse
    socket.getaddrinfo = refuse


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
