"""No page lets what somebody wrote become part of the page itself."""

from __future__ import annotations

import string
import unicodedata
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.case import Edit
from gateway.domain.dossier import Correction, as_json
from gateway.views.cases import CaseLine
from gateway.views.cursor import Page
from gateway.views.desk import DeskDossier, DeskLine
from gateway.views.drop_folders import FolderState
from gateway.views.entries import EntryLine
from gateway.views.feed_report import FeedReport, FoundAt, UnreadPath
from gateway.views.halted import HaltedCase
from gateway.views.legs import Acknowledged, Legs, SentVersion, Verified
from gateway.views.legs import Told as NoticeTold
from gateway.views.messages import MessageLine
from gateway.views.outcomes import StoredOutcome
from gateway.views.partners import Resting
from gateway.views.waiting import WaitingCase
from gateway.web.accounts import Account
from gateway.web.pages import waiting as waiting_page
from gateway.web.pages import words
from gateway.web.pages.commune_search import Found
from gateway.web.pages.declaration import corrections_shown, lay_out
from gateway.web.pages.desk import DeskRow
from gateway.web.pages.dossier import Attempt
from gateway.web.pages.duplicates import Attempt as DuplicateAttempt
from gateway.web.pages.duplicates import FactShown, OtherShown, PairShown, SideShown
from gateway.web.principal import Principal
from gateway.web.rendering import Renderer
from tests.web_world import FORMS, HERE, ON, SmallCatalogue, birth

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=1>",
    "</textarea><b>",
    "{{7*7}}",
    "&lt;",
)
TEXT = st.one_of(
    st.sampled_from(HOSTILE),
    # The mark keeps it from being a word the pages know ("commune", a field's name): those may well change a page.
    st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("<>&'\"`=/"), max_size=30).map(
        "¤".__add__
    ),
    st.sampled_from(["Đặng Thị Thúy Hòa", "K'Ho Bình"]).map(lambda name: unicodedata.normalize("NFD", name) + "<i>"),
)
RENDERER = Renderer("production")


