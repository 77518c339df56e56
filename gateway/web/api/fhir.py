"""FHIR R4 over HTTP: bundles and the four single resources, and a CapabilityStatement true to exactly that.

RESTful API: http://hl7.org/fhir/R4/http.html. Resources are taken in and become dossiers; they are not served back,
so the statement names `create`, `transaction` and `batch` only.
"""

from __future__ import annotations

from enum import StrEnum
from importlib.metadata import version
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from gateway.messagelog.chain import NewEntry, append
from gateway.web.access import SenderDep
from gateway.web.api.handing_in import body_of, hand_in
from gateway.web.problems import Problem
from gateway.web.site import Site, SiteDep

router = APIRouter(tags=["intake"])
_BODY = {"requestBody": {"required": True, "content": {"application/fhir+json": {"schema": {"type": "object"}}}}}
_SERVED_SINCE = "2026-11-23"  # when the interactions below last changed


class SingleResource(StrEnum):
    """Resource types that may come alone."""

    PATIENT = "Patient"
    RELATED_PERSON = "RelatedPerson"
    ENCOUNTER = "Encounter"
    OBSERVATION = "Observation"


@router.get("/fhir/metadata")
def capability_statement() -> JSONResponse:
    """What this server does (CapabilityStatement)."""
    return JSONResponse(_statement(), media_type="application/fhir+json")


@router.post("/fhir", response_class=Response, openapi_extra=_BODY)
async def take_bundle(request: Request, site: SiteDep, who: SenderDep) -> Response:
    """Take one Bundle."""
    raw = await body_of(request)
    await _check_type(site, raw, "Bundle")
    return await hand_in(site, raw, "fhir", who)


@router.post("/fhir/{resource_type}", response_class=Response, openapi_extra=_BODY)
async def take_resource(resource_type: SingleResource, request: Request, site: SiteDep, who: SenderDep) -> Response:
    """Take one resource; its type is the address's (http.html#create)."""
    raw = await body_of(request)
    await _check_type(site, raw, resource_type.value)
    return await hand_in(site, raw, "fhir", who)


async def _check_type(site: Site, raw: bytes, expected: str) -> None:
    """Refuse, and log, another type than the address says. What is not JSON at all goes on: the intake refuses and
    logs it with the place of the fault."""
    try:
        content = orjson.loads(raw)
    except orjson.JSONDecodeError:
        if len(site.services.readers["fhir"].split(raw)) == 1:
            return
        content = None  # NDJSON is for files: a request is one resource and gets one answer
    if isinstance(content, dict) and content.get("resourceType") == expected:
        return
    await run_in_threadpool(_log_refusal, site, raw)
    raise Problem(400, "fhir.resource_type", f"this address takes one {expected}", "resourceType")


def _log_refusal(site: Site, raw: bytes) -> None:
    """Refused bytes are evidence too."""
    services = site.services
    with services.store.write() as conn:
        entry = NewEntry("refused", "http", {"format": "fhir", "code": "fhir.resource_type"}, raw)
        append(conn, services.vault, services.chain, site.now, [entry])


def _statement() -> dict[str, Any]:
    release = version("hotich-gateway")
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _SERVED_SINCE,
        "kind": "instance",
        "software": {"name": "hotich-gateway", "version": release},
        "implementation": {"description": "Takes births and deaths from health facilities to civil registration"},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "security": {"description": "Bearer token of a hospital system"},
                "resource": [
                    {"type": kind.value, "interaction": [{"code": "create"}], "versioning": "no-version"}
                    for kind in SingleResource
                ],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
            }
        ],
    }
