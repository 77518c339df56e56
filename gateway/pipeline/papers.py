"""The papers a dossier was made from, as the hospital sent them: what goes with it to the commune.

Only papers that the table `attached_papers` lists: a giấy báo tử as sent holds the diagnosis, which does not leave the
gateway; an insurance envelope holds other patients.
"""

from __future__ import annotations

from sqlalchemy import Connection

from gateway.errors import GatewayError
from gateway.messagelog.chain import payload_of
from gateway.pipeline.services import Services
from gateway.ports.commune import Attachment
from gateway.store.session import execute

TABLE = "attached_papers"

_PAPERS = """SELECT m.id, m.type FROM case_message cm JOIN message m ON m.id = cm.message_id
WHERE cm.case_id = ? AND m.format = 'moh' ORDER BY m.received_at, m.id"""


def papers_of(conn: Connection, services: Services, case_id: str) -> tuple[Attachment, ...]:
    """The newest paper of each kind; a paper whose content was erased is left out."""
    rows = execute(conn, _PAPERS, (case_id,)).fetchall()
    if not rows:
        return ()
    wanted = services.catalogue.table(TABLE, services.clock.now().date())
    newest = {kind: message for message, kind in rows if wanted.get(kind)}
    found = []
    for kind, message in newest.items():
        try:
            raw = payload_of(conn, services.vault, message)
        except GatewayError as error:
            if error.code != "log.no_payload":
                raise
            continue
        found.append(Attachment(f"{wanted.get(kind)}.xml", kind, "application/xml", raw))
    return tuple(found)
