"""Reading a person's data is itself evidence: who looked at which case, and why, is logged before the answer goes out.

If the log cannot be written the data is not shown (LogUnavailable → 503).
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.exc import SQLAlchemyError

from gateway.errors import LogUnavailable
from gateway.messagelog.chain import NewEntry, append
from gateway.web.principal import Principal
from gateway.web.site import Site


def note_read(site: Site, who: Principal, case_ids: Iterable[str], why: str) -> None:
    """Append one `read` entry for each case. `why` names the purpose: "desk", "dossier", "waiting" (a list),
    "waiting_case", "duplicate" (two cases compared), "legs" (how far it got), "api", "download"."""
    meta = {"who": who.name, "role": who.role, "why": why}
    entries = [NewEntry("read", case_id, meta) for case_id in case_ids]
    if not entries:
        return
    services = site.services
    try:
        with services.store.write() as conn:
            append(conn, services.vault, services.chain, site.now, entries)
    except SQLAlchemyError as error:
        raise LogUnavailable("log.unavailable", "the evidence log cannot be written") from error
