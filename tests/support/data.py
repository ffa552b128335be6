"""Where the samples of real systems are, which are no part of this repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def sample(relative: str) -> Path:
    """Return a file or folder of the sample data; skip the test where the data is not at hand."""
    folder = Path(os.environ.get("PASSPORT_TEST_DATA") or ROOT.parent / "shared" / "data")
    path = folder / relative
    if not path.exists():
        pytest.skip(
            f"sample data {relative} is not at hand: set PASSPORT_TEST_DATA to the folder that has it"
        )
    return path
