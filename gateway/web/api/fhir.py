"""FHIR over HTTP: Bundles, messages and single resources, in JSON or XML.

RESTful API: http://hl7.org/fhir/R4/http.html. Resources are taken in and become dossiers; they are not served back.
Location of what was accepted holds the tracking id, which is the message's id everywhere else (`/api/messages`,
`messages` of a case); nothing of a patient is ever in an address.
"""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from gateway.errors import UnreadableMessage
from gateway.messagelog.chain import NewEntry, append
from gateway.ports.hospital import Header
from gateway.web.access import Sender, SenderDep
from gateway.web.api.fhir_capability import capability_statement
from gateway.web.api.fhir_condition import check_condition, condition_of, note_condition
from gateway.web.api.fhir_format import JSON, XML, FhirRoute, RestReader, refuse, render, wanted_format
from gateway.web.api.handing_in import body_of, headers_of, submit
from gateway.web.problems import Problem
from gateway.web.site import Site, SiteDep

router = APIRouter(tags=["intake"], route_class=FhirRoute)
_SCHEMAS = {JSON: {"schema": {"type": "object"}}, XML: {"schema": {"type": "string"}}}
_BODY = {"requestBody": {"required": True, "content": _SCHEMAS}}
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class SingleResource(StrEnum):
    """Resource types that may come alone. The first five are read for births and deaths, the others kept."""

    PATIENT = "Patient"
    RELATED_PERSON = "RelatedPerson"
    ENCOUNTER = "Encounter"
    OBSERVATION = "Observation"
    COMPOSITION = "Composition"
    CONDITION = "Condition"
    LOCATION = "Location"
    ORGANIZATION = "Organization"
    PRACTITIONER = "Practitioner"
    PRACTITIONER_ROLE = "PractitionerRole"


READ = tuple(SingleResource)[:5]


@router.get("/fhir/metadata")
def read_capability_statement(request: Request, site: SiteDep) -> Response:
    """What this server does (CapabilityStatement)."""
    body, media_type = render(site, capability_statement(SingleResource, READ), wanted_format(request))
    return Response(body, media_type=media_type)


@router.post("/fhir", response_class=Response, openapi_extra=_BODY)
async def take_bundle(request: Request, site: SiteDep, who: SenderDep) -> Response:
    """Take one Bundle: transaction, batch, message, document or collection."""
    return await _take(request, site, who, "Bundle")


@router.post("/fhir/$process-message", response_class=Response, openapi_extra=_BODY)
async def process_message(request: Request, site: SiteDep, who: SenderDep) -> Response:
    """Take one message: a Bundle whose first entry is a MessageHeader. The answer is the response message."""
    return await _take(request, site, who, "Bundle/message")


@router.post("/fhir/{resource_type}", response_class=Response, openapi_extra=_BODY)
async def take_resource(resource_type: str, request: Request, site: SiteDep, who: SenderDep) -> Response:
    """Take one resource; its type is the address's (http.html#create)."""
    if resource_type == "metadata":
        return refuse_other(request, resource_type)
    if resource_type not in tuple(SingleResource):
        raise Problem(404, "fhir.type_unsupported", f"taken alone: {', '.join(SingleResource)}", "resourceType")
    return await _take(request, site, who, resource_type)


@router.api_route("/fhir", methods=[each for each in _METHODS if each != "POST"], include_in_schema=False)
@router.api_route("/fhir/{path:path}", methods=_METHODS, include_in_schema=False)
def refuse_other(request: Request, path: str = "") -> Response:
    """Everything else: 405 on what is served in another way, else 404."""
    first = path.partition("/")[0]
    served = {"": "POST", "metadata": "GET", "$process-message": "POST"} | dict.fromkeys(SingleResource, "POST")
    if first not in served or (path != first and first not in tuple(SingleResource)):
        words = HTTPStatus(404).phrase.lower()
        return refuse(request, Problem(404, "http.not_found", words))
    words = "resources are handed in here and not served back; /api/messages and /api/cases tell what became of them"
    # What was accepted has an address, and no method at it.
    return refuse(request, Problem(405, "http.method_not_allowed", words), served[first] if path == first else "")


async def _take(request: Request, site: Site, who: Sender, expected: str) -> Response:
    media_type = wanted_format(request)
    raw = await body_of(request)
    header = await run_in_threadpool(_check_type, site, raw, expected)
    condition = condition_of(site, who, request.headers.get("if-none-exist", ""), raw)
    is_new = condition is not None and await run_in_threadpool(check_condition, site, condition, raw)
    answer = await submit(site, raw, "fhir", who)
    reader, headers = site.services.readers["fhir"], headers_of(answer)
    if isinstance(reader, RestReader):
        answer, more = reader.respond(answer, header, raw, request.headers.get("prefer", ""), media_type)
        headers |= more
    if condition is not None and is_new and answer.code.endswith("A"):
        await run_in_threadpool(note_condition, site, condition, headers.get("Location", ""))
    return Response(answer.body, answer.status, headers, answer.media_type)


def _check_type(site: Site, raw: bytes, expected: str) -> Header | None:
    """The envelope. Refuse, and log, another type than the address says. What cannot be read goes on: the intake
    refuses and logs it with the place of the fault."""
    reader = site.services.readers["fhir"]
    try:
        header = reader.header(raw)
    except UnreadableMessage:
        if len(reader.split(raw)) == 1:
            return None
        header = None  # NDJSON is for files: a request is one resource and gets one answer
    if header is not None and header.type.startswith(expected):
        return header
    _log_refusal(site, raw)
    where = "Bundle.type" if "/" in expected and header and header.type.startswith("Bundle") else "resourceType"
    raise Problem(400, "fhir.resource_type", f"this address takes one {expected}", where)


def _log_refusal(site: Site, raw: bytes) -> None:
    """Refused bytes are evidence too."""
    services = site.services
    with services.store.write() as conn:
        entry = NewEntry("refused", "http", {"format": "fhir", "code": "fhir.resource_type"}, raw)
        append(conn, services.vault, services.chain, site.now, [entry])
