"""Health for machines that watch: /healthz (the process answers), /readyz (the database too), /metrics (numbers)."""

from __future__ import annotations

import structlog
from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from gateway.sealing.certificates import days_left
from gateway.store.tables import Chain
from gateway.web.problems import Problem
from gateway.web.site import SiteDep

router = APIRouter(tags=["health"])
_log = structlog.get_logger(__name__)


@router.get("/healthz")
def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def ready(site: SiteDep) -> dict[str, str]:
    """The database answers and has our tables."""
    try:
        with site.services.store.read() as conn:
            conn.execute(select(Chain.__table__.c.writer).limit(1)).all()  # type: ignore[attr-defined]
    except SQLAlchemyError as error:
        _log.error("readyz.store", type=type(error).__name__)
        raise Problem(503, "store.unavailable", "the database does not answer") from error
    return {"status": "ready"}


@router.get("/metrics", response_class=Response)
def numbers(site: SiteDep) -> Response:
    """Prometheus text format."""
    certificate = site.services.signing.certificates[0]
    with site.services.store.read() as conn:
        numbers_now = site.metrics.text(conn, days_left(certificate, site.services.clock.now()))
    return Response(numbers_now, media_type=CONTENT_TYPE_LATEST)
