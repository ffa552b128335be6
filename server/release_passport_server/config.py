"""The server's settings: one model, read from a file and from the environment, and from nowhere else."""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast
from urllib.parse import urlsplit

import yaml
from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator

from release_passport_server.evidence_settings import (
    ClusterSettings,
    ConnectorSettings,
    RegistrySettings,
    Section,
    VerificationSettings,
)
from release_passport_server.identity_settings import AuthenticationSettings
from release_passport_server.webhook_settings import NotificationSettings, WebhookSettings

PREFIX = "PASSPORT_SERVER_"
CONFIG_VARIABLE = PREFIX + "CONFIG"

_ORIGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,150}")


class SettingsInvalid(ValueError):
    """The settings are wrong; each line of the text names one setting and what to do."""


def host_and_port(address: str) -> tuple[str, int]:
    """Return host and port of `host:port`, the host without brackets; raise ValueError."""
    host, separator, port = address.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    is_port = port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) < 65536
    if not separator or not bare or (":" in bare and bare == host) or not is_port:
        raise ValueError("write it as host:port, such as 127.0.0.1:7443 or [::1]:7443")
    return bare, int(port)


def is_loopback(address: str) -> bool:
    """Say whether only this machine can reach the address."""
    host, _ = host_and_port(address)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _address(value: str) -> str:
    host_and_port(value)
    return value


def _store_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"sqlite", "postgresql"}:
        raise ValueError("write it as sqlite:///path/to/passport.db or postgresql://user@host/database")
    if parts.password:
        raise ValueError("a password does not belong here: name a file that holds it in store.password_file")
    if parts.scheme == "sqlite" and (parts.netloc or len(parts.path) < 2):
        raise ValueError("write it as sqlite:///relative/passport.db or sqlite:////absolute/passport.db")
    return value


def _origin(value: str) -> str:
    if value and not _ORIGIN.fullmatch(value):
        raise ValueError("write it like a host with a path, such as passport.example.com/log")
    return value


Address = Annotated[str, AfterValidator(_address)]


class StoreSettings(Section):
    """The durable record."""

    url: Annotated[str, AfterValidator(_store_url)] = Field(
        default="sqlite:///passport.db",
        description="Where the record is: `sqlite:///file` (embedded) or `postgresql://user@host/database`.",
    )
    password_file: Path | None = Field(
        default=None, description="File that holds the database's password; read once at start."
    )
    pool_size: int = Field(
        default=10,
        ge=1,
        le=200,
        description="Most database connections at once (PostgreSQL) or reader threads (SQLite).",
    )

    feed_hours: float = Field(
        default=24, ge=1, le=24 * 366, description="Hours for which a stream of decisions can be resumed."
    )

    @property
    def sqlite_path(self) -> Path | None:
        """Return the database file; None for PostgreSQL."""
        parts = urlsplit(self.url)
        return Path(parts.path[1:]) if parts.scheme == "sqlite" else None


class _ListenerSettings(Section):
    tls_certificate: Path | None = Field(
        default=None, description="PEM file with the certificate chain; turns TLS on."
    )
    tls_key: Path | None = Field(default=None, description="PEM file with the certificate's private key.")
    tls_client_ca: Path | None = Field(
        default=None, description="PEM file with the authorities whose client certificates are required."
    )

    @model_validator(mode="after")
    def _complete(self) -> _ListenerSettings:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key are set together or not at all")
        if self.tls_client_ca is not None and self.tls_certificate is None:
            raise ValueError("tls_client_ca needs tls_certificate and tls_key")
        return self


class GRPCSettings(_ListenerSettings):
    """The gRPC port."""

    listen: Address = Field(
        default="127.0.0.1:7443", description="Address of the gRPC port; port 0 takes a free one."
    )
    connections: int = Field(default=1000, ge=1, le=100_000, description="Most connections at once.")


class HTTPSettings(_ListenerSettings):
    """The second port."""

    listen: Address = Field(
        default="127.0.0.1:7480",
        description="Address of the port for probes, metrics and JSON; port 0 takes a free one.",
    )


