"""Settings of signed evidence: how it is verified, and where it is read from."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Section(BaseModel):
    """A part of the settings; nothing that it does not know is taken."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class VerificationSettings(Section):
    """How signed evidence is verified."""

    processes: int = Field(
        default=2,
        ge=1,
        le=64,
        description="Most processes that verify Sigstore bundles; none while there are none.",
    )
    memory_megabytes: int = Field(
        default=768, ge=256, le=65536, description="Most memory that each of them may use."
    )
    timeout_seconds: float = Field(default=5, ge=0.5, le=60, description="Seconds that one bundle may take.")
    trusted_root: Path | None = Field(
        default=None,
        description="File with the Sigstore trusted root of tenants that have configured none.",
    )
    trusted_root_sha256: str = Field(
        default="",
        pattern="^sha256:[0-9a-f]{64}$",
        description="Its SHA-256, `sha256:` and 64 hexadecimal digits, from a second source.",
    )

    @model_validator(mode="after")
    def _complete(self) -> VerificationSettings:
        if (self.trusted_root is None) != (not self.trusted_root_sha256):
            raise ValueError("trusted_root and trusted_root_sha256 are set together or not at all")
        return self


class RegistrySettings(Section):
    """Which image registries are read for attestations; none but these."""

    hosts: str = Field(
        default="",
        description="Registries that may be read, separated by commas, such as `ghcr.io, registry.example:5000`; "
        "`http://` before one speaks without TLS.",
    )
    plain_http: bool = Field(
        default=False,
        description="Whether `http://` is also taken for other hosts than this machine itself.",
    )
    internal_hosts: str = Field(
        default="",
        description="Those of the hosts whose names may lead to private addresses, separated by commas.",
    )
    token_servers: str = Field(
        default="",
        description="Where registries send their readers for a token, if elsewhere, such as "
        "`registry.gitlab.com=gitlab.com`, separated by commas.",
    )
    credentials_file: Path | None = Field(
        default=None,
        description="File with credentials as `docker login` writes them (`config.json`); read once at start.",
    )
    ca_file: Path | None = Field(
        default=None,
        description="PEM file with the authorities of their certificates; default: the system's.",
    )
    timeout_seconds: float = Field(
        default=15, ge=1, le=50, description="Seconds that one image's attestations may take to be read."
    )


class ClusterSettings(Section):
    """Which Kubernetes clusters are read at gates; none but these."""

    folder: Path | None = Field(
        default=None,
        description="Folder with one folder for each cluster, named by its id, with `server` (the API server's URL), "
        "`token`, `ca.crt` and, where not every tenant may use it, `tenants`.",
    )


class ConnectorSettings(Section):
    """How far the connectors go that tenants make, and with which credentials."""

    credentials_folder: Path | None = Field(
        default=None,
        description="Folder with one folder for each tenant and in it one for each credential, named by its id, with "
        "`origins` (the addresses that it may be sent to, one a line), `token` or `username` and `password`, and "
        "`ca.crt` where the system's authorities are not the source's.",
    )
    internal_origins: str = Field(
        default="",
        pattern="^[\\x20-\\x7e]{0,4000}$",
        description="Origins with commas between, such as `http://prometheus.internal.example:9090`, that connectors "
        "may name although they are at private addresses, or without TLS.",
    )
    timeout_seconds: float = Field(
        default=10, gt=0, le=15, description="Seconds that one answer of a source may take."
    )
    at_once: int = Field(
        default=32, ge=1, le=1000, description="Most connectors that this process reads at once."
    )
