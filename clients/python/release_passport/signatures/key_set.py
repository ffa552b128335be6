"""The published set of public keys, and what a signature of each is worth: keys retire, and keys get stolen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from release_passport.log.checkpoint import Checkpoint
from release_passport.signatures.public_key import KeyInvalid, PublicKey, load_public_key

MAX_KEYS = 1000


class KeySetInvalid(ValueError):
    """A document is no set of keys; the message says why."""


class KeyRefusal(StrEnum):
    """Why a signature does not count although it fits."""

    OTHER_PURPOSE = "OTHER_PURPOSE"
    NOT_YET_VALID = "NOT_YET_VALID"
    NO_LONGER_VALID = "NO_LONGER_VALID"
    RETIRED_WITHOUT_LOG = "RETIRED_WITHOUT_LOG"
    COMPROMISED = "COMPROMISED"
    UNKNOWN_STATE = "UNKNOWN_STATE"


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """A public key with its purpose, its state and its time."""

    key: PublicKey
    purpose: str
    state: str
    not_before: datetime
    not_after: datetime | None = None
    compromise_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class SeenCheckpoint:
    """A verified checkpoint, and when somebody had it for certain."""

    checkpoint: Checkpoint
    time: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a verifier knows about one signature.

    `index` is the leaf that commits to the signed document, None where none was shown. `published` are checkpoints
    that the log's owner anchored with their time, `held` those that the verifier got and kept itself. Whoever asks
    has verified that the leaf is included in the tree, and that the tree continues these checkpoints.
    """

    sign_time: datetime
    index: int | None = None
    published: Sequence[SeenCheckpoint] = ()
    held: Sequence[SeenCheckpoint] = ()


def key_refusal(key: PublishedKey, purpose: str, evidence: Evidence) -> KeyRefusal | None:
    """Return why a key's signature does not count, None where it does; the time in a document proves nothing."""
    if key.purpose != purpose:
        return KeyRefusal.OTHER_PURPOSE
    if evidence.sign_time < key.not_before:
        return KeyRefusal.NOT_YET_VALID
    end = key.not_after
    if end is not None and evidence.sign_time >= end:
        return KeyRefusal.NO_LONGER_VALID
    if key.state == "COMPROMISED":
        since = key.compromise_time
        sound = since is not None and _logged_before(since, evidence.index, evidence.held)
        return None if sound else KeyRefusal.COMPROMISED
    if key.state == "RETIRED":
        anchors = [*evidence.published, *evidence.held]
        sound = end is not None and _logged_before(end, evidence.index, anchors)
        return None if sound else KeyRefusal.RETIRED_WITHOUT_LOG
    return None if key.state == "ACTIVE" else KeyRefusal.UNKNOWN_STATE


def parse_key_set(raw: bytes) -> tuple[PublishedKey, ...]:
    """Return the keys of a published document; raise KeySetInvalid."""
    try:
        document = json.loads(raw.decode("utf-8"))
        entries = document["keys"]
        if not isinstance(entries, list) or len(entries) > MAX_KEYS:
            raise KeySetInvalid(f"`keys` is a list of at most {MAX_KEYS}")
        return tuple(_published(entry) for entry in entries)
    except (KeySetInvalid, KeyInvalid) as error:
        raise KeySetInvalid(str(error)) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise KeySetInvalid("a set of keys is a JSON object with `keys`") from error


def trusted(keys: Iterable[PublishedKey], purpose: str) -> list[PublicKey]:
    """Return the public keys of one purpose, whatever their state."""
    return [one.key for one in keys if one.purpose == purpose]


def _logged_before(end: datetime, index: int | None, seen: Sequence[SeenCheckpoint]) -> bool:
    """Say whether a leaf was in the log before a time."""
    return index is not None and any(one.time < end and index < one.checkpoint.size for one in seen)


def _published(entry: dict[str, str | None]) -> PublishedKey:
    key = load_public_key(str(entry["publicKey"]))
    if key.key_id != entry["keyId"]:
        raise KeySetInvalid(f"the key id {entry['keyId']} does not fit its key")
    not_before = _time(entry["notBefore"])
    if not_before is None:
        raise KeySetInvalid("a key has a time from which on it signs")
    return PublishedKey(
        key=key,
        purpose=str(entry["purpose"]),
        state=str(entry["state"]),
        not_before=not_before,
        not_after=_time(entry.get("notAfter")),
        compromise_time=_time(entry.get("compromiseTime")),
    )


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise KeySetInvalid("a time has its zone")
    return time
