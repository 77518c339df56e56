"""GET /api/cases…: what became of births and deaths. Lists hold no personal data; one case does, and reading it is
logged."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from gateway.pipeline.cases import load_case
from gateway.pipeline.document import find_writer, stored_document
from gateway.pipeline.dossiers import newest_dossier
from gateway.pipeline.forward import delivery_of
from gateway.sealing.asice import write_container
from gateway.sealing.asice_zip import MIMETYPE
from gateway.sealing.received import received_of
from gateway.views.cases import CaseDetail, find_case_detail, list_cases
from gateway.views.legs import legs_of
from gateway.views.outcomes import find_outcome
from gateway.web.access import PersonReaderDep
from gateway.web.principal import Principal
from gateway.web.problems import Problem
from gateway.web.reads import note_read
from gateway.web.site import Site, SiteDep

router = APIRouter(prefix="/api", tags=["reading"])
Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("/cases")
def read_cases(site: SiteDep, who: PersonReaderDep, after: str | None = None, limit: Limit = 50) -> dict[str, Any]:
    """Cases within reach, the last changed first."""
    with site.services.store.read() as conn:
        page = list_cases(conn, who.reach(site.services.feeds), after, limit)
    return {"items": [asdict(line) for line in page.rows], "next": page.next}


@router.get("/cases/{case_id}")
def read_case(case_id: str, site: SiteDep, who: PersonReaderDep) -> dict[str, Any]:
    """One case with its newest dossier."""
    detail = _get_case(site, who, case_id)
    note_read(site, who, [case_id], "api")
    services = site.services
    with services.store.read() as conn:
        legs = legs_of(conn, case_id, who.shown_feeds(services.feeds))
        outcome = find_outcome(conn, services.vault, case_id)
    return {
        **asdict(detail.line),
        "messages": detail.messages,
        "dossier_code": detail.dossier_code,
        "dossier_status": detail.dossier_status,
        "dossier": detail.dossier,
        "legs": asdict(legs),
        "outcome": None if outcome is None else {**asdict(outcome), "paper": bool(outcome.paper)},
    }


@router.get("/cases/{case_id}/dossier.xml", response_class=Response)
def read_sealed_dossier(case_id: str, site: SiteDep, who: PersonReaderDep) -> Response:
    """The signed XML of the newest dossier, exactly as sealed."""
    detail = _get_case(site, who, case_id)
    if detail.xml is None:
        raise Problem(404, "case.not_sealed", "the dossier of this case is not sealed yet")
    note_read(site, who, [case_id], "download")
    return Response(detail.xml.encode(), media_type="application/xml")


@router.get("/cases/{case_id}/dossier.asice", response_class=Response)
def read_container(case_id: str, site: SiteDep, who: PersonReaderDep) -> Response:
    """The newest dossier with its papers and a receipt as one signed ASiC-E container (docs/folder-exchange.md)."""
    _get_case(site, who, case_id)
    services = site.services
    with services.store.read() as conn:
        dossier = newest_dossier(conn, services.vault, case_id)
        if dossier is None or not dossier.left:
            raise Problem(404, "case.not_sealed", "the dossier of this case is not sealed yet")
        delivery, received = delivery_of(conn, services, dossier, dossier.system), received_of(conn, case_id)
    container = write_container(delivery, received, services.signing, services.clock.now())
    note_read(site, who, [case_id], "download")
    return Response(container, media_type=MIMETYPE)


@router.get("/cases/{case_id}/fhir", response_class=Response)
def read_case_as_fhir(case_id: str, site: SiteDep, who: PersonReaderDep) -> Response:
    """What the case says as a FHIR R4 document Bundle (docs/fhir-out.md)."""
    _get_case(site, who, case_id)
    services = site.services
    writer = find_writer(services.readers, "fhir")
    if writer is None:
        raise Problem(404, "case.not_writable", "no installed reader writes FHIR documents")
    with services.store.read() as conn:
        document = stored_document(services, writer, load_case(conn, services.vault, case_id))
    note_read(site, who, [case_id], "download")
    return Response(document, media_type=writer.document_type)


def _get_case(site: Site, who: Principal, case_id: str) -> CaseDetail:
    with site.services.store.read() as conn:
        detail = find_case_detail(conn, site.services.vault, who.reach(site.services.feeds), case_id)
    if detail is None:
        raise Problem(404, "case.unknown", "there is no such case, or it is another's")
    return detail
