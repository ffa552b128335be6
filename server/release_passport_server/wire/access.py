"""Role bindings, API tokens and tenants, as messages and as the domain's values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from release_passport.v1 import access_pb2, tenant_pb2
from release_passport_server.domain.access import (
    PRINCIPAL_RULE,
    Principal,
    is_group,
    is_local_principal,
    is_principal,
    same_tenant,
)
from release_passport_server.domain.catalog import APIToken, Ban, RoleBinding, Tenant
from release_passport_server.domain.errors import Violation
from release_passport_server.domain.glob import is_exact
from release_passport_server.domain.ids import APITokenName, BanName, RoleBindingName, TenantName, is_slug
from release_passport_server.domain.kind import UnknownKind, kind_named
from release_passport_server.wire.facts import time_problem
from release_passport_server.wire.fields import (
    MAX_TITLE,
    glob_violations,
    refuse,
    slug_violations,
    text_violations,
)
from release_passport_server.wire.times import moment, timestamp

MAX_BINDINGS = 20
MAX_KINDS = 64
MAX_REASON = 1000

_UNSET = datetime.min.replace(tzinfo=UTC)
_CREDENTIAL = re.compile(r"[\x21-\x7e]{0,200}")
_KIND_GLOB = re.compile(r"[a-z0-9_:/.*?-]{1,256}")


def binding_to_create(given: access_pb2.RoleBinding) -> RoleBinding:
    """Return the role binding that a request asks for; raise Invalid."""
    refuse(list(_binding_violations(given, "role_binding")))
    return _binding(given, given.principal)


def token_to_create(
    given: access_pb2.APIToken, bindings: Sequence[access_pb2.RoleBinding]
) -> tuple[str, str, datetime | None, tuple[RoleBinding, ...]]:
    """Return principal, title, end if any, and roles of the token that a request asks for; raise Invalid.

    The roles are the token's principal's: their own field may be left out.
    """
    violations = [
        *text_violations(given.title, "api_token.title", most=MAX_TITLE),
        *_own_principal_violations(given.principal, "api_token.principal"),
    ]
    if given.HasField("expire_time") and (problem := time_problem(given.expire_time)) is not None:
        violations.append(Violation("api_token.expire_time", problem))
    if len(bindings) > MAX_BINDINGS:
        violations.append(Violation("role_bindings", f"must hold at most {MAX_BINDINGS} bindings"))
    for index, binding in enumerate(bindings[:MAX_BINDINGS]):
        violations.extend(_own_binding_violations(binding, f"role_bindings[{index}]", given.principal))
    refuse(violations)
    expire_time = moment(given.expire_time) if given.HasField("expire_time") else None
    roles = tuple(_binding(binding, given.principal) for binding in bindings)
    return given.principal, given.title, expire_time, roles


def ban_to_create(given: access_pb2.Ban) -> Ban:
    """Return the ban that a request asks for; raise Invalid."""
    violations = [
        *(() if is_principal(given.principal) else [Violation("ban.principal", PRINCIPAL_RULE)]),
        *text_violations(given.reason, "ban.reason", least=10, most=MAX_REASON),
    ]
    if not _CREDENTIAL.fullmatch(given.credential):
        violations.append(Violation("ban.credential", "must be up to 200 visible ASCII characters"))
    refuse(violations)
    return Ban("", given.principal, given.credential, given.reason, _UNSET, "")


def ban_id_of(principal: Principal, name: str) -> str:
    """Return the id in a ban's name in the caller's tenant; raise Invalid or NotFound."""
    parsed = BanName.parse(name)
    same_tenant(principal, parsed.tenant)
    return parsed.ban_id


def ban_to_proto(tenant: str, ban: Ban) -> access_pb2.Ban:
    """Return the resource that shows a ban."""
    return access_pb2.Ban(
        name=str(BanName(tenant, ban.ban_id)),
        principal=ban.principal,
        credential=ban.credential,
        reason=ban.reason,
        create_time=timestamp(ban.create_time),
        creator=ban.creator,
        end_time=None if ban.end_time is None else timestamp(ban.end_time),
    )


def tenant_to_create(given: tenant_pb2.Tenant) -> tuple[str, str]:
    """Return the id and title of the tenant that a request makes; raise Invalid."""
    title = text_violations(given.title, "tenant.title", most=MAX_TITLE)
    refuse([*slug_violations(given.tenant_id, "tenant.tenant_id"), *title])
    return given.tenant_id, given.title


def tenant_to_update(given: tenant_pb2.Tenant) -> tuple[str, str, bool]:
    """Return the id, the title and whether two people weaken policies; raise Invalid."""
    name = TenantName.parse(given.name, field="tenant.name")
    refuse(list(text_violations(given.title, "tenant.title", most=MAX_TITLE)))
    return name.tenant, given.title, given.second_person


def principal_or_empty(value: str, field: str) -> str:
    """Return a principal's id to filter by, or nothing; raise Invalid."""
    if value:
        refuse(list(_principal_violations(value, field)))
    return value