class SigningSettings(Section):
    """What decisions and checkpoints are signed with."""

    key_folder: Path | None = Field(
        default=None,
        description="Folder of the signing keys, made at the first start; default: beside the embedded store, else "
        "`passport-keys`. Replicas share it.",
    )
    issuer: str = Field(
        default="https://release-passport.invalid",
        description="URI that this service signs as: the verifier's id in verification summaries.",
    )
    verification_summaries: bool = Field(
        default=False,
        description="Whether clean ALLOW decisions come with a SLSA verification summary, which cannot be called back.",
    )


class LimitSettings(Section):
    """How many calls of each class may be in flight; more are refused at once with UNAVAILABLE."""

    decide: int = Field(default=256, ge=1, description="Most Evaluate calls in flight.")
    write: int = Field(default=128, ge=1, description="Most other changing calls in flight.")
    read: int = Field(default=64, ge=1, description="Most reading, testing and simulating calls in flight.")
    stream: int = Field(default=64, ge=1, description="Most streams of evidence and audit entries open.")
    watch: int = Field(default=10_000, ge=1, description="Most streams of decisions open.")
    watch_of_tenant: int = Field(
        default=2000, ge=1, description="Most streams of decisions that one tenant has open."
    )
    watch_of_principal: int = Field(
        default=100, ge=1, description="Most streams of decisions that one principal has open."
    )


class ShutdownSettings(Section):
    """What happens at SIGTERM."""

    grace_seconds: float = Field(
        default=20, ge=0, le=3600, description="Seconds that calls in flight have to finish after SIGTERM."
    )


class LogSettings(Section):
    """JSON lines on stderr, and the transparency log."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is logged."
    )
    origin: Annotated[str, AfterValidator(_origin)] = Field(
        default="",
        description="Name of the transparency logs, each with its tenant behind it; default: the host of "
        "`signing.issuer`. After a restore it must be a new one.",
    )
    anchor_folder: Path | None = Field(
        default=None,
        description="Folder that checkpoints are also kept in, best on another disk; default: beside the signing keys.",
    )


class WorkerSettings(Section):
    """What the server does by itself."""

    enabled: bool = Field(
        default=True, description="Whether this process also does what is due, such as growing the logs."
    )
    at_once: int = Field(default=8, ge=1, le=64, description="Most jobs that run at once in this process.")
    lease_seconds: float = Field(
        default=15,
        ge=1,
        le=3600,
        description="Seconds after which what a dead process did is done by another.",
    )


class Settings(Section):
    """Everything that can be set."""

    store: StoreSettings = Field(default_factory=StoreSettings)
    grpc: GRPCSettings = Field(default_factory=GRPCSettings)
    http: HTTPSettings = Field(default_factory=HTTPSettings)
    authentication: AuthenticationSettings = Field(default_factory=AuthenticationSettings)
    signing: SigningSettings = Field(default_factory=SigningSettings)
    verification: VerificationSettings = Field(default_factory=VerificationSettings)
    registries: RegistrySettings = Field(default_factory=RegistrySettings)
    clusters: ClusterSettings = Field(default_factory=ClusterSettings)
    connectors: ConnectorSettings = Field(default_factory=ConnectorSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    shutdown: ShutdownSettings = Field(default_factory=ShutdownSettings)
    log: LogSettings = Field(default_factory=LogSettings)
    worker: WorkerSettings = Field(default_factory=WorkerSettings)
    webhook: WebhookSettings = Field(default_factory=WebhookSettings)
    notifications: NotificationSettings = Field(default_factory=NotificationSettings)

    @property
    def key_folder(self) -> Path:
        """Return where the signing keys are."""
        if self.signing.key_folder is not None:
            return self.signing.key_folder
        path = self.store.sqlite_path
        return Path("passport-keys") if path is None else path.with_name(f"{path.name}-keys")

    @property
    def anchor_folder(self) -> Path:
        """Return where checkpoints are anchored."""
        if self.log.anchor_folder is not None:
            return self.log.anchor_folder
        path = self.store.sqlite_path
        if self.signing.key_folder is None and path is not None:
            return path.with_name(f"{path.name}-anchor")
        return self.key_folder.with_name("anchor")

    @property
    def log_origin(self) -> str:
        """Return the name of the logs; raise SettingsInvalid where none follows from the issuer."""
        origin = self.log.origin or urlsplit(self.signing.issuer).hostname
        if not origin:
            raise SettingsInvalid("log.origin: set it, because signing.issuer has no host")
        return origin


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it is documented."""

    path: str
    variable: str
    default: str
    description: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """Effective settings, and where each that was set came from."""

    settings: Settings
    origins: Mapping[str, str]


