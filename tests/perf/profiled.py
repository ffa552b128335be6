"""Run `passport-server` with profiles of the event loop and of the writer: `profiled.py FOLDER serve …`.

They begin at SIGUSR1, and each of the two threads has a file of its own in the folder. cProfile counts every call and
makes all of them slower, small Python functions most: read the order and the numbers of calls here, and take shares of
time from samples.
"""

from __future__ import annotations

import cProfile
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("server", "clients/python")]

_WRITER = "passport-writer"


def main() -> None:
    """Serve until SIGTERM, then write what was found."""
    folder = Path(sys.argv.pop(1))
    folder.mkdir(parents=True, exist_ok=True)
    profiles = {"loop": cProfile.Profile(), "writer": cProfile.Profile()}
    begun = threading.Event()

    def begin(number: int, frame: FrameType | None) -> None:
        begun.set()
        profiles["loop"].enable()

    _watch_writer(profiles["writer"], begun)
    signal.signal(signal.SIGUSR1, begin)
    from release_passport_server.__main__ import main as serve

    try:
        serve()
    finally:
        for name, profile in profiles.items():
            profile.disable()
            profile.dump_stats(folder / f"{name}.pstats")


def _watch_writer(profile: cProfile.Profile, begun: threading.Event) -> None:
    """Turn the profile on in the writer's own thread, when it takes its next batch."""
    from release_passport_server.adapters.sql.writer import Writer

    # A profile belongs to the thread that turned it on, and only the writer's thread serves batches.
    serve = Writer._serve

    def profiled(self: Writer, *arguments: object) -> None:
        if begun.is_set() and not getattr(self, "_profiled", False):
            self._profiled = True  # type: ignore[attr-defined]
            profile.enable()
        serve(self, *arguments)  # type: ignore[arg-type]

    Writer._serve = profiled  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    main()
