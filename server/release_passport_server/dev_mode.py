"""Development mode: no token needed, so only where nobody else can come, on a store that is good for nothing else."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from release_passport_server.adapters.sqlite.dev_mark import is_dev, mark_as_dev
from release_passport_server.adapters.sqlite.writable import unwritable
from release_passport_server.config import Settings, SettingsInvalid, is_loopback

DEV_STORE = "sqlite:///.passport-dev/passport.db"
NOTICE = "DEVELOPMENT MODE: anybody on this machine is admin, and no decision made here counts anywhere"


def dev_settings(settings: Settings, *, store_is_set: bool) -> Settings:
    """Return the settings with the store of development mode, unless another one was named."""
    if store_is_set:
        return settings
    return settings.model_copy(update={"store": settings.store.model_copy(update={"url": DEV_STORE})})


def require_dev(settings: Settings, *, in_kubernetes: bool) -> Path:
    """Return the database file, new or made by development mode; raise SettingsInvalid for anything else."""
    if in_kubernetes:
        raise SettingsInvalid("--dev is refused in Kubernetes: other containers of a pod share its loopback")
    for name, address in (("grpc.listen", settings.grpc.listen), ("http.listen", settings.http.listen)):
        if not is_loopback(address):
            raise SettingsInvalid(f"{name}: --dev listens on loopback only, such as 127.0.0.1:7443")
    path = settings.store.sqlite_path
    if path is None:
        raise SettingsInvalid("store.url: --dev is refused on PostgreSQL; use the embedded store")
    if path.exists() and not _is_dev(path):
        raise SettingsInvalid(f"store.url: {path} was not made by --dev; name another file")
    if not path.exists():
        mark_as_dev(path)
    return path


def require_no_dev(settings: Settings) -> None:
    """Raise SettingsInvalid for a store that development mode made."""
    path = settings.store.sqlite_path
    if path is not None and path.exists() and _is_dev(path):
        raise SettingsInvalid(
            f"store.url: {path} was made by --dev and never opens without it; "
            "name another file and run `passport-server init`"
        )


def _is_dev(path: Path) -> bool:
    try:
        return is_dev(path)
    except sqlite3.DatabaseError as error:
        obstacle = unwritable(path) or f"{path} cannot be read as a SQLite database: {error}"
        raise SettingsInvalid(f"store.url: {obstacle}") from error