class Shape(HTMLParser):
    """The tags and attribute names of a page, without any text or value."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.words += [value or "" for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def desk(text: str) -> dict[str, Any]:
    line = DeskLine("hs", "hs", "birth", text, 1, "received", 0, 0, text, {}, "corrected")
    return {
        "rows": [DeskRow(line, text, text, "fine")],
        "next": text,
        "first": True,
        "chosen": "",
        "counts": dict.fromkeys(words.STATES, 0),
        "open_count": 1,
        "news_count": 1,
        "news_tab": text,
        "communes": text,
        "today": "2026-11-23",
        "ma": text,
        "not_found": text,
        "w": words,
    }


def dossier(text: str) -> dict[str, Any]:
    plain = birth(meHoTen=text, meNoiCuTru={"maXa": text, "dcChiTiet": text})
    told = as_json(plain) | {"provenance": {"meHoTen": {"message": f"test.{text}", "path": text, "rule": text}}}
    line = DeskLine("hs", "hs", "birth", "21583", 2, "received", 0, 0, "2027-01-19", plain.fields, "withdrawing")
    corrected = (Correction("meHoTen", "", text, text + text, text, text), Correction(text, text, text, ""))
    finding = {"code": "case.conflict", "severity": "warning", "where": text, "detail": text, "detail_vi": text}
    return {
        "duplicates": [OtherShown(text, text, text, True)],
        "found": DeskDossier(line, told, text, text, {"so": text, "trangSo": text}, [], corrected, {1: text}),
        "form": FORMS["birth"],
        "line": line,
        "subject": text,
        "sections": lay_out(FORMS["birth"], told, SmallCatalogue(), ON),
        "corrections": corrections_shown(FORMS["birth"], corrected, plain.fields, SmallCatalogue(), ON),
        "reasons": [text],
        "merged_into": text,
        "labels": {},
        "identity": [],
        "owed": {"family": [text]},
        "findings": [finding],
        "deadlines": {"register_by": text},
        "history": [{"at": text, "who": text, "action": text, "words": text}],
        "left": text,
        "pressing": "fine",
        "actions": ("accept", "ask", "refuse", "register", "seen"),
        "attempt": Attempt("ask", text, {"so": text}, {"words": text}),
        "w": words,
    }


def waiting(text: str) -> dict[str, dict[str, Any]]:
    told = dossier(text)
    held = {**told["found"].dossier, "holds": [text], "missing": [text]}
    case = WaitingCase("hs", "birth", 2, True, "", (HERE.code,), 0, text, held)
    shared = ("form", "subject", "sections", "labels", "identity", "owed", "findings", "deadlines", "left", "pressing")
    place = replace(HERE, name=text)
    detail = {name: told[name] for name in shared} | {
        "case": case,
        "written": text,
        "decided": [waiting_page.Decided("commune", text, Edit(text, text, text, text), text, False)],
        "again": set(),
        "choices": [place],
        "facts": {text: "death.at"},
        "coordinator": True,
        "officer": True,
        "may_release": True,
        "attempt": waiting_page.Attempt("commune", "", text, text, Found((place,), 3), {"commune": text, "why": text}),
        "w": words,
    }
    row = waiting_page.WaitingRow(case, text, [text], text, "fine")
    halted = HaltedCase(text, "birth", "rejected", text, 0, "2027-01-19", {"meHoTen": text}, text)
    lines = {
        "rows": [row],
        "halted": [waiting_page.HaltedRow(halted, text, text, text, "fine")],
        "resting": [Resting(text, text, text, 0, 0)],
        "next": text,
        "first": False,
        "settled": True,
        "coordinator": False,
        "w": words,
    }
    return {"waiting.html": lines, "waiting_case.html": detail}


def duplicates(text: str) -> dict[str, Any]:
    sides = (SideShown("hs-1", text, text, text, 0), SideShown("", text))
    facts = [FactShown(text, (text, text), "differ")]
    pair = PairShown("tl", "birth", 0, sides, True, [text], [text], facts, text)
    return {
        "pairs": [pair],
        "next": text,
        "first": False,
        "done": True,
        "officer": True,
        "coordinator": True,
        "attempt": DuplicateAttempt("tl", text, {"pair": text, "why": text}),
        "w": words,
    }


def legs(text: str) -> dict[str, Any]:
    told = Legs(
        messages=[Acknowledged(text, text, text, text, "AA", 0)],
        identity=[Verified(text, text, (text,), 0, True)],
        versions=[SentVersion(1, text, text, 0, 0)],
        code=text,
        again_at=1,
        tries=2,
        error=text,
        given_up=False,
        notices=[NoticeTold(text, text, 0, None)],
    )
    finding = {"code": "result.so", "severity": "warning", "where": text, "detail": text, "detail_vi": text}
    return {
        "line": CaseLine(text, "birth", text, text, "rejected", text, 1, 0, 0),
        "legs": told,
        "outcome": StoredOutcome(text, 1, text, "rejected", text, 0, text, {"so": text, text: text}, "", [finding]),
        "commune": replace(HERE, name=text),
        "resting": Resting(text, text, text, 0, 0),
        "desk_code": text,
        "waits": True,
        "w": words,
    }


def others(text: str) -> dict[str, dict[str, Any]]:
    entry = EntryLine(text, 1, 0, text, text, text, text)
    message = MessageLine(text, 0, text, text, text, "AA", text)
    return {
        "duplicates.html": duplicates(text),
        "legs.html": legs(text),
        "signin.html": {"ten": text, "tiep": text, "error": text},
        "problem.html": {"status": 404, "words": text, "code": text},
        "log.html": {"writers": [(text, 1)], "chain": "", "about": text, "page": Page([entry], text), "w": words},
        "users.html": {"users": [Account(text, "officer", text, text, text, False, 0)], "now": 0},
        "hospital.html": {
            "cases": Page([]),
            "messages": Page([message], text),
            "places": {},
            "folders": [(text, FolderState(text, waiting=1, refused=1)), (text, FolderState(text, text))],
            "reports": [FeedReport(text, 1, 1, 0, (UnreadPath(text, text, 1),), (FoundAt(text, text, "", "", 1),), 0)],
            "findings": {},
            "w": words,
        },
    }


def pages(text: str) -> dict[str, str]:
    person = Principal("x", "officer", text)
    values = {"desk.html": desk(text), "dossier.html": dossier(text), **waiting(text), **others(text)}
    return {name: RENDERER.page(name, person, text, told).body.decode() for name, told in values.items()}


PLAIN = {name: Shape(page).tags for name, page in pages(string.ascii_lowercase).items()}


@given(TEXT)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_text_changes_the_tags_of_a_page(text: str) -> None:
    for name, page in pages(text).items():
        shape = Shape(page)
        assert shape.tags == PLAIN[name], name
        assert any(text in word for word in shape.words), name


def test_the_law_notices_an_unescaped_page() -> None:
    text = HOSTILE[0]
    page = pages(text)["desk.html"].replace("&lt;script&gt;", "<script>")
    assert Shape(page).tags != PLAIN["desk.html"]
