"""Seals secrets under a key that lies beside the signing keys: a copy of the store alone opens none of them."""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from release_passport_server.adapters.signing.files import (
    PRIVATE_FOLDER,
    KeyFilesInvalid,
    locked,
    read_private,
    write_private,
)
from release_passport_server.domain.errors import Unavailable

FILE = "secrets.key"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_FORM = "v1:"


class FileSecretBox:
    """AES-256-GCM under one key; the context is authenticated, so that a sealed text fits nowhere else."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def of_folder(cls, folder: Path) -> FileSecretBox:
        """Return the box of a folder's key, made where there is none yet; raise KeyFilesInvalid."""
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        path = folder / FILE
        with locked(folder):
            if not path.exists():
                write_private(path, base64.b64encode(os.urandom(_KEY_BYTES)))
            text = read_private(path)
        try:
            key = base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise KeyFilesInvalid(f"{path} is not base64: restore it from a copy") from error
        if len(key) != _KEY_BYTES:
            raise KeyFilesInvalid(f"{path} does not hold {_KEY_BYTES} bytes: restore it from a copy")
        return cls(key)

    def seal(self, secret: bytes, context: str) -> str:
        """Return a secret sealed for one context."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, secret, context.encode())
        return _FORM + base64.b64encode(sealed).decode()

    def open(self, sealed: str, context: str) -> bytes:
        """Return a secret; raise Unavailable where this server's key does not open it."""
        try:
            raw = base64.b64decode(sealed.removeprefix(_FORM), validate=True)
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError) as error:
            text = f"a secret cannot be opened: restore {FILE} beside the signing keys, or make a new secret"
            raise Unavailable("SIGNER_UNAVAILABLE", text) from error
