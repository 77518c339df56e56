"""Where a value came from, and why a case is held, is told in Vietnamese."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.domain.dossier import as_json
from gateway.domain.provenance import Provenance
from gateway.pipeline.prepare import HOLDING
from gateway.web.pages import words
from gateway.web.pages.declaration import Shown, lay_out
from tests.web_world import FORMS, ON, SmallCatalogue, birth


def shown(message: str) -> Shown:
    told = replace(birth(), provenance={"meHoTen": Provenance(message, "mother.name", "rule")})
    sections = lay_out(FORMS["birth"], as_json(told), SmallCatalogue(), ON)
    return next(row for section in sections for row in section.rows if row.name == "meHoTen")


@pytest.mark.parametrize(
    ("message", "source", "entry"),
    [
        ("population:test.8", "Cơ sở dữ liệu quốc gia về dân cư", "test.8"),
        ("population:", "Cơ sở dữ liệu quốc gia về dân cư", ""),
        ("desk", "Cán bộ ghi", ""),
        ("settings", "Cấu hình của cơ sở y tế tại cổng", ""),
        ("gateway", "Tính theo quy định", ""),
        ("test.7", "Thông điệp của cơ sở y tế", "test.7"),
    ],
)
def test_every_source_has_its_words(message: str, source: str, entry: str) -> None:
    row = shown(message)
    assert (row.source, row.message) == (source, entry)


@pytest.mark.parametrize("code", HOLDING)
def test_every_hold_has_its_words(code: str) -> None:
    assert words.HOLDS[code]
    assert words.HOLD_WORDS[code]
