"""Which commune system a dossier goes to: a dated table, and where its earlier versions went."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection

from gateway.mapping.catalogue import Catalogue
from gateway.pipeline.services import Services
from gateway.ports.commune import CommuneSystem
from gateway.store.session import execute

DESK = "desk"
"""The built-in officer's desk: always there, and where a person answers what another system cannot take."""

SYSTEMS_TABLE = "commune_systems"
"""Which system a commune uses: a commune's code, else its province's, else `*`."""

_TAKEN_BY = """SELECT system FROM dossier WHERE case_id = ? AND version < ? AND taken_at IS NOT NULL
ORDER BY version DESC LIMIT 1"""


def system_name_of(catalogue: Catalogue, commune: str, province: str, on: date) -> str:
    """The system a commune uses on a day; the desk when the table has no row for it."""
    try:
        table = catalogue.table(SYSTEMS_TABLE, on)
    except KeyError:  # a mapping set of before there was a choice
        return DESK
    return next((name for key in (commune, province, "*") if key and (name := table.get(key))), DESK)


def system_for(
    conn: Connection, services: Services, case_id: str, version: int, commune: str, province: str, on: date
) -> CommuneSystem:
    """Where one version of a dossier goes. What a commune already has stays with the system that has it; a system
    that takes no corrections leaves them, and withdrawals, to an officer at the desk."""
    name = taken_by(conn, case_id, version)
    if not name:
        return services.communes[system_name_of(services.catalogue, commune, province, on)]
    # A system that has since left the settings cannot be asked; the officer then decides by hand.
    before = services.communes.get(name)
    return before if before is not None and before.takes_corrections else services.communes[DESK]


def taken_by(conn: Connection, case_id: str, version: int) -> str:
    """The system that took the newest version before `version`; "" when none did."""
    row = execute(conn, _TAKEN_BY, (case_id, version)).fetchone()
    return row[0] if row else ""
