"""What every route needs, hung on the application once by `create_app`: services, intake, options, forms, pages,
numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from gateway.mapping.forms import Form
from gateway.pipeline.rate import TokenBucket
from gateway.pipeline.senders import Senders
from gateway.pipeline.services import Services
from gateway.ports.hospital import Intake
from gateway.store.session import now_us
from gateway.web.metrics import Metrics
from gateway.web.rendering import Renderer


@dataclass(frozen=True, slots=True)
class WebOptions:
    """`session_hours` since sign-in; `max_body` bytes of one request; `open_intake` takes messages without a token
    (development and demo only)."""

    environment: str = "production"
    secure_cookies: bool = True
    session_hours: float = 8.0
    open_intake: bool = False
    max_body: int = 16_000_000


@dataclass(frozen=True, slots=True)
class Site:
    """One running web application."""

    services: Services
    intake: Intake
    options: WebOptions
    forms: Mapping[str, Form]
    renderer: Renderer
    metrics: Metrics
    senders: Senders
    strangers: TokenBucket  # how many refusals of strangers are written down: a flood of them fills nothing

    @property
    def now(self) -> int:
        """Microseconds since 1970 UTC."""
        return now_us(self.services.clock)


def site_of(request: Request) -> Site:
    """The application's Site."""
    site: Site = request.app.state.site
    return site


SiteDep = Annotated[Site, Depends(site_of)]
