"""Is this HL7 v2 message about a birth or a death? Decided from a few fields, in microseconds, for every message.

Births are recognised in `BIRTH_OR_DEATH` triggers, the newborn being the patient. Evidence, strongest first: PV1-4 = N
(table 0007, newborn); PID-21 (mother's identifier) valued, or an NK1 whose NK1-3 is MTH (table 0063), each with PID-7
at most 28 days before the event. Deaths: PID-30 = Y or PID-29 valued (chapter 3.4.2), or a PV1-36 that the feed's
settings list, because HL7 fixes no values in table 0112. A death that the same message denies is still a death, with
`death.contradiction`: a person settles it.

What is neither, deliberately:
- Marked newborn but older than 28 days: `birth.too_old`, told as related facts when the mother is named, else nothing.
- PID-24, PID-29 and PID-30 all valued without PV1-4 = N: filled for demonstration, no birth. When PID-24 = N and PID-25
  is above 1 as well (no multiple birth, yet the second of it), the record is true of nobody: no death either.
- Zero born alive in an OBX: `birth.still`, told as related facts; a stillborn child gets no dossier of either kind.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files

from adapters.hospital.hl7v2_message import Composite, Hl7v2Message, Segment
from adapters.hospital.hl7v2_time import at_precision
from gateway.domain.dates import PartialDate
from gateway.domain.finding import Finding
from gateway.ports.hospital import Feed

BIRTH_OR_DEATH = frozenset({"A01", "A03", "A04", "A08", "A28", "A31"})
CANCELS = {"A11": ("A01", "A04", "A05", "A08"), "A13": ("A03",)}
"""Trigger → whose earlier messages it withdraws: the whole visit, or the discharge (chapter 3.3.11 and 3.3.13)."""

MERGES = frozenset({"A18", "A34", "A40", "A47"})
"""Triggers by which MRG-1 and PID-3 name one patient (chapter 3.3.18, 3.3.34, 3.3.40, 3.3.47)."""

NEWBORN_DAYS = 28
BORN_ALIVE, BORN_DEAD = "73773-4", "73772-6"
"""LOINC: infants of this delivery born alive; fetal deaths in it."""

PATIENT_NUMBERS = ("MR", "PI", "PT", "")
"""PID-3.5 (table 0203) of numbers by which a facility knows its patient; "" where the sender gives no type. Visit,
account and insurance numbers are not handles: mother and twins share them."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing a message is about. `mapping` names the inbound mapping file."""

    kind: str
    relevance: str
    mapping: str
    findings: tuple[Finding, ...] = ()


def read_trigger(message: Hl7v2Message) -> str:
    """Message type and trigger event, e.g. "ADT^A01". MSH-9.2 may be empty in old feeds; EVN-1 then tells."""
    kind, trigger = message.msh.text(9), message.msh.text(9, 2)
    if not trigger and kind == "ADT":
        event = message.first(b"EVN")
        trigger = event.text(1) if event else ""
    return f"{kind}^{trigger}" if trigger else kind


def find_signs_in_adt(message: Hl7v2Message, feed: Feed) -> list[Sign]:
    """Birth and death signs of an ADT message, the birth first. [] for the bulk of all traffic."""
    pid = message.first(b"PID")
    if pid is None:
        return []
    visit = message.first(b"PV1")
    birth = _find_birth(message, pid, visit)
    died = _find_death(pid, visit, feed)
    if birth is None:
        return [died] if died else []
    if died is None or any(finding.code == "birth.still" for finding in birth.findings):
        return [birth]
    if birth.relevance != "birth":
        return [birth, died]
    finding = Finding("birth.died", "PID-30" if pid.raw(30) else "PID-29")
    return [Sign(birth.kind, birth.relevance, birth.mapping, (*birth.findings, finding)), died]


def _find_birth(message: Hl7v2Message, pid: Segment, visit: Segment | None) -> Sign | None:
    newborn = visit is not None and visit.text(4).upper() == "N"
    mother = bool(pid.raw(21)) or _names_mother(message)
    if not newborn and not mother:
        return None
    age = _age_in_days(message, pid, visit)
    if newborn and age is not None and age > NEWBORN_DAYS:
        named = mother or bool(pid.raw(6))
        return Sign("birth", "related", "adt_birth", (Finding("birth.too_old", "PID-7"),)) if named else None
    if not newborn:
        filled_for_demonstration = all(pid.raw(number) for number in (24, 29, 30))
        if filled_for_demonstration or age is None or not -1 <= age <= NEWBORN_DAYS:
            return None
    if _is_stillbirth(message.every(b"OBX")):
        return Sign("birth", "related", "adt_birth", (Finding("birth.still", "OBX"),))
    return Sign("birth", "birth", "adt_birth")


def _names_mother(message: Hl7v2Message) -> bool:
    return message.mentions(b"MTH") and any(kin.text(3) == "MTH" for kin in message.every(b"NK1"))


