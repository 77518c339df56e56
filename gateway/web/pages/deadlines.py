"""The legal clocks of a dossier as a page shows them: what is left of each now, by what happened since it was made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from gateway.domain.clocks import Clock, clock_of, on_the_wall
from gateway.domain.office import OFFICE_ZONE, Tables
from gateway.domain.time_left import Left, left_of
from gateway.views.desk import DeskDossier
from gateway.views.waiting import WaitingCase

Told = tuple[Clock, Left] | str
"""A clock with what is left of it; a bare ISO end in dossiers made before clocks were kept whole."""


class Scoped(Protocol):
    """The part of gateway.mapping.catalogue.Catalogue used here."""

    def within(self, feed: str, province: str = "") -> Tables:
        """The tables as they count for dossiers of a province."""
        ...


@dataclass(frozen=True, slots=True)
class Happened:
    """What happened since a dossier was made, as far as clocks run by it; instants are aware. `received`: the commune
    has it; `asked`: the commune asked the family for more; `done`: name of a clock → when its matter was settled;
    `stopped`: clocks that run no more."""

    received: datetime | None = None
    asked: datetime | None = None
    done: Mapping[str, datetime] = field(default_factory=dict)
    stopped: frozenset[str] = frozenset()


def deadlines_of(
    dossier: Mapping[str, Any], register_by: str, catalogue: Scoped, now: datetime, happened: Happened
) -> dict[str, Told]:
    """The clocks of a dossier (domain.dossier.as_json) by name, registration first, each with what is left at `now`."""
    kept = {item["name"]: Clock.from_json(item) for item in dossier.get("clocks", ())}
    if not kept:
        return {"register_by": register_by, **dossier.get("deadlines", {})}
    tables = catalogue.within("", dossier["commune"]["province_code"] or "")
    kept |= _with_the_commune(dossier, tables, now, happened)
    return {name: (clock, _left(clock, tables, now, happened)) for name, clock in kept.items()}


def while_waiting(case: WaitingCase) -> Happened:
    """No commune has it yet; the facility's data came before the dossier was made."""
    return Happened(done={"send_paper_by": _instant(case.since)})


def on_the_desk(found: DeskDossier) -> Happened:
    """The commune answers by asking, refusing or registering; what it accepts or registers after asking was
    supplemented."""
    acts = [(event["action"], datetime.fromisoformat(event["at"])) for event in found.history]
    received = _instant(found.line.received_at)
    asked = max((at for action, at in acts if action == "ask"), default=None)
    later = [(action, at) for action, at in acts if asked and at > asked]
    done = {
        "send_paper_by": received,
        "decide_by": _first(acts, ("ask", "refuse", "register")),
        "supplement_by": _first(later, ("accept", "register")),
        "register_by": _registered_on(found) if found.line.state == "registered" else None,
    }
    stopped = {"register_by", "supplement_by"} if found.line.state == "refused" else set()
    return Happened(received, asked, {name: at for name, at in done.items() if at}, frozenset(stopped))


def _with_the_commune(
    dossier: Mapping[str, Any], tables: Tables, now: datetime, happened: Happened
) -> dict[str, Clock]:
    """The clocks that the commune starts: when the dossier was made, that could only be assumed."""
    place, today = dossier["commune"], on_the_wall(now).date()
    places = tuple(filter(None, (place["code"], place["province_code"])))
    made = (
        clock_of("decide_by", dossier["kind"], happened.received, tables, today, places),
        clock_of("supplement_by", dossier["kind"], happened.asked, tables, today),
    )
    return {clock.name: clock for clock in made if clock is not None}


def _left(clock: Clock, tables: Tables, now: datetime, happened: Happened) -> Left:
    if clock.name in happened.stopped and clock.ends:
        return Left("stopped")
    return left_of(clock, tables, now, happened.done.get(clock.name))


def _first(acts: Iterable[tuple[str, datetime]], wanted: tuple[str, ...]) -> datetime | None:
    return min((at for action, at in acts if action in wanted), default=None)


def _registered_on(found: DeskDossier) -> datetime:
    """The day in the register; the day it was noted here when that cannot be read."""
    try:
        return datetime.strptime(found.result.get("ngayDangKy", ""), "%d.%m.%Y").replace(tzinfo=OFFICE_ZONE)
    except ValueError:
        return _instant(found.line.changed_at)


def _instant(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1_000_000, UTC)
