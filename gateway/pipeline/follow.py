"""follow: ask a commune's system what became of a dossier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from gateway.errors import Misconfigured
from gateway.lanes import lanes
from gateway.lanes.lanes import NotYet
from gateway.pipeline import partners
from gateway.pipeline.forward import delivery_of, load_dossier
from gateway.pipeline.outcomes import ENDS, Told, write_outcome
from gateway.pipeline.services import Services
from gateway.pipeline.systems import DESK, taken_by
from gateway.ports.commune import Outcome
from gateway.store.session import execute, now_us

LONGEST_SECONDS = 3_600.0
"""Looks at a dossier grow apart until so many seconds lie between them."""
GROWTH = 1.5
UNKNOWN_LOOKS = 3
"""So often a system may not know a dossier that it took before it is sent again, under the same code."""

_NEWER = "SELECT 1 FROM dossier WHERE case_id = ? AND version > ? AND system = ? AND taken_at IS NOT NULL"
_LAST = "SELECT state, version FROM outcome WHERE case_id = ?"


@dataclass(frozen=True, slots=True)
class Looked:
    """One look: what was told (None: the system does not know the dossier), and whether it says something new."""

    told: Told | None
    system: str
    is_news: bool


class Follow:
    """Handler of `follow` work: args {"case", "version"}, with "looks" when it goes on by itself until the end, and
    "unknown" the looks in a row at which the system knew nothing."""

    kind = "follow"

    def __init__(self, services: Services) -> None:
        self.services = services

    def act(self, args: Mapping[str, Any]) -> Looked:
        services = self.services
        with services.store.read() as conn:
            dossier = load_dossier(conn, services, args)
            name = dossier.system or taken_by(conn, dossier.case_id, dossier.version + 1) or DESK
            delivery = delivery_of(conn, services, dossier, name)
            last = execute(conn, _LAST, (dossier.case_id,)).fetchone()
            partners.wait_for(conn, name, now_us(services.clock))
        try:
            outcome = services.communes[name].status(delivery)
        except Misconfigured as error:
            raise NotYet(partners.rest(services, name, error), all_of_partner=True) from error
        if outcome is None:
            return Looked(None, name, False)
        is_news = last is None or (outcome.state, dossier.version) != tuple(last)
        return Looked(Told(dossier.case_id, dossier.version, name, outcome), name, is_news)

    def record(self, conn: Connection, args: Mapping[str, Any], outcome: Looked) -> None:
        if outcome.told is not None and (outcome.is_news or "looks" not in args):
            write_outcome(conn, self.services, "followed", outcome.told)
        elif outcome.told is None and "looks" not in args:
            write_outcome(
                conn, self.services, "followed", Told(args["case"], args["version"], outcome.system, Outcome("pending"))
            )
        if "looks" in args:
            self._look_again(conn, args, outcome)

    def _look_again(self, conn: Connection, args: Mapping[str, Any], looked: Looked) -> None:
        """Put the next look, unless this was the last: it ended, or a newer version is looked after instead."""
        system, now = self.services.communes.get(looked.system), now_us(self.services.clock)
        if looked.told is not None and looked.told.outcome.state in ENDS:
            return
        if system is None or not system.poll_seconds:
            return
        if execute(conn, _NEWER, (args["case"], args["version"], looked.system)).fetchone() is not None:
            return
        unknown = args.get("unknown", 0) + 1 if looked.told is None else 0
        case = {"case": args["case"], "version": args["version"]}
        if unknown >= UNKNOWN_LOOKS:
            lanes.put(conn, f"dossier:{args['case']}", "forward", case, now, partner=looked.system)
            return
        after = min(system.poll_seconds * GROWTH ** args["looks"], max(LONGEST_SECONDS, system.poll_seconds))
        again = case | {"looks": args["looks"] + 1, "unknown": unknown}
        lanes.put(conn, f"follow:{args['case']}", "follow", again, now, after, looked.system)
