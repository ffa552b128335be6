"""Run `passport-server` without the envelopes of decisions, for `--only signing` alone: `unsigned.py serve …`.

The product cannot do this: what is measured here is what its signatures cost.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("server", "clients/python")]


def main() -> None:
    """Serve without making statements and signatures; leaves of the log are written as ever."""
    from release_passport_server.__main__ import main as serve
    from release_passport_server.services.signing import Signing

    def nothing(*_: object) -> bytes:
        return b""

    Signing.decision = nothing  # type: ignore[method-assign, assignment]
    Signing.summary = nothing  # type: ignore[method-assign, assignment]
    serve()


if __name__ == "__main__":
    main()
