"""docs/fields.md: every field of the national forms: where its value comes from, who owes it, or why it is never there.

Made from mappings/ alone: outbound rows give the paths of the notification, inbound rows what each format supplies
there, the officer's form the label, register_fields.csv the fields that no wire carries.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from gateway.bootstrap import build_readers
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.forms import load_forms
from gateway.mapping.rules import Row, RuleSet
from gateway.plugins import load_plugins

MAPPINGS = Path(__file__).parents[2] / "mappings"
NEWEST = date.max
FORMATS = {"hl7v2": "HL7 v2", "fhir": "FHIR R4", "moh": "MoH XML"}
TITLES = {"birth": "Birth (khai sinh)", "death": "Death (khai tử)"}
OWED = {
    "family": "the family",
    "facility": "the facility (hospital)",
    "commune": "the commune",
    "officer": "an officer",
}
SHAPES = {
    frozenset(("Ho", "ChuDem", "Ten")): "name",
    frozenset(("namSinh", "thangSinh", "ngaySinh")): "date",
    frozenset(("maTinh", "maHuyen", "maXa", "dcChiTiet")): "address",
    frozenset(("maTinh", "maXa", "dcChiTiet", "quocGia")): "address",
}
SERVICES = {"nhanHoSoDKHT": "linked", "nhanHoSoDKHT-2025": "linked 2025", "dangKyHoTich": "ordinary"}
WIRES = {"json": "JSON text", "xml": "XML `<hotich><hoso>`"}
ADDED = {
    "computed.parents": "which parents the messages name",
    "computed.facility_place": "the facility's name and address",
    "identity": "the population database's answer",
    "facility": "else the feed's settings",
}
INTRODUCTION = """\
What the civil register wants to know about a birth or a death, one field a line, and where the gateway takes it from.

- **HL7 v2, FHIR R4, MoH XML**: places in a hospital's message, the first with a value counts; — means that this format
  never brings it. The Ministry of Health's XML has several documents, named before the places. `extension[x]` is the
  extension whose address ends in x, and `[…]` a longer condition; the mapping files have them in full. How a value is
  read is in [transforms.md](transforms.md), what codes become in the tables of `mappings/codes/`.
- **otherwise**: what the gateway itself adds; **owed by** tells who supplies a value that no message brings; a sentence
  says why a hospital never can, or what else is to be known.
- **forms**: which wire form has the field, and its shape there: *text*, or an object. A *name* is {Ho, ChuDem, Ten}, a
  *date* {namSinh, thangSinh, ngaySinh}, an *address* {maTinh, maHuyen, maXa, dcChiTiet}, in the form of 2025 {maTinh,
  maXa, dcChiTiet, quocGia}. Which commune takes which form: `mappings/codes/commune_forms.csv`.

A date that is known in part stays so: the form of 2025 has the year, the month and the day apart; the other forms take
a whole date or a year alone, and the month without its day stands in the words of `nksNgaySinhBangChu` only.

| form | its name | on the wire |
|---|---|---|
"""
REGISTER = """\
### Only in the register

No wire form carries these, so no dossier does.

| field | why |
|---|---|
"""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the forms of a kind, with all rows that fill it, by form."""

    name: str
    label: str
    rows: dict[str, list[Row]]

    @property
    def all_rows(self) -> list[Row]:
        return [row for rows in self.rows.values() for row in rows]


def fields_page(made: str) -> str:
    """docs/fields.md; `made` is the notice that the page is made."""
    catalogue = Catalogue.load(MAPPINGS, build_readers(load_plugins()))
    forms = [catalogue.form("birth", name, NEWEST) for name in _forms(catalogue, "birth")]
    table = "".join(f"| {SERVICES[form.form]} | `{form.form}` | {WIRES[form.wire]} |\n" for form in forms)
    parts = [f"# Fields of the national forms\n\n{made}{INTRODUCTION}{table}"]
    parts += [f"\n## {title}\n\n{_kind_table(catalogue, kind)}" for kind, title in TITLES.items()]
    return "".join(parts)


def _forms(catalogue: Catalogue, kind: str) -> list[str]:
    """The form that others extend first."""
    return sorted(catalogue.forms(kind), key=lambda name: (bool(catalogue.form(kind, name, NEWEST).extends), name))


def _kind_table(catalogue: Catalogue, kind: str) -> str:
    names = _forms(catalogue, kind)
    inbound = _inbound(catalogue, kind)
    head = ("field", "what it is", *FORMATS.values(), "otherwise", "forms")
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for field in _fields(catalogue, kind, names):
        paths = _paths(field.all_rows)
        sources = [_sources(paths, inbound, family) for family in FORMATS]
        cells = (f"`{field.name}`", field.label, *sources, _otherwise(field, paths), _shapes(field))
        lines.append(f"| {' | '.join(cells)} |")
    with (MAPPINGS / "register_fields.csv").open(encoding="utf-8", newline="") as file:
        reasons = [
            f"| `{line['field']}` | {line['reason']} |\n" for line in csv.DictReader(file) if line["kind"] == kind
        ]
    return "\n".join(lines) + "\n\n" + REGISTER + "".join(reasons)


