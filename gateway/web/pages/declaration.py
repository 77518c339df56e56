"""A dossier laid out like its tờ khai: sections of label, value, what is owed, where it came from. Pure but for
lookups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from gateway.domain.commune import Commune
from gateway.domain.dossier import Correction
from gateway.domain.identity import IdentityResult
from gateway.mapping.forms import Form, FormField
from gateway.mapping.registry import CodeTable
from gateway.web.pages.words import BASES, FACTS, OWED_BY, PERSONS, SOURCES, WITHDRAWAL_REASONS
from gateway.web.rendering import inline

NAME, DATE = ("Ho", "ChuDem", "Ten"), ("namSinh", "thangSinh", "ngaySinh")
PLACE = ("dcChiTiet", "maXa", "maHuyen", "maTinh", "quocGia")
"""Parts of the objects that wire forms have (mappings/outbound), by which a page tells them apart."""


class Units(Protocol):
    """Today's administrative units."""

    def today(self, code: str) -> Commune | None:
        """The unit of a code, or None."""
        ...


class Tables(Protocol):
    """The part of gateway.mapping.catalogue.Catalogue used here: names behind codes."""

    @property
    def units(self) -> Units: ...

    def table(self, name: str, on: date) -> CodeTable:
        """A code table in force on a day."""
        ...


@dataclass(frozen=True, slots=True)
class Shown:
    """One field as shown. `source`, `message` (a log entry) and `path` tell where the value came from; `rule` is the
    mapping row."""

    name: str
    label: str
    value: str
    owed: str = ""
    source: str = ""
    message: str = ""
    path: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class ShownSection:
    """`rows` have a value or are owed; `empty` are labels of fields left blank; `quiet` when no field has a value."""

    title: str
    role: str
    rows: list[Shown] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)

    @property
    def quiet(self) -> bool:
        return not any(row.value for row in self.rows)


@dataclass(frozen=True, slots=True)
class ShownCorrection:
    """One field that changed, as people read it; `old` or `new` "" when there was or is nothing. The source is that of
    the new value."""

    name: str
    label: str
    old: str
    new: str
    source: str = ""
    message: str = ""
    path: str = ""


def subject_of(form: Form, fields: Mapping[str, Any]) -> str:
    """The person as a list names them: the child's name, else "Con bà …"; a text without a name when nobody is
    known."""
    for subject in form.subject:
        value = fields.get(subject.field)
        if name := _joined(value, NAME, " ") if isinstance(value, Mapping) else value:
            return f"{subject.prefix}{name}"
    return "(chưa rõ họ tên)"


def lay_out(form: Form, dossier: Mapping[str, Any], tables: Tables, on: date) -> list[ShownSection]:
    """The dossier (domain.dossier.as_json) by the form's sections; fields no section names stand last, never hidden."""
    values = dossier["dossier"]["fields"]
    owed = {item["field"]: item["by"] for item in dossier["owed"]}
    sections = []
    for section in form.sections:
        shown = ShownSection(section.title, section.role)
        for leaf in section.fields:
            if leaf.name in values:
                _place(shown, leaf, values[leaf.name], owed.get(leaf.name, ""), dossier["provenance"], tables, on)
        sections.append(shown)
    known = {leaf.name for section in form.sections for leaf in section.fields}
    rest = ShownSection("Mục khác", "rest")
    for name in values.keys() - known:
        _place(rest, FormField(name, name), values[name], owed.get(name, ""), dossier["provenance"], tables, on)
    return [section for section in (*sections, rest) if section.rows or section.empty]


def corrections_shown(
    form: Form, corrections: Sequence[Correction], fields: Mapping[str, Any], tables: Tables, on: date
) -> list[ShownCorrection]:
    """Corrections as a table of fields: an object whose parts changed is one row, before and now. `fields` are those of
    the newest version."""
    leaves = {leaf.name: leaf for section in form.sections for leaf in section.fields}
    leaves["commune"] = FormField("commune", "", unit=True)
    labels, changed = labels_of(form), dict[str, list[Correction]]()
    for item in corrections:
        changed.setdefault(item.field, []).append(item)
    return [
        _correction_shown(leaves.get(name, FormField(name, name)), labels.get(name, name), items, fields, tables, on)
        for name, items in changed.items()
    ]


def _correction_shown(
    leaf: FormField,
    label: str,
    items: Sequence[Correction],
    fields: Mapping[str, Any],
    tables: Tables,
    on: date,
) -> ShownCorrection:
    before = {item.part: item.old for item in items if item.old or item.part}
    now = {item.part: item.new for item in items if item.new or item.part}
    old = value_in_words(leaf, _whole(before, fields.get(leaf.name)), tables, on)
    new = value_in_words(leaf, _whole(now, fields.get(leaf.name)), tables, on)
    if old == new:  # the parts that changed are not among those people read
        old, new = (", ".join(f"{part}: {text or '—'}" for part, text in side.items()) for side in (before, now))
    if not new:
        return ShownCorrection(leaf.name, label, old, new)
    source, message = _source(items[0].message)
    path = items[0].path
    if leaf.name == "commune":
        return ShownCorrection(leaf.name, label, old, new, BASES.get(path, source))
    return ShownCorrection(leaf.name, label, old, new, source, message, path)


def _whole(texts: Mapping[str, str], current: Any) -> Any:
    """A changed value whole: a text, or the object with these parts as they were or are."""
    if "" in texts or not texts:
        return texts.get("", "")
    return {**(current if isinstance(current, Mapping) else {}), **texts}


