"""Law: a case written as a FHIR document and read by our own intake is the same case, with the same dossier."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.dates import PartialDate
from gateway.domain.notification import UNITS, flatten
from gateway.domain.person import Address, PersonName, Sex
from gateway.mapping.transforms.text import tidy
from gateway.pipeline.rehearse import Sent, rehearse_stream
from tests.fhir_documents import documents_of, every_fact, facts_of, sample_of, with_cases, written
from tests.samples.folders import catalogue, feed, readers

NOT_COMPARED = ("findings", "provenance", "mapping_hash")
"""Findings and provenance speak of the message a fact was read in, and this is another message."""

EVERY_FACT = [(kind, path) for kind, paths in UNITS.items() for path in paths]

SYLLABLES = ("Nguyễn", "Thị", "Hoà", "hòa", "Y", "H'", "Bé", "trai", "Con", "bà", "BB", "Ê Ban", "Phường", "Xã", "Quận",
             "Thị xã", "5", "P.", "Đặng", "Ð", "Nhơn", "John", "O'Neil-Vũ", "12/3", "&", "<b>", '"x"')  # fmt: skip
FORMS = st.sampled_from(["NFC", "NFD"])
WORDS = st.lists(st.sampled_from(SYLLABLES), min_size=1, max_size=5).map(" ".join)
TEXTS = st.tuples(WORDS, FORMS).map(lambda told: tidy(unicodedata.normalize(told[1], told[0])))  # as intake keeps them
MAYBE = st.just("") | TEXTS


def digits(least: int, most: int | None = None) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=least, max_size=most or least)


@st.composite
def moments(draw: st.DrawFn) -> PartialDate:
    """Dates of every precision, with and without a zone."""
    day = draw(st.dates())
    year, month, date = max(day.year, 1000), day.month, min(day.day, 28)
    known = draw(st.integers(0, 5))
    limits = (month, date, *(draw(st.integers(0, most)) for most in (23, 59, 59)))
    parts = [part if place < known else None for place, part in enumerate(limits)]
    offset = draw(st.none() | st.sampled_from([0, 420, -210, 345])) if known >= 3 else None
    return PartialDate(year, *parts, offset)


NAMES = st.builds(PersonName, MAYBE, MAYBE, MAYBE).filter(lambda name: bool(name.full))
CODE = st.just("") | digits(2, 5)
ADDRESSES = st.builds(Address, MAYBE, MAYBE, CODE, MAYBE, CODE, MAYBE, CODE, st.sampled_from(["", "VN", "Lào"]))
BY_LEAF: dict[str, st.SearchStrategy[Any]] = {
    "personal_id": digits(9).map("999".__add__),
    "cmnd": digits(6).map("999".__add__),
    "passport": digits(7).map("C".__add__),
    "insurance": digits(7).map("999".__add__) | digits(12).map("DN4".__add__),
    "ethnicity": st.integers(1, 56).map("{:02d}".format),
    "nationality": st.sampled_from(["VN", "LA", "US", "KH"]),
    "code": digits(3).map("99".__add__),
}
BY_TYPE: dict[type, st.SearchStrategy[Any]] = {
    str: TEXTS,
    int: st.integers(1, 9999),
    bool: st.booleans(),
    Sex: st.sampled_from(Sex),
    PersonName: NAMES,
    PartialDate: moments(),
    Address: ADDRESSES.filter(lambda address: address != Address()),
}


def facts(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Any facts of a kind of notification, each known or not."""
    values = {
        path: BY_LEAF.get(path.rpartition(".")[2], BY_TYPE.get(unit, st.just(sample_of(kind, path))))
        for path, unit in UNITS[kind].items()
    }
    return st.fixed_dictionaries({}, optional=values)


@pytest.mark.parametrize("kind", UNITS)
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(data=st.data())
def test_any_notification_written_as_a_document_reads_as_itself(kind: str, data: st.DataObject) -> None:
    told = data.draw(facts(kind))
    assert facts_of(kind, written(kind, told)) == told


@pytest.mark.parametrize(("kind", "path"), EVERY_FACT)
def test_a_fact_alone_is_written_and_read(kind: str, path: str) -> None:
    told = {path: sample_of(kind, path)}
    assert facts_of(kind, written(kind, told)) == told, f"{path}: no rule of mappings/inbound/fhir/{kind}.toml reads it"


@pytest.mark.parametrize(("kind", "path"), EVERY_FACT)
def test_a_fact_is_not_made_up_when_only_the_others_are_known(kind: str, path: str) -> None:
    told = {other: value for other, value in every_fact(kind).items() if other != path}
    assert path not in facts_of(kind, written(kind, told))


@pytest.mark.parametrize("name", with_cases())
def test_every_case_of_a_sample_comes_back_with_the_same_dossier(name: str) -> None:
    for case, raw in documents_of(name):
        again = rehearse_stream(catalogue(), readers(), [Sent("document.json", raw, feed())])
        assert [message["ack"] for message in again.messages] == ["AA"]
        if case.folded.withdrawn:  # a document entered in error is no evidence of anything
            assert again.cases == []
            continue
        (other,) = again.cases
        assert flatten(other.folded.notification) == flatten(case.folded.notification)
        for key in case.told.keys() - set(NOT_COMPARED):
            assert other.told[key] == case.told[key], key
