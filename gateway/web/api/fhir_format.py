"""JSON or XML, and errors as OperationOutcome, for everything under /fhir (FHIR R4 section 3.1.0.1.9, 3.1.0.1.11)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol, runtime_checkable

import orjson
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute

from gateway.errors import LogUnavailable
from gateway.ports.hospital import Answer, Header
from gateway.web.problems import Problem
from gateway.web.site import Site, site_of

JSON, XML = "application/fhir+json", "application/fhir+xml"
_NAMES = {
    "json": JSON,
    "application/json": JSON,
    "text/json": JSON,
    JSON: JSON,
    "xml": XML,
    "application/xml": XML,
    "text/xml": XML,
    XML: XML,
}
_ISSUES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    409: "duplicate",
    413: "too-long",
    415: "not-supported",
    422: "processing",
    429: "throttled",
    503: "transient",
}


@runtime_checkable
class RestReader(Protocol):
    """A FHIR reader that words answers as a request asks for them."""

    def respond(
        self, answer: Answer, header: Header | None, raw: bytes, prefer: str, media_type: str
    ) -> tuple[Answer, dict[str, str]]:
        """The answer in `media_type` and as the header `Prefer` wants it, with HTTP headers."""
        ...

    def render(self, resource: Mapping[str, Any], media_type: str) -> bytes:
        """A resource in `media_type`."""
        ...


def wanted_format(request: Request) -> str:
    """The media type of the answer: `_format`, else the first of `Accept` that is FHIR's, else that of the body, else
    JSON. Raises Problem 406 for a `_format` that is neither."""
    asked = request.query_params.get("_format")
    if asked is not None:
        # A plus sign in an address is a blank to those who decode forms.
        found = _NAMES.get(asked.partition(";")[0].strip().lower().replace(" ", "+"))
        if found is None:
            raise Problem(406, "fhir.format", "answers are JSON or XML", "http._format")
        return found
    stated = [*request.headers.get("accept", "").split(","), request.headers.get("content-type", "")]
    kinds = (kind.partition(";")[0].strip().lower() for kind in stated)
    return next((_NAMES[kind] for kind in kinds if kind in _NAMES), JSON)


def render(site: Site, resource: Mapping[str, Any], media_type: str) -> tuple[bytes, str]:
    """A resource and the media type it came out in: JSON where the installed reader writes no other."""
    reader = site.services.readers["fhir"]
    if media_type != JSON and isinstance(reader, RestReader):
        return reader.render(resource, media_type), media_type
    return orjson.dumps(resource), JSON


class FhirRoute(APIRoute):
    """Answers every Problem by an OperationOutcome in the format asked for."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except Problem as problem:
                return refuse(request, problem)
            except RequestValidationError:
                return refuse(request, Problem(422, "request.invalid", "the request is not as documented"))
            except LogUnavailable as error:
                return refuse(request, Problem(503, error.code, "the evidence log cannot be written; nothing is taken"))

        return answer


def refuse(request: Request, problem: Problem, allow: str | None = None) -> Response:
    """The OperationOutcome of a Problem. A place that is a header or parameter is told as `http.<name>`."""
    try:
        media_type = wanted_format(request)
    except Problem:
        media_type = JSON
    body, media_type = render(site_of(request), outcome_of(problem), media_type)
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else {}
    if allow is not None:
        headers["Allow"] = allow
    return Response(body, problem.status, headers, media_type)


def outcome_of(problem: Problem) -> dict[str, Any]:
    """OperationOutcome; `diagnostics` is the English sentence for developers. Holds nothing that was sent."""
    unsupported = problem.code in ("fhir.type_unsupported", "http.method_not_allowed")
    issue = {
        "severity": "error",
        "code": "not-supported" if unsupported else _ISSUES.get(problem.status, "exception"),
        "details": {"coding": [{"system": "urn:vn:hotich:error", "code": problem.code}], "text": problem.message},
        "diagnostics": problem.message,
    }
    return {
        "resourceType": "OperationOutcome",
        "issue": [issue | ({"expression": [problem.where]} if problem.where else {})],
    }
