"""Which token a command shows: a given one, one of the place where it runs, or that of a sign-in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from release_passport.cli.config import Place, token_of
from release_passport.cli.saved_sign_in import SPARE_SECONDS, expire_time_of, load, locked, path_for, save


@dataclass(slots=True)
class Remembered:
    """A token that is asked for again before it ends, because commands can wait for longer than it lives."""

    ask: Callable[[], str]
    now: Callable[[], float]
    _token: str = field(default="", repr=False)
    _until: float = 0.0

    def __call__(self) -> str:
        """Return the token."""
        if not self._token or self.now() + SPARE_SECONDS >= self._until:
            self._token = self.ask()
            self._until = expire_time_of(self._token) or 0.0
        return self._token


def token_source(place: Place, environ: Mapping[str, str]) -> Callable[[], str] | None:
    """Return what gives the token of each call; None where the place itself says it, or there is none."""
    import time

    from release_passport.cli import ambient

    if place.token is not None or place.server is None:
        return None
    if place.token_file:
        # Whoever puts a token into a file may replace it.
        return Remembered(lambda: token_of(place), time.time)
    if environ.get("PASSPORT_ID_TOKEN"):
        return environ["PASSPORT_ID_TOKEN"].strip
    if place.audience and ambient.has_github_tokens(environ):
        audience = place.audience
        return Remembered(lambda: ambient.github_token(environ, audience), time.time)
    server = place.server
    if load(path_for(server, environ)) is not None:
        return lambda: signed_in_token(server, environ)
    if ambient.pod_token():
        return Remembered(ambient.pod_token, time.time)
    return None


def signed_in_token(server: str, environ: Mapping[str, str]) -> str:
    """Return the token of a sign-in, renewed where it ends soon; raise CommandFailure where that fails."""
    from release_passport.cli.identity_http import failed
    from release_passport.cli.sign_in import refreshed

    path = path_for(server, environ)
    saved = load(path)
    if saved is not None and not saved.fresh:
        with locked(path):
            # Another command may have been faster.
            saved = load(path)
            if saved is not None and not saved.fresh:
                if not saved.refresh_token:
                    raise failed("the sign-in has expired; run `passport login` again")
                saved = refreshed(saved)
                save(path, saved)
    if saved is None:
        raise failed("there is no sign-in any more; run `passport login`")
    return saved.token
