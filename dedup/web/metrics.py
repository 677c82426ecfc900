"""Metrics of the service for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

if TYPE_CHECKING:
    from starlette.types import Scope

    from dedup.web.gate import Gate
    from dedup.web.live import Live

MEDIA_TYPE = CONTENT_TYPE_LATEST
_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Counters of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "dedup_requests",
            "Requests by route, method and status.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "dedup_request_seconds",
            "How long requests took, waiting included.",
            ("route",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.renewals = Counter(
            "dedup_renewals", "How often articles were loaded again.", registry=self.registry
        )
        self.failures = Counter(
            "dedup_renewal_failures", "How often that failed.", registry=self.registry
        )

    def watch(self, live: Live, gate: Gate) -> None:
        """Show what a service is doing, too."""
        ready = Gauge("dedup_ready", "Whether checks are answered.", registry=self.registry)
        ready.set_function(lambda: float(live.state is not None))
        inside = Gauge(
            "dedup_requests_inside", "Requests worked on or waiting.", registry=self.registry
        )
        inside.set_function(lambda: float(gate.inside))

    def answered(self, scope: Scope, status: int, seconds: float) -> None:
        """Count an answer. Requests of no route are one: a path is the client's choice."""
        route = getattr(scope.get("route"), "path", "other")
        method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST") else "other"
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Everything in the format of Prometheus."""
        return generate_latest(self.registry)
