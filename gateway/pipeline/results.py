"""The result of a registration against the register's quality rules, with what the dossier says of the person."""

from __future__ import annotations

from sqlalchemy import Connection

from gateway.domain.finding import Finding
from gateway.domain.form_values import date_of, day_of, text_of
from gateway.domain.office import OFFICE_ZONE
from gateway.domain.result_check import check_result
from gateway.pipeline.dossiers import find_dossier
from gateway.pipeline.services import Services
from gateway.ports.commune import Outcome

_EVENT = {"birth": "nksNgaySinh", "death": "nktNgayChet"}


def result_findings(
    conn: Connection, services: Services, case_id: str, version: int, outcome: Outcome
) -> tuple[Finding, ...]:
    """What a person should look at in a registration's numbers; () for any other outcome and when nothing is wrong."""
    dossier = find_dossier(conn, services.vault, case_id, version) if outcome.state == "registered" else None
    if dossier is None:
        return ()
    told = dossier.content["dossier"]
    kind, fields = told["kind"], told["dossier"]["fields"]
    event, today = fields.get(_EVENT[kind]), services.clock.now().astimezone(OFFICE_ZONE).date()
    sex = text_of(fields.get("nksGioiTinh"))
    return check_result(kind, outcome.result, date_of(event), sex, today, day_of(event)[2])
