"""Laws of the MoH XML reader: any bytes and any field texts are read or refused; values never move between papers."""

from __future__ import annotations

from functools import cache
from xml.sax.saxutils import escape

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.hospital.moh_xml import MohReader
from gateway.domain.notification import BirthNotification
from gateway.errors import UnreadableMessage
from gateway.mapping.engine import read_event
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
