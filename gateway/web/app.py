"""The web application: HTTP interface for machines and pages for people, on one port."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from importlib.resources import files

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from gateway.mapping.forms import Form
from gateway.pipeline.rate import TokenBucket
from gateway.pipeline.senders import Senders
from gateway.pipeline.services import Services
from gateway.ports.hospital import Intake
from gateway.web.api import (
    callbacks,
    cases,
    deliveries,
    duplicates,
    fhir,
    fhir_task,
    health,
    hl7v2,
    letters,
    messages,
    moh,
)
from gateway.web.hardening import Hardened
from gateway.web.limits import LimitedBody
from gateway.web.metrics import Measured, Metrics
from gateway.web.pages import desk, dossier, handover, hospital, legs, log, signin, users, waiting
from gateway.web.pages import duplicates as duplicate_pages
from gateway.web.pages import letters as letter_pages
from gateway.web.problems import install
from gateway.web.rendering import Renderer
from gateway.web.site import Site, WebOptions

API = (hl7v2, fhir_task, fhir, moh, cases, letters, messages, deliveries, duplicates, callbacks, health)
PAGES = (signin, desk, dossier, waiting, duplicate_pages, handover, letter_pages, hospital, legs, log, users)


def create_app(services: Services, intake: Intake, forms: Mapping[str, Form], options: WebOptions) -> FastAPI:
    """The application. `forms` by kind, from gateway.mapping.forms.load_forms. Nothing is started or read here."""
    # The interactive documentation pages fetch scripts from elsewhere; the description itself is served.
    app = FastAPI(title="hotich-gateway", version=version("hotich-gateway"), docs_url=None, redoc_url=None)
    metrics = Metrics()
    counts = (partial(waiting.count_for, services), partial(duplicate_pages.count_for, services))
    renderer = Renderer(options.environment, *counts)
    senders, strangers = Senders(services.feeds), TokenBucket(rate=1.0, burst=20)
    app.state.site = Site(services, intake, options, forms, renderer, metrics, senders, strangers)
    for module in API:
        app.include_router(module.router)
    for module in PAGES:
        app.include_router(module.router, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=str(files("gateway.web") / "static")), name="static")
    install(app)
    app.add_middleware(LimitedBody, limit=options.max_body)
    app.add_middleware(Hardened, https=options.secure_cookies)
    app.add_middleware(Measured, metrics=metrics)
    return app
