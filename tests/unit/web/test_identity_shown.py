"""How a page shows the population database's verdicts."""

from __future__ import annotations

import html
import re

import pytest

from gateway.domain.identity import IdentityResult, Verdict
from gateway.web.pages import words
from gateway.web.rendering import Renderer

DIFFERS = Verdict.DIFFERS


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        (
            IdentityResult("mother", DIFFERS, ("name",), close=("name",)),
            "Người mẹ Gần giống CSDL quốc gia về dân cư, cần người xem: họ tên",
        ),
        (
            IdentityResult("mother", DIFFERS, ("name", "born"), close=("name",)),
            "Người mẹ Khác với CSDL quốc gia về dân cư: họ tên (gần giống), ngày sinh",
        ),
        (
            IdentityResult("father", DIFFERS, ("name",)),
            "Người cha Khác với CSDL quốc gia về dân cư: họ tên",
        ),
        (
            IdentityResult("father", Verdict.MATCHED, late=True),
            "Người cha Khớp với CSDL quốc gia về dân cư Trả lời đến sau khi hồ sơ đã gửi; các mục đã gửi giữ nguyên.",
        ),
    ],
)
def test_a_verdict_says_what_differs_what_is_close_and_what_came_late(result: IdentityResult, shown: str) -> None:
    template = Renderer("development").jinja.get_template("declaration.html")
    page = template.render(identity=[result], findings=[], sections=[], labels={}, w=words)
    (line,) = re.findall(r"<li class.*?</li>", page, re.DOTALL)
    assert " ".join(html.unescape(re.sub(r"<[^>]*>", " ", line)).split()) == shown
