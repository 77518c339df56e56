"""The pages made from the code say what the code says."""

from __future__ import annotations

import pytest

from gateway.domain.finding import FINDINGS
from tests.docs.made_pages import PAGES, ROOT, errors_page, find_raised


@pytest.mark.parametrize("name", PAGES)
def test_a_page_made_from_the_code_is_up_to_date(name: str) -> None:
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert written == PAGES[name](), f"docs/{name} is out of date: make docs"


def test_every_finding_and_every_exception_code_is_listed() -> None:
    page = errors_page()
    codes = [*FINDINGS, *(raised.code for raised in find_raised())]
    assert [code for code in codes if f"| `{code}` |" not in page] == []


def test_exception_codes_are_not_finding_codes_with_another_meaning() -> None:
    assert {raised.code for raised in find_raised()} & set(FINDINGS) <= {"message.unreadable"}
