"""The project's files agree with each other: manual, targets, lock, version, CI."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import release_passport
from support.tree import ROOT, own_files

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)", re.MULTILINE)
COMMAND = re.compile(r"^\$? *make (?P<target>[a-z-]+)", re.MULTILINE)


def requirements() -> list[Requirement]:
    """Return everything that pyproject.toml asks for."""
    lists = [
        PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"].values(),
        *PROJECT["dependency-groups"].values(),
    ]
    return [Requirement(line) for lines in lists for line in lines]


def locked(name: str) -> dict[str, Version]:
    """Return the versions that a lock file fixes."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return {canonicalize_name(m["name"]): Version(m["version"]) for m in LOCKED.finditer(text)}


def targets() -> set[str]:
    """Return the targets of the Makefile."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_the_lock_satisfies_what_the_project_asks_for() -> None:
    lock = locked("requirements.lock")
    missing = [
        str(asked)
        for asked in requirements()
        if (found := lock.get(canonicalize_name(asked.name))) is None or found not in asked.specifier
    ]
    assert missing == []


@pytest.mark.parametrize("name", ["requirements.lock", "proto/requirements.lock"])
def test_a_lock_has_names_versions_and_hashes_and_nothing_else(name: str) -> None:
    line = re.compile(r"[A-Za-z0-9._-]+==[^ ]+( ; [^\\]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?")
    assert [text for text in (ROOT / name).read_text().splitlines() if not line.fullmatch(text)] == []


def test_the_client_installs_with_the_libraries_its_generated_code_needs() -> None:
    asked = {one.name: one.specifier for one in map(Requirement, PROJECT["project"]["dependencies"])}
    stub = (ROOT / "clients/python/release_passport/v1/decision_service_pb2_grpc.py").read_text()
    message = (ROOT / "clients/python/release_passport/v1/decision_pb2.py").read_text()
    grpc = re.search(r"GRPC_GENERATED_VERSION = '([\d.]+)'", stub)
    protobuf = re.search(r"Protobuf Python Version: ([\d.]+)", message)
    assert grpc
    assert protobuf
    assert str(asked["grpcio"]) == f">={grpc[1]}"
    assert f">={protobuf[1]}" in str(asked["protobuf"])


def test_only_one_of_the_two_casbins_is_locked() -> None:
    assert "pycasbin" in locked("requirements.lock")
    assert "casbin" not in locked("requirements.lock")


def test_each_make_command_in_a_manual_exists() -> None:
    named = {
        (path.name, target)
        for path in own_files()
        if path.name == "README.md"
        for target in COMMAND.findall(path.read_text(encoding="utf-8"))
    }
    assert {"demo", "test"} <= {target for _, target in named}
    assert [one for one in sorted(named) if one[1] not in targets()] == []


def test_ci_runs_what_a_person_runs() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yaml").read_text(encoding="utf-8"))
    commands = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    assert commands == [".ci/run"]
    assert re.findall(r"^make (\w+)$", script, re.MULTILINE) == ["test", "check"]


def test_the_installed_version_is_the_projects() -> None:
    assert version("release-passport") == release_passport.__version__ == PROJECT["project"]["version"]
