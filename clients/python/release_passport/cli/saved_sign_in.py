"""Sign-ins that are kept between commands: one file for each server, readable by its owner alone."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from release_passport.cli.config import config_path
from release_passport.cli.failure import usage

# A token that ends so soon is not shown any more.
SPARE_SECONDS = 60.0
_MAX_FILE = 64 * 1024


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who signed in where, and what shows it."""

    server: str
    issuer: str
    client_id: str
    kind: str
    audience: str
    token_endpoint: str
    revocation_endpoint: str
    token: str = field(repr=False)
    # Seconds since 1970.
    expire_time: float
    refresh_token: str = field(repr=False)
    client_secret: str = field(repr=False)

    @property
    def fresh(self) -> bool:
        """Say whether the token can still be shown."""
        return time.time() + SPARE_SECONDS < self.expire_time


def path_for(server: str, environ: Mapping[str, str]) -> Path:
    """Return the file of a server's sign-in."""
    name = hashlib.sha256(server.encode()).hexdigest()[:32]
    return config_path(environ).parent / "sign-in" / f"{name}.json"


def load(path: Path) -> SignIn | None:
    """Return the sign-in that a file keeps, None for no file; raise CommandFailure for one that others can read."""
    try:
        with path.open("rb") as stream:
            status = os.fstat(stream.fileno())
            raw = stream.read(_MAX_FILE)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise usage(f"{path} cannot be read: {error.strerror}") from error
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise usage(f"{path} can be read by others: `chmod 600` it, or `passport logout` and sign in again")
    try:
        return SignIn(**{name: value for name, value in json.loads(raw).items() if name in _NAMES})
    except (ValueError, TypeError, AttributeError):
        raise usage(f"{path} is damaged; `passport logout` removes it") from None


def save(path: Path, sign_in: SignIn) -> None:
    """Write the file so that only its owner can read it, and never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".sign-in-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(asdict(sign_in), stream)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def remove(path: Path) -> bool:
    """Remove the file; say whether there was one."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other commands of the same person from renewing the same sign-in meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.with_suffix(".lock").open("w") as stream:
        # Where there are no such locks two commands may both renew, and one of them signs in again.
        with suppress(ImportError, OSError):
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def expire_time_of(token: str) -> float | None:
    """Return when a signed token says that it ends; None where it does not say so. Nothing of it is believed."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        end = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))).get("exp")
    except (ValueError, AttributeError, RecursionError):
        return None
    return float(end) if isinstance(end, int | float) and not isinstance(end, bool) else None


_NAMES = {one.name for one in fields(SignIn)}
