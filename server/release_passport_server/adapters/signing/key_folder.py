"""A folder of keys: keys.json lists the public halves of all there ever were, a PEM file each holds an active one."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Lock

from release_passport.signatures.public_key import KeyInvalid, load_public_key
from release_passport_server.adapters.signing.files import (
    PRIVATE_FOLDER,
    KeyFilesInvalid,
    locked,
    read_private,
    remove,
    write_private,
)
from release_passport_server.adapters.signing.private_key import (
    PrivateKey,
    load_private_key,
    new_private_key,
)
from release_passport_server.domain.canonical import stamp, unstamp
from release_passport_server.domain.errors import NotFound, Unavailable
from release_passport_server.domain.signing_key import Algorithm, KeyState, Purpose, SigningKey
from release_passport_server.ports.signing import Signature

logger = logging.getLogger(__name__)
LIST = "keys.json"
# Notes are signed with Ed25519; decisions with what every verifier of DSSE reads.
ALGORITHMS: Mapping[Purpose, Algorithm] = {Purpose.DECISION: Algorithm.P256, Purpose.LOG: Algorithm.ED25519}


class KeyFolder:
    """Signs with keys out of a folder, which replicas share: what another process changes there is seen at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        # What the list was like when it was read.
        self._seen: tuple[int, int] | None = None
        self._keys: tuple[SigningKey, ...] = ()
        self._private: dict[str, PrivateKey] = {}

    @classmethod
    def open(
        cls, folder: Path, now: datetime, algorithms: Mapping[Purpose, Algorithm] = ALGORITHMS
    ) -> KeyFolder:
        """Return the keys of a folder, made where there are none yet; raise KeyFilesInvalid."""
        if algorithms[Purpose.LOG] is not Algorithm.ED25519:
            raise KeyFilesInvalid("the key of the log must be an Ed25519 key")
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        opened = cls(folder)
        with locked(folder):
            opened._load()
            for purpose, algorithm in algorithms.items():
                # A key that retired has a successor: only a purpose without any key is new.
                if not any(key.purpose is purpose for key in opened._keys):
                    opened._add(purpose, algorithm, now)
        return opened

    def sign(self, purpose: Purpose, message: bytes, now: datetime) -> Signature:
        """Return the signature of the active key."""
        for key, private in self._active():
            if key.purpose is purpose and key.signs_at(now):
                return Signature(key.key_id, private.sign(message))
        text = f"no key can sign for {purpose.value} now: `passport-server keys list` shows them"
        raise Unavailable("SIGNER_UNAVAILABLE", text)

    def public_keys(self) -> tuple[SigningKey, ...]:
        """Return the public half of every key there is and was, newest first; raise Unavailable."""
        with self._lock:
            self._follow()
            return self._keys

    def reload(self) -> None:
        """Read the folder again."""
        with locked(self._folder):
            self._load()

    def rotate(self, purpose: Purpose, now: datetime, algorithm: Algorithm | None = None) -> SigningKey:
        """Make a new key active and retire the one before it, whose private half is destroyed."""
        with locked(self._folder):
            self._load()
            before = [key for key in self._keys if key.purpose is purpose and key.state is KeyState.ACTIVE]
            chosen = algorithm or (before[0].algorithm if before else ALGORITHMS[purpose])
            if purpose is Purpose.LOG and chosen is not Algorithm.ED25519:
                raise KeyFilesInvalid("the key of the log must be an Ed25519 key")
            return self._add(purpose, chosen, now)

    def mark_compromised(self, key_id: str, now: datetime, since: datetime) -> SigningKey:
        """Say that somebody else had a key from a time on; an active one gets a successor at once."""
        with locked(self._folder):
            self._load()
            found = next((key for key in self._keys if key.key_id == key_id), None)
            if found is None:
                raise NotFound(
                    "NOT_FOUND", f"there is no key {key_id}: `passport-server keys list` shows them"
                )
            marked = found.compromised(now, since)
            self._keys = tuple(marked if key.key_id == key_id else key for key in self._keys)
            if found.state is KeyState.ACTIVE:
                self._add(found.purpose, found.algorithm, now)
            else:
                self._write_list()
            self._destroy()
            return marked

    def _active(self) -> list[tuple[SigningKey, PrivateKey]]:
        with self._lock:
            self._follow()
            return [(key, self._private[key.key_id]) for key in self._keys if key.key_id in self._private]

    def _follow(self) -> None:
        """Read the folder again where its list is another one; raise Unavailable where it cannot be read."""
        try:
            if self._listed_at() != self._seen:
                with locked(self._folder):
                    self._load()
        except (KeyFilesInvalid, OSError) as error:
            logger.exception("the signing keys cannot be read")
            text = "the signing keys cannot be read: the server's log says why"
            raise Unavailable("SIGNER_UNAVAILABLE", text) from error

    def _listed_at(self) -> tuple[int, int]:
        # A list that is put in place is another file.
        status = (self._folder / LIST).stat()
        return status.st_ino, status.st_mtime_ns

    def _add(self, purpose: Purpose, algorithm: Algorithm, now: datetime) -> SigningKey:
        """Write the private half first: a list that names a key that is not there could never sign."""
        private = new_private_key(algorithm)
        public = private.public
        added = SigningKey(public.key_id, purpose, algorithm, public.pem, not_before=now)
        write_private(self._path(added), private.pem())
        older = (key.retired(now) if _replaced(key, purpose) else key for key in self._keys)
        self._keys = (added, *older)
        self._private[added.key_id] = private
        self._write_list()
        self._destroy()
        return added

    def _destroy(self) -> None:
        """Remove the private halves that must not sign any more."""
        for key in self._keys:
            if key.state is not KeyState.ACTIVE and (key.key_id in self._private or self._path(key).exists()):
                remove(self._path(key))
                self._private.pop(key.key_id, None)

    def _load(self) -> None:
        path = self._folder / LIST
        self._seen = self._listed_at() if path.exists() else None
        self._keys = _listed(read_private(path)) if path.exists() else ()
        active = [key for key in self._keys if key.state is KeyState.ACTIVE]
        self._private = {key.key_id: self._read(key) for key in active}
        self._destroy()

    def _read(self, key: SigningKey) -> PrivateKey:
        path = self._path(key)
        if not path.exists():
            raise KeyFilesInvalid(
                f"{path} is not there: restore it, or rotate the keys of {key.purpose.value}"
            )
        try:
            private = load_private_key(read_private(path))
        except KeyInvalid as error:
            raise KeyFilesInvalid(f"{path}: {error}") from error
        if private.public.key_id != key.key_id:
            raise KeyFilesInvalid(f"{path} holds another key than {LIST} says: restore the one or the other")
        return private

    def _write_list(self) -> None:
        content = json.dumps([_entry(key) for key in self._keys], indent=1)
        write_private(self._folder / LIST, content.encode())
        self._seen = self._listed_at()

    def _path(self, key: SigningKey) -> Path:
        name = key.key_id.removeprefix("SHA256:").replace("/", "_").replace("+", "-")
        return self._folder / f"{key.purpose.value.lower()}-{name}.pem"


