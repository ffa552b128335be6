"""Fill a new store with a year of releases, evidence and decisions, so that a server on it can be measured.

Run: `python tests/perf/fill.py --store URL [--decisions N] [--evidence N] [--services N] [--tenants N]`; prints a
pipeline's token for each tenant as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from time import monotonic

from cryptography.hazmat.primitives.asymmetric import ec

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("server", "clients/python", "tests")]

from perf.bulk import Bulk  # noqa: E402
from perf.load import EVALUATE, Target, closed_loop, exchanges  # noqa: E402
from perf.past import OTHER_ENVIRONMENTS, Past, Sample, Size, service_id, tenant_id  # noqa: E402
from perf.workload import SOURCE, Version, Workload, check, evaluate  # noqa: E402
from release_passport.v1 import (  # noqa: E402
    access_pb2,
    access_service_pb2,
    catalog_pb2,
    catalog_service_pb2,
    policy_pb2,
    policy_service_pb2,
    release_service_pb2,
)
from release_passport_server import bootstrap  # noqa: E402
from release_passport_server.adapters.sql.store import SQLStore  # noqa: E402
from release_passport_server.adapters.system.ids import SystemIds  # noqa: E402
from release_passport_server.adapters.tokens.bearer import BearerTokens  # noqa: E402
from release_passport_server.domain.ids import ReleaseName  # noqa: E402
from release_passport_server.ports.store import Reader  # noqa: E402
from release_passport_server.services.subjects import subjects_of  # noqa: E402
from release_passport_server.services.tenants import bootstrap_tenant  # noqa: E402
from support.dsse import Signer  # noqa: E402
from support.server import free_ports, serving  # noqa: E402

TENANT = "default"
RELEASES_AT_ONCE = 500
_SAMPLE = Version(service_id(0), "1.9999999.0")


def _build_key() -> Signer:
    """Return the one key of all builds, so that a store that was filled earlier knows it."""
    return Signer(ec.derive_private_key(1, ec.SECP256R1()))


@dataclass
class Grown(Workload):
    """The workload on services that have a past; their ids are all as long."""

    services: int = 500
    signer: Signer = field(default_factory=_build_key)

    def _service(self, number: int) -> catalog_pb2.Service:
        service = super()._service(number)
        service.service_id = service_id(number)
        return service

    async def versions(self, count: int) -> list[Version]:
        """Return new releases of services that have a past, registered, with their provenance."""
        return await self.registered(
            Version(service_id(number % self.services), f"2.{number}.0-{self.series}")
            for number in islice(self._numbers, count)
        )

    async def registered(self, versions: Iterable[Version]) -> list[Version]:
        """Register releases, each with its signed provenance in the store."""
        made = list(versions)
        create = release_service_pb2.CreateReleaseRequest
        await self._calls(
            "ReleaseService", [("CreateRelease", create(identity=one.identity)) for one in made]
        )
        await self.submit(self.signed_provenance(version) for version in made)
        return made

    async def more_environments(self) -> None:
        """Register the environments that only the past knows."""
        made = [catalog_pb2.Environment(environment_id=one) for one in OTHER_ENVIRONMENTS]
        create = catalog_service_pb2.CreateEnvironmentRequest
        await self._calls("CatalogService", [("CreateEnvironment", create(environment=one)) for one in made])

    async def create(self, policies: Iterable[policy_pb2.Policy]) -> None:
        """Create policies."""
        create = policy_service_pb2.CreatePolicyRequest
        await self._calls("PolicyService", [("CreatePolicy", create(policy=one)) for one in policies])

    async def pipeline_token(self) -> str:
        """Return a new token of the pipeline."""
        roles = [access_pb2.RoleBinding(role=role) for role in ("ci", "connector")]
        token = access_service_pb2.CreateAPITokenRequest(
            api_token=access_pb2.APIToken(principal=SOURCE), role_bindings=roles
        )
        run = await self._calls("AccessService", [("CreateAPIToken", token)])
        return access_service_pb2.CreateAPITokenResponse.FromString(run.exchanges[0].message).secret


@dataclass(frozen=True, slots=True)
class Prepared:
    """A store with policies and services, the pipeline's tokens, and one decision that was made there."""

    url: str
    tokens: dict[str, str]
    # An admin of the first tenant, who may read everything.
    admin: str
    sample: Sample


async def prepare(url: str, size: Size) -> Prepared:
    """Make a store with its tenants, policies and services, and let a server decide about one release."""
    settings = free_ports(store={"url": url}, worker={"enabled": False})
    admin = await bootstrap.init(settings, TENANT)
    store = bootstrap.open_store(settings)
    try:
        async with serving(await bootstrap.build(store, settings), settings) as process:
            work = Grown(Target("127.0.0.1", process.grpc_port, admin), services=size.services)
            await work.more_environments()
            await work.set_up()
            await work.registered([_SAMPLE])
            run = await closed_loop(work.target, exchanges(EVALUATE, [evaluate(_SAMPLE)]), in_flight=1)
            (answer,) = check([_SAMPLE], run)
            tokens = {TENANT: work.target.token}
            tokens |= await _tenants(store, work.target, size.tenants)
        sample = await store.read(TENANT, lambda reader: _sample(reader, answer.decision.name))
    finally:
        await store.close()
    return Prepared(url, tokens, admin, sample)


async def _tenants(store: SQLStore, target: Target, count: int) -> dict[str, str]:
    tokens = {}
    for number in range(1, count):
        tenant = tenant_id(number)
        _, admin = await bootstrap_tenant(store, SystemIds(), BearerTokens(), tenant)
        tokens[tenant] = await Grown(Target(target.host, target.port, admin)).pipeline_token()
    return tokens


def _sample(reader: Reader, decision: str) -> Sample:
    name = ReleaseName.parse(_SAMPLE.release)
    release = reader.find_release(name.service, name.environment, name.version)
    record = reader.find_decision(decision)
    assert release is not None
    assert record is not None
    return Sample(TENANT, _SAMPLE, release, reader.evidence_about(subjects_of(release)), record)


def fill(prepared: Prepared, size: Size) -> None:
    """Fill a prepared store; nobody else may use it meanwhile."""
    bulk = Bulk(prepared.url)
    began = monotonic()
    try:
        for tenant in prepared.tokens:
            if tenant != TENANT:
                bulk.copy_catalog(TENANT, tenant)
        past = Past(prepared.sample, size, datetime.now(UTC) - timedelta(hours=1), bulk.heads())
        with bulk.without_indexes():
            for part, rows in enumerate(past.parts(RELEASES_AT_ONCE), start=1):
                bulk.load(rows)
                if part % 20 == 0:
                    print(
                        f"  {part * RELEASES_AT_ONCE:,} releases in {monotonic() - began:.0f} s", flush=True
                    )
            bulk.move(past.heads)
            print(f"  all rows in {monotonic() - began:.0f} s; now the indexes", flush=True)
        print(f"  filled in {monotonic() - began:.0f} s", flush=True)
    finally:
        bulk.close()


def main() -> int:
    """Prepare and fill the store; print the tokens."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--store", required=True, help="sqlite:///file or postgresql://…; must not exist yet")
    size = Size()
    for name in ("decisions", "evidence", "services", "tenants"):
        parser.add_argument(f"--{name}", type=int, default=getattr(size, name))
    options = parser.parse_args()
    size = Size(options.decisions, options.evidence, options.services, options.tenants)
    prepared = asyncio.run(prepare(options.store, size))
    fill(prepared, size)
    print(json.dumps({"admin": prepared.admin, "tokens": prepared.tokens}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
