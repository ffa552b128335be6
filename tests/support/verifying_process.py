"""Stands in for a process of the verification pool; does what its requests say, good or bad."""

from __future__ import annotations

import os
import signal
import sys
import time

from release_passport_server.adapters.sigstore.frames import HEAD, length, pack, unpack


def main() -> None:
    """Answer until the other side closes."""
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    answers.write(pack([b"ready"]))
    answers.flush()
    while head := requests.read(HEAD):
        order, *rest = unpack(requests.read(length(head)))
        if order == b"crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if order == b"hang":
            time.sleep(3600)
        if order == b"rubbish":
            answers.write(b"\xff" * 100)
        elif order == b"who":
            answers.write(pack([str(os.getpid()).encode()]))
        elif order == b"environment":
            answers.write(pack([",".join(sorted(os.environ)).encode()]))
        else:
            answers.write(pack([order, *rest]))
        answers.flush()


if __name__ == "__main__":
    if sys.argv[1] == "1":
        sys.exit("told not to begin")
    main()