def _replaced(key: SigningKey, purpose: Purpose) -> bool:
    return key.purpose is purpose and key.state is KeyState.ACTIVE


def _entry(key: SigningKey) -> dict[str, object]:
    return {
        "keyId": key.key_id,
        "purpose": key.purpose.value,
        "algorithm": key.algorithm.value,
        "publicKey": key.public_key,
        "state": key.state.value,
        "notBefore": stamp(key.not_before),
        "notAfter": stamp(key.not_after),
        "compromiseTime": stamp(key.compromise_time),
    }


def _listed(content: bytes) -> tuple[SigningKey, ...]:
    try:
        return tuple(_key(entry) for entry in json.loads(content))
    except (ValueError, KeyError, TypeError) as error:
        text = f"{LIST} cannot be read: restore it from a copy; without it old signatures lose their keys"
        raise KeyFilesInvalid(text) from error


def _key(entry: Mapping[str, str]) -> SigningKey:
    public = load_public_key(entry["publicKey"])
    not_before = unstamp(entry["notBefore"])
    if public.key_id != entry["keyId"] or public.algorithm != entry["algorithm"] or not_before is None:
        raise ValueError(entry["keyId"])
    key = SigningKey(
        public.key_id, Purpose(entry["purpose"]), Algorithm(public.algorithm), public.pem, not_before
    )
    return replace(
        key,
        state=KeyState(entry["state"]),
        not_after=unstamp(entry["notAfter"]),
        compromise_time=unstamp(entry["compromiseTime"]),
    )
