"""docs/api.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.web_world import TestClient

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
SOURCES = sorted((ROOT / "gateway" / "web").rglob("*.py"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_every_error_code_is_in_the_page(source: Path) -> None:
    codes = re.findall(r'Problem\(\s*\d{3},\s*"([a-z_.]+)"', source.read_text(encoding="utf-8"))
    assert [code for code in codes if f"`{code}`" not in PAGE and code != "http.unexpected"] == []


def test_every_address_is_in_the_page(anyone: TestClient) -> None:
    for path in anyone.get("/openapi.json").json()["paths"]:
        assert path.replace("{case_id}", "{id}").replace("{resource_type}", "{Type}") in PAGE, path
