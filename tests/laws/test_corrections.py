"""Laws of corrections: applied to what was there they give what is there now; a value that stayed needs none."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.corrections import corrections_between
from gateway.domain.dossier import as_json
from gateway.testing.dossiers import DOSSIER

TEXTS = st.sampled_from(["", "Hòa", unicodedata.normalize("NFD", "Hòa"), "Hoà", "tổ 3", "21583"])
PARTS = st.dictionaries(st.sampled_from(["maXa", "dcChiTiet", "Ho"]), TEXTS, min_size=1)
FIELDS = st.dictionaries(st.sampled_from(["meHoTen", "meNoiCuTru", "nksNgaySinh"]), TEXTS | PARTS)


def leaves(fields: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Every value as people read it, in one normal form; where there is none there is none."""
    flat = {
        (name, part): unicodedata.normalize("NFC", text)
        for name, value in fields.items()
        for part, text in (value.items() if isinstance(value, Mapping) else [("", value)])
    }
    return {place: text for place, text in flat.items() if text}


@given(FIELDS, FIELDS)
def test_corrections_lead_from_the_old_fields_to_the_new(old: dict[str, Any], new: dict[str, Any]) -> None:
    sent, now = as_json(replace(DOSSIER, fields=old)), replace(DOSSIER, fields=new)
    found = corrections_between(sent, now)
    assert len({(item.field, item.part) for item in found}) == len(found)
    values = leaves(old)
    for item in found:
        assert values.pop((item.field, item.part), "") == unicodedata.normalize("NFC", item.old)
        assert unicodedata.normalize("NFC", item.new) != unicodedata.normalize("NFC", item.old)
        if item.new:
            values[item.field, item.part] = unicodedata.normalize("NFC", item.new)
    assert values == leaves(new)


@given(FIELDS)
def test_the_same_again_is_no_correction(fields: dict[str, Any]) -> None:
    same = replace(DOSSIER, fields=fields)
    assert corrections_between(as_json(same), same) == ()
