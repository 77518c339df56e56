"""What in a FHIR message is a birth, a death, a related fact, or none of our business."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from gateway.domain.case import Rank
from tests.hospital_messages import (
    BORN_HERE,
    DIED_HERE,
    ROLE_CODE,
    bundle,
    concept,
    encounter,
    fhir_events,
    mother_of,
    newborn,
    observation,
)


def seen(raw: bytes) -> list[tuple[str, str, list[str]]]:
    return [(event.kind, event.relevance, [finding.code for finding in event.findings]) for event in fhir_events(raw)]


BIRTH = [("birth", "birth", [])]
DEATH = [("death", "death", [])]


def test_a_young_patient_with_a_mother_is_a_birth() -> None:
    assert seen(bundle(newborn(), mother_of())) == BIRTH
    assert seen(bundle(newborn(), mother_of(code="MTH"))) == BIRTH
    contact = {"relationship": [concept("MTH", ROLE_CODE)], "name": {"text": "Nguyễn Thị Hoa"}}
    assert seen(bundle(newborn(contact=[contact]))) == BIRTH


def test_a_young_patient_of_a_multiple_birth_is_a_birth() -> None:
    assert seen(bundle(newborn(multipleBirthInteger=2))) == BIRTH
    assert seen(bundle(newborn(multipleBirthBoolean=True))) == BIRTH
    assert seen(bundle(newborn(multipleBirthBoolean=False))) == [("birth", "related", [])]


@pytest.mark.parametrize(
    "stay",
    [
        BORN_HERE,
        {"type": [concept("N", "http://terminology.hl7.org/CodeSystem/v2-0007")]},
        {"reasonCode": [concept("Z38.0")]},
    ],
)
def test_an_encounter_that_says_newborn_is_a_birth(stay: dict[str, Any]) -> None:
    assert seen(bundle(newborn(), encounter(**stay))) == BIRTH


def test_a_newborn_stay_of_an_older_child_reaches_a_person_and_opens_no_case() -> None:
    found = seen(bundle(newborn(birthDate="2026-09-01"), encounter(**BORN_HERE)))
    assert found == [("birth", "related", ["birth.too_old"])]


@pytest.mark.parametrize("born", ["2026-10-24", "2026-11-21", "2026-11-22"])
def test_up_to_28_days_old_counts_as_newborn(born: str) -> None:
    assert seen(bundle(newborn(birthDate=born), mother_of())) == BIRTH


@pytest.mark.parametrize("born", ["2026-10-23", "1990-01-01", "2026-11-25", "2026", None])
def test_an_older_or_undated_patient_with_a_mother_is_no_birth(born: str | None) -> None:
    assert seen(bundle(newborn(birthDate=born), mother_of())) == []


def test_newborn_screening_is_no_birth() -> None:
    report = {"resourceType": "DiagnosticReport", "status": "final", "subject": {"reference": "Patient/nb-1"}}
    assert seen(bundle(newborn(), mother_of(), report)) == []
    weighed = seen(bundle(newborn(), mother_of(), report, observation("8339-4", valueQuantity={"value": 3000})))
    assert weighed == [("birth", "related", [])]


def test_an_adult_admission_is_none_of_our_business() -> None:
    adult = newborn("A-1", birthDate="1990-05-05", name=[{"text": "Phạm Thị Lan"}])
    assert seen(bundle(adult, encounter("Patient/a-1"))) == []
    assert seen(orjson.dumps(adult)) == []


def test_without_a_timestamp_the_latest_time_in_the_message_counts() -> None:
    stay = encounter(period={"start": "2026-11-20T01:00:00+07:00"})
    assert seen(bundle(newborn(), mother_of(), stay, timestamp=None)) == BIRTH


def test_without_any_time_the_birth_is_not_guessed_and_not_silent() -> None:
    assert seen(bundle(newborn(), mother_of(), timestamp=None)) == [("birth", "related", ["value.missing"])]


def test_twins_in_one_bundle_are_two_births_with_their_own_handles() -> None:
    raw = bundle(
        newborn("T-1", multipleBirthInteger=1), newborn("T-2", multipleBirthInteger=2), mother_of("Patient/t-1")
    )
    assert [event.patients for event in fhir_events(raw)] == [("T-1", "Patient/t-1"), ("T-2", "Patient/t-2")]


def test_the_patient_number_comes_before_references() -> None:
    baby = newborn(identifier=[{"type": concept("PI"), "value": "P9"}, {"type": concept("MR"), "value": "M1"}])
    entry = {"fullUrl": "urn:uuid:0c0ffee0-0000-4000-8000-000000000001", "resource": baby | {"multipleBirthInteger": 1}}
    (event,) = fhir_events(bundle(entry=[entry]))
    assert event.patients == ("M1", "P9", "Patient/nb-1", "urn:uuid:0c0ffee0-0000-4000-8000-000000000001")


def test_references_by_urn_and_by_absolute_url_are_followed() -> None:
    urn = "urn:uuid:0c0ffee0-0000-4000-8000-000000000001"
    baby = newborn(id=None)
    entries = [{"fullUrl": urn, "resource": baby}, {"resource": mother_of(urn)}]
    assert seen(bundle(entry=entries)) == BIRTH
    versioned = [{"fullUrl": f"{urn}/_history/1", "resource": baby}, {"resource": mother_of(urn)}]
    assert seen(bundle(entry=versioned)) == BIRTH
    assert seen(bundle(newborn(), mother_of("https://his.example/fhir/Patient/nb-1/_history/3"))) == BIRTH


@pytest.mark.parametrize(
    "elements",
    [{"deceasedBoolean": True}, {"deceasedDateTime": "2026-11-20T04:30:00+07:00"}, {"deceasedDateTime": "2026"}],
)
def test_a_deceased_patient_is_a_death(elements: dict[str, Any]) -> None:
    assert seen(bundle(newborn("D-1", birthDate="1950", **elements))) == DEATH


def test_a_discharge_of_the_dead_and_a_time_of_death_are_deaths() -> None:
    adult = newborn("D-1", birthDate="1950-01-01")
    assert seen(bundle(adult, encounter("Patient/d-1", **DIED_HERE))) == DEATH
    assert seen(bundle(adult, observation("81956-5", "Patient/d-1", valueDateTime="2026-11-20"))) == DEATH


def test_a_denied_death_beside_its_evidence_is_a_contradiction_for_a_person() -> None:
    adult = newborn("D-1", birthDate="1950-01-01", deceasedBoolean=False)
    assert seen(bundle(adult)) == []
    assert seen(bundle(adult, encounter("Patient/d-1", **DIED_HERE))) == [("death", "death", ["death.contradiction"])]


def test_a_newborn_who_died_is_a_birth_and_a_death() -> None:
    lived = [("birth", "birth", ["birth.died"])]
    assert seen(bundle(newborn(deceasedBoolean=True), mother_of())) == lived + DEATH


def test_a_stillbirth_opens_neither_a_birth_nor_a_death() -> None:
    condition = {"resourceType": "Condition", "subject": {"reference": "Patient/nb-1"}, "code": concept("P95")}
    raw = bundle(newborn(deceasedBoolean=True), mother_of(), condition)
    assert seen(raw) == [("birth", "related", ["birth.still"])]


def test_only_one_line_of_the_cause_chain_is_taken_and_that_is_said() -> None:
    adult = newborn("D-1", birthDate="1950", deceasedBoolean=True)
    causes = [observation("69453-9", "Patient/d-1", valueCodeableConcept={"text": cause}) for cause in ("a", "b")]
    assert seen(bundle(adult, *causes)) == [("death", "death", ["death.cause_withheld"])]


def composition(code: str, subject: str = "Patient/nb-1") -> dict[str, Any]:
    return {
        "resourceType": "Composition",
        "type": concept(code),
        "subject": {"reference": subject},
        "date": "2026-11-21",
    }


def test_a_birth_certificate_document_is_a_birth_whatever_the_age() -> None:
    raw = bundle(composition("68998-4"), newborn(birthDate="2026-01-01"), type="document")
    assert seen(raw) == BIRTH


def test_sections_of_a_declaration_tell_child_and_parents() -> None:
    sections = [
        {"code": concept(code), "entry": [{"reference": reference}]}
        for code, reference in (("child-details", "Patient/nb-1"), ("mother-details", "Patient/m-1"))
    ]
    document = {"resourceType": "Composition", "section": sections}
    mother = newborn("M-1", birthDate="1998-01-01", deceasedBoolean=True)
    events = fhir_events(bundle(document, newborn(), mother, type="document"))
    assert [(event.kind, event.patients[0]) for event in events] == [("birth", "NB-1")]
    assert [entry.id for entry in events[0].scope.roles["mother"]] == ["m-1"]


def test_a_document_inside_a_message_is_opened() -> None:
    inner = orjson.loads(bundle(composition("64297-5"), newborn(birthDate="1950"), type="document"))
    header = {"resourceType": "MessageHeader", "id": "mh-1", "source": {"endpoint": "https://his.example"}}
    (event,) = fhir_events(bundle(header, inner, type="message"))
    assert (event.kind, event.scope.roles["patient"][0].place) == (
        "death",
        "Bundle.entry[1].resource.entry[1].resource",
    )


def test_the_mother_is_found_as_a_patient_through_links_and_encounters() -> None:
    mother = newborn("M-1", birthDate="1998-01-01", link=[{"other": {"reference": "RelatedPerson/mother"}}])
    (event,) = fhir_events(bundle(newborn(), mother_of(), mother))
    assert [entry.type for entry in event.scope.roles["mother"]] == ["Patient", "RelatedPerson"]
    stay, delivery = encounter(partOf={"reference": "Encounter/e2"}, **BORN_HERE), encounter("Patient/m-1", id="e2")
    (event,) = fhir_events(bundle(newborn(), stay, delivery, newborn("M-1", birthDate="1998-01-01")))
    assert [entry.id for entry in event.scope.roles["mother"]] == ["m-1"]


@pytest.mark.parametrize(
    ("resource", "kind", "relevance", "rank"),
    [
        (mother_of(), "birth", "related", Rank.MESSAGE),
        (mother_of(code="FTH"), "birth", "related", Rank.MESSAGE),
        (observation("8339-4"), "birth", "related", Rank.OBSERVATION),
        (observation("69453-9"), "death", "related", Rank.OBSERVATION),
        (encounter(**BORN_HERE), "birth", "related", Rank.MESSAGE),
        (encounter(**DIED_HERE), "death", "death", Rank.MESSAGE),
    ],
)
def test_a_resource_on_its_own_speaks_for_the_patient_it_names(
    resource: dict[str, Any], kind: str, relevance: str, rank: Rank
) -> None:
    (event,) = fhir_events(orjson.dumps(resource))
    assert (event.kind, event.relevance, event.rank, event.patients) == (kind, relevance, rank, ("Patient/nb-1",))


@pytest.mark.parametrize("resource", [mother_of(code="SIB"), observation("718-7"), encounter(), mother_of(patient="")])
def test_other_resources_on_their_own_are_none_of_our_business(resource: dict[str, Any]) -> None:
    assert fhir_events(orjson.dumps(resource)) == []


def test_events_say_when_in_utc() -> None:
    (event,) = fhir_events(bundle(newborn(), mother_of()))
    assert event.occurred == "2026-11-21T01:00:00+00:00"


def test_test_messages_are_marked() -> None:
    raw = bundle(newborn(), mother_of(), meta={"security": [{"code": "HTEST"}]})
    assert seen(raw) == [("birth", "birth", ["message.not_production"])]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("92011-6", ("birth", "birth")),
        ("68998-4", ("birth", "birth")),
        ("71230-7", ("birth", "birth")),
        ("92010-8", ("birth", "related")),
        ("69045-3", ("birth", "related")),
        ("64297-5", ("death", "death")),
        ("69409-1", ("death", "death")),
    ],
)
def test_the_type_of_a_document_says_what_its_subject_is(code: str, told: tuple[str, str]) -> None:
    paper = {"resourceType": "Composition", "type": concept(code), "subject": {"reference": "Patient/nb-1"}}
    (event,) = fhir_events(bundle(paper, newborn(birthDate="1990-01-01"), type="document"))
    assert (event.kind, event.relevance) == told
