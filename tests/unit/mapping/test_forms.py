from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from gateway.errors import MappingError
from gateway.mapping.forms import load_forms

SHIPPED = Path(__file__).parents[3] / "mappings" / "forms"
MEMBERSHIP = """
basis = "club statutes"
kind = "tennis"
title = "Membership"
short = "Member"
[[subject]]
field = "player"
[[section]]
title = "Player"
role = "player"
[[section.field]]
name = "player"
label = "Name"
[[result]]
name = "number"
label = "Number"
"""


def mistakes_of(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "tennis.toml").write_text(text)
    with pytest.raises(MappingError) as refused:
        load_forms(tmp_path, {"club"})
    return [str(mistake) for mistake in refused.value.mistakes]


def test_any_form_can_be_described(tmp_path: Path) -> None:
    (tmp_path / "tennis.toml").write_text(MEMBERSHIP)
    form = load_forms(tmp_path)["tennis"]
    assert form.sections[0].fields[0].label == "Name"
    assert form.results[0].name == "number"


def test_a_mistake_is_named_with_its_line(tmp_path: Path) -> None:
    (mistake,) = mistakes_of(tmp_path, MEMBERSHIP.replace('label = "Name"', 'lable = "Name"\nlabel = "Name"'))
    assert mistake.startswith("forms/tennis.toml:13: player: unknown key `lable`. Did you mean `label`? ")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    broken = MEMBERSHIP.replace('basis = "club statutes"', "").replace('label = "Number"', "label = 3")
    broken += '[[section]]\ntitle = "Again"\nrole = "x"\n[[section.field]]\nname = "player"\nlabel = "Name"\n'
    told = "\n".join(mistakes_of(tmp_path, broken))
    assert "forms/tennis.toml:1: header: `basis` is missing" in told
    assert "forms/tennis.toml:16: number: `label` must be text that is not empty" in told
    assert "forms/tennis.toml:21: player: stands twice" in told


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("basis = ", "not TOML"),
        ("", "the file is empty"),
        ("surprise = 1\n" + MEMBERSHIP, "unknown key `surprise`"),
        (MEMBERSHIP.replace('"tennis"', '"golf"'), "kind `golf` lies in tennis.toml"),
        (MEMBERSHIP + '[[result]]\nname = "number"\nlabel = "Again"\n', "stands twice"),
        (MEMBERSHIP.replace('role = "player"', 'role = "player"\nfields = []'), "unknown key `fields`"),
        (MEMBERSHIP.replace('label = "Name"', 'label = "Name"\ncodes = "clubs"'), "no code table `clubs`"),
    ],
)
def test_a_file_that_is_no_form_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in "\n".join(mistakes_of(tmp_path, text))


def test_a_directory_without_forms_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MappingError):
        load_forms(tmp_path)


def test_the_shipped_forms_cover_birth_and_death() -> None:
    forms = load_forms(SHIPPED)
    assert set(forms) == {"birth", "death"}
    for form in forms.values():
        assert {"requester", "paper"} < {section.role for section in form.sections}
        assert [leaf.name for leaf in form.results] == ["so", "quyenSo", "trangSo", "ngayDangKy", "soDinhDanh"]


@pytest.mark.parametrize("kind", ["birth", "death"])
def test_every_field_sent_stands_on_the_form(kind: str) -> None:
    outbound = [tomllib.loads(path.read_text()) for path in (SHIPPED.parent / "outbound").rglob("*.toml")]
    sent = {row["to"].split(".")[0] for rules in outbound if rules["kind"] == kind for row in rules["row"]}
    shown = {leaf.name for section in load_forms(SHIPPED)[kind].sections for leaf in section.fields}
    assert sent
    assert sent <= shown


@pytest.mark.parametrize("kind", ["birth", "death"])
def test_every_code_table_of_the_form_is_there(kind: str) -> None:
    named = {leaf.codes for section in load_forms(SHIPPED)[kind].sections for leaf in section.fields if leaf.codes}
    assert {path.stem for path in (SHIPPED.parent / "codes").glob("*.csv")} >= named