def _age_in_days(message: Hl7v2Message, pid: Segment, visit: Segment | None) -> int | None:
    """Days from PID-7 to the event: EVN-2, else MSH-7; or to the admission (PV1-44) when that is nearer, because a
    child in its fifth week may still be in for its birth. None when either day is unknown."""
    born = read_day(at_precision(pid.text(7), pid.text(7, 2)))
    if born is None:
        return None
    event = message.first(b"EVN")
    days = [
        read_day(event.text(2) if event else "") or read_day(message.msh.text(7)),
        read_day(visit.text(44)) if visit else None,
    ]
    ages = [(day - born).days for day in days if day]
    return min((age for age in ages if age >= -1), default=min(ages, default=None))


def read_day(text: str) -> date | None:
    """The calendar day of an HL7 time; None when absent, unreadable or less precise than a day."""
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None


def _find_death(pid: Segment, visit: Segment | None, feed: Feed) -> Sign | None:
    indicator = pid.text(30).upper()
    denied, affirmed = indicator in ("N", "NO"), indicator in ("Y", "YES")
    timed = bool(pid.text(29).strip("0 "))  # some feeds write zeros for "none"
    discharged_dead = visit is not None and visit.text(36) in feed.discharge_died
    if not (affirmed or timed or discharged_dead):
        return None
    order = pid.text(25)
    if pid.text(24).upper() == "N" and order.isdecimal() and int(order) > 1 and pid.raw(29) and pid.raw(30):
        return None
    if denied:
        where = "PID-29" if timed else "PV1-36"
        return Sign("death", "death", "adt_death", (Finding("death.contradiction", where, "PID-30=N"),))
    return Sign("death", "death", "adt_death")


def _is_stillbirth(observations: Sequence[Segment]) -> bool:
    """Only what is stated: nobody born alive, or as many fetal deaths as children in the delivery."""
    counts = {code: row.text(5) for row in observations for code in (row.text(3), row.text(3, 4)) if code}
    alive, dead = counts.get(BORN_ALIVE), counts.get(BORN_DEAD)
    if alive:
        return alive == "0"
    return bool(dead) and dead != "0" and dead == counts.get("57722-1")


def find_signs_in_oru(observations: Sequence[Segment], orders: Sequence[Segment]) -> list[Sign]:
    """Vital facts about one patient of an ORU^R01. They open no case, but may come before the ADT that does."""
    kinds = vital_observations()
    asked = {kinds.get(code) for row in orders for code in (row.text(4), row.text(4, 4)) if code}
    told = {kinds.get(code) for row in observations for code in (row.text(3), row.text(3, 4)) if code}
    if "screening" in asked | told:
        return []  # a blood-spot card repeats weight and gestation; it notifies nothing
    still = (Finding("birth.still", "OBX"),) if _is_stillbirth(observations) else ()
    return [
        Sign(kind, "related", f"oru_{kind}", still if kind == "birth" else ())
        for kind in ("birth", "death")
        if kind in told
    ]


@lru_cache(maxsize=1)
def vital_observations() -> Mapping[str, str]:
    """LOINC code → birth | death | screening, from the code table that ships with the mappings."""
    text = (files("mappings") / "codes" / "loinc_vital_events.csv").read_text("utf-8")
    return {row["code"]: row["value"] for row in csv.DictReader(io.StringIO(text))}


def patient_handles(segment: Segment, field: int = 3) -> tuple[str, ...]:
    """The facility's numbers of the patient (PID-3, MRG-1), the medical record number before untyped ones."""
    found: list[tuple[int, str]] = []
    for number in segment.repetitions(field):
        kind = _identifier_type(number)
        if kind in PATIENT_NUMBERS and number.text:
            found.append((PATIENT_NUMBERS.index(kind), number.text))
    return tuple(dict.fromkeys(handle for _, handle in sorted(found, key=lambda pair: pair[0])))


def _identifier_type(number: Composite) -> str:
    return number[5].upper()


def occurred_at(message: Hl7v2Message, pid: Segment | None, feed: Feed) -> str:
    """When it happened, to order events: EVN-2, else PID-33, else MSH-7; UTC ISO text, "" when none is readable."""
    event = message.first(b"EVN")
    texts = (event.text(2) if event else "", pid.text(33) if pid else "", message.msh.text(7))
    for text in texts:
        if text and (instant := _instant(text, feed.offset)):
            return instant
    return ""


def _instant(text: str, offset: int) -> str | None:
    try:
        when = PartialDate.parse(text)
    except ValueError:
        return None
    if when.hour is None:
        # A day alone orders by its start on the sender's clock.
        when = PartialDate(when.year, when.month or 1, when.day or 1, 0, 0, 0, when.offset)
    instant = when.instant(offset)
    return instant.isoformat(timespec="seconds") if instant else None
