"""Policy files and test files from what was named on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from release_passport.cli.failure import usage

if TYPE_CHECKING:
    from release_passport.policy_file import PolicyDocument
    from release_passport.policy_test_file import PolicyTestFile

_SUFFIXES = {".yaml", ".yml", ".json"}


def read_policies(names: tuple[str, ...]) -> list[PolicyDocument]:
    """Return the policies of files and directories; problems of all files are told at once."""
    from release_passport.policy_file import read_policy_file
    from release_passport.strict_yaml import FileInvalid, Problem

    documents: list[PolicyDocument] = []
    problems: list[Problem] = []
    for path in _files(names, tests=False):
        try:
            documents.append(read_policy_file(path))
        except FileInvalid as error:
            problems += error.problems
    if problems:
        raise FileInvalid(problems)
    seen: dict[str, str] = {}
    for document in documents:
        other = seen.setdefault(document.policy.policy_id, document.file)
        if other != document.file:
            raise usage(f"{other} and {document.file} both say {document.policy.policy_id!r}")
    return documents


def read_tests(names: tuple[str, ...]) -> list[tuple[PolicyTestFile, PolicyDocument]]:
    """Return the tests of files and directories, each with its policy."""
    from release_passport.policy_file import read_policy_file
    from release_passport.policy_test_file import load_policy_test_file
    from release_passport.strict_yaml import FileInvalid, Problem

    found: list[tuple[PolicyTestFile, PolicyDocument]] = []
    problems: list[Problem] = []
    for path in _files(names, tests=True):
        try:
            tests = load_policy_test_file(path)
            found.append((tests, read_policy_file(tests.policy_path)))
        except FileInvalid as error:
            problems += error.problems
    if problems:
        raise FileInvalid(problems)
    return found


def is_test(path: Path) -> bool:
    """Say whether a file holds the tests of a policy."""
    return path.stem.endswith("_test")


def _files(names: tuple[str, ...], *, tests: bool) -> list[Path]:
    paths: list[Path] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            inside = (entry for entry in sorted(path.iterdir()) if entry.suffix in _SUFFIXES)
            paths += [entry for entry in inside if is_test(entry) == tests]
        elif tests and path.exists() and not is_test(path):
            paths.append(path.with_name(f"{path.stem}_test{path.suffix}"))
        else:
            paths.append(path)
    unique = list(dict.fromkeys(paths))
    if not unique:
        raise usage(f"no {'test' if tests else 'policy'} files in {', '.join(names)}")
    return unique
