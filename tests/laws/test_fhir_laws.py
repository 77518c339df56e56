"""Laws of the FHIR reader: any JSON is read or refused, and places point at what is there."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, reduce
from itertools import product
from operator import getitem
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.hospital.fhir import FhirReader
from adapters.hospital.fhir_xml import read_xml, write_xml
from gateway.errors import UnreadableMessage
from gateway.mapping.engine import read_event
from tests.hospital_messages import (
    BORN_HERE,
    DIED_HERE,
    FEED,
    TODAY,
    bundle,
    encounter,
    load_catalogue,
    mother_of,
    newborn,
    observation,
)

READER = FhirReader()
R5 = replace(FEED, fhir_version="R5")
catalogue = cache(load_catalogue)
WHOLE = orjson.loads(
    bundle(
        {
            "resourceType": "Composition",
            "type": {"coding": [{"code": "68998-4"}]},
            "subject": {"reference": "Patient/nb-1"},
        },
        newborn(
            multipleBirthInteger=1,
            deceasedBoolean=False,
            contact=[{"relationship": [{"coding": [{"code": "MTH"}]}]}],
            link=[{"other": {"reference": "RelatedPerson/mother"}}],
            address=[{"line": ["1"], "city": "Gia Lai", "extension": [{"url": "x", "valueCoding": {"code": "1"}}]}],
            meta={"profile": ["x"], "security": [{"code": "HTEST"}]},
        ),
        mother_of(identifier=[{"type": {"coding": [{"code": "NI"}]}, "value": "999198000001"}]),
        encounter(location=[{"location": {"reference": "Location/1"}}], **(BORN_HERE | DIED_HERE)),
        observation("8339-4", valueQuantity={"value": 3200, "code": "g"}),
        observation("69453-9", valueCodeableConcept={"text": "x"}, component=[{"valueInteger": 1}]),
    )
)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**6) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["coding", "code", "reference", "x"]), inner)
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, inner in items for place in places(inner, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(places(WHOLE)), ODD)
def test_any_value_anywhere_is_read_or_refused_and_never_a_crash(place: tuple[Any, ...], odd: Any) -> None:
    raw = orjson.dumps(replaced(WHOLE, place, odd))
    try:
        header = READER.header(raw)
        events = READER.events(raw, FEED)
    except UnreadableMessage:
        return  # a refusal is an answer; anything else fails the test
    READER.patient_of(raw, FEED)
    answer = READER.answer(header, "AA", None, FEED, "w.1")
    assert answer == READER.answer(READER.header(raw), "AA", None, FEED, "w.1")
    for prefer, form in product(("", "return=minimal", "return=representation"), ("json", "xml")):
        assert READER.respond(answer, header, raw, prefer, f"application/fhir+{form}")[1]["Location"]
    for event in (*events, *READER.events(raw, R5), *READER.facts_of(raw, FEED, "birth")):
        read_event(catalogue(), "fhir", event, "m.1", FEED, TODAY)


LEGAL_IN_XML = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")
XML_TEXT = st.text(LEGAL_IN_XML, min_size=1, max_size=9)


@settings(max_examples=100, deadline=None)
@given(st.lists(XML_TEXT, min_size=1, max_size=3), XML_TEXT, st.booleans(), st.integers(1, 9))
def test_what_is_written_as_xml_is_read_as_the_same_json(
    given_: list[str], family: str, dead: bool, order: int
) -> None:
    name = {"family": family, "_family": {"extension": [{"url": "urn:x", "valueBoolean": dead}]}, "given": given_}
    told = newborn(name=[name], deceasedBoolean=dead, multipleBirthInteger=order)
    assert read_xml(write_xml(told)) == told


OBJECTS = [place for place in places(WHOLE) if isinstance(reduce(getitem, place, WHOLE), dict)]


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(OBJECTS), st.randoms(use_true_random=False))
def test_a_name_that_occurs_twice_is_refused_wherever_it_is(place: tuple[Any, ...], random: Any) -> None:
    inner = reduce(getitem, place, WHOLE)
    twice = orjson.dumps({random.choice(list(inner)): '\\":'})[1:-1] + b"," + orjson.dumps(inner)[1:-1]
    raw = orjson.dumps(replaced(WHOLE, place, "@")).replace(b'"@"', b"{" + twice + b"}")
    with pytest.raises(UnreadableMessage, match="two members"):
        READER.header(raw if place else b"{" + twice + b"}")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
def test_any_bytes_are_refused_or_read(raw: bytes) -> None:
    place = "read"
    try:
        READER.events(raw, FEED)
    except UnreadableMessage as error:
        place = error.where
    assert place


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([1, 2, 3, 4, 5]), unique=True, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_entries_changes_neither_events_nor_facts(drop: list[int], random: Any) -> None:
    entries = [entry for index, entry in enumerate(WHOLE["entry"]) if index not in drop]
    shuffled = list(entries)
    random.shuffle(shuffled)

    def told(some: list[Any]) -> list[Any]:
        events = READER.events(orjson.dumps(WHOLE | {"entry": some}), FEED)
        readings = [read_event(catalogue(), "fhir", event, "m.1", FEED, TODAY) for event in events]
        return sorted((reading.kind, reading.relevance, repr(reading.notification)) for reading in readings)

    assert told(entries) == told(shuffled)
