"""Laws of the MoH XML reader: any bytes and any field texts are read or refused; values never move between papers."""

from __future__ import annotations

import base64
from dataclasses import replace
from functools import cache
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.hospital import moh_xmldsig
from adapters.hospital.moh_xml import MohReader
from gateway.domain.notification import BirthNotification
from gateway.domain.person import PersonName
from gateway.errors import UnreadableMessage
from gateway.mapping.engine import read_event
from gateway.ports.hospital import Feed
from tests.hospital_messages import (
    FEED,
    GBT,
    GCS,
    TODAY,
    XML9,
    birth_paper,
    death_paper,
    envelope,
    fields,
    load_catalogue,
    xml9,
)
from tests.moh_signatures import authority, facility, sign

READER = MohReader()
catalogue = cache(load_catalogue)
TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0x1EFF, exclude_categories=["Cs", "Cc"]), max_size=20)
VALUES = TEXT | st.text("0123456789:;", max_size=14)


def read_everything(raw: bytes) -> None:
    header = READER.header(raw)
    READER.patient_of(raw, FEED)
    READER.answer(header, "AA", None, FEED, "w.1")
    for event in READER.events(raw, FEED):
        read_event(catalogue(), "moh", event, "m.1", FEED, TODAY)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(st.sampled_from(sorted(GCS | XML9)), VALUES), st.dictionaries(st.sampled_from(sorted(GBT)), VALUES)
)
def test_any_text_in_any_field_is_read(birth: dict[str, str], death: dict[str, str]) -> None:
    births = {tag: escape(value) for tag, value in birth.items()}
    read_everything(birth_paper(**births))
    read_everything(envelope(XML9=xml9(fields(**births), fields(**(XML9 | births)))))
    read_everything(death_paper(**{tag: escape(value) for tag, value in death.items()}))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=4))
def test_damaged_bytes_are_read_or_refused_with_a_place(at: int, damage: bytes) -> None:
    for whole in (birth_paper(), envelope(XML9=xml9(fields(**XML9)))):
        place = at % len(whole)
        raw = whole[:place] + damage + whole[place + len(damage) :]
        said, place = "", "read"
        try:
            read_everything(raw)
        except UnreadableMessage as error:
            said, place = str(error), error.where
        assert place
        assert "Hoa" not in said + place


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(500, 6000), st.sampled_from("123")), min_size=1, max_size=4))
def test_every_row_keeps_its_own_values(children: list[tuple[int, str]]) -> None:
    rows = [fields(**(XML9 | {"CAN_NANG_CON": str(weight), "GIOI_TINH_CON": sex})) for weight, sex in children]
    raw = envelope(XML9=xml9(*rows))
    readings = [read_event(catalogue(), "moh", event, "m.1", FEED, TODAY) for event in READER.events(raw, FEED)]
    weights = [r.notification.birth.weight_g for r in readings if isinstance(r.notification, BirthNotification)]
    assert weights == [weight for weight, _ in children]


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> Feed:
    path = tmp_path_factory.mktemp("trust") / "ca.pem"
    return replace(FEED, paper_certificates=(authority().pem(path),))


@cache
def signed() -> bytes:
    return sign(birth_paper("<CHUKYDONVI/>"), facility())


def valid_names(raw: bytes, feed: Feed) -> list[PersonName | None]:
    """The mother's name on each paper whose signature is called valid."""
    readings = [read_event(catalogue(), "moh", event, "m.1", feed, TODAY) for event in READER.events(raw, feed)]
    told = [reading.notification for reading in readings]
    return [one.mother.name for one in told if isinstance(one, BirthNotification) and one.paper.signature == "valid"]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=8), st.integers(0, 8))
def test_a_signed_paper_that_was_damaged_is_never_valid_with_other_content(
    trusting: Feed, at: int, damage: bytes, dropped: int
) -> None:
    whole = signed()
    place = at % len(whole)
    raw = whole[:place] + damage + whole[place + dropped :]
    try:
        names = valid_names(raw, trusting)
    except UnreadableMessage:
        names = []
    assert set(names) <= {PersonName("Nguyễn", "Thị", "Hoa")}


