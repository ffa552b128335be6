"""CatalogService: convert, call, convert."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport.v1 import catalog_service_pb2 as pb
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.services.catalog import Environments, Services
from release_passport_server.services.observe_only import ObserveOnlyBindings
from release_passport_server.transport.grpc.handlers.asking import ask_of
from release_passport_server.wire import catalog as wire
from release_passport_server.wire.paging import next_token, page_from_request


@dataclass(frozen=True, slots=True)
class CatalogHandlers:
    """Registers services and environments, and makes observe-only bindings."""

    services: Services
    environments: Environments
    bindings: ObserveOnlyBindings

    async def CreateService(
        self, principal: Principal, request: pb.CreateServiceRequest
    ) -> pb.CreateServiceResponse:
        """Register a new service."""
        same_tenant(principal, request.tenant)
        service = wire.service_to_create(request.service)
        written = await self.services.create(ask_of(principal, "CreateService", request), service)
        shown = wire.service_to_proto(principal.tenant, written.value)
        return pb.CreateServiceResponse(service=shown, revision=written.revision)

    async def GetService(self, principal: Principal, request: pb.GetServiceRequest) -> pb.GetServiceResponse:
        """Return one service."""
        service = await self.services.get(principal, wire.service_id_of(principal, request.name))
        return pb.GetServiceResponse(service=wire.service_to_proto(principal.tenant, service))

    async def ListServices(
        self, principal: Principal, request: pb.ListServicesRequest
    ) -> pb.ListServicesResponse:
        """List services by name."""
        same_tenant(principal, request.tenant)
        page = page_from_request(principal, "ListServices", request)
        listed = await self.services.list(principal, page)
        return pb.ListServicesResponse(
            services=[wire.service_to_proto(principal.tenant, service) for service in listed.items],
            next_page_token=next_token(principal, "ListServices", request, listed.next_after),
        )

    async def UpdateService(
        self, principal: Principal, request: pb.UpdateServiceRequest
    ) -> pb.UpdateServiceResponse:
        """Replace a service."""
        service, etag = wire.service_to_update(principal, request.service)
        written = await self.services.update(ask_of(principal, "UpdateService", request), service, etag)
        shown = wire.service_to_proto(principal.tenant, written.value)
        return pb.UpdateServiceResponse(service=shown, revision=written.revision)

    async def CreateEnvironment(
        self, principal: Principal, request: pb.CreateEnvironmentRequest
    ) -> pb.CreateEnvironmentResponse:
        """Register a new environment."""
        same_tenant(principal, request.tenant)
        environment = wire.environment_to_create(request.environment)
        ask = ask_of(principal, "CreateEnvironment", request)
        written = await self.environments.create(ask, environment)
        shown = wire.environment_to_proto(principal.tenant, written.value)
        return pb.CreateEnvironmentResponse(environment=shown, revision=written.revision)

    async def GetEnvironment(
        self, principal: Principal, request: pb.GetEnvironmentRequest
    ) -> pb.GetEnvironmentResponse:
        """Return one environment."""
        environment_id = wire.environment_id_of(principal, request.name)
        environment = await self.environments.get(principal, environment_id)
        return pb.GetEnvironmentResponse(environment=wire.environment_to_proto(principal.tenant, environment))

    async def ListEnvironments(
        self, principal: Principal, request: pb.ListEnvironmentsRequest
    ) -> pb.ListEnvironmentsResponse:
        """List environments by name."""
        same_tenant(principal, request.tenant)
        page = page_from_request(principal, "ListEnvironments", request)
        listed = await self.environments.list(principal, page)
        return pb.ListEnvironmentsResponse(
            environments=[wire.environment_to_proto(principal.tenant, one) for one in listed.items],
            next_page_token=next_token(principal, "ListEnvironments", request, listed.next_after),
        )

    async def UpdateEnvironment(
        self, principal: Principal, request: pb.UpdateEnvironmentRequest
    ) -> pb.UpdateEnvironmentResponse:
        """Replace an environment."""
        environment, etag = wire.environment_to_update(principal, request.environment)
        ask = ask_of(principal, "UpdateEnvironment", request)
        written = await self.environments.update(ask, environment, etag)
        shown = wire.environment_to_proto(principal.tenant, written.value)
        return pb.UpdateEnvironmentResponse(environment=shown, revision=written.revision)

    async def CreateObserveOnlyBinding(
        self, principal: Principal, request: pb.CreateObserveOnlyBindingRequest
    ) -> pb.CreateObserveOnlyBindingResponse:
        """Let a service go ahead in an environment while nothing is enforced there."""
        same_tenant(principal, request.tenant)
        binding = wire.binding_to_create(request.binding)
        ask = ask_of(principal, "CreateObserveOnlyBinding", request)
        written = await self.bindings.create(ask, binding)
        shown = wire.binding_to_proto(principal.tenant, written.value)
        return pb.CreateObserveOnlyBindingResponse(binding=shown, revision=written.revision)

    async def ListObserveOnlyBindings(
        self, principal: Principal, request: pb.ListObserveOnlyBindingsRequest
    ) -> pb.ListObserveOnlyBindingsResponse:
        """List bindings, newest first."""
        same_tenant(principal, request.tenant)
        page = page_from_request(principal, "ListObserveOnlyBindings", request)
        listed = await self.bindings.list(principal, page)
        return pb.ListObserveOnlyBindingsResponse(
            bindings=[wire.binding_to_proto(principal.tenant, one) for one in listed.items],
            next_page_token=next_token(principal, "ListObserveOnlyBindings", request, listed.next_after),
        )

    async def EndObserveOnlyBinding(
        self, principal: Principal, request: pb.EndObserveOnlyBindingRequest
    ) -> pb.EndObserveOnlyBindingResponse:
        """End a binding now."""
        name = wire.observe_only_name(principal, request.name)
        written = await self.bindings.end(ask_of(principal, "EndObserveOnlyBinding", request), name)
        shown = wire.binding_to_proto(principal.tenant, written.value)
        return pb.EndObserveOnlyBindingResponse(binding=shown, revision=written.revision)
