"""Wires what tells a restored store from the newest one, and begins its new epoch."""

from __future__ import annotations

from release_passport_server.adapters.signing.key_folder import KeyFolder
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.adapters.system.clock import SystemClock
from release_passport_server.adapters.system.ids import SystemIds
from release_passport_server.adapters.tlog.anchor_file import AnchorFile
from release_passport_server.adapters.tlog.restores import Restores
from release_passport_server.adapters.tokens.bearer import BearerTokens
from release_passport_server.config import Settings, SettingsInvalid
from release_passport_server.ports.log import LogBroken, SetbackKind
from release_passport_server.services.restored import Restored


def require_as_published(store: SQLStore, settings: Settings) -> None:
    """Raise SettingsInvalid for a store that is behind the checkpoints that were anchored outside it."""
    try:
        setbacks = _restores(store, settings).setbacks()
    except LogBroken as error:
        raise SettingsInvalid(f"log.anchor_folder: {error}") from error
    if not setbacks:
        return
    one, folder = setbacks[0], settings.anchor_folder
    if one.kind is SetbackKind.NOT_ANCHORED:
        raise SettingsInvalid(
            f"log.anchor_folder: nothing in {folder} says what was published of {one.origin}, so nobody can tell "
            "whether this store was put back: put the folder back from its copy; where this store is sure to be the "
            "newest there was, `passport-server restored adopt`; if not, `passport-server restored accept`"
        )
    raise SettingsInvalid(
        f"store.url: the store has {one.size} leaves of {one.anchored_origin}, and {one.anchored_size} were published "
        f"({one.kind.value}): it was restored or rolled back. See what was lost: `passport-server restored review`; "
        "then put the newest store back, or begin a new epoch: `passport-server restored accept`"
    )


def restored(store: SQLStore, settings: Settings) -> Restored:
    """Return what looks at a restored store and begins its new epoch."""
    ids, tokens, clock = SystemIds(), BearerTokens(), SystemClock()
    return Restored(store, _restores(store, settings), ids, tokens, clock, store.blocking)


def _restores(store: SQLStore, settings: Settings) -> Restores:
    keys = KeyFolder.open(settings.key_folder, SystemClock().now())
    return Restores(store.log, keys, AnchorFile(settings.anchor_folder), settings.log_origin)
