"""The client installs alone: its wheel in a new environment works, is small, and brings nothing of the server's."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_MEGABYTES = 60
# What the package itself asks for, and what that asks for.
BASE = {
    *(
        "release-passport",
        "click",
        "googleapis-common-protos",
        "grpcio",
        "grpcio-status",
        "protobuf",
        "pyyaml",
    ),
    *("rich", "markdown-it-py", "mdurl", "pygments", "typing-extensions", "pip"),
}
ASKED = """
import importlib.metadata, json, sys
from release_passport import AsyncClient, Client, PassportAPIError, Target
from release_passport.watching import Watcher
with Client(Target("127.0.0.1:1", plaintext=True)) as client:
    pass
print(json.dumps({
    "distributions": [one.metadata["Name"].lower().replace("_", "-") for one in importlib.metadata.distributions()],
    "modules": sorted(name for name in sys.modules if name.startswith(("release_passport_server", "rich", "click"))),
}))
"""


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a new environment with the project's wheel, and no extra of it."""
    folder = tmp_path_factory.mktemp("alone")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    environment = folder / "environment"
    venv.create(environment, with_pip=True)
    wheel = next(folder.glob("*.whl"))
    run(
        str(environment / "bin/python"),
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        str(wheel),
    )
    return environment


def test_it_brings_nothing_of_the_servers(alone: Path) -> None:
    said = json.loads(run(str(alone / "bin/python"), "-c", ASKED))
    assert set(said["distributions"]) - {"setuptools"} <= BASE
    assert said["modules"] == []


def test_its_command_line_works(alone: Path) -> None:
    assert "gate" in run(str(alone / "bin/passport"), "--help")


def test_it_is_small(alone: Path) -> None:
    packages = next(alone.glob("lib/python*/site-packages"))
    installer = ("pip", "setuptools", "pkg_resources")
    own = [folder for folder in packages.iterdir() if not folder.name.startswith(installer)]
    size = sum(
        file.stat().st_size for folder in own for file in [folder, *folder.rglob("*")] if file.is_file()
    )
    assert size / 1e6 < MAX_MEGABYTES


def run(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
