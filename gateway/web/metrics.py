"""Numbers for the operator's monitoring, in Prometheus' text format. Counts and seconds only: no ids, no personal
data."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import Connection, func, select
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.store.partner_tables import Partner
from gateway.store.tables import DeskItem, Lane

_LANE = Lane.__table__  # type: ignore[attr-defined]
_ITEM = DeskItem.__table__  # type: ignore[attr-defined]
_PARTNER = Partner.__table__  # type: ignore[attr-defined]


class Metrics:
    """One registry per application, so that several may live in one process (tests)."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "hotich_http_requests", "Answered requests", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram("hotich_http_seconds", "Time to answer", ("route",), registry=self.registry)
        self.intake = Counter("hotich_intake", "Messages taken over HTTP", ("format", "code"), registry=self.registry)
        self.lanes = Gauge("hotich_lanes", "Lanes by state", ("state",), registry=self.registry)
        self.resting = Gauge("hotich_systems_resting", "Systems and keys that refuse us", registry=self.registry)
        self.certificate = Gauge(
            "hotich_signing_certificate_days_left", "Days until the signing certificate ends", registry=self.registry
        )
        self.desk = Gauge("hotich_desk_items", "Dossiers on the built-in desk", ("state",), registry=self.registry)

    def text(self, conn: Connection, certificate_days: int | None = None) -> bytes:
        """The numbers now; queue depth and the desk are counted on the way. `certificate_days`: whole days until the
        signing certificate ends."""
        if certificate_days is not None:
            self.certificate.set(certificate_days)
        due = conn.execute(select(func.count()).select_from(_LANE).where(_LANE.c.run_at.is_not(None))).scalar_one()
        dead = conn.execute(select(func.count()).select_from(_LANE).where(_LANE.c.dead.is_(True))).scalar_one()
        self.lanes.labels("due").set(due)
        self.lanes.labels("dead").set(dead)
        self.resting.set(conn.execute(select(func.count()).select_from(_PARTNER)).scalar_one())
        for state, number in conn.execute(select(_ITEM.c.state, func.count()).group_by(_ITEM.c.state)):
            self.desk.labels(state).set(number)
        return generate_latest(self.registry)


class Measured:
    """Middleware: counts and times every request by its route's template, never by the address itself."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            route = getattr(scope.get("route"), "path", "unknown")
            self.metrics.requests.labels(scope["method"], route, str(status)).inc()
            self.metrics.seconds.labels(route).observe(time.perf_counter() - started)
