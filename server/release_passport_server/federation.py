"""Make what verifies the word of others from what is configured of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from release_passport_server.adapters.http.client import GuardedClients
from release_passport_server.adapters.oidc.issuer import Issuer, Review
from release_passport_server.adapters.oidc.verifier import IssuedTokens
from release_passport_server.adapters.system.clock import SystemClock
from release_passport_server.adapters.x509.reader import ClientCertificates
from release_passport_server.config import Settings, SettingsInvalid
from release_passport_server.domain.identity import Admission, Kind, Source
from release_passport_server.identity_settings import (
    CertificatesEntry,
    IdentitiesFile,
    IdentitiesInvalid,
    IssuerEntry,
    load_identities,
)
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.http import HTTPClients
from release_passport_server.services.authenticate import Vouchers


@dataclass(frozen=True, slots=True)
class _Preset:
    """What holds of an issuer of a kind unless its entry says otherwise."""

    kind: Kind
    name: str
    issuer: str = ""
    algorithms: tuple[str, ...] = ("RS256",)
    groups: str = ""
    identities: tuple[str, ...] = ()
    only_audience: bool = True
    require: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Everybody in the world can have a token of this issuer: one of these claims has to say whose counts.
    pinned: tuple[str, ...] = ()


_PRESETS: Mapping[str, _Preset] = {
    # Ids, because names of repositories can be given up and taken by somebody else.
    # https://docs.github.com/en/actions/reference/security/oidc
    "github-actions": _Preset(
        Kind.SERVICE_ACCOUNT,
        "{repository_id}",
        "https://token.actions.githubusercontent.com",
        identities=("actor",),
        pinned=("repository_id", "repository_owner_id", "enterprise_id"),
    ),
    # https://docs.gitlab.com/ci/secrets/id_token_authentication/
    "gitlab-ci": _Preset(
        Kind.SERVICE_ACCOUNT,
        "{project_id}",
        "https://gitlab.com",
        identities=("user_login", "user_email"),
        pinned=("project_id", "namespace_id"),
    ),
    # https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
    "kubernetes": _Preset(
        Kind.SERVICE_ACCOUNT,
        "{kubernetes.io/namespace}/{kubernetes.io/serviceaccount/name}",
        require={"sub": ("system:serviceaccount:*",)},
    ),
    "people": _Preset(
        Kind.PERSON, "{sub}", groups="groups", identities=("email", "preferred_username"), only_audience=False
    ),
}
_CERTIFICATES = _Preset(Kind.SERVICE_ACCOUNT, "{spiffe}")
_FREE = _Preset(Kind.SERVICE_ACCOUNT, "")


def vouchers(settings: Settings, clients: HTTPClients, clock: Clock) -> Vouchers:
    """Return those whose word counts by the settings; raise SettingsInvalid."""
    if settings.authentication.file is None:
        return Vouchers()
    try:
        file = load_identities(settings.authentication.file)
    except IdentitiesInvalid as error:
        raise SettingsInvalid(f"authentication.file: {error}") from error
    if file.certificates is not None and not (settings.grpc.tls_client_ca or settings.http.tls_client_ca):
        raise SettingsInvalid(
            "authentication.file: certificates: nobody is asked for one; set grpc.tls_client_ca or http.tls_client_ca"
        )
    return vouchers_of(file, clients, clock)


def check(settings: Settings) -> None:
    """Raise SettingsInvalid where the file of those whose word counts cannot be used."""
    vouchers(settings, GuardedClients("check"), SystemClock())


def vouchers_of(file: IdentitiesFile, clients: HTTPClients, clock: Clock) -> Vouchers:
    """Return those whose word counts by a file; raise SettingsInvalid where anybody could come in."""
    issuers = tuple(_issuer(entry) for entry in file.issuers)
    certificates = None
    if file.certificates is not None:
        certificates = ClientCertificates(_source(file.certificates, _CERTIFICATES), clock)
    return Vouchers(IssuedTokens(issuers, clients, clock) if issuers else None, certificates)


def _issuer(entry: IssuerEntry) -> Issuer:
    preset = _PRESETS[entry.preset] if entry.preset is not None else _FREE
    source = _source(entry, preset)
    url = entry.issuer or preset.issuer
    # Who runs an issuer of their own says by that whose tokens it gives.
    if preset.pinned and url == preset.issuer:
        _require_pinned(source, preset.pinned)
    only = preset.only_audience if entry.only_audience is None else entry.only_audience
    review = entry.token_review
    return Issuer(
        url,
        entry.audience,
        entry.algorithms or preset.algorithms,
        source,
        entry.keys_url,
        only,
        timedelta(seconds=entry.leeway_seconds),
        timedelta(hours=entry.longest_life_hours),
        entry.internal,
        entry.ca_file,
        entry.credential_file,
        None if review is None else Review(review.url, review.token_file),
    )


def _source(entry: IssuerEntry | CertificatesEntry, preset: _Preset) -> Source:
    admissions = tuple(Admission(one.tenant, one.when, one.principal) for one in entry.admit)
    return Source(
        entry.alias,
        entry.kind or preset.kind,
        entry.name or preset.name,
        admissions,
        {**preset.require, **entry.require},
        preset.groups if entry.groups is None else entry.groups,
        preset.identities if entry.identities is None else entry.identities,
    )


def _require_pinned(source: Source, pinned: tuple[str, ...]) -> None:
    for admission in source.admissions:
        said = {**source.require, **admission.when}
        if not any(
            name in said and all("*" not in one and "?" not in one for one in said[name]) for name in pinned
        ):
            raise SettingsInvalid(
                f"authentication.file: {source.alias}: anybody can get a token of this issuer: give {pinned[0]} or "
                f"{pinned[1]} exactly, below `require` or below `when` of each entry of `admit`"
            )
