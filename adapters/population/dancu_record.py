"""What the national population database says of a person (CongDan), as a `Person`, whichever way it came.

A record is a mapping of element names, lower case, to text or to records: both XML and JSON are brought to it. Of what
is offered only what a civil-registry dossier needs is read; blood group, religion and the household stay in the
evidence. Names of elements are second-hand (DOMAIN section 6).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adapters.population.dancu_question import Question
from gateway.domain.dates import PartialDate
from gateway.domain.identity import PopulationAnswer
from gateway.domain.person import Address, Person, PersonName, Sex
from gateway.errors import Misunderstood
from gateway.mapping.registry import CodeTable
from gateway.mapping.transforms.text import tidy
from gateway.mapping.transforms.whole_names import split_name

Record = Mapping[str, Any]
Tables = Callable[[str], CodeTable]
_RELATIVES = {"father": "cha", "mother": "me", "spouse": "vochong"}


def to_answer(question: Question, records: Sequence[Record], evidence: bytes, table: Tables) -> PopulationAnswer:
    """The answer that `records` are; `evidence` is what came, raw.

    Raises Misunderstood for several persons (nobody picks one), for another person than was asked about, and for a
    record that cannot be read: a birth date dropped in silence could turn a difference into a match.
    """
    if not records:
        return PopulationAnswer(None, evidence)
    if len(records) > 1:
        raise Misunderstood("population.several_persons", "the answer is about more than one person", evidence)
    try:
        person = to_person(records[0], table)
        relatives = _relatives(records[0], table)
    except (ValueError, TypeError):
        words = "a person's record in the answer cannot be read"
        raise Misunderstood("population.record_unreadable", words, evidence) from None
    if not _is_about(question, person):
        raise Misunderstood("population.other_person", "the answer is about another number than was asked", evidence)
    return PopulationAnswer(person, evidence, relatives=relatives)


def _is_about(question: Question, person: Person) -> bool:
    """Whether the record carries the number asked for. One found by its old CMND may be kept under the new number
    alone: name and birth date then have to tell."""
    if question.personal_id:
        return person.personal_id == question.personal_id
    return person.cmnd == question.cmnd or (person.cmnd is None and person.personal_id is not None)


def to_person(record: Record, table: Tables) -> Person:
    """The typed person of a record, or of a relative's shorter one. Raises ValueError or TypeError when it is none."""
    return Person(
        name=_name(record.get("hovaten")),
        sex=_sex(_text(record, "gioitinh"), table),
        born=_born(record.get("ngaythangnamsinh")),
        personal_id=_number(record, "sodinhdanh", 12),
        cmnd=_number(record, "socmnd", 9),
        address=_address(record, table),
        ethnicity=_code(_text(record, "dantoc"), table("ethnicity")),
        nationality=_code(_text(record, "quoctich"), table("nationality")),
    )


def _relatives(record: Record, table: Tables) -> dict[str, Person]:
    persons = {
        role: to_person(record[name], table)
        for role, name in _RELATIVES.items()
        if isinstance(record.get(name), Mapping)
    }
    return {role: person for role, person in persons.items() if person.name or person.personal_id or person.cmnd}


def _text(record: Record, name: str) -> str:
    """The text of an element, "" without one. Raises TypeError for an element that has parts."""
    text = record.get(name)
    if isinstance(text, int) and not isinstance(text, bool):
        return str(text)  # JSON
    if text is not None and not isinstance(text, str):
        raise TypeError(name)
    return tidy(text or "")


def _name(said: Any) -> PersonName | None:
    """HoVaTen in parts, or the whole name in Ten alone, as samples have it, or as text."""
    if not isinstance(said, Mapping):
        return split_name(_text({"": said}, ""))
    family, middle, given = (_text(said, part) for part in ("ho", "chudem", "ten"))
    if family or middle:
        return PersonName(family, middle, given)
    return split_name(given)


def _sex(code: str, table: Tables) -> Sex | None:
    known = _code(code, table("dancu_sex"))
    return Sex(known) if known else None


def _born(said: Any) -> PartialDate | None:
    """NgayThangNam (yyyyMMdd), else Nam: some people have a year alone. Raises ValueError for what is no date."""
    if not isinstance(said, Mapping):
        said = {"ngaythangnam": said}
    text = _text(said, "ngaythangnam") or _text(said, "nam")
    return PartialDate.parse(text) if text else None


def _number(record: Record, name: str, length: int) -> str | None:
    """A number as it must be; raises ValueError for any other: it could belong to somebody."""
    text = _text(record, name)
    if text and not (len(text) == length and text.isascii() and text.isdigit()):
        raise ValueError(name)
    return text or None


def _code(code: str, table: CodeTable) -> str | None:
    """What a code stands for; None for none and for an unknown one, which nobody guesses."""
    return (table.get(code) or None) if code else None


def _address(record: Record, table: Tables) -> Address | None:
    """The permanent residence (thường trú), else where the person lives now."""
    for name, residence in (("thuongtru", "permanent"), ("noiohientai", "")):
        said = record.get(name)
        parts = said if isinstance(said, Mapping) else {"chitiet": said}
        address = Address(
            line=_text(parts, "chitiet"),
            commune_code=_unit(parts, "maphuongxa", 5) or _unit(parts, "madonvihanhchinh", 5),
            district_code=_unit(parts, "maquanhuyen", 3),
            province_code=_unit(parts, "matinhthanh", 2),
            country=_country(_text(parts, "quocgia"), table),
            residence=residence,
        )
        if address.line or address.commune_code or address.district_code or address.province_code:
            return address
    return None


def _unit(parts: Record, name: str, length: int) -> str:
    """A unit's code with its leading zeros. Codes come without a date: a district's beside them tells the list before
    01/07/2025, none that of today (domain.person.Address); so all zeros, a unit that is none, count as none."""
    text = _text(parts, name)
    is_code = text.isascii() and text.isdigit() and len(text) <= length and int(text) > 0
    return text.zfill(length) if is_code else ""


def _country(text: str, table: Tables) -> str:
    return _code(text, table("nationality")) or text
