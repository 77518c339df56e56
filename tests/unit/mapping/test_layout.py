"""Files of an overlay that would count for nothing are refused; so are two that would both count."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from gateway.errors import MappingError
from gateway.mapping.catalogue import Catalogue

Load = Callable[..., Catalogue]
HEAD = 'basis = "statutes"\nkind = "birth"\nin_force = 2025-01-01\n'
ROWS = HEAD + '[[row]]\nto = "child.phone"\nfrom = "a"\n'
FORM = HEAD + 'procedure = "join"\nform = "card"\n[[row]]\nto = "a"\nfrom = "child.phone"\n'
CODES = "code,value,name,valid_from,valid_to,source\n1,one,,,,s\n"
BASE = {
    "inbound/notebook/birth.toml": ROWS,
    "outbound/join/card.toml": FORM,
    "codes/numbers.csv": CODES,
    "units/communes.csv": "",
}


def told(load: Load, *overlays: Mapping[str, str], base: Mapping[str, str] = BASE) -> list[str]:
    with pytest.raises(MappingError) as caught:
        load(base, *overlays)
    return [str(mistake) for mistake in caught.value.mistakes]


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("inbond/notebook/birth.toml", "there is no folder `inbond`. Did you mean `inbound`? "),
        ("birth.toml", "the file lies in no folder. "),
        ("inbound/birth.toml", "the file is not read here. Its place is inbound/<format>/<name>.toml"),
        ("inbound/notebook/more/birth.toml", "the file is not read here. "),
        ("codes/more/numbers.csv", "the file is not read here. Its place is codes/<table>.csv"),
        ("codes/numbers.toml", "the file is not read here. Its place is codes/<table>.csv"),
        ("inbound/notebook/brith.toml", "no file below has this name, so nothing asks for it. Did you mean `inbound/"),
        ("inbound/notebok/birth.toml", "no file below has this name, so nothing asks for it. Did you mean `inbound/"),
        ("inbound/notebook/birth@2027.toml", "`2027` is not a date. "),
        ("units/comunes.csv", "no file below has this name, so nothing asks for it. Did you mean `units/communes.csv`"),
        ("forms/birth.toml", "an overlay cannot change the officer's form. "),
    ],
)
def test_a_file_of_an_overlay_that_nothing_reads_is_refused(load: Load, file: str, problem: str) -> None:
    assert any(line.startswith(f"overlay-0/{file}:1: file: {problem}") for line in told(load, {file: ROWS}))


def test_an_overlay_may_bring_a_form_a_table_a_version_and_additions_to_a_list(load: Load) -> None:
    above = {
        "outbound/join/other.toml": FORM.replace('"card"', '"other card"'),
        "codes/colours.csv": CODES,
        "inbound/notebook/birth@2027-01-01.toml": ROWS.replace("2025", "2027"),
    }
    assert load({**BASE, "units/communes.csv": "code,name,province_code,province,list\n"}, above).forms("birth") == [
        "card",
        "other card",
    ]


def test_two_files_that_begin_on_one_day_are_refused(load: Load) -> None:
    above = {"outbound/join/2.toml": FORM, "inbound/notebook/birth@2025-01-01.toml": ROWS}
    lines = told(load, above)
    assert "overlay-0/inbound/notebook/birth@2025-01-01.toml:3: header: " in "\n".join(lines)
    assert [line.split(": ")[2] for line in lines if "begins on the same day" in line] == [
        "inbound/notebook/birth.toml begins on the same day. Change `in_force`, or put both into one file",
        "overlay-0/outbound/join/2.toml begins on the same day. Change `in_force`, or put both into one file",
    ]


@pytest.mark.parametrize(
    ("header", "line", "problem"),
    [
        (HEAD.replace("birth", "death"), 2, "`kind` is `death`, but inbound/notebook/birth.toml has `birth`"),
        (HEAD.replace("2025", "2026"), 3, "`in_force` is `2026-01-01`, but inbound/notebook/birth.toml has `2025-"),
    ],
)
def test_the_header_of_an_overlay_repeats_the_one_below(load: Load, header: str, line: int, problem: str) -> None:
    place = f"overlay-0/inbound/notebook/birth.toml:{line}: header: {problem}"
    assert [each.startswith(place) for each in told(load, {"inbound/notebook/birth.toml": header})] == [True]


def test_an_overlay_of_a_form_takes_on_what_its_header_leaves_out(load: Load) -> None:
    more = 'wire = "xml"\nmodule = "M"\ncompetent_commune = ["child.address"]\n'
    base = FORM.replace("[[row]]", f"{more}[[row]]")
    form = load({"outbound/join/card.toml": base}, {"outbound/join/card.toml": FORM}).rule_sets()[0]
    assert (form.wire, form.module, form.competent_commune) == ("xml", "M", ("child.address",))


@pytest.mark.parametrize("place", ["child.phone", "child.nowhere", "commune.code"])
def test_only_an_address_decides_the_commune(load: Load, place: str) -> None:
    form = FORM.replace("[[row]]", f'competent_commune = ["{place}"]\n[[row]]')
    (line,) = told(load, base={"outbound/join/card.toml": form})
    assert line.startswith(f"set/outbound/join/card.toml:6: header: path `{place}`: no ")


@pytest.mark.parametrize(
    ("path", "using", "problem"),
    [
        ("child.born", "full_name", "`full_name` cannot read `child.born`, which is of type PartialDate"),
        ("child.name", "date_dots", "`date_dots` cannot read `child.name`, which is of type PersonName"),
        ("child.phone", "address_text", "`address_text` cannot read `child.phone`, which is of type str"),
        ("child.address", "text", "`text` cannot read `child.address`, which is of type Address"),
    ],
)
def test_a_transform_that_cannot_read_a_field_is_refused(load: Load, path: str, using: str, problem: str) -> None:
    form = FORM.replace('from = "child.phone"', f'from = ["father.{path[6:]}", "{path}"]\nusing = "{using}"')
    _, second = told(load, base={"outbound/join/card.toml": form})
    assert second.startswith(f"set/outbound/join/card.toml:8: row 1 (to a): {problem}. ")


def test_mistakes_of_every_layer_are_told_at_once_and_nothing_that_follows_from_them(load: Load) -> None:
    wrong = HEAD + 'procedure = "join"\nform = "card"\nwier = "xml"\n[[row]]\nto = "a"\nfrom = "child.phon"\n'
    extending = FORM.replace('"card"', '"more"').replace("procedure", 'extends = "card"\nprocedure')
    base = {"outbound/join/card.toml": wrong, "outbound/join/b.toml": extending}
    lines = told(load, {"outbound/join/card.toml": FORM + '[[row]]\nto = "b"\nfrom = "child.fone"\n'}, base=base)
    assert [line.split(": ")[0] for line in lines] == [
        "overlay-0/outbound/join/card.toml:11",
        "set/outbound/join/card.toml:6",
        "set/outbound/join/card.toml:9",
    ]


def test_a_directory_of_twenty_mistakes_lists_twenty(load: Load) -> None:
    row = '[[row]]\nto = "child.phon"\nfrom = "b c"\nusing = "txt"\ncodes = "nubmers"\nwhen = "often"\nrequired = 1\n'
    base = {
        "inbound/notebook/birth.toml": "basis = 1\nkind = 'birth'\nin_force = '2025-01-01'\nnote = 'x'\n" + row,
        "codes/numbers.csv": CODES + "2,two,,x,y,\n,three,,,,s\n1,uno,,,,s\n4\n",
        "outbound/join/card.toml": FORM.replace("join", "leave").replace("[[row]]", "wire = 'fax'\n[[row]]")
        + '[[row]]\nto = "a.b"\nvalue = {}\n',
        "outbound/join/x.toml": "basis = ",
    }
    lines = told(load, base=base)
    assert len(lines) == len(set(lines)) == 20, lines
