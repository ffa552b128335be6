"""Tokens that the place where the command runs has to give: CI jobs and pods."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from release_passport.cli.failure import usage
from release_passport.cli.identity_http import failed, get

# Where a projected service account token is looked for; another place is `--token-file`.
POD_TOKEN = Path("/var/run/secrets/release-passport/token")


def github_token(environ: Mapping[str, str], audience: str) -> str:
    """Return a token of the GitHub Actions job for an audience; raise CommandFailure where there is none."""
    url, bearer = environ["ACTIONS_ID_TOKEN_REQUEST_URL"], environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "")
    joined = "&" if "?" in url else "?"
    answer = get(f"{url}{joined}audience={quote(audience, safe='')}", "GitHub's token service", bearer=bearer)
    token = answer.body.get("value")
    if answer.status != 200 or not isinstance(token, str):
        text = f"GitHub's token service answers {answer.status}: does the job have `permissions: id-token: write`?"
        raise failed(text)
    return token


def has_github_tokens(environ: Mapping[str, str]) -> bool:
    """Say whether this is a GitHub Actions job that may have tokens."""
    return bool(environ.get("ACTIONS_ID_TOKEN_REQUEST_URL"))


def pod_token(path: Path = POD_TOKEN) -> str:
    """Return the projected service account token of this pod, empty where there is none."""
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise usage(f"the token at {path} cannot be read: {error}") from error
