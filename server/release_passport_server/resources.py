"""Where the files are that ship with the server and are not code."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent
# What a folder of policies has in it; another folder of the same name has not.
_MARK = Path("rbac") / "model.conf"


class ResourcesMissing(RuntimeError):
    """The installation is incomplete."""


def policies_dir() -> Path:
    """Return the folder of policies: the packaged one in an installation, the repository's in a checkout."""
    candidates = (_HERE / "_policies", _HERE.parent.parent / "policies")
    for folder in candidates:
        if (folder / _MARK).is_file():
            return folder
    looked = " and ".join(str(folder / _MARK) for folder in candidates)
    raise ResourcesMissing(
        f"the policies that ship with the server are missing (looked for {looked}): reinstall it"
    )
