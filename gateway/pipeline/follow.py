"""follow: ask a commune's system what became of a dossier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog
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
_LAST = "SELECT state, version, told_at FROM outcome WHERE case_id = ?"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Looked:
    """One look: what was told (None: the system does not know the dossier), and whether it says something new. `last`
    is the newest word we had when we asked: state, version, when."""

    told: Told | None
    system: str
    is_news: bool
    last: tuple[Any, ...] = ()


class Follow:
    """Handler of `follow` work: args {"case", "version"}, with "looks" when it goes on by itself until the end,
    "unknown" the looks in a row at which the system knew nothing, and "said" the state it told last."""

    kind = "follow"

    def __init__(self, services: Services) -> None:
        self.services = services

    def act(self, args: Mapping[str, Any]) -> Looked:
        services = self.services
        with services.store.read() as conn:
            dossier = load_dossier(conn, services, args)
            name = dossier.system or taken_by(conn, dossier.case_id, dossier.version + 1) or DESK
            delivery = delivery_of(conn, services, dossier, name)
            last = _last(conn, dossier.case_id)
            rested = partners.wait_for(conn, name, now_us(services.clock))
        system = services.communes.get(name)
        if system is None:
            log.warning("follow.system_gone", system=name, case=dossier.case_id)
            return Looked(None, name, False, last)
        if rested:
            partners.take_turn(services, name)
        try:
            outcome = system.status(delivery)
        except Misconfigured as error:
            raise NotYet(partners.rest(services, name, error, dossier.case_id), all_of_partner=True) from error
        if rested:
            partners.mended(services, name)
        if outcome is None:
            return Looked(None, name, False, last)
        told = Told(dossier.case_id, dossier.version, name, outcome)
        return Looked(told, name, _is_news(told, last, args.get("said", "")), last)

    def record(self, conn: Connection, args: Mapping[str, Any], outcome: Looked) -> None:
        if "looks" in args and _last(conn, args["case"]) != outcome.last:
            # Somebody told us while we asked: what we were answered may be older. The next look compares again.
            self._look_again(conn, args, replace(outcome, told=None, is_news=False), stale=True)
            return
        if outcome.told is not None and (outcome.is_news or "looks" not in args):
            write_outcome(conn, self.services, "followed", outcome.told)
        elif outcome.told is None and "looks" not in args:
            write_outcome(
                conn, self.services, "followed", Told(args["case"], args["version"], outcome.system, Outcome("pending"))
            )
        if "looks" in args:
            self._look_again(conn, args, outcome)

    def _look_again(self, conn: Connection, args: Mapping[str, Any], looked: Looked, *, stale: bool = False) -> None:
        """Put the next look, unless this was the last: it ended (by a call, or by a decision about a newer version, as
        well), or a newer version is looked after instead."""
        system, now = self.services.communes.get(looked.system), now_us(self.services.clock)
        state, version, _ = _last(conn, args["case"]) or ("", 0, 0)
        if (state in ENDS and version >= args["version"]) or (looked.told and looked.told.outcome.state in ENDS):
            return
        if system is None or not system.poll_seconds:
            return
        if execute(conn, _NEWER, (args["case"], args["version"], looked.system)).fetchone() is not None:
            return
        unknown = args.get("unknown", 0) + 1 if looked.told is None and not stale else 0
        case = {"case": args["case"], "version": args["version"]}
        if unknown >= UNKNOWN_LOOKS:
            lanes.put(conn, f"dossier:{args['case']}", "forward", case, now, partner=looked.system)
            return
        after = min(system.poll_seconds * GROWTH ** args["looks"], max(LONGEST_SECONDS, system.poll_seconds))
        said = looked.told.outcome.state if looked.told else args.get("said", "")
        again = case | {"looks": args["looks"] + 1, "unknown": unknown, "said": said}
        lanes.put(conn, f"follow:{args['case']}", "follow", again, now, after, looked.system)


def _last(conn: Connection, case_id: str) -> tuple[Any, ...]:
    """The newest word on a case: state, version, when; () when there is none."""
    return tuple(execute(conn, _LAST, (case_id,)).fetchone() or ())


def _is_news(told: Told, last: tuple[Any, ...], said: str) -> bool:
    """Whether a look tells more than was known: the newest word, or, once that is about a newer version, what the
    system itself said before."""
    if not last:
        return True
    state, version, _ = last
    if version > told.version:
        return told.outcome.state != said
    return (told.outcome.state, told.version) != (state, version)
