from __future__ import annotations

import ast
from pathlib import Path

import pytest

from gateway.domain.finding import DETAILS, FINDINGS, Finding

SOURCES = [path for root in ("gateway", "adapters") for path in Path(root).rglob("*.py")]


@pytest.mark.parametrize(
    ("detail", "vietnamese"),
    [
        ("not a date", ": không phải ngày tháng"),
        ("name, born", ": họ tên, ngày sinh"),
        ("cp1258, the bytes are UTF-8", ": cp1258, các byte là UTF-8"),
        ("PID-30=N", ": PID-30=N"),
        ("the value at the end is cut", ""),
        ("", ""),
    ],
)
def test_the_vietnamese_sentence_has_no_english_in_it(detail: str, vietnamese: str) -> None:
    told = Finding("value.unreadable", "PID-7", detail).as_json()
    assert told["detail_vi"] == FINDINGS["value.unreadable"].vi + vietnamese
    assert told["detail"] == FINDINGS["value.unreadable"].en + (f": {detail}" if detail else "")
    assert Finding.from_json(told) == Finding("value.unreadable", "PID-7", detail)


def _words_given(path: Path) -> list[str]:
    """The English details that a module's findings and notes are made with."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    found = []
    for call in calls:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        place = {"Finding": 2, "note": 1}.get(name)
        if place is not None and len(call.args) > place:
            texts = [node.value for node in ast.walk(call.args[place]) if isinstance(node, ast.Constant)]
            found += [part for text in texts if isinstance(text, str) for part in text.split(", ") if " " in part]
    return found


def test_every_detail_in_words_is_translated() -> None:
    given = {words for path in SOURCES for words in _words_given(path)}
    assert "not a date" in given
    assert given - DETAILS.keys() == set()
