"""Client of Release Passport: asks whether a release may proceed, and brings the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from release_passport.async_client import AsyncClient
    from release_passport.client import Client
    from release_passport.errors import PassportAPIError
    from release_passport.target import Target

__all__ = ["AsyncClient", "Client", "PassportAPIError", "Target", "__version__"]
__version__ = "0.1.0"

_HOMES = {
    "AsyncClient": "release_passport.async_client",
    "Client": "release_passport.client",
    "PassportAPIError": "release_passport.errors",
    "Target": "release_passport.target",
}


def __getattr__(name: str) -> object:
    """Load a public name on first use, so that importing the package costs next to nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
