"""Services, environments and observe-only bindings, as messages and as the domain's values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from release_passport.v1 import catalog_pb2
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.domain.catalog import Environment, ObserveOnlyBinding, Service
from release_passport_server.domain.errors import Violation
from release_passport_server.domain.etags import environment_etag, service_etag
from release_passport_server.domain.ids import EnvironmentName, ObserveOnlyBindingName, ServiceName
from release_passport_server.wire.facts import time_problem
from release_passport_server.wire.fields import (
    MAX_TITLE,
    etag_violations,
    id_in_name,
    label_violations,
    refuse,
    slug_violations,
    text_violations,
)
from release_passport_server.wire.times import moment, timestamp

MAX_OWNER = 256
MAX_REASON = 4096
MIN_REASON = 20
MAX_PLATFORMS = 16
MAX_SIGNERS = 16
MAX_KEY_BYTES = 8192
MAX_REQUIRED = 32

# Times that the server sets are not read from a request.
_UNSET = datetime.min.replace(tzinfo=UTC)
_PLATFORM = re.compile(r"[a-z0-9]{1,32}/[a-z0-9]{1,32}(/[a-z0-9.]{1,32})?")


def service_to_create(given: catalog_pb2.Service) -> Service:
    """Return the service that a request registers; raise Invalid."""
    refuse([*slug_violations(given.service_id, "service.service_id"), *_service_violations(given)])
    return _service(given, given.service_id)


def service_to_update(principal: Principal, given: catalog_pb2.Service) -> tuple[Service, str]:
    """Return the new state of a service and the etag that was sent; raise Invalid or NotFound."""
    name = ServiceName.parse(given.name, field="service.name")
    same_tenant(principal, name.tenant)
    violations = [
        *id_in_name(given.service_id, name.service, "service.service_id"),
        *etag_violations(given.etag, "service.etag"),
        *_service_violations(given),
    ]
    refuse(violations)
    return _service(given, name.service), given.etag


def environment_to_create(given: catalog_pb2.Environment) -> Environment:
    """Return the environment that a request registers; raise Invalid."""
    id_violations = slug_violations(given.environment_id, "environment.environment_id")
    refuse([*id_violations, *_environment_violations(given)])
    return _environment(given, given.environment_id)


def environment_to_update(principal: Principal, given: catalog_pb2.Environment) -> tuple[Environment, str]:
    """Return the new state of an environment and the etag that was sent; raise Invalid or NotFound."""
    name = EnvironmentName.parse(given.name, field="environment.name")
    same_tenant(principal, name.tenant)
    violations = [
        *id_in_name(given.environment_id, name.environment, "environment.environment_id"),
        *etag_violations(given.etag, "environment.etag"),
        *_environment_violations(given),
    ]
    refuse(violations)
    return _environment(given, name.environment), given.etag


def binding_to_create(given: catalog_pb2.ObserveOnlyBinding) -> ObserveOnlyBinding:
    """Return the observe-only binding that a request asks for; raise Invalid."""
    refuse(list(_binding_violations(given)))
    return ObserveOnlyBinding(
        binding_id="",
        service=given.service,
        environment=given.environment,
        owner=given.owner,
        reason=given.reason,
        expire_time=moment(given.expire_time),
        creator="",
        create_time=_UNSET,
    )


def service_id_of(principal: Principal, name: str) -> str:
    """Return the id in a service's name in the caller's tenant; raise Invalid or NotFound."""
    parsed = ServiceName.parse(name)
    same_tenant(principal, parsed.tenant)
    return parsed.service


def environment_id_of(principal: Principal, name: str) -> str:
    """Return the id in an environment's name in the caller's tenant; raise Invalid or NotFound."""
    parsed = EnvironmentName.parse(name)
    same_tenant(principal, parsed.tenant)
    return parsed.environment


def observe_only_name(principal: Principal, name: str) -> ObserveOnlyBindingName:
    """Return a binding's name in the caller's tenant; raise Invalid or NotFound."""
    parsed = ObserveOnlyBindingName.parse(name)
    same_tenant(principal, parsed.tenant)
    return parsed


def service_to_proto(tenant: str, service: Service) -> catalog_pb2.Service:
    """Return the resource that shows a service."""
    return catalog_pb2.Service(
        name=str(ServiceName(tenant, service.service_id)),
        service_id=service.service_id,
        title=service.title,
        labels=service.labels or {},
        owner=service.owner,
        platforms=service.platforms,
        signers=service.signers,
        etag=service_etag(service),
        create_time=timestamp(service.create_time),
        update_time=timestamp(service.update_time),
    )


def environment_to_proto(tenant: str, environment: Environment) -> catalog_pb2.Environment:
    """Return the resource that shows an environment."""
    return catalog_pb2.Environment(
        name=str(EnvironmentName(tenant, environment.environment_id)),
        environment_id=environment.environment_id,
        title=environment.title,
        labels=environment.labels or {},
        required_policies=environment.required_policies,
        progressive=environment.progressive,
        etag=environment_etag(environment),
        create_time=timestamp(environment.create_time),
        update_time=timestamp(environment.update_time),
    )


def binding_to_proto(tenant: str, binding: ObserveOnlyBinding) -> catalog_pb2.ObserveOnlyBinding:
    """Return the resource that shows an observe-only binding."""
    name = ObserveOnlyBindingName(tenant, binding.service, binding.environment, binding.binding_id)
    return catalog_pb2.ObserveOnlyBinding(
        name=str(name),
        service=binding.service,
        environment=binding.environment,
        owner=binding.owner,
        reason=binding.reason,
        expire_time=timestamp(binding.expire_time),
        creator=binding.creator,
        create_time=timestamp(binding.create_time),
        end_time=None if binding.end_time is None else timestamp(binding.end_time),
    )


def _service(given: catalog_pb2.Service, service_id: str) -> Service:
    return Service(
        service_id=service_id,
        create_time=_UNSET,
        update_time=_UNSET,
        title=given.title,
        owner=given.owner,
        labels=dict(given.labels),
        platforms=tuple(given.platforms),
        signers=tuple(given.signers),
    )


def _environment(given: catalog_pb2.Environment, environment_id: str) -> Environment:
    return Environment(
        environment_id=environment_id,
        create_time=_UNSET,
        update_time=_UNSET,
        title=given.title,
        labels=dict(given.labels),
        required_policies=tuple(given.required_policies),
        progressive=given.progressive,
    )


def _service_violations(given: catalog_pb2.Service) -> Iterator[Violation]:
    yield from text_violations(given.title, "service.title", most=MAX_TITLE)
    yield from text_violations(given.owner, "service.owner", most=MAX_OWNER)
    yield from label_violations(given.labels, "service.labels")
    if len(given.platforms) > MAX_PLATFORMS:
        yield Violation("service.platforms", f"must have at most {MAX_PLATFORMS} platforms")
    for index, platform in enumerate(given.platforms[:MAX_PLATFORMS]):
        if not _PLATFORM.fullmatch(platform) or platform in given.platforms[:index]:
            yield Violation(f"service.platforms[{index}]", "must be such as linux/amd64, and each only once")
    if len(given.signers) > MAX_SIGNERS:
        yield Violation("service.signers", f"must have at most {MAX_SIGNERS} signers")
    for index, signer in enumerate(given.signers[:MAX_SIGNERS]):
        yield from text_violations(signer, f"service.signers[{index}]", most=MAX_KEY_BYTES, least=1)


def _environment_violations(given: catalog_pb2.Environment) -> Iterator[Violation]:
    yield from text_violations(given.title, "environment.title", most=MAX_TITLE)
    yield from label_violations(given.labels, "environment.labels")
    if len(given.required_policies) > MAX_REQUIRED:
        yield Violation("environment.required_policies", f"must name at most {MAX_REQUIRED} policies")
    for index, policy in enumerate(given.required_policies[:MAX_REQUIRED]):
        place = f"environment.required_policies[{index}]"
        yield from slug_violations(policy, place)
        if policy in given.required_policies[:index]:
            yield Violation(place, "is there twice")


def _binding_violations(given: catalog_pb2.ObserveOnlyBinding) -> Iterator[Violation]:
    yield from slug_violations(given.service, "binding.service")
    yield from slug_violations(given.environment, "binding.environment")
    yield from text_violations(given.owner, "binding.owner", most=MAX_OWNER, least=1)
    yield from text_violations(given.reason, "binding.reason", most=MAX_REASON, least=MIN_REASON)
    if not given.HasField("expire_time"):
        yield Violation("binding.expire_time", "is required: when it ends, at most 90 days ahead")
    elif (problem := time_problem(given.expire_time)) is not None:
        yield Violation("binding.expire_time", problem)
