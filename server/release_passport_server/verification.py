"""Verification of signed evidence, and where it is read from, as the settings have it."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from release_passport_server.adapters.sigstore.pool import PoolSettings
from release_passport_server.adapters.sigstore.root_file import read_root
from release_passport_server.adapters.sigstore.verifier import SigstoreVerifier
from release_passport_server.config import SettingsInvalid, is_loopback
from release_passport_server.domain.image import Image, RegistryAccess, RegistryCredential, usual_access
from release_passport_server.domain.outbound import Origin, OriginInvalid
from release_passport_server.domain.trust import TrustedRoot, TrustedRootMismatch
from release_passport_server.evidence_settings import RegistrySettings, VerificationSettings


def bundle_verifier(settings: VerificationSettings) -> SigstoreVerifier:
    """Return the verifier of bundles; its processes begin with the first bundle."""
    memory = settings.memory_megabytes * 1024 * 1024
    return SigstoreVerifier(
        PoolSettings(workers=settings.processes, timeout=settings.timeout_seconds, memory_bytes=memory)
    )


def default_roots(settings: VerificationSettings) -> tuple[TrustedRoot, ...]:
    """Return what tenants that have named no trusted root verify against; raise SettingsInvalid."""
    if settings.trusted_root is None:
        return ()
    try:
        return (read_root(settings.trusted_root, settings.trusted_root_sha256),)
    except OSError as error:
        text = f"verification.trusted_root: {settings.trusted_root} cannot be read: {error.strerror}"
        raise SettingsInvalid(text) from error
    except TrustedRootMismatch as error:
        raise SettingsInvalid(f"verification.trusted_root_sha256: {error}") from error


def registries(settings: RegistrySettings) -> Mapping[str, RegistryAccess]:
    """Return how each registry is reached, by its host as images name it; raise SettingsInvalid."""
    internal = set(_listed(settings.internal_hosts))
    tokens = dict(_token_servers(settings, internal))
    credentials = {} if settings.credentials_file is None else _credentials(settings.credentials_file)
    found: dict[str, RegistryAccess] = {}
    for text in _listed(settings.hosts):
        origin = _origin("hosts", text, internal)
        _require_tls(settings, origin)
        # The name that people write is not always where the registry is.
        host = _registry_of(origin.authority)
        at = origin if host == origin.authority else _origin("hosts", host, internal)
        usual = usual_access(Image(host, "", ""))
        found[host] = replace(
            usual,
            origin=at,
            others=(*usual.others, *tokens.pop(host, ())),
            credential=credentials.get(origin.authority) or credentials.get(host),
            ca_file=settings.ca_file,
        )
    for host in tokens:
        raise SettingsInvalid(f"registries.token_servers: {host} is not among registries.hosts")
    return found


def _listed(text: str) -> list[str]:
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def _origin(setting: str, text: str, internal: set[str]) -> Origin:
    url = text if "://" in text else f"https://{text}"
    try:
        origin = Origin.of(url)
    except OriginInvalid as error:
        raise SettingsInvalid(f"registries.{setting}: {text} {error}") from error
    if url.rstrip("/") != str(origin):
        raise SettingsInvalid(
            f"registries.{setting}: write {text} as a host, such as ghcr.io or 10.0.0.7:5000"
        )
    return replace(origin, internal=origin.authority in internal or _is_this_machine(origin))


def _registry_of(host: str) -> str:
    return Image.parse(f"{host}/library/any@sha256:{'0' * 64}").registry if host == "docker.io" else host


def _require_tls(settings: RegistrySettings, origin: Origin) -> None:
    if origin.scheme == "http" and not settings.plain_http and not _is_this_machine(origin):
        text = f"{origin} is read without TLS by nobody but this machine: use https, or set registries.plain_http"
        raise SettingsInvalid(f"registries.hosts: {text}")


def _is_this_machine(origin: Origin) -> bool:
    return is_loopback(f"[{origin.host}]:0" if ":" in origin.host else f"{origin.host}:0")


def _token_servers(
    settings: RegistrySettings, internal: set[str]
) -> Iterator[tuple[str, tuple[Origin, ...]]]:
    given: dict[str, list[Origin]] = {}
    for entry in _listed(settings.token_servers):
        host, equals, server = entry.partition("=")
        if not equals:
            raise SettingsInvalid(f"registries.token_servers: write {entry} as registry=host")
        origin = _origin("token_servers", server, internal)
        _require_tls(settings, origin)
        given.setdefault(_registry_of(host), []).append(origin)
    for host, origins in given.items():
        yield host, tuple(origins)


def _credentials(path: Path) -> Mapping[str, RegistryCredential]:
    """Return the credentials of a file as `docker login` writes it, by host."""
    try:
        entries = json.loads(path.read_bytes())["auths"]
        return {_host_of(key): _credential(entry) for key, entry in entries.items()}
    except OSError as error:
        text = f"{path} cannot be read: {error.strerror}"
        raise SettingsInvalid(f"registries.credentials_file: {text}") from error
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        # Without its cause, which could show what is in the file.
        text = f"{path} is not what `docker login` writes: an object `auths` with `auth` for each host"
        raise SettingsInvalid(f"registries.credentials_file: {text}") from None


def _host_of(key: str) -> str:
    host = key.removeprefix("https://").removeprefix("http://").partition("/")[0]
    return _registry_of("docker.io") if host == "index.docker.io" else host


def _credential(entry: Mapping[str, str]) -> RegistryCredential:
    if "auth" not in entry:
        return RegistryCredential(entry["username"], entry["password"])
    username, colon, password = b64decode(entry["auth"], validate=True).decode().partition(":")
    if not colon:
        raise ValueError("no password")
    return RegistryCredential(username, password)
