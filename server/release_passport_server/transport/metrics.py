"""What Prometheus reads: a registry of our own, its children bound once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from release_passport_server.domain.job import Backlog
from release_passport_server.domain.notices import NoticeCounts, NoticeState
from release_passport_server.transport.grpc.limits import Limits
from release_passport_server.transport.grpc.methods import CallClass, Method

_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0)
_TICK = 0.25


class LogStatus(Protocol):
    """How the transparency logs are."""

    @property
    def pending(self) -> int: ...

    @property
    def stopped(self) -> Mapping[str, str]: ...


class JobSource(Protocol):
    """How the jobs of all tenants are."""

    @property
    def kinds(self) -> Collection[str]: ...

    @property
    def backlogs(self) -> Mapping[str, Backlog]: ...

    async def refresh(self) -> None: ...

    def oldest_seconds(self, kind: str) -> float: ...


class NoticeSource(Protocol):
    """How telling the channels of all tenants goes."""

    @property
    def counts(self) -> NoticeCounts: ...

    async def refresh(self) -> None: ...


class AlertSource(Protocol):
    """Tells of alerts as they are raised."""

    @property
    def listeners(self) -> list[Callable[[str], None]]: ...


class Metrics:
    """Counts calls, their time and what was refused."""

    def __init__(self, version: str, methods: tuple[Method, ...], limits: Limits) -> None:
        self.registry = CollectorRegistry()
        self._jobs: JobSource | None = None
        self._notices: NoticeSource | None = None
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._calls = Counter(
            "rp_calls", "Calls answered.", ("service", "method", "edge", "code"), registry=self.registry
        )
        seconds = Histogram(
            "rp_call_seconds",
            "Seconds that calls took.",
            ("service", "method"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._seconds: Mapping[str, Histogram] = {
            method.path: seconds.labels(method.service, method.name) for method in methods
        }
        self._shed = Counter(
            "rp_shed", "Calls refused for load or shutdown.", ("class",), registry=self.registry
        )
        self._refused: dict[tuple[str, str], tuple[Counter, Counter]] = {}
        in_flight = Gauge("rp_in_flight", "Calls being answered.", ("class",), registry=self.registry)
        for call_class in CallClass:
            in_flight.labels(call_class).set_function(partial(limits.in_flight, call_class))
            self._shed.labels(call_class)
        Gauge("rp_draining", "1 while the server is shutting down.", registry=self.registry).set_function(
            lambda: limits.is_draining
        )
        Gauge("rp_build_info", "1, with the version.", ("version",), registry=self.registry).labels(
            version
        ).set(1)
        self._lag = Gauge(
            "rp_loop_lag_seconds", "How late the event loop last ran a timer.", registry=self.registry
        )

    def watch_logs(self, logs: LogStatus) -> None:
        """Show how the transparency logs are."""
        Gauge("rp_log_pending", "Leaves in no tree yet, of all logs.", registry=self.registry).set_function(
            lambda: logs.pending
        )
        Gauge(
            "rp_log_stopped", "Logs that contradict themselves and were stopped.", registry=self.registry
        ).set_function(lambda: len(logs.stopped))

    def watch_jobs(self, jobs: JobSource) -> None:
        """Show how many jobs of each kind are due and dead, and how long the oldest has been due."""
        self._jobs = jobs
        due = Gauge("rp_jobs_due", "Jobs that are due, up to 10,000.", ("kind",), registry=self.registry)
        dead = Gauge(
            "rp_jobs_dead",
            "Jobs that are not tried again by themselves, up to 10,000.",
            ("kind",),
            registry=self.registry,
        )
        oldest = Gauge(
            "rp_jobs_oldest_due_seconds",
            "How long the oldest job that is due has been so.",
            ("kind",),
            registry=self.registry,
        )
        for kind in jobs.kinds:
            due.labels(kind).set_function(partial(_of_kind, jobs, kind, "due"))
            dead.labels(kind).set_function(partial(_of_kind, jobs, kind, "dead"))
            oldest.labels(kind).set_function(partial(jobs.oldest_seconds, kind))

    def watch_notices(self, notices: NoticeSource) -> None:
        """Show how many messages to channels wait, were taken or given up, and which channels are switched off."""
        self._notices = notices
        kept = Gauge(
            "rp_notices",
            "Messages to channels that are kept, by state, up to 10,000.",
            ("state",),
            registry=self.registry,
        )
        for state in NoticeState:
            kept.labels(state.lower()).set_function(
                lambda state=state: notices.counts.by_state.get(state, 0)  # type: ignore[misc]
            )
        Gauge(
            "rp_notification_channels_off",
            "Channels that are told nothing until somebody switches them on.",
            registry=self.registry,
        ).set_function(lambda: notices.counts.switched_off)

    def watch_alerts(self, alerts: AlertSource) -> None:
        """Count alerts as they are raised."""
        counter = Counter("rp_alerts", "Alerts raised, by which.", ("alert",), registry=self.registry)
        # A series that begins with its first alert shows no increase.
        counter.labels("override")
        alerts.listeners.append(lambda alert: counter.labels(alert).inc())

    def call_ended(self, method: Method, edge: str, code: str, seconds: float) -> None:
        """Count one call."""
        self._calls.labels(method.service, method.name, edge, code).inc()
        self._seconds[method.path].observe(seconds)

    def call_shed(self, method: Method, edge: str) -> None:
        """Count one call that was refused unheard; its time would tell nothing about those that are answered."""
        both = self._refused.get((method.path, edge))
        if both is None:
            # Looked up once: a refusal has to be cheap.
            calls = self._calls.labels(method.service, method.name, edge, "UNAVAILABLE")
            both = self._refused[method.path, edge] = (calls, self._shed.labels(method.call_class))
        for counter in both:
            counter.inc()

    async def watch_loop(self) -> None:
        """Measure for ever how late the loop is."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _TICK
            await asyncio.sleep(_TICK)
            self._lag.set(max(0.0, loop.time() - due))

    async def text(self) -> bytes:
        """Return the exposition; made in a thread, because hundreds of series take milliseconds."""
        if self._jobs is not None:
            await self._jobs.refresh()
        if self._notices is not None:
            await self._notices.refresh()
        return await asyncio.to_thread(generate_latest, self.registry)


def _of_kind(jobs: JobSource, kind: str, what: str) -> float:
    found = jobs.backlogs.get(kind)
    return 0.0 if found is None else float(getattr(found, what))
