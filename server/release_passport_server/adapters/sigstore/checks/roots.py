"""Trusted roots, each read once: which keys and authorities counted when."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Generic, TypeVar

from cryptography.x509 import Certificate
from cryptography.x509.verification import Store
from rfc3161_client import Verifier as TimestampVerifier
from rfc3161_client import VerifierBuilder

from release_passport_server.adapters.sigstore.checks.library import (
    CertificateAuthority,
    Error,
    Key,
    Keyring,
    PublicKey,
    TrustedRoot,
    one_key,
)
from release_passport_server.adapters.sigstore.checks.refusal import Refused
from release_passport_server.domain.attestation import AttestationFailure as Failure

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Window:
    """When something counted: both ends belong to it, and an end that is not stated is open."""

    start: datetime | None = None
    end: datetime | None = None

    def holds(self, times: Iterable[datetime]) -> bool:
        """Say whether all the times lie inside."""
        return all(
            (self.start is None or self.start <= time) and (self.end is None or time <= self.end)
            for time in times
        )


@dataclass(frozen=True, slots=True)
class During(Generic[_T]):
    """Something that counted for a while."""

    value: _T
    window: Window


@dataclass(frozen=True, slots=True)
class LogKey:
    """A log's key, alone in its ring, and the names by which entries point at it."""

    ids: frozenset[bytes]
    key: Key
    ring: Keyring


class Root:
    """A trusted root, taken apart."""

    def __init__(self, content: bytes) -> None:
        self.sha256 = f"sha256:{hashlib.sha256(content).hexdigest()}"
        try:
            read = TrustedRoot.from_json(content)
            self.logs = tuple(_log_keys(read.tlogs))
            self.ct_logs = tuple(_log_keys(read.ctlogs))
            self.authorities = tuple(
                During(
                    tuple(CertificateAuthority(one).certificates(allow_expired=True)), _window(one.valid_for)
                )
                for one in read.certificate_authorities
            )
            self.timestamps = tuple(_timestamp_verifiers(read.timestamp_authorities))
        except (ValueError, Error) as error:
            text = f"the trusted root {self.sha256} cannot be read: pin one that a Sigstore client accepts"
            raise Refused(Failure.TRUSTED_ROOT_INVALID, text) from error
        self._stores: dict[frozenset[int], Store] = {}

    def log(self, log_id: bytes) -> During[LogKey] | None:
        """Return the transparency log with this id."""
        return next((log for log in self.logs if log_id in log.value.ids), None)

    def ct_log(self, log_id: bytes) -> During[LogKey] | None:
        """Return the certificate transparency log with this id."""
        return next((log for log in self.ct_logs if log_id in log.value.ids), None)

    def store(self, times: Iterable[datetime] | None) -> Store | None:
        """Return the authorities that counted at all these times (None: at any time), or None if there were none."""
        listed = None if times is None else list(times)
        chosen = frozenset(
            index
            for index, authority in enumerate(self.authorities)
            if authority.value and (listed is None or authority.window.holds(listed))
        )
        if not chosen:
            return None
        if chosen not in self._stores:
            certificates: list[Certificate] = []
            for index in sorted(chosen):
                certificates += self.authorities[index].value
            self._stores[chosen] = Store(certificates)
        return self._stores[chosen]


@lru_cache(maxsize=32)
def load_root(content: bytes) -> Root:
    """Return the parts of a trusted root's JSON; raise Refused."""
    return Root(content)


def _log_keys(logs: Iterable[object]) -> Iterable[During[LogKey]]:
    for log in logs:
        public_key: PublicKey = log.public_key  # type: ignore[attr-defined]
        try:
            key = Key(public_key)
        except Error:
            # A key of a kind that the library cannot use is as good as absent.
            continue
        named = {log.log_id.key_id, bytes(key.key_id)}  # type: ignore[attr-defined]
        if log.checkpoint_key_id is not None:  # type: ignore[attr-defined]
            named.add(log.checkpoint_key_id.key_id)  # type: ignore[attr-defined]
        yield During(LogKey(frozenset(named), key, one_key(public_key)), _window(public_key.valid_for))


def _timestamp_verifiers(authorities: Iterable[object]) -> Iterable[During[TimestampVerifier]]:
    for authority in authorities:
        certificates = CertificateAuthority(authority).certificates(allow_expired=True)  # type: ignore[arg-type]
        if len(certificates) < 2:
            continue
        builder = VerifierBuilder().tsa_certificate(certificates[0]).add_root_certificate(certificates[-1])
        for certificate in certificates[1:-1]:
            builder = builder.add_intermediate_certificate(certificate)
        yield During(builder.build(), _window(authority.valid_for))  # type: ignore[attr-defined]


def _window(span: object) -> Window:
    if span is None:
        return Window()
    return Window(span.start, span.end)  # type: ignore[attr-defined]
