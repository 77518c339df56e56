"""GET /fhir/Task and POST /fhir/Task/_search: what became of a dossier, found by an identifier the hospital knows
(FHIR R4 section 3.1.1, search by the token parameter `identifier`); GET /fhir/Task/{case}: one of them.

The Task is the same that is sent to a feed with `answer = "fhir"`. Its body names a person's numbers, so every read is
logged. Whoever keeps identifiers out of addresses, and so out of proxies' logs, searches by POST.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Protocol, runtime_checkable
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from gateway.domain.notice import OutcomeNotice
from gateway.pipeline.answer import notice_of
from gateway.pipeline.cases import find_case
from gateway.pipeline.interpret import facility_of
from gateway.views.notices import ANY, find_named_cases
from gateway.web.access import PersonReaderDep
from gateway.web.api.fhir_format import FhirRoute, render, wanted_format
from gateway.web.principal import Principal
from gateway.web.problems import Problem
from gateway.web.reads import note_read
from gateway.web.site import Site, SiteDep

router = APIRouter(prefix="/fhir/Task", tags=["reading"], route_class=FhirRoute)
OWN = "urn:vn:hotich:fhir:"
"""Systems of identifiers that begin so name one kind (`…:message`); any other system is the hospital's own affair, and
only the value is looked at."""
MOST_VALUES = 20
LONGEST = 200


@runtime_checkable
class TaskWriter(Protocol):
    """An OutcomeSender that words outcomes as FHIR Tasks."""

    def task(self, notice: OutcomeNotice) -> Mapping[str, Any]:
        """The Task (FHIR R4) as JSON has it."""
        ...


@router.get("", response_class=Response)
def search_tasks(
    request: Request, site: SiteDep, who: PersonReaderDep, identifier: Annotated[str, Query(max_length=4_000)] = ""
) -> Response:
    """Tasks by patient number, tracking id, paper number, dossier code or case: `value` or `system|value`, several
    separated by commas."""
    return _search(request, site, who, identifier)


@router.post("/_search", response_class=Response)
def search_tasks_by_post(
    request: Request, site: SiteDep, who: PersonReaderDep, identifier: Annotated[str, Form(max_length=4_000)] = ""
) -> Response:
    """The same, with `identifier` in the body."""
    return _search(request, site, who, identifier)


@router.get("/{case_id}", response_class=Response)
def read_task(case_id: str, request: Request, site: SiteDep, who: PersonReaderDep) -> Response:
    """The Task of one case."""
    found = _tasks(site, who, [f"{OWN}case|{case_id}"])
    if not found:
        raise Problem(404, "case.unknown", "there is no such case, or it is another's")
    return _answer(request, site, who, found, found[0])


def _search(request: Request, site: Site, who: Principal, identifier: str) -> Response:
    tokens = [token for token in (part.strip() for part in identifier.split(",")) if token]
    if not tokens or len(tokens) > MOST_VALUES or max(map(len, tokens)) > LONGEST:
        words = f"give `identifier`: 1 to {MOST_VALUES} values, value or system|value"
        raise Problem(400, "fhir.identifier_missing", words, "http.identifier")
    found = _tasks(site, who, tokens)
    base = str(request.base_url).rstrip("/") + "/fhir/Task"
    bundle = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(found),
        "link": [{"relation": "self", "url": f"{base}?{urlencode({'identifier': ','.join(tokens)})}"}],
        "entry": [{"fullUrl": f"{base}/{task['id']}", "resource": task, "search": {"mode": "match"}} for task in found],
    }
    if not found:  # FHIR knows no empty lists
        del bundle["entry"]
    return _answer(request, site, who, found, bundle)


def _answer(
    request: Request, site: Site, who: Principal, found: list[Mapping[str, Any]], resource: Mapping[str, Any]
) -> Response:
    """The resource, once it is logged whose data goes out."""
    body, media_type = render(site, resource, wanted_format(request))
    note_read(site, who, [task["id"] for task in found], "api")
    return Response(body, media_type=media_type)


def _tasks(site: Site, who: Principal, tokens: list[str]) -> list[Mapping[str, Any]]:
    """The Tasks of the cases within reach that the tokens name."""
    services, reach = site.services, who.reach(site.services.feeds)
    writer: object = services.senders.get("fhir")
    if not isinstance(writer, TaskWriter):
        raise Problem(404, "fhir.no_tasks", "no installed adapter writes FHIR Tasks", "resourceType")
    known = (
        reach.facilities if reach.facilities is not None else {facility_of(feed) for feed in services.feeds.values()}
    )
    with services.store.read() as conn:
        ids: dict[str, None] = {}
        for token in tokens:
            value, kinds = _read_token(token)
            ids |= dict.fromkeys(find_named_cases(conn, services.vault, reach, known, value, kinds))
        cases = [case for case_id in ids if (case := find_case(conn, services.vault, case_id)) is not None]
        return [writer.task(notice_of(conn, services, case, case.facility, reach.feeds)) for case in cases]


def _read_token(token: str) -> tuple[str, tuple[str, ...]]:
    """Value and kinds of an identifier: `value`, `|value`, `system|value`."""
    system, bar, value = token.rpartition("|")
    kind = system.removeprefix(OWN)
    return (value if bar else token), (kind,) if system.startswith(OWN) and kind in ANY else ANY
