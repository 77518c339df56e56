"""What is asked of the national population database about one person: no more than it needs to find or verify them.

Both ways to it, SOAP and a provincial platform's JSON, ask the same (DOMAIN section 6, second-hand).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from gateway.domain.dates import PartialDate
from gateway.domain.identity import PersonQuery
from gateway.domain.person import Person
from gateway.errors import Refused


@dataclass(frozen=True, slots=True)
class Question:
    """One person as asked about: `personal_id` (12 digits) or `cmnd` (9 digits), the other is "". `name` is NFC in
    capitals, `born` yyyyMMdd or yyyy; both "" when the hospital does not know them. `procedure` is the code of the
    procedure it is asked for, "" when none is told."""

    request_id: str
    personal_id: str
    cmnd: str
    name: str
    born: str
    procedure: str = ""

    def asked_about(self, query: PersonQuery) -> Person:
        """What of `query` was asked, and so is confirmed when the database says yes to all of it."""
        return Person(
            name=query.name,
            born=PartialDate.parse(self.born) if self.born else None,
            personal_id=self.personal_id or None,
            cmnd=self.cmnd or None,
        )


def to_question(query: PersonQuery) -> Question:
    """The question for a query: by personal identifier, else by CMND. Raises Refused when it has neither, of the right
    number of digits: nobody is searched for by name."""
    personal_id, cmnd = _number(query, 12), _number(query, 9)
    if not (personal_id or cmnd):
        raise Refused("population.no_number", "a question needs a number of 12 or 9 digits")
    name = query.name.full if query.name else ""
    procedure = query.purpose.partition(" ")[0]
    cmnd = "" if personal_id else cmnd
    return Question(query.request_id, personal_id, cmnd, in_capitals(name), _born(query.born), procedure)


def in_capitals(name: str) -> str:
    """A name as the database writes it: NFC, capitals, single spaces. Marks survive: đ becomes Đ, ễ Ễ."""
    return " ".join(unicodedata.normalize("NFC", name.upper()).split())


def _number(query: PersonQuery, length: int) -> str:
    """The number of so many digits, whichever field the hospital put it in; "" without one."""
    numbers = ((number or "").strip() for number in (query.personal_id, query.cmnd))
    return next((text for text in numbers if len(text) == length and text.isascii() and text.isdigit()), "")


def _born(born: PartialDate | None) -> str:
    """yyyyMMdd on the clock of Việt Nam; the year alone when month or day is unknown, as the service takes no month
    without a day."""
    if born is None:
        return ""
    here = born.local()
    return f"{here.year:04d}" if here.date is None else f"{here.date:%Y%m%d}".zfill(8)
