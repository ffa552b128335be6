"""Etags: what a caller sends back to show which state of a resource it has read."""

from __future__ import annotations

import hashlib

from release_passport_server.domain.acts import Freeze
from release_passport_server.domain.adoption import Adoption
from release_passport_server.domain.canonical import canonical, stamp
from release_passport_server.domain.catalog import Environment, PolicyDocument, Service
from release_passport_server.domain.connector import Connector
from release_passport_server.domain.errors import Conflict
from release_passport_server.domain.gate import Gate
from release_passport_server.domain.notices import Channel
from release_passport_server.domain.trust import TrustRevision


def service_etag(service: Service) -> str:
    """Return the etag of a service's state."""
    return _etag(
        service.service_id,
        service.title,
        service.owner,
        dict(service.labels or {}),
        list(service.platforms),
        list(service.signers),
        stamp(service.update_time),
    )


def environment_etag(environment: Environment) -> str:
    """Return the etag of an environment's state."""
    return _etag(
        environment.environment_id,
        environment.title,
        dict(environment.labels or {}),
        list(environment.required_policies),
        environment.progressive,
        stamp(environment.update_time),
    )


def gate_etag(gate: Gate) -> str:
    """Return the etag of a gate's state."""
    return _etag(
        gate.gate_id, gate.title, list(gate.hooks), gate.on_rollback, gate.on_skip, stamp(gate.update_time)
    )


def policy_etag(document: PolicyDocument) -> str:
    """Return the etag of a policy's revision."""
    return _etag(document.policy_id, document.digest, document.revision)


def trust_etag(revision: TrustRevision) -> str:
    """Return the etag of a revision of a trust configuration."""
    written = revision.create_time
    return _etag("trust", revision.trust.revision, revision.author, "" if written is None else stamp(written))


def freeze_etag(freeze: Freeze) -> str:
    """Return the etag of a freeze's state."""
    times = [stamp(one) for one in (freeze.start_time, freeze.until_time, freeze.end_time)]
    scope = [list(freeze.services), list(freeze.environments)]
    labels = [dict(freeze.service_labels), dict(freeze.environment_labels)]
    again = [freeze.rrule, freeze.duration_seconds, freeze.time_zone, freeze.in_flight, freeze.restores_too]
    return _etag(freeze.digest, times, scope, labels, again)


def channel_etag(channel: Channel) -> str:
    """Return the etag of a notification channel's state."""
    ended = stamp(channel.disable_time), stamp(channel.delete_time)
    return _etag(channel.channel_id, stamp(channel.update_time), list(ended), channel.template, channel.url)


def connector_etag(connector: Connector) -> str:
    """Return the etag of a connector's state."""
    times = [stamp(connector.update_time), stamp(connector.delete_time)]
    return _etag(connector.connector_id, times, connector.paused, connector.settings)


def require_etag(sent: str, current: str, what: str) -> None:
    """Raise Conflict `ETAG_MISMATCH` unless the caller has read the current state."""
    if sent != current:
        text = f"{what} was changed since it was read: read it again, and send the change with its new etag"
        raise Conflict("ETAG_MISMATCH", text, metadata={"etag": current})


def adoption_etag(found: Adoption) -> str:
    """Return the etag of what it changes that the policies of now judge a rollout."""
    changes = [list(one) for one in found.changes]
    return _etag(found.attempt.name, changes, found.before.name, found.after.name)


def _etag(*parts: object) -> str:
    return f'"{hashlib.sha256(canonical(list(parts))).hexdigest()[:32]}"'