def all_settings() -> Iterator[Setting]:
    """Return every setting in the order of the model."""
    for section, field in Settings.model_fields.items():
        model = cast(type[BaseModel], field.annotation)
        # What a listener shares with the other comes after its own address.
        for name, setting in sorted(model.model_fields.items(), key=lambda item: item[0] != "listen"):
            path = f"{section}.{name}"
            default = "" if setting.default is None else str(setting.default)
            yield Setting(path, variable_of(path), default, setting.description or "")


def variable_of(path: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + path.replace(".", "_").upper()


def inside_kubernetes(environ: Mapping[str, str] | None = None) -> bool:
    """Say whether this process runs in a Kubernetes pod."""
    return "KUBERNETES_SERVICE_HOST" in (os.environ if environ is None else environ)


def load(path: Path | None, environ: Mapping[str, str] | None = None) -> Loaded:
    """Return the settings of a file (YAML or TOML) with `PASSPORT_SERVER_*` on top; raise SettingsInvalid."""
    environ = os.environ if environ is None else environ
    if path is None and environ.get(CONFIG_VARIABLE):
        path = Path(environ[CONFIG_VARIABLE])
    values = _from_file(path) if path is not None else {}
    origins = {
        f"{section}.{name}": str(path)
        for section, names in values.items()
        if isinstance(names, dict)
        for name in names
    }
    for setting, variable, value in _from_environment(environ):
        section, name = setting.split(".")
        if not isinstance(values.setdefault(section, {}), dict):
            raise SettingsInvalid(f"{section}: this is a section; write its settings below it")
        values[section][name] = value
        origins[setting] = variable
    try:
        return Loaded(Settings.model_validate(values), origins)
    except ValidationError as error:
        raise SettingsInvalid("\n".join(_problems(error, origins, path))) from None


def require_protected(settings: Settings, *, insecure_behind_proxy: bool) -> None:
    """Raise SettingsInvalid where a port could be reached from elsewhere in plaintext."""
    if insecure_behind_proxy:
        return
    for name, listener, address in (
        ("grpc", settings.grpc, settings.grpc.listen),
        ("http", settings.http, settings.http.listen),
    ):
        if listener.tls_certificate is None and not is_loopback(address):
            raise SettingsInvalid(
                f"{name}.listen: {address} is reachable from other machines without TLS; set "
                f"{name}.tls_certificate and {name}.tls_key, "
                "listen on 127.0.0.1, or say --insecure-behind-proxy if a proxy ends TLS"
            )


def _from_file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text) if path.suffix == ".toml" else yaml.safe_load(text)
    except OSError as error:
        raise SettingsInvalid(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise SettingsInvalid(f"{path}: {error}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise SettingsInvalid(f"{path}: write sections with settings, such as `store:` with `url:` below it")
    return values


def _from_environment(environ: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    known = {setting.variable: setting.path for setting in all_settings()}
    for variable, value in sorted(environ.items()):
        if not variable.startswith(PREFIX) or variable == CONFIG_VARIABLE:
            continue
        if variable not in known:
            raise SettingsInvalid(f"{variable}: unknown setting{_nearest(variable, known)}")
        yield known[variable], variable, value


def _problems(error: ValidationError, origins: Mapping[str, str], path: Path | None) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_input=False):
        setting = ".".join(str(part) for part in problem["loc"])
        origin = origins.get(setting, str(path) if path else "")
        where = f"{origin}: {setting}" if origin else setting
        if problem["type"] == "extra_forbidden":
            known = [known.path for known in all_settings()] + list(Settings.model_fields)
            yield f"{where}: unknown setting{_nearest(setting, known)}"
        elif problem["type"] in {"model_type", "model_attributes_type"}:
            yield f"{where}: this is a section; write its settings below it"
        else:
            yield f"{where}: {problem['msg'].removeprefix('Value error, ')}"


def _nearest(name: str, known: Any) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else "; `passport-server check-config` lists all"
