"""The Java client, built once for the tests that run it."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "clients/java"
PROTOS = FOLDER.parents[1] / "proto/release_passport"
PATIENCE = 400


def missing() -> str:
    """Return what the Java client lacks here to be built; empty where it can be."""
    lacking = [name for name in ("java", "mvn") if shutil.which(name) is None]
    return f"{' and '.join(lacking)} not installed" if lacking else ""


def maven(goal: str) -> subprocess.CompletedProcess[str]:
    """Run one goal; the client's folder has one build at a time."""
    with (Path(tempfile.gettempdir()) / "release-passport-java.lock").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        return _maven(goal)


def built() -> str:
    """Return the class path of the client, its tests and what they stand on, compiled from the sources of now."""
    with (Path(tempfile.gettempdir()) / "release-passport-java.lock").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        mark = FOLDER / "target/built"
        sources = [*FOLDER.rglob("src/**/*.java"), *PROTOS.rglob("*.proto"), FOLDER / "pom.xml"]
        if not mark.exists() or mark.stat().st_mtime < max(file.stat().st_mtime for file in sources):
            done = _maven("test-compile")
            assert done.returncode == 0, done.stdout + done.stderr
            mark.touch()
    own = [str(FOLDER / "target" / name) for name in ("classes", "test-classes")]
    return os.pathsep.join([*own, (FOLDER / "target/test-classpath").read_text(encoding="utf-8")])


def trusting(folder: Path, authority: Path) -> list[str]:
    """Return the options that make a program trust one authority, as its system's."""
    store = folder / "trusted.p12"
    words = ["-importcert", "-noprompt", "-storetype", "PKCS12", "-storepass", "changeit", "-alias", "test"]
    command = ["keytool", *words, "-file", str(authority), "-keystore", str(store)]
    subprocess.run(command, check=True, capture_output=True)
    return [f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStorePassword=changeit"]


def _maven(goal: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["mvn", "--quiet", "--batch-mode", goal],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
