"""The words of letters in the mapping set: which row of the code table `letters` counts for a commune, whether rows and
templates can be used, and which letters are late by the hours that rows give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from gateway.domain.commune import Commune
from gateway.domain.letter import (
    KINDS,
    PLACEHOLDERS,
    WITHIN_HOURS,
    Wording,
    compose,
    facts_of,
    unknown_placeholders,
)
from gateway.errors import GatewayError
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.codes import Table
from gateway.pipeline.typesetting import template_mistake
from gateway.views.letters import LetterLine

TABLE = "letters"
"""Code table of the wording: `<kind>/<commune, province or *>`, dated."""


@dataclass(frozen=True, slots=True)
class Review:
    """Registered cases by what became of their letters: none though it is time, made late, none yet but in time; and
    how many were made in time."""

    missing: tuple[LetterLine, ...]
    late: tuple[LetterLine, ...]
    pending: tuple[LetterLine, ...]
    in_time: int


def review_letters(catalogue: Catalogue, lines: Sequence[LetterLine], now: int, on: date) -> Review:
    """Which letters are missing or came late, by the hours that each commune's row of the table gives. Where no row
    counts there is no time to wait."""
    hours: dict[tuple[str, str], float] = {}
    for kind, code in {(line.kind, line.commune_code) for line in lines}:
        commune = catalogue.units.today(code) or Commune(code, "", "", "", "")
        try:
            layers = catalogue.within("", commune.province_code)
            hours[kind, code] = wording_for(layers, kind, commune, on).within_hours
        except GatewayError:
            hours[kind, code] = 0.0
    late = {line.case_id for line in lines if line.hours(now) > hours[line.kind, line.commune_code]}
    none = [line for line in lines if line.made_at is None]
    return Review(
        missing=tuple(line for line in none if line.case_id in late),
        late=tuple(line for line in lines if line.made_at is not None and line.case_id in late),
        pending=tuple(line for line in none if line.case_id not in late),
        in_time=sum(line.made_at is not None and line.case_id not in late for line in lines),
    )


def wording_for(catalogue: Catalogue, kind: str, commune: Commune, on: date) -> Wording:
    """A commune's own words in force on a day, else its province's, else everybody's."""
    table = catalogue.table(TABLE, on)
    for place in (commune.code, commune.province_code, "*"):
        code = f"{kind}/{place}"
        if table.get(code) is not None:
            return wording_of(partial(_column, table, code))
    raise GatewayError("letter.no_wording", f"codes/{TABLE}.csv has no row {kind}/* in force")


def _hours(text: str) -> float:
    try:
        return float(text) if text else WITHIN_HOURS
    except ValueError:
        raise GatewayError("letter.no_wording", f"codes/{TABLE}.csv: within_hours is not a number") from None


def check_templates(catalogue: Catalogue, on: date) -> dict[str, str]:
    """What is wrong with the rows of the table in force and the templates they name, set with invented people: row →
    words. Rows of every overlay are looked at, whoever they are for."""
    wrong: dict[str, str] = {}
    for part in catalogue.parts():
        table = part.table(TABLE, on)
        for code in table.codes():
            try:
                words = _row_mistake(part, code, wording_of(partial(_column, table, code)))
            except GatewayError as error:
                words = error.message
            if words:
                wrong[f"codes/{TABLE}.csv {code}"] = words
    return wrong


def _row_mistake(catalogue: Catalogue, code: str, wording: Wording) -> str:
    kind = code.partition("/")[0]
    if kind not in KINDS:
        return f"a code is {' or '.join(f'{known}/…' for known in KINDS)}"
    if unknown := unknown_placeholders(wording):
        return f"no letter knows {{{unknown[0]}}}; it knows {', '.join(PLACEHOLDERS)}"
    fields = dict.fromkeys(("nksHoTen", "meHoTen", "chaHoTen", "nktHoTen"), "Người Thử")
    days = dict.fromkeys(("nksNgaySinh", "nktNgayChet"), "01.01.2026")
    letter = compose(
        facts_of(kind, fields | days, {}, "", date(2026, 1, 2)), wording, Commune("", "Xã Thử", "", "", "")
    )
    try:
        return template_mistake(catalogue.template(wording.template), letter.as_json())
    except KeyError:
        return f"there is no template letters/{wording.template}.typ"


def _column(table: Table, code: str, column: str) -> str:
    return table.column(code, column) or ""


def wording_of(column: Callable[[str], str]) -> Wording:
    """A row of the table, asked by column; a line of `paragraphs` is a paragraph."""
    return Wording(
        template=column("value"),
        heading=column("heading"),
        paragraphs=tuple(line.strip() for line in column("paragraphs").splitlines() if line.strip()),
        office=column("office"),
        title=column("title"),
        signer=column("signer"),
        within_hours=_hours(column("within_hours")),
    )