@settings(max_examples=100, deadline=None)
@given(st.permutations(["paper", "forged", "block", "other"]), st.sampled_from(["g1", "g2", ""]), st.booleans())
def test_parts_of_a_signed_document_put_together_anew_never_vouch_for_a_forgery(
    trusting: Feed, order: list[str], name: str, nested: bool
) -> None:
    whole = signed()
    paper = whole[whole.index(b"<GIAYCHUNGSINH") : whole.index(b"<CHUKYDONVI")]
    forged = paper.replace(b"Hoa", b"Gian").replace(b'Id="g1"', f'Id="{name}"'.encode())
    block = whole[whole.index(b"<CHUKYDONVI") : whole.index(b"</HSDLGCS>")]
    if nested:
        forged = forged.replace(b"</GIAYCHUNGSINH>", paper + b"</GIAYCHUNGSINH>")
    parts = {"paper": b"" if nested else paper, "forged": forged, "block": block, "other": b"<KHAC/>"}
    names = valid_names(b"<HSDLGCS>" + b"".join(parts[part] for part in order) + b"</HSDLGCS>", trusting)
    assert set(names) <= {PersonName("Nguyễn", "Thị", "Hoa")}


def test_the_work_of_verifying_grows_with_the_file_and_not_with_its_square(
    trusting: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    whole = moh_xmldsig.parse_xml
    monkeypatch.setattr(moh_xmldsig, "parse_xml", lambda raw: (written.append(len(raw)), whole(raw))[1])
    paper = f"<GIAYCHUNGSINH Id='@'>{fields(**GCS)}</GIAYCHUNGSINH>"
    names = [f"g{number}" for number in range(1000)]
    body = "".join(paper.replace("@", name) for name in names)
    raw = sign(f"<HSDLGCS>{body}<CHUKYDONVI/></HSDLGCS>".encode(), facility(), uris=tuple(f"#{name}" for name in names))
    assert len(valid_names(raw, trusting)) == 1000
    assert sum(written) < 2 * len(raw)


@pytest.mark.parametrize(
    "bomb",
    [
        b"<HSDLGCS>" + b"<a>" * 100_000,
        b"<HSDLGCS>" + b"<a>" * 200 + b"</a>" * 200 + b"</HSDLGCS>",
        b'<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;&x;&x;">]><HSDLGCS>&z;</HSDLGCS>',
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd"><HSDLGCS/>',
        b"<HSDLGCS a='" + b"x" * 11_000_000 + b"'/>",
        b"<" * 100_000,
        b"<?xml " * 100_000,
        b"\xff\xfe<",
    ],
    ids=["unclosed", "deep", "entities", "outside", "long-value", "brackets", "declarations", "half-utf-16"],
)
def test_a_bomb_is_refused_whole_or_inside_a_file(bomb: bytes) -> None:
    wrapped = envelope(XML9=base64.b64encode(bomb))
    for raw in (bomb, wrapped):
        assert READER.split(raw) == [raw]
        with pytest.raises(UnreadableMessage):
            READER.events(raw, FEED)
        assert READER.unusable(raw, FEED) is not None


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.binary(max_size=300))
def test_a_file_cut_short_or_of_anything_else_is_told_and_the_others_are_read(at: int, anything: bytes) -> None:
    content = base64.b64encode(xml9(fields(**XML9)).encode())
    for inner in (content[: at % len(content)], base64.b64encode(anything), anything.hex().encode()):
        raw = envelope(XML9=inner, XML1="<TONG_HOP><MA_BN>BN-7</MA_BN><KET_QUA_DTRI>5</KET_QUA_DTRI></TONG_HOP>")
        assert [event.kind for event in READER.events(raw, FEED)] == ["death"]
        error = READER.unusable(raw, FEED)
        assert error is None or "NOIDUNGFILE" in error.where
        answer = READER.answer(READER.header(raw), "AE" if error else "AA", error, FEED, "w.1")
        assert (b"problem" in answer.body) == (error is not None)
