"""mappings/README.md knows every key of a mapping file and every warning."""

from __future__ import annotations

import re

import pytest

from gateway.mapping.rules import OUTBOUND_HEADER, OUTBOUND_ROW
from tests.docs.made_pages import ROOT, SCHEMA_FILES, schema_text

PAGE = (ROOT / "mappings" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("key", [key.name for key in (*OUTBOUND_HEADER, *OUTBOUND_ROW)])
def test_a_key_is_explained(key: str) -> None:
    assert f"`{key}`" in PAGE or f"\n{key} = " in PAGE


def test_the_warnings_are_those_of_the_code() -> None:
    code = "".join((ROOT / "gateway/mapping" / name).read_text() for name in ("review.py", "review_rows.py"))
    listed = re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|", PAGE.partition("warns of\n")[2], re.MULTILINE)
    families = {name.partition(".")[0] for name in listed}
    assert sorted(listed) == sorted(set(re.findall(rf'"((?:{"|".join(families)})\.[a-z_]+)"', code)))


@pytest.mark.parametrize("name", SCHEMA_FILES)
def test_a_schema_is_up_to_date(name: str) -> None:
    written = (ROOT / "mappings" / name).read_text(encoding="utf-8")
    assert written == schema_text(name), f"mappings/{name} is out of date: make docs"
