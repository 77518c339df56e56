"""Thư chúc mừng and thư chia buồn: what a letter knows of a registered case, and its words. Pure.

What may stand in a letter is what `LetterFacts` has a field for: no cause of death, no identifier, nothing clinical.
The words are data (code table `letters`); names reach the template as data too and never become part of its source.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from unicodedata import normalize

from gateway.domain.commune import Commune
from gateway.domain.form_values import day_in_words, day_of, name_of, text_of

KINDS = ("birth", "death")
WITHHELD = "withheld"
"""Kind of the letter of a birth whose child has died: nobody is congratulated."""
WITHIN_HOURS = 24.0
"""When a row of the table does not say how soon after the registration a letter is on time."""
CHILD_UNDER = 16
"""Years: who dies younger is called "cháu" (a child by Luật Trẻ em 2016, article 1), else "ông" or "bà"."""
PLACEHOLDERS = ("child", "parents", "deceased", "born", "died", "registered", "commune")
"""What paragraphs may name in braces; one that names what is not known is left out whole."""
_PLACEHOLDER = re.compile(r"\{([a-z]+)\}")
_TYPES = ("Phường ", "Xã ", "Đặc khu ", "Thị trấn ")


@dataclass(frozen=True, slots=True)
class LetterFacts:
    """`subject` is the child's or the deceased's name, "" when not known; `day` the day of birth or death in words;
    `honorific` is how the deceased is spoken of: ông, bà, cháu or ""."""

    kind: str
    subject: str
    day: str
    registered: str
    address: str
    father: str = ""
    mother: str = ""
    honorific: str = ""


@dataclass(frozen=True, slots=True)
class Wording:
    """A row of the table `letters`. `office` "" is the People's Committee of the commune; `signer` and `title` ""
    leave a line to be signed. `within_hours`: so long after the registration the letter is on time."""

    template: str
    heading: str
    paragraphs: tuple[str, ...]
    office: str = ""
    title: str = ""
    signer: str = ""
    within_hours: float = WITHIN_HOURS


@dataclass(frozen=True, slots=True)
class Letter:
    """What the template sets, all of it NFC text: `to` is the addressee, `dateline` place and day."""

    office: str
    heading: str
    dateline: str
    to: str
    address: str
    paragraphs: tuple[str, ...]
    title: str
    signer: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def facts_of(
    kind: str, fields: Mapping[str, Any], result: Mapping[str, Any], address: str, registered_on: date
) -> LetterFacts:
    """What a letter may know, from a dossier's fields and the registration's result, whose name for the child counts
    more: the family chose it after the hospital had written. `address` in one line."""
    registered = f"{registered_on:%d.%m.%Y}"
    if kind == "birth":
        return LetterFacts(
            kind,
            name_of(result.get("nksHoTen")) or name_of(fields.get("nksHoTen")),
            day_in_words(fields.get("nksNgaySinh")),
            registered,
            address,
            father=name_of(fields.get("chaHoTen")),
            mother=name_of(fields.get("meHoTen")),
        )
    name = name_of(fields.get("nktHoTen")) or name_of(result.get("nktHoTen"))
    day = day_in_words(fields.get("nktNgayChet"))
    return LetterFacts(kind, name, day, registered, address, honorific=_honorific(fields))


def compose(facts: LetterFacts, wording: Wording, commune: Commune) -> Letter:
    """The letter of a case in the words of its commune."""
    values = _values(facts, commune)
    day, month, year = day_of(facts.registered)
    place = next((commune.name.removeprefix(kind) for kind in _TYPES if commune.name.startswith(kind)), commune.name)
    filled = (_fill(paragraph, values) for paragraph in wording.paragraphs)
    texts = {
        "office": wording.office or f"Ủy ban nhân dân\n{commune.name}",
        "heading": wording.heading,
        "dateline": f"{place}, {day_in_words(facts.registered)}" if day and month and year else place,
        "to": _addressee(facts, values),
        "address": facts.address,
        "title": wording.title,
        "signer": wording.signer,
    }
    nfc = {name: normalize("NFC", text) for name, text in texts.items()}
    return Letter(**nfc, paragraphs=tuple(normalize("NFC", text) for text in filled if text))


def unknown_placeholders(wording: Wording) -> list[str]:
    """Names in braces that no letter knows."""
    found = (name for paragraph in wording.paragraphs for name in _PLACEHOLDER.findall(paragraph))
    return sorted({name for name in found if name not in PLACEHOLDERS})


def _values(facts: LetterFacts, commune: Commune) -> dict[str, str]:
    shared = {
        "commune": f"{commune.name[:1].lower()}{commune.name[1:]}",
        "registered": day_in_words(facts.registered),
    }
    if facts.kind == "birth":
        child = f"cháu {facts.subject}" if facts.subject else "cháu bé"
        return shared | {"child": child, "parents": _parents(facts), "born": facts.day}
    deceased = f"{facts.honorific} {facts.subject}".strip() if facts.subject else ""
    return shared | {"deceased": deceased or "người thân", "died": facts.day}


def _parents(facts: LetterFacts) -> str:
    named = (("ông", facts.father), ("bà", facts.mother))
    return " và ".join(f"{title} {name}" for title, name in named if name)


def _addressee(facts: LetterFacts, values: Mapping[str, str]) -> str:
    if facts.kind == "death":
        return f"Gia đình {values['deceased']}" if facts.subject else "Gia đình người đã khuất"
    to = values["parents"] or f"gia đình {values['child']}"
    return to[:1].upper() + to[1:]


def _fill(paragraph: str, values: Mapping[str, str]) -> str:
    """The paragraph with its names filled in, once: what a name holds is never looked into. "" when one is unknown."""
    if not all(values.get(name) for name in _PLACEHOLDER.findall(paragraph)):
        return ""
    return _PLACEHOLDER.sub(lambda match: values[match[1]], paragraph)


def _honorific(fields: Mapping[str, Any]) -> str:
    born, died = day_of(fields.get("nktNgaySinh")), day_of(fields.get("nktNgayChet"))
    if born[2] and died[2]:
        before = died[2] - born[2] - ((died[1], died[0]) < (born[1], born[0]))
        if before < CHILD_UNDER:
            return "cháu"
    return {"1": "ông", "2": "bà"}.get(text_of(fields.get("nktGioiTinh")), "")