def _fields(catalogue: Catalogue, kind: str, names: Sequence[str]) -> list[Field]:
    """In the order of the first form; a field that only a later one has, after the field before it there."""
    labels = {
        leaf.name: f"{section.title}: {leaf.label}"
        for section in load_forms(MAPPINGS / "forms")[kind].sections
        for leaf in section.fields
    }
    order: list[str] = []
    rows: dict[str, dict[str, list[Row]]] = {}
    for name in names:
        before = -1
        for row in catalogue.form(kind, name, NEWEST).rows:
            if row.field not in order:
                order.insert(before + 1, row.field)
            before = order.index(row.field)
            rows.setdefault(row.field, {}).setdefault(name, []).append(row)
    return [Field(field, labels[field], rows[field]) for field in order]


def _inbound(catalogue: Catalogue, kind: str) -> list[RuleSet]:
    """The newest file of each kind of event."""
    newest: dict[str, RuleSet] = {}
    for rules in sorted(catalogue.rule_sets(), key=lambda rules: rules.in_force):
        if rules.kind == kind and not rules.procedure:
            newest[rules.file.partition("@")[0].removesuffix(".toml")] = rules
    return [newest[name] for name in sorted(newest)]


def _paths(rows: Iterable[Row]) -> list[str]:
    """Paths of the notification that a field is filled from."""
    return list(dict.fromkeys(source.text for row in rows for source in row.sources))


def _feeds(to: str, path: str) -> bool:
    """Whether an inbound row's target is the path, a part of it, or the whole it is a part of."""
    return f"{to}.".startswith(f"{path}.") or f"{path}.".startswith(f"{to}.")


def _sources(paths: Sequence[str], inbound: Sequence[RuleSet], wanted: str) -> str:
    """What a format supplies for the paths; of MoH XML by document, those that agree together."""
    places: dict[str, list[str]] = {}
    for rules in inbound:
        family, name = Path(rules.file).parts[1:3]
        if family == wanted:
            rows = [row for path in paths for row in rules.rows if _feeds(row.to, path)]
            found = [f"`{_short(source.text)}`" for row in rows for source in row.sources]
            found += [f"always “{_plain(row.value)}”" for row in rows if row.value is not None and not row.sources]
            places[Path(name).stem.partition("@")[0]] = found
    if wanted != "moh":
        return ", ".join(dict.fromkeys(place for found in places.values() for place in found)) or "—"
    documents: dict[str, list[str]] = {}
    for document, found in places.items():
        documents.setdefault(", ".join(dict.fromkeys(found)), []).append(document)
    told = [f"{', '.join(names)}: {found}" for found, names in documents.items() if found]
    return "<br>".join(told) or "—"


def _short(path: str) -> str:
    """A path as people read it: extensions by the end of their address, no condition longer than a few words."""
    text = re.sub(r"extension\.where\(url = '[^']*?([^'/:]+)'\)", r"extension[\1]", path)
    return _cell(re.sub(r"\[(?:[^\[\]]|\[[^\[\]]*\]){36,}\]", "[…]", text))


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else _cell(str(value))


def _otherwise(field: Field, paths: Sequence[str]) -> str:
    """What the gateway adds, who owes the field, and why it may never be filled: once each."""
    words = [ADDED.get(path) or ADDED.get(path.partition(".")[0]) for path in paths]
    rows = field.all_rows
    words += [f"**owed by** {OWED[row.owed_by]}" for row in rows if row.owed_by]
    words += [_constant(row) for row in rows if row.value not in (None, "") and not isinstance(row.value, dict)]
    words += [row.note for row in rows]
    return "<br>".join(dict.fromkeys(_cell(word) for word in words if word)) or "—"


def _constant(row: Row) -> str:
    """“Không có thông tin” when no message says it; 1 when `paper.number` is there."""
    when = f"when `{row.when.source.text}` is {row.when.test}" if row.when else "when nobody says it"
    return f"“{row.value}” {when}"


def _shapes(field: Field) -> str:
    told: dict[str, list[str]] = {}
    for form, rows in field.rows.items():
        told.setdefault(_shape(rows), []).append(SERVICES[form])
    return "<br>".join(f"*{shape}* in {_and(forms)}" for shape, forms in told.items())


def _and(forms: Sequence[str]) -> str:
    return "all" if len(forms) == len(SERVICES) else " and ".join(forms)


def _shape(rows: Sequence[Row]) -> str:
    parts = frozenset(row.to.partition(".")[2] for row in rows)
    whole = next((row.value for row in rows if isinstance(row.value, dict)), None)
    return "text" if parts == {""} and whole is None else SHAPES[frozenset(whole) if whole is not None else parts]


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")
