"""Settings of who is let in by the word of others, and the file that says it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from release_passport_server.adapters.oidc.issuer import ALGORITHMS
from release_passport_server.domain.access import PRINCIPAL_RULE, is_principal
from release_passport_server.domain.identity import Kind, placeholders
from release_passport_server.domain.outbound import Origin, OriginInvalid
from release_passport_server.evidence_settings import Section

MAX_FILE = 256 * 1024

Slug = Annotated[str, Field(pattern="^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]


class IdentitiesInvalid(ValueError):
    """The file is wrong; each line of the text names one entry and what to do."""


class AuthenticationSettings(Section):
    """Who is let in besides the holders of API tokens."""

    file: Path | None = Field(
        default=None,
        description="File with the issuers of tokens and the client certificates that are let in; read once at start.",
    )


def _texts(value: Any) -> Any:
    """Take one value for a list of one, and numbers and truths for their texts: YAML reads an id as a number."""
    values = value if isinstance(value, list) else [value]
    return [str(one).lower() if isinstance(one, int) else one for one in values]


Values = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=400)], ...],
    Field(min_length=1, max_length=200),
    BeforeValidator(_texts),
]
ClaimRules = dict[Annotated[str, Field(min_length=1, max_length=200)], Values]


class AdmissionEntry(Section):
    """Whom a source's word lets into a tenant."""

    tenant: Slug
    when: ClaimRules = Field(default_factory=dict)
    principal: str = ""

    @model_validator(mode="after")
    def _exact(self) -> Self:
        if self.principal and not is_principal(self.principal):
            raise ValueError(f"principal {PRINCIPAL_RULE}")
        return self


class _SourceEntry(Section):
    alias: Slug
    admit: Annotated[tuple[AdmissionEntry, ...], Field(min_length=1, max_length=1000)]
    require: ClaimRules = Field(default_factory=dict)
    kind: Kind | None = None
    name: str = ""
    groups: str | None = None
    identities: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.name and not placeholders(self.name):
            raise ValueError("name needs a claim in braces, such as {sub}: else all callers would be one")
        return self


class ReviewEntry(Section):
    """Where a Kubernetes API server is asked whether a token still counts."""

    url: str
    token_file: Path


class IssuerEntry(_SourceEntry):
    """An issuer of tokens."""

    preset: Literal["github-actions", "gitlab-ci", "kubernetes", "people"] | None = None
    issuer: str = ""
    audience: Annotated[str, Field(min_length=1, max_length=400)]
    algorithms: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    keys_url: str = ""
    only_audience: bool | None = None
    leeway_seconds: float = Field(default=60, ge=0, le=120)
    longest_life_hours: float = Field(default=24, gt=0, le=24 * 31)
    internal: bool = False
    ca_file: Path | None = None
    credential_file: Path | None = None
    token_review: ReviewEntry | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        unknown = sorted(set(self.algorithms or ()) - ALGORITHMS)
        if unknown:
            raise ValueError(
                f"algorithms: {', '.join(unknown)} cannot be trusted; use {', '.join(sorted(ALGORITHMS))}"
            )
        if not (self.issuer or self.preset in {"github-actions", "gitlab-ci"}):
            raise ValueError("issuer is missing: the value of the claim `iss`, a URL")
        if self.preset is None and not (self.kind and self.name):
            raise ValueError("an issuer without preset needs kind and name")
        for url in (self.issuer, self.keys_url, self.token_review.url if self.token_review else ""):
            if url:
                _require_url(url)
        return self


class CertificatesEntry(_SourceEntry):
    """The client certificates of the authorities that the listeners are configured with."""


class IdentitiesFile(Section):
    """The whole file."""

    issuers: Annotated[tuple[IssuerEntry, ...], Field(max_length=100)] = ()
    certificates: CertificatesEntry | None = None

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        aliases = [one.alias for one in self.issuers]
        if self.certificates is not None:
            aliases.append(self.certificates.alias)
        for alias in aliases:
            if aliases.count(alias) > 1:
                raise ValueError(
                    f"the alias {alias} is there twice: principals of the two could not be told apart"
                )
        return self


def load_identities(path: Path) -> IdentitiesFile:
    """Return what the file says; raise IdentitiesInvalid."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_FILE + 1)
        if len(raw) > MAX_FILE:
            raise IdentitiesInvalid(f"{path}: is larger than {MAX_FILE} bytes")
        values = yaml.safe_load(raw)
        return IdentitiesFile.model_validate(values)
    except OSError as error:
        raise IdentitiesInvalid(f"{path}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise IdentitiesInvalid("\n".join(_problems(error, path))) from None
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise (
            error if isinstance(error, IdentitiesInvalid) else IdentitiesInvalid(f"{path}: {error}")
        ) from error


def _problems(error: ValidationError, path: Path) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_input=False):
        place = ".".join(str(part) for part in problem["loc"])
        yield f"{path}: {place}: {problem['msg'].removeprefix('Value error, ')}"


def _require_url(url: str) -> None:
    try:
        origin = Origin.of(url)
    except OriginInvalid as error:
        raise ValueError(f"the URL {url} {error}") from error
    if origin.scheme != "https" and origin.host not in {"127.0.0.1", "::1", "localhost"}:
        raise ValueError(f"{url}: keys that come without TLS are anybody's; write https://")
    if urlsplit(url).query or urlsplit(url).fragment:
        raise ValueError(f"{url}: write it without ? and #")
