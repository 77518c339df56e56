"""The JSON Schemas know what the loader knows of structure: shipped files pass, and what the loader refuses fails."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.domain.notification import FIELDS
from gateway.errors import Mistake
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.forms import read_form
from gateway.mapping.paths import compile_view_path, fits
from gateway.mapping.registry import TRANSFORMS
from gateway.mapping.rule_files import Allowed, read_rules
from gateway.mapping.schema import SCHEMAS
from tests.unit.mapping.conftest import MAPPINGS

SHIPPED = sorted(path.relative_to(MAPPINGS).as_posix() for path in MAPPINGS.rglob("*.toml"))
NAMES = {"inbound": "inbound", "outbound": "outbound", "forms": "form"}
HEAD = 'basis = "b"\nkind = "birth"\nin_force = 2025-01-01\n'
OUT = HEAD + 'procedure = "p"\nform = "f"\n'
FORM = """basis = "b"
kind = "k"
title = "t"
short = "s"
[[subject]]
field = "f"
[[section]]
title = "t"
role = "r"
[[section.field]]
name = "n"
label = "l"
[[result]]
name = "n"
label = "l"
"""


def as_json(told: Any) -> Any:
    """A TOML document as editors hand it to a schema: dates as text."""
    return json.loads(json.dumps(told, default=lambda value: value.isoformat()))


def complaints(name: str, text: str) -> list[str]:
    schema = SCHEMAS[name]()
    Draft202012Validator.check_schema(schema)
    return [error.message for error in Draft202012Validator(schema).iter_errors(as_json(tomllib.loads(text)))]


def mistakes(name: str, text: str, tables: Mapping[str, Any]) -> list[Mistake]:
    found: list[Mistake] = []
    if name == "form":
        read_form("k.toml", "k", text.encode(), None, found)
    elif name == "inbound":
        allowed = Allowed(lambda _, path: path, TRANSFORMS, tables, ("birth", "death"), FIELDS.get, fits)
        read_rules("in.toml", "in.toml", text.encode(), allowed, found)
    else:
        allowed = Allowed(compile_view_path, TRANSFORMS, tables, outbound=True)
        read_rules("out.toml", "out.toml", text.encode(), allowed, found)
    return found


@pytest.mark.parametrize("file", SHIPPED)
def test_a_shipped_file_names_its_schema_and_passes_it(file: str) -> None:
    text, folder = (MAPPINGS / file).read_text(encoding="utf-8"), file.partition("/")[0]
    first = text.partition("\n")[0]
    assert first.startswith("#:schema ../")
    assert ((MAPPINGS / file).parent / first.split()[1]).resolve() == MAPPINGS / f"{NAMES[folder]}.schema.json"
    assert complaints(NAMES[folder], text) == []


def row(text: str) -> str:
    return f'[[row]]\nto = "child.phone"\n{text}\n'


INBOUND = {
    "no basis": HEAD.replace('basis = "b"\n', ""),
    "empty basis": HEAD.replace('"b"', '" "'),
    "unknown kind": HEAD.replace("birth", "wedding"),
    "a moment for a day": HEAD.replace("01-01", "01-01T00:00:00"),
    "unknown header key": HEAD + 'note = "n"\n',
    "outbound header key": HEAD + 'procedure = "p"\n',
    "row not in double brackets": HEAD + '[row]\nto = "child.phone"\nnote = "n"\n',
    "no to": HEAD + '[[row]]\nfrom = "a"\n',
    "empty to": HEAD + '[[row]]\nto = ""\nfrom = "a"\n',
    "unknown field": HEAD + '[[row]]\nto = "child.fone"\nfrom = "a"\n',
    "another kind's field": HEAD + '[[row]]\nto = "deceased.phone"\nfrom = "a"\n',
    "unknown row key": HEAD + row('form = "a"\nfrom = "a"'),
    "owed_by": HEAD + row('from = "a"\nowed_by = "family"'),
    "says nothing": HEAD + row(""),
    "from is a number": HEAD + row("from = 3"),
    "from is empty": HEAD + row("from = []"),
    "from has an empty path": HEAD + row('from = ["a", ""]'),
    "from has a path twice": HEAD + row('from = ["a", "a"]'),
    "unknown transform": HEAD + row('from = "a"\nusing = "shout"'),
    "using without from": HEAD + row('value = "a"\nusing = "text"'),
    "codes without from": HEAD + row('value = "a"\ncodes = "t"'),
    "codes of three parts": HEAD + row('from = "a"\ncodes = "t.a.b"'),
    "codes that end in a dot": HEAD + row('from = "a"\ncodes = "t."'),
    "no condition": HEAD + row('from = "a"\nwhen = "sometimes"'),
    "condition without a text": HEAD + row('from = "a"\nwhen = "a ="'),
    "value is a list": HEAD + row('value = ["a"]'),
    "value is a fraction": HEAD + row("value = 1.5"),
    "value is too large": HEAD + row("value = 9007199254740993"),
    "value is an empty table": HEAD + row("value = {}"),
    "value holds a number": HEAD + row("value = { a = 1 }"),
    "required is text": HEAD + row('from = "a"\nrequired = "yes"'),
    "note is empty": HEAD + row('note = ""'),
}
OUTBOUND = {
    "no procedure": OUT.replace('procedure = "p"\n', ""),
    "unknown wire": OUT + 'wire = "fax"\n',
    "communes not in a list": OUT + 'competent_commune = "child.address"\n',
    "no communes": OUT + "competent_commune = []\n",
    "leaves_out without extends": OUT + 'leaves_out = ["a"]\n',
    "a field left out twice": OUT + 'extends = "g"\nleaves_out = ["a", "a"]\n',
    "flag is text": OUT + 'first_valued_decides = "yes"\n',
    "unknown debtor": OUT + row('owed_by = "nobody"'),
    "three parts": OUT + '[[row]]\nto = "a.b.c"\nvalue = "x"\n',
    "no name": OUT + '[[row]]\nto = "1a"\nvalue = "x"\n',
    "empty part": OUT + '[[row]]\nto = "a."\nvalue = "x"\n',
}
FORMS = {
    "no kind": FORM.replace('kind = "k"\n', ""),
    "unknown key": 'sort = "k"\n' + FORM,
    "no result": FORM.partition("[[result]]")[0],
    "section without fields": FORM.replace('[[section.field]]\nname = "n"\nlabel = "l"\n', ""),
    "field without a label": FORM.replace('name = "n"\nlabel = "l"\n[[result]]', 'name = "n"\n[[result]]'),
    "unit is text": FORM.replace('label = "l"\n[[result]]', 'label = "l"\nunit = "yes"\n[[result]]'),
    "unknown key of a field": FORM.replace('label = "l"\n[[result]]', 'label = "l"\nhint = "h"\n[[result]]'),
    "required is text": FORM + 'required = "yes"\n',
    "subject is a table": FORM.replace("[[subject]]", "[subject]"),
}
REFUSED = [
    pytest.param(name, text, id=f"{name}: {what}")
    for name, cases in (("inbound", INBOUND), ("outbound", OUTBOUND), ("form", FORMS))
    for what, text in cases.items()
]


@pytest.mark.parametrize(("name", "text"), REFUSED)
def test_what_the_loader_refuses_for_its_structure_the_schema_refuses_too(
    shipped: Catalogue, name: str, text: str
) -> None:
    tables = {"t": shipped.tables()[0]}
    assert mistakes(name, text, tables)
    assert complaints(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("inbound", HEAD),
        ("inbound", HEAD + row('from = ["a", "b"]\nusing = "code"\ncodes = "t"\nwhen = "x[y = z] valued"')),
        ("inbound", HEAD + row("""value = "1"\nwhen = "Patient.where(a = 'b').c != 'd'" """)),
        ("outbound", OUT + 'wire = "xml"\nmodule = "KS"\nextends = "g"\nleaves_out = ["a"]\n'),
        ("outbound", OUT + '[[row]]\nto = "nycNoiCuTru"\nvalue = { maTinh = "", maXa = "" }\nowed_by = "family"\n'),
        ("outbound", OUT + '[[row]]\nto = "a.b"\nfrom = "child.phone"\ncodes = "t.name"\nrequired = true\n'),
        ("form", FORM),
    ],
)
def test_what_the_loader_takes_the_schema_takes(shipped: Catalogue, name: str, text: str) -> None:
    (sex,) = (table for table in shipped.tables() if table.name == "moj_sex")
    assert mistakes(name, text, {"t": sex}) == []
    assert complaints(name, text) == []


def test_a_quoted_day_is_what_only_the_loader_can_tell(shipped: Catalogue) -> None:
    quoted = HEAD.replace("2025-01-01", '"2025-01-01"')
    assert as_json(date(2025, 1, 1)) == "2025-01-01"
    assert mistakes("inbound", quoted, {}) and complaints("inbound", quoted) == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_and_every_name_is_described(name: str) -> None:
    def undescribed(schema: Mapping[str, Any], place: str) -> list[str]:
        found = [] if place == "items" or "description" in schema or not place else [place]
        for key, inner in schema.get("properties", {}).items():
            found += undescribed(inner, f"{place}.{key}")
        return found + (undescribed(schema["items"], "items") if "properties" in schema.get("items", {}) else [])

    assert undescribed(SCHEMAS[name](), "") == []
    assert Path(MAPPINGS / f"{name}.schema.json").is_file()
