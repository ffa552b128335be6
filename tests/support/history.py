"""Validators of what a store has recorded: decisions that missed a change, and readers that missed an event."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field

import psycopg
from sqlalchemy import make_url


def plain(url: str) -> str:
    """Return a URL as the driver itself takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def unseen_changes(url: str) -> list[str]:
    """Return the decisions between whose considered and own revision something touched their case."""
    found = []
    with psycopg.connect(plain(url)) as connection:
        scopes: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
        for tenant, revision, scope in connection.execute("SELECT tenant, revision, scope FROM feed_scopes"):
            scopes[tenant, revision].add(scope)
        query = """
            SELECT d.tenant, d.name, d.considered_revision, d.revision, r.name, r.service, r.environment,
                   r.content_digest, r.identity
            FROM decisions d JOIN releases r ON r.tenant = d.tenant AND r.name = d.release"""
        for (
            tenant,
            name,
            considered,
            revision,
            release,
            service,
            environment,
            content,
            identity,
        ) in connection.execute(query):
            artifacts = json.loads(identity)["artifacts"]
            mine = {
                "tenant",
                f"release:{release}",
                f"workload:{service}/{environment}",
                f"digests:{content}",
                *(f"artifact:{digest}" for _, digest, _ in artifacts),
            }
            if any(mine & scopes[tenant, other] for other in range(considered + 1, revision)):
                found.append(name)
    return found


@dataclass(slots=True)
class Poller:
    """Follows a table of events by number, as a stream does: whatever is behind the last one that was seen."""

    connection: psycopg.Connection[tuple[int]]
    table: str
    number: str
    condition: str = "true"
    seen: list[int] = field(default_factory=list)

    def poll(self) -> None:
        """See what is new."""
        last = self.seen[-1] if self.seen else 0
        query = (
            f"SELECT DISTINCT {self.number} FROM {self.table}"
            f" WHERE {self.condition} AND {self.number} > %s ORDER BY 1"
        )
        self.seen += [number for (number,) in self.connection.execute(query.encode(), [last])]

    def missed(self) -> set[int]:
        """Return what is there and was never seen."""
        query = f"SELECT {self.number} FROM {self.table} WHERE {self.condition}"
        return {number for (number,) in self.connection.execute(query.encode())} - set(self.seen)
