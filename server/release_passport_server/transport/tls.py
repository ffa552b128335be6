"""The TLS files of a port, which may be replaced while it is open."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

logger = logging.getLogger(__name__)

_Stamp = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class TLSFiles:
    """PEM files of a port; with `client_ca` clients must show a certificate by one of its authorities."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


@dataclass(frozen=True, slots=True)
class PEM:
    """What the files hold."""

    certificate: bytes
    key: bytes
    client_ca: bytes | None


class LiveFiles:
    """The files as they are; a version that cannot be used, such as half of one, replaces nothing."""

    def __init__(self, files: TLSFiles) -> None:
        self._files = files
        self._lock = Lock()
        self._seen: _Stamp | None = self._stamp()
        self._problem = ""
        self.current = self._read()

    def renewed(self) -> PEM | None:
        """Return what the files hold where that has changed since it was asked last; it is asked by any thread."""
        with self._lock:
            try:
                stamp = self._stamp()
                if stamp == self._seen:
                    return None
                self._seen = stamp
                found = self._read()
            except (OSError, ValueError) as error:
                # The next handshake looks again, and says it again only where it is something else.
                self._seen = None
                if str(error) != self._problem:
                    self._problem = str(error)
                    logger.warning("TLS files were not renewed", extra={"problem": self._problem[:300]})
                return None
            self._problem = ""
            if found == self.current:
                return None
            self.current = found
            logger.info("TLS files renewed", extra={"certificate": str(self._files.certificate)})
            return found

    def _stamp(self) -> _Stamp:
        paths = [self._files.certificate, self._files.key, self._files.client_ca]
        stats = [path.stat() for path in paths if path is not None]
        return tuple((one.st_mtime_ns, one.st_size, one.st_ino) for one in stats)

    def _read(self) -> PEM:
        files = self._files
        found = PEM(
            files.certificate.read_bytes(),
            files.key.read_bytes(),
            None if files.client_ca is None else files.client_ca.read_bytes(),
        )
        _require_usable(found)
        return found


class LiveContext(ssl.SSLContext):
    """A context whose every new connection is made under the files as they are then."""

    _make: Callable[[], ssl.SSLContext]
    _live: LiveFiles
    _now: ssl.SSLContext

    @classmethod
    def of(cls, files: TLSFiles) -> LiveContext:
        """Return the context; raise OSError or ValueError for files that cannot be used."""
        made = cls(ssl.PROTOCOL_TLS_SERVER)
        made._make = lambda: _context(files)
        made._live = LiveFiles(files)
        made._now = made._make()
        return made

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """Return the TLS side of a new connection."""
        if self._live.renewed() is not None:
            try:
                self._now = self._make()
            except (OSError, ValueError) as error:
                logger.warning("TLS files were not renewed", extra={"problem": str(error)[:300]})
        return self._now.wrap_bio(*args, **kwargs)


def _context(files: TLSFiles) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)
    if files.client_ca is not None:
        context.load_verify_locations(files.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _require_usable(pem: PEM) -> None:
    """Raise ValueError where the key is not the certificate's, or a file holds nothing."""
    leaf = x509.load_pem_x509_certificates(pem.certificate)[0]
    key = load_pem_private_key(pem.key, None)
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if leaf.public_key().public_bytes(*form) != key.public_key().public_bytes(*form):
        raise ValueError("the key is not the certificate's")
    if pem.client_ca is not None:
        x509.load_pem_x509_certificates(pem.client_ca)
