"""Read what a question depends on before it is decided, as long as whoever asks can wait."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from release_passport_server.domain.connector import MAX_CONNECTORS, READ_SECONDS, Connector, ConnectorName
from release_passport_server.domain.errors import PassportError
from release_passport_server.domain.job import LeaseLost
from release_passport_server.domain.record import Page
from release_passport_server.ports.store import Store
from release_passport_server.services.collect_evidence import CollectEvidence

logger = logging.getLogger(__name__)

# Of one question; the others are read by their intervals.
MOST_READ = 50
# So many questions wait for sources at once; what is beyond decides from what is stored.
MOST_WAITING = 16
# Of the time that a call has, this share is for sources: the rest is for the decision.
SHARE = 0.7


@dataclass(slots=True)
class Refresh:
    """Reads the connectors of one service in one environment; readings that take longer go on by themselves."""

    store: Store
    collect: CollectEvidence
    most_waiting: int = MOST_WAITING
    _waiting: int = field(default=0, init=False)

    async def __call__(self, tenant: str, service: str, environment: str, seconds: float) -> None:
        """Return when all were read or the time of the call is nearly over; a source that fails is its health."""
        if self._waiting >= self.most_waiting:
            return
        self._waiting += 1
        try:
            async with asyncio.timeout(min(seconds * SHARE, READ_SECONDS)):
                await self._read(tenant, service, environment)
        except TimeoutError:
            logger.info("sources took longer than the question can wait", extra={"tenant": tenant})
        finally:
            self._waiting -= 1

    async def _read(self, tenant: str, service: str, environment: str) -> None:
        place, page = f"{service}/{environment}", Page(MAX_CONNECTORS)
        listed = await self.store.read(tenant, lambda reader: reader.list_acts(Connector, page, key=place))
        polled = [one for one in listed.items if one.is_polled][:MOST_READ]
        await asyncio.gather(*(self._one(ConnectorName(tenant, one.connector_id)) for one in polled))

    async def _one(self, name: ConnectorName) -> None:
        try:
            await self.collect(name)
        except (PassportError, LeaseLost) as error:
            logger.info("a connector was not read for a question: %s", error, extra={"connector": str(name)})
