"""What a FHIR message takes back or joins: entered-in-error, Patient.link, and the order of updates."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from adapters.hospital.fhir import FhirReader
from gateway.domain.case import fold
from tests.hospital_messages import (
    BORN_HERE,
    DIED_HERE,
    FEED,
    bundle,
    concept,
    encounter,
    fhir_events,
    load_catalogue,
    mother_of,
    newborn,
    observation,
    read_all,
)

WRONG = {"status": "entered-in-error"}


def test_a_resource_entered_in_error_cancels_itself_for_both_kinds_of_case() -> None:
    events = fhir_events(orjson.dumps(encounter(**(BORN_HERE | WRONG), meta={"lastUpdated": "2026-11-22T01:00:00Z"})))
    assert [(event.kind, event.relevance, event.cancels) for event in events] == [
        ("birth", "related", ("Encounter/e1",)),
        ("death", "related", ("Encounter/e1",)),
    ]
    assert {event.patients for event in events} == {("Patient/nb-1",)}
    assert {event.occurred for event in events} == {"2026-11-22T01:00:00+00:00"}


@pytest.mark.parametrize(
    ("raw", "kind", "trigger"),
    [
        (bundle(newborn(), encounter(**BORN_HERE)), "birth", "Encounter/e1"),
        (bundle(newborn(), mother_of()), "birth", "Patient/nb-1"),
        (bundle(newborn(birthDate="1950-01-01"), encounter(**DIED_HERE)), "death", "Encounter/e1"),
        (bundle(newborn(birthDate="1950", deceasedBoolean=True), encounter(**DIED_HERE)), "death", "Patient/nb-1"),
        (orjson.dumps(observation("8339-4", id="o1", valueInteger=1)), "birth", "Observation/o1"),
        (orjson.dumps(observation("8339-4", valueInteger=1)), "birth", "Observation"),
    ],
)
def test_an_event_can_be_cancelled_by_the_resource_that_states_it(raw: bytes, kind: str, trigger: str) -> None:
    (event,) = fhir_events(raw)
    assert (event.kind, event.trigger, event.cancels) == (kind, trigger, ())


def certificate(**elements: Any) -> dict[str, Any]:
    return {
        "resourceType": "Composition",
        "id": "c1",
        "status": "final",
        "type": concept("71230-7"),
        "subject": {"reference": "Patient/nb-1"},
        **elements,
    }


def test_a_document_entered_in_error_states_nothing_and_cancels_the_earlier_one() -> None:
    (stated,) = fhir_events(bundle(certificate(), newborn(), mother_of(), type="document"))
    assert (stated.relevance, stated.trigger) == ("birth", "Composition/c1")
    events = fhir_events(bundle(certificate(**WRONG), newborn(), mother_of(), type="document"))
    assert {(event.relevance, event.cancels) for event in events} == {("related", ("Composition/c1",))}
    assert {event.patients for event in events} == {("NB-1", "Patient/nb-1")}


def test_facts_entered_in_error_are_not_read() -> None:
    weight = observation("8339-4", id="o1", valueQuantity={"value": 3200, "code": "g"})
    catalogue = load_catalogue()
    said, unsaid = (
        read_all(catalogue, FhirReader(), bundle(newborn(), mother_of(), weight | status))[-1] for status in ({}, WRONG)
    )
    assert (said.notification.birth.weight_g, unsaid.notification.birth.weight_g) == (3200, None)  # type: ignore[union-attr]


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 1, 0)])
def test_a_withdrawn_stay_withdraws_the_birth_in_any_order(order: tuple[int, ...]) -> None:
    stay = encounter(**BORN_HERE)
    sent = [
        bundle(newborn(), stay, timestamp="2026-11-21T08:00:00+07:00"),
        bundle(newborn(name=None), stay | WRONG, timestamp="2026-11-21T09:00:00+07:00"),
    ]
    catalogue = load_catalogue()
    readings = [r for place in order for r in read_all(catalogue, FhirReader(), sent[place]) if r.kind == "birth"]
    case = fold("birth", readings, {}, {})
    assert case.withdrawn
    assert "case.cancelled" in {finding.code for finding in case.findings}


@pytest.mark.parametrize(
    ("kind", "kept", "gone"), [("replaced-by", "Patient/2", "Patient/1"), ("replaces", "Patient/1", "Patient/2")]
)
def test_a_link_of_two_records_merges_their_handles(kind: str, kept: str, gone: str) -> None:
    link = [{"other": {"reference": "Patient/2"}, "type": kind}]
    adult = newborn("1", id="1", identifier=None, birthDate="1990-01-01", link=link)
    events = fhir_events(orjson.dumps(adult))
    assert [(event.kind, event.patients, event.merges) for event in events] == [
        ("birth", (kept,), (gone,)),
        ("death", (kept,), (gone,)),
    ]


def test_a_merge_names_every_handle_of_a_record_that_travels_along() -> None:
    link = [{"other": {"reference": "https://his.example/fhir/Patient/nb-2"}, "type": "replaced-by"}]
    old, new = newborn("NB-1", birthDate="1990", link=link), newborn("NB-2", birthDate="1990")
    merged = [event for event in fhir_events(bundle(old, new)) if event.merges]
    assert {(event.patients, event.merges) for event in merged} == {
        (("NB-2", "Patient/nb-2"), ("NB-1", "Patient/nb-1"))
    }


def test_a_merge_may_name_the_other_record_by_its_number() -> None:
    link = [{"other": {"identifier": {"value": "BN-7"}}, "type": "replaced-by"}]
    event = fhir_events(orjson.dumps(newborn(birthDate="1990", link=link)))[0]
    assert (event.patients, event.merges) == (("BN-7",), ("NB-1", "Patient/nb-1"))


@pytest.mark.parametrize("kind", ["seealso", "refer", ""])
def test_other_links_merge_nobody(kind: str) -> None:
    link = [{"other": {"reference": "Patient/2"}, "type": kind}]
    assert fhir_events(orjson.dumps(newborn(birthDate="1990", link=link))) == []


def test_the_time_of_the_last_update_orders_and_the_bundles_does_where_there_is_none() -> None:
    updated = newborn(meta={"lastUpdated": "2026-11-21T07:00:00+07:00"})
    (one,) = fhir_events(bundle(updated, mother_of()))
    (other,) = fhir_events(bundle(newborn(), mother_of()))
    assert (one.occurred, other.occurred) == ("2026-11-21T00:00:00+00:00", "2026-11-21T01:00:00+00:00")


def test_an_ordinary_patient_resource_tells_facts_only_when_asked() -> None:
    raw = orjson.dumps(newborn(birthDate="2020-01-01", meta={"lastUpdated": "2026-11-20T00:00:00Z"}))
    reader = FhirReader()
    assert reader.events(raw, FEED) == []
    facts = [reader.facts_of(raw, FEED, kind)[0] for kind in ("birth", "death")]
    assert [(fact.kind, fact.relevance, fact.patients[0]) for fact in facts] == [
        ("birth", "other", "NB-1"),
        ("death", "other", "NB-1"),
    ]
    report = {"resourceType": "DiagnosticReport", "subject": {"reference": "Patient/nb-1"}}
    assert reader.facts_of(bundle(newborn(birthDate="2020-01-01"), report), FEED, "birth") == []


FORMS = {
    "multipleBirthBoolean": True,
    "multipleBirthInteger": 1,
    "deceasedBoolean": True,
    "deceasedDateTime": "2026-11-20",
}


def test_a_patient_with_every_form_filled_in_is_a_demonstration() -> None:
    assert fhir_events(bundle(newborn(**FORMS), mother_of())) == []


@pytest.mark.parametrize("missing", FORMS)
def test_a_patient_with_one_form_less_is_taken_at_its_word(missing: str) -> None:
    some = {name: value for name, value in FORMS.items() if name != missing}
    assert {event.kind for event in fhir_events(bundle(newborn(**some), mother_of()))} == {"birth", "death"}


def test_the_parties_of_a_marriage_are_neither_born_nor_dead() -> None:
    sections = [{"code": concept(f"{who}-details"), "entry": [{"reference": "Patient/nb-1"}]} for who in ("bride",)]
    paper = {"resourceType": "Composition", "section": sections}
    assert fhir_events(bundle(paper, newborn(deceasedBoolean=True), type="document")) == []
