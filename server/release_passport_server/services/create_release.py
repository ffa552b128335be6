"""Register what is to be judged."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.errors import AlreadyExists, Denied
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.record import AuditEntry, FeedEvent
from release_passport_server.domain.release import Release, ReleaseIdentity
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.store import Store, Transaction
from release_passport_server.services.asking import Ask, once


@dataclass(frozen=True, slots=True)
class CreateRelease:
    """Register a release; the same identity again returns it."""

    store: Store
    access: Authorizer

    async def __call__(self, ask: Ask, identity: ReleaseIdentity) -> tuple[Release, bool]:
        """Return the release and whether it is new; raise AlreadyExists where the version means something else."""
        principal = ask.principal
        service, environment = identity.service, identity.environment
        self.access.require(principal, Verb.RELEASE, service=service, environment=environment)

        def act(tx: Transaction) -> tuple[Release, bool]:
            before = tx.find_release(service, environment, identity.version)
            (release, _) = once(
                tx,
                ask,
                lambda: (place_release(tx, principal, identity, may_create=True), ""),
                lambda _: place_release(tx, principal, identity, may_create=False),
            )
            return release, before is None

        return (await self.store.write(principal.tenant, act)).value


def place_release(
    tx: Transaction, principal: Principal, identity: ReleaseIdentity, *, may_create: bool
) -> Release:
    """Return the release of this identity, made now where there is none; annotations do not tell releases apart."""
    found = tx.find_release(identity.service, identity.environment, identity.version)
    if found is not None:
        if found.identity.digest != identity.digest:
            text = (
                f"{found.name} exists with other artifacts, source revision or manifests: "
                "a version always means the same thing, so use a new one"
            )
            raise AlreadyExists("RELEASE_IDENTITY_CONFLICT", text, metadata={"release": found.name})
        return found
    if not may_create:
        text = f"creating a release in {identity.service}/{identity.environment} needs the verb `release`"
        raise Denied("ACCESS_DENIED", text)
    name = ReleaseName(tx.tenant, identity.service, identity.environment, identity.version)
    release = Release(str(name), identity, principal.id, tx.now, creator_identities=principal.identities)
    tx.put_release(release)
    tx.emit(FeedEvent("release.created", release.name, (f"release:{release.name}",)))
    detail: dict[str, object] = {"releaseDigest": identity.digest}
    tx.audit(AuditEntry(principal.id, "CreateRelease", release.name, detail))
    return release
