"""The wire text of every shipped form: what is read back is what was filled in."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from lxml import etree

from gateway.errors import GatewayError
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.wire import wire_text
from tests.unit.mapping.notifications import (
    FORMS,
    LINKED,
    LINKED_2025,
    ORDINARY,
    TODAY,
    WHOLE_BIRTH,
    every_form,
    fill,
)

HARD = "Đặng Thị Thúy Hòa <b>&amp; \"Sơn\" 'K' ]]> \t\n"


def read_back(wire: str, text: str) -> dict[str, Any]:
    """The fields of a wire text, by a parser that knows nothing of ours."""
    if wire == "json":
        told: dict[str, Any] = json.loads(text)
        return told
    root = etree.fromstring(text)
    assert (root.tag, [child.tag for child in root]) == ("hotich", ["hoso"])
    return {
        field.tag: {part.tag: part.text or "" for part in field} if len(field) else field.text or ""
        for field in root[0]
    }


def test_every_form_is_read_back_whole_and_in_its_order(shipped: Catalogue) -> None:
    seen = set()
    for kind, form, wire, fields in every_form(shipped):
        again = read_back(wire, wire_text(wire, fields))
        assert again == fields
        assert list(again) == list(fields)
        seen.add((kind, form, wire))
    assert {(form, wire) for _, form, wire in seen} == {(LINKED, "json"), (LINKED_2025, "json"), (ORDINARY, "xml")}
    assert len(seen) == 6


def test_the_wire_of_a_form_goes_with_its_module(shipped: Catalogue) -> None:
    told = {(kind, name): shipped.form(kind, name, TODAY).module for kind in ("birth", "death") for name in FORMS}
    assert [told["birth", name] for name in FORMS] == ["LTKS", "LTKS", "KS"]
    assert [told["death", name] for name in FORMS] == ["LTKT", "LTKT", "KT"]


@pytest.mark.parametrize("wire", ["json", "xml"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_text_is_carried_as_it_is(wire: str, form: Any) -> None:
    written = unicodedata.normalize(form, HARD)
    fields = {"meHoTen": written, "meNoiCuTru": {"dcChiTiet": written, "maXa": ""}, "nksHoTen": ""}
    assert read_back(wire, wire_text(wire, fields)) == fields


def test_vietnamese_stays_readable_and_composed_in_each_form(shipped: Catalogue) -> None:
    for form, wire in ((LINKED, "json"), (LINKED_2025, "json"), (ORDINARY, "xml")):
        text = wire_text(wire, fill(shipped, WHOLE_BIRTH, form).fields)
        assert "Thử" in text
        assert unicodedata.is_normalized("NFC", text)


def test_markup_in_a_name_is_text_in_xml() -> None:
    text = wire_text("xml", {"meHoTen": "<hoso/>&'\""})
    assert "&lt;hoso/&gt;&amp;" in text
    assert len(etree.fromstring(text)[0]) == 1


@pytest.mark.parametrize("wire", ["json", "xml"])
@pytest.mark.parametrize("bad", ["\x00", "\x0b", "\x1f", "\ufffe", "\uffff", "\ud800"])
def test_a_character_xml_cannot_carry_is_refused_naming_the_field_not_the_value(wire: str, bad: str) -> None:
    for fields, place in (
        ({"meHoTen": f"Đặng{bad}Hòa"}, "meHoTen"),
        ({"meNoiCuTru": {"dcChiTiet": f"Đặng{bad}"}}, "meNoiCuTru.dcChiTiet"),
    ):
        with pytest.raises(GatewayError) as refused:
            wire_text(wire, fields)
        assert refused.value.code == "dossier.unsendable"
        assert str(refused.value).startswith(f"{place}: ")
        assert f"U+{ord(bad):04X}" in str(refused.value)
        assert "Đặng" not in str(refused.value)


@pytest.mark.parametrize("wire", ["json", "xml"])
@pytest.mark.parametrize("value", [2, None, ["Đặng"], {"Ho": None}, {"Ho": {"Ten": "Đặng"}}])
def test_what_is_neither_text_nor_an_object_of_texts_is_refused(wire: str, value: Any) -> None:
    with pytest.raises(GatewayError, match=r"^meHoTen(\.Ho)?: neither text nor an object of texts") as refused:
        wire_text(wire, {"meHoTen": value})
    assert refused.value.code == "dossier.unsendable"


@pytest.mark.parametrize("name", ["me ho ten", "1so", "", "họTên", "a.b", "xml:id"])
def test_a_field_that_no_element_can_be_named_after_is_refused(name: str) -> None:
    with pytest.raises(GatewayError) as refused:
        wire_text("xml", {name: "x"})
    assert refused.value.code == "dossier.unsendable"