def binding_id_of(principal: Principal, name: str) -> str:
    """Return the id in a role binding's name in the caller's tenant; raise Invalid or NotFound."""
    parsed = RoleBindingName.parse(name)
    same_tenant(principal, parsed.tenant)
    return parsed.binding_id


def token_id_of(principal: Principal, name: str) -> str:
    """Return the id in a token's name in the caller's tenant; raise Invalid or NotFound."""
    parsed = APITokenName.parse(name)
    same_tenant(principal, parsed.tenant)
    return parsed.token_id


def binding_to_proto(tenant: str, binding: RoleBinding) -> access_pb2.RoleBinding:
    """Return the resource that shows a role binding."""
    return access_pb2.RoleBinding(
        name=str(RoleBindingName(tenant, binding.binding_id)),
        principal=binding.principal,
        role=binding.role,
        services=binding.services,
        environments=binding.environments,
        evidence_kinds=binding.evidence_kinds,
        create_time=timestamp(binding.create_time),
        creator=binding.creator,
    )


def token_to_proto(tenant: str, token: APIToken) -> access_pb2.APIToken:
    """Return the resource that shows a token; it has nothing of the secret."""
    return access_pb2.APIToken(
        name=str(APITokenName(tenant, token.token_id)),
        title=token.title,
        principal=token.principal,
        expire_time=timestamp(token.expire_time),
        create_time=timestamp(token.create_time),
        revoke_time=None if token.revoke_time is None else timestamp(token.revoke_time),
        creator=token.creator,
    )


def tenant_to_proto(tenant: Tenant) -> tenant_pb2.Tenant:
    """Return the resource that shows a tenant."""
    suspended = tenant_pb2.TENANT_STATE_SUSPENDED
    return tenant_pb2.Tenant(
        name=str(TenantName(tenant.tenant_id)),
        tenant_id=tenant.tenant_id,
        title=tenant.title,
        state=suspended if tenant.suspended else tenant_pb2.TENANT_STATE_ACTIVE,
        create_time=timestamp(tenant.create_time),
        second_person=tenant.second_person,
    )


def _binding(given: access_pb2.RoleBinding, principal: str) -> RoleBinding:
    return RoleBinding(
        binding_id="",
        principal=principal,
        role=given.role,
        create_time=_UNSET,
        creator="",
        services=tuple(given.services),
        environments=tuple(given.environments),
        evidence_kinds=tuple(given.evidence_kinds),
    )


def _own_binding_violations(given: access_pb2.RoleBinding, path: str, principal: str) -> Iterator[Violation]:
    if given.principal and given.principal != principal:
        yield Violation(f"{path}.principal", "must be the token's principal, or be left out")
    yield from _scope_violations(given, path)


def _binding_violations(given: access_pb2.RoleBinding, path: str) -> Iterator[Violation]:
    yield from _principal_violations(given.principal, f"{path}.principal")
    yield from _scope_violations(given, path)


def _scope_violations(given: access_pb2.RoleBinding, path: str) -> Iterator[Violation]:
    if not is_slug(given.role):
        yield Violation(f"{path}.role", "must be the name of a role, such as viewer or ci")
    yield from glob_violations(given.services, f"{path}.services")
    yield from glob_violations(given.environments, f"{path}.environments")
    if len(given.evidence_kinds) > MAX_KINDS:
        yield Violation(f"{path}.evidence_kinds", f"must name at most {MAX_KINDS} kinds")
    for index, kind in enumerate(given.evidence_kinds[:MAX_KINDS]):
        if (problem := _kind_problem(kind)) is not None:
            yield Violation(f"{path}.evidence_kinds[{index}]", problem)


def _kind_problem(kind: str) -> str | None:
    if not _KIND_GLOB.fullmatch(kind):
        return "must be an evidence kind, or a glob over kinds such as custom:acme.example/*"
    if not is_exact(kind):
        return None
    try:
        kind_named(kind)
    except UnknownKind as error:
        return str(error)
    return None


def _principal_violations(value: str, path: str) -> Iterator[Violation]:
    if not is_principal(value) and not is_group(value):
        yield Violation(path, f"{PRINCIPAL_RULE}; group:{{alias}}/{{name}} is a group by an issuer")


def _own_principal_violations(value: str, path: str) -> Iterator[Violation]:
    if not is_local_principal(value):
        text = (
            "must be sa:{id} for a service account, connector:{id} for a connector or user:{id} for a person; "
            "whom an issuer vouches for has no API tokens"
        )
        yield Violation(path, text)