def labels_of(form: Form) -> dict[str, str]:
    """What owed lists and findings call a field, a person or an address: section first, as many have "Họ, chữ đệm,
    tên"."""
    named = {
        leaf.name: f"{section.title} – {inline(leaf.label)}" for section in form.sections for leaf in section.fields
    }
    parts = {f"{name}.{part}": label for name, label in named.items() for part in (*NAME, *DATE, *PLACE)}
    return named | parts | PERSONS | FACTS | BASES | {"commune": "Xã đăng ký"}


def verdicts_of(identity: Mapping[str, IdentityResult]) -> list[IdentityResult]:
    """The population database's verdicts, parents or the deceased."""
    return [identity[role] for role in PERSONS if role in identity]


def findings_of(dossier: Mapping[str, Any]) -> list[Mapping[str, str]]:
    """What the officer should know, the grave first. The population database's verdicts stand with their person."""
    shown = [item for item in dossier.get("findings", []) if not item["code"].startswith("identity.")]
    return sorted(shown, key=lambda item: ("error", "warning", "info").index(item["severity"]))


def reasons_of(dossier: Mapping[str, Any]) -> list[str]:
    """Why a facility takes a dossier back, as its findings say."""
    return [item["detail_vi"] for item in dossier.get("findings", []) if item["code"] in WITHDRAWAL_REASONS]


def owed_of(dossier: Mapping[str, Any]) -> dict[str, list[str]]:
    """Who owes which fields, the family first."""
    owed: dict[str, list[str]] = {by: [] for by in OWED_BY}
    for item in dossier.get("owed", []):
        owed.setdefault(item["by"], []).append(item["field"])
    return {by: fields for by, fields in owed.items() if fields}


def _place(
    section: ShownSection,
    leaf: FormField,
    raw: Any,
    owed_by: str,
    provenance: Mapping[str, Mapping[str, str]],
    tables: Tables,
    on: date,
) -> None:
    value = value_in_words(leaf, raw, tables, on)
    if not value and not owed_by:
        section.empty.append(leaf.label)
        return
    origin = provenance.get(leaf.name, {}) if value else {}
    source, message = _source(origin.get("message", "")) if value else ("", "")
    section.rows.append(
        Shown(
            name=leaf.name,
            label=leaf.label,
            value=value,
            owed=OWED_BY.get(owed_by, owed_by),
            source=source,
            message=message,
            path=origin.get("path", ""),
            rule=origin.get("rule", ""),
        )
    )


def _source(origin: str) -> tuple[str, str]:
    """A provenance's `message` in words, and the log entry behind it: a message id, "population:<entry>", "desk" …"""
    kind, _, entry = origin.partition(":")
    if kind in SOURCES:
        return SOURCES[kind], entry
    return ("Thông điệp của cơ sở y tế", origin) if origin else ("Quy định của biểu mẫu", "")


def value_in_words(leaf: FormField, raw: Any, tables: Tables, on: date) -> str:
    """A value as people read it: a name or an address as one line, a date as far as it is known, a code with its name
    (and the code, which is what is sent)."""
    if isinstance(raw, Mapping):
        return object_in_words(raw, tables, on)
    text = str(raw)
    if not text:
        return ""
    if leaf.unit:
        return _unit(text, tables) or text
    name = _name_behind(leaf.codes, text, tables, on) if leaf.codes else None
    return f"{name} ({text})" if name and name != text else text


def _name_behind(table: str, value: str, tables: Tables, on: date) -> str | None:
    codes = tables.table(table, on)
    return next((codes.column(code, "name") for code in codes.codes() if codes.get(code) == value), None)


def object_in_words(raw: Mapping[str, Any], tables: Tables, on: date) -> str:
    """An object of a wire form as people read it; parts of one that no form had yet are shown one after the other."""
    if raw.keys() <= set(NAME):
        return _joined(raw, NAME, " ")
    if raw.keys() <= set(DATE):
        return _date(*(str(raw.get(part) or "") for part in DATE))
    if not raw.keys() <= set(PLACE):
        return _joined(raw, tuple(raw), ", ")
    country = str(raw.get("quocGia") or "")
    if not country or _unit(str(raw.get("maXa") or ""), tables):
        return _address(raw, tables)
    return ", ".join(filter(None, (_address(raw, tables), _name_behind("nationality", country, tables, on) or country)))


def _joined(raw: Mapping[str, Any], parts: Sequence[str], between: str) -> str:
    return between.join(filter(None, (str(raw.get(part) or "") for part in parts)))


def _date(year: str, month: str, day: str) -> str:
    """03.11.2026; tháng 11 năm 2026; năm 2026."""
    if not (year and month):
        return f"năm {year}" if year else ""
    return f"{day.zfill(2)}.{month.zfill(2)}.{year}" if day else f"tháng {month.lstrip('0')} năm {year}"


def _address(raw: Mapping[str, Any], tables: Tables) -> str:
    detail, unit = str(raw.get("dcChiTiet") or ""), _unit(str(raw.get("maXa") or ""), tables)
    if not unit or unit.casefold() in detail.casefold():
        return detail or str(raw.get("maXa") or raw.get("maTinh") or "")
    return f"{detail}, {unit}" if detail else unit


def _unit(code: str, tables: Tables) -> str:
    place = tables.units.today(code) if code else None
    return f"{place.name}, {place.province}" if place else ""
