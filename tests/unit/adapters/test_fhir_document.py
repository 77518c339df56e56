"""FHIR documents: their structure (FHIR R4 section 3.3), the models of fhir.resources, and what others can read."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from fhir.resources.R4B.bundle import Bundle

from adapters.hospital.fhir_elements import OWN
from gateway.domain.dates import PartialDate
from gateway.domain.notification import UNITS, build, flatten
from gateway.domain.person import Address, PersonName
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.engine import read_event
from gateway.mapping.overlays import Overlay
from tests.fhir_documents import (
    AT,
    BY_TYPE,
    FRAME,
    PLACE,
    READER,
    below,
    documents_of,
    every_fact,
    facts_of,
    resources,
    with_cases,
    written,
)
from tests.samples.folders import PROJECT, catalogue, feed, readers

KINDS = pytest.mark.parametrize("kind", UNITS)
EVERY_SAMPLE = pytest.mark.parametrize("name", with_cases())
PLAIN = {"sex", "personal_id", "cmnd", "passport", "insurance", "facility_id", "ethnicity", "nationality", "phone",
         "weight_g", "gestation_weeks", "plurality", "order", "cause", "manner", "number", "code"}  # fmt: skip
NAME = PersonName("Nguyễn", "Thị", "Hòa")


def subject(facts: dict[str, Any], kind: str = "birth") -> dict[str, Any]:
    return resources(written(kind, facts), "Patient")[0]


def extensions(resource: dict[str, Any]) -> dict[str, Any]:
    return {found["url"].removeprefix(OWN): found for found in resource.get("extension", [])}


def check_document(raw: bytes) -> None:
    """The rules of a document that no model of one resource can check."""
    bundle = orjson.loads(raw)
    assert bundle["type"] == "document"
    assert bundle["identifier"]["system"] and bundle["identifier"]["value"] and bundle["timestamp"]
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(urls)) == len(urls)
    assert all(re.fullmatch("urn:uuid:[0-9a-f-]{36}", url) for url in urls)
    composition = bundle["entry"][0]["resource"]
    assert composition["resourceType"] == "Composition"
    for name in ("status", "type", "subject", "date", "author", "title", "section"):
        assert composition[name]
    listed = [entry["reference"] for section in composition["section"] for entry in section["entry"]]
    assert sorted(listed) == sorted(urls[1:]), "every resource is in one section"
    references = [value for name, value in below(bundle) if name == "reference"]
    assert set(references) <= set(urls)
    assert not [name for name, value in below(bundle) if value in (None, "", {}, [])], "FHIR JSON has no empty values"


@EVERY_SAMPLE
def test_every_case_of_a_sample_is_a_document_that_the_models_take_unchanged(name: str) -> None:
    for _, raw in documents_of(name):
        check_document(raw)
        # The models write Decimals as text and add nothing; numbers compare as numbers again.
        assert orjson.loads(Bundle.model_validate_json(raw).model_dump_json()) == orjson.loads(raw)


@KINDS
def test_a_notification_with_every_fact_is_a_valid_document(kind: str) -> None:
    raw = written(kind, every_fact(kind))
    check_document(raw)
    assert Bundle.model_validate_json(raw).type == "document"


@KINDS
def test_what_is_unknown_is_absent(kind: str) -> None:
    raw = written(kind, {})
    check_document(raw)
    assert [resource["resourceType"] for resource in resources(raw)] == ["Composition", "Patient"]
    assert resources(raw, "Patient") == [{"resourceType": "Patient"}]
    assert resources(raw)[0]["author"] == [{"display": "hotich-gateway"}]


@KINDS
def test_the_same_case_gives_the_same_bytes_and_another_other_urls(kind: str) -> None:
    facts = every_fact(kind)
    assert written(kind, facts) == written(kind, facts)
    other = orjson.loads(written(kind, facts, replace(FRAME, case_id="ks-2")))
    urls = {entry["fullUrl"] for entry in orjson.loads(written(kind, facts))["entry"]}
    assert urls.isdisjoint(entry["fullUrl"] for entry in other["entry"])


@EVERY_SAMPLE
def test_who_knows_none_of_our_extensions_still_reads_the_persons(name: str) -> None:
    for case, raw in documents_of(name):
        if case.folded.withdrawn:
            continue  # entered in error: nothing in it is read
        kind, told = case.folded.kind, flatten(case.folded.notification)
        read = facts_of(kind, orjson.dumps(without_ours(orjson.loads(raw))))
        for path, value in told.items():
            leaf = path.partition(".")[2]
            if isinstance(value, PersonName) and path != "child.name":  # a chosen name may look like a placeholder
                assert read[path].full == value.full
            elif isinstance(value, PartialDate) and leaf in ("born", "at"):
                assert str(read[path]).startswith(str(value)[:13])
            elif leaf in PLAIN:
                assert read[path] == value
            elif isinstance(value, Address) and value.commune_code and not value.district_code:
                assert (read[path].commune_code, read[path].province_code) == (value.commune_code, value.province_code)


def without_ours(value: Any) -> Any:
    """A document as somebody else would write it: no extension of ours."""
    if isinstance(value, list):
        ours = [item for item in value if isinstance(item, dict) and str(item.get("url", "")).startswith(OWN)]
        return [without_ours(item) for item in value if item not in ours]
    return {name: without_ours(inner) for name, inner in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("leaf", [leaf.name for leaf in fields(Address)])
@pytest.mark.parametrize("path", ["mother.address", "birth.place", "facility.address"])
def test_each_part_of_an_address_comes_back_alone(path: str, leaf: str) -> None:
    told = {path: Address(**{leaf: "Xã Đắk Pơ"})}
    assert facts_of("birth", written("birth", told)) == told


@pytest.mark.parametrize("leaf", [leaf.name for leaf in fields(PersonName)])
def test_each_part_of_a_name_comes_back_alone(leaf: str) -> None:
    told = {"child.name": PersonName(**{leaf: "Bé trai bà Hoà"})}
    assert facts_of("birth", written("birth", told)) == told


def test_a_person_is_written_with_the_identifiers_of_the_community_guide() -> None:
    mother = resources(written("birth", every_fact("birth")), "Patient")[1]
    systems = {identifier.get("system"): identifier["value"] for identifier in mother["identifier"]}
    assert systems["http://fhir.hl7.org.vn/core/sid/cccd"] == "999198000001"
    assert systems["http://fhir.hl7.org.vn/core/sid/bhyt"] == "DN4999999000001"
    ethnicity = extensions(mother)["http://fhir.hl7.org.vn/core/StructureDefinition/vn-ext-ethnicity"]
    assert ethnicity["valueCodeableConcept"]["coding"] == [{"code": "13", "display": "Ba na"}]
    units = {found["url"].rpartition("/")[2]: found for found in mother["address"][0]["extension"]}
    assert units["vn-ext-ward"]["valueCoding"] == {"code": "21583", "display": "Phường Quy Nhơn"}
    assert units["vn-ext-province"]["valueCoding"] == {"code": "52", "display": "Tỉnh Gia Lai"}


def test_a_code_of_the_old_list_is_not_written_as_one_of_todays() -> None:
    old = replace(PLACE, district="Thành phố Quy Nhơn", district_code="540")
    (address,) = subject({"child.address": old})["address"]
    assert [found["url"] for found in address["extension"]] == [OWN + "address"]


@pytest.mark.parametrize(
    ("born", "date", "time", "exact"),
    [
        (PartialDate(1950), "1950", None, None),
        (PartialDate(1950, 7), "1950-07", None, None),
        (PartialDate(2026, 11, 20), "2026-11-20", None, None),
        (PartialDate(2026, 11, 20, 8), "2026-11-20", None, "2026-11-20T08"),
        (PartialDate(2026, 11, 20, 8, 15), "2026-11-20", "2026-11-20T08:15:00+07:00", "2026-11-20T08:15"),
        (PartialDate(2026, 11, 20, 8, 15, 0, -210), "2026-11-20", "2026-11-20T08:15:00-03:30", None),
    ],
)
def test_a_date_keeps_its_precision(born: PartialDate, date: str, time: str | None, exact: str | None) -> None:
    child = subject({"child.born": born})
    assert child["birthDate"] == date
    birth_time = child.get("_birthDate", {}).get("extension", [{}])[0].get("valueDateTime")
    assert birth_time == time
    assert extensions(child).get("person.born", {}).get("valueString") == exact


@pytest.mark.parametrize(
    ("indicated", "at", "element"),
    [
        (True, None, {"deceasedBoolean": True}),
        (False, None, {"deceasedBoolean": False}),
        (None, PartialDate(2026, 11), {"deceasedDateTime": "2026-11"}),
        (True, PartialDate(2026, 11), {"deceasedDateTime": "2026-11"}),
        (False, PartialDate(2026, 11), {"deceasedBoolean": False}),
    ],
)
def test_a_death_is_dated_unless_the_hospital_denies_it(
    indicated: bool | None, at: PartialDate | None, element: dict[str, Any]
) -> None:
    facts = {"death.indicated": indicated, "death.at": at}
    told = {path: value for path, value in facts.items() if value is not None}
    raw = written("death", told)
    patient = resources(raw, "Patient")[0]
    assert {name: value for name, value in patient.items() if name.startswith("deceased")} == element
    assert facts_of("death", raw) == told


def test_a_death_certificate_of_a_newborn_opens_no_birth() -> None:
    facts = {"deceased.born": PartialDate(2026, 11, 20), "deceased.name": NAME, "mother.name": NAME}
    events = READER.events(written("death", facts), feed())
    assert [event.relevance for event in events] == ["related", "death"]


def test_surrogacy_read_back_asks_for_a_person_again() -> None:
    (event,) = READER.events(written("birth", {"birth.surrogate": True}), feed())
    reading = read_event(catalogue(), "fhir", event, "m.1", feed(), AT.date())
    assert "birth.surrogate" in {finding.code for finding in reading.findings}


def test_a_facility_without_name_and_number_is_still_an_organization() -> None:
    raw = written("birth", {"facility.address": PLACE})
    (facility,) = resources(raw, "Organization")
    assert facility["_name"]["extension"][0]["valueCode"] == "unknown"
    assert Bundle.model_validate_json(raw)


def identifiers_under(overlay: Path) -> list[dict[str, str]]:
    """How a mother's personal number is written under an overlay."""
    layered = Catalogue.load(PROJECT / "mappings", readers(), [Overlay(overlay)])
    told = build("birth", {"mother.personal_id": "999198000001"})
    raw = READER.write(told, FRAME, lambda name: layered.table(name, AT.date()))
    identifiers: list[dict[str, str]] = resources(raw, "Patient")[1]["identifier"]
    return identifiers


def test_an_overlay_says_under_which_system_a_number_is_written(tmp_path: Path) -> None:
    codes = tmp_path / "codes"
    codes.mkdir()
    lines = "urn:bv-mau:cccd,personal,x,yes,,,local\nhttp://fhir.hl7.org.vn/core/sid/cccd,personal,x,,,,local\n"
    (codes / "fhir_systems.csv").write_text(f"code,value,name,written,valid_from,valid_to,source\n{lines}")
    (identifier,) = identifiers_under(tmp_path)
    assert identifier == {"system": "urn:bv-mau:cccd", "value": "999198000001"}


def test_every_loinc_code_written_is_one_that_intake_knows() -> None:
    table, known = catalogue().table("fhir_document", AT.date()), catalogue().table("loinc_vital_events", AT.date())
    facts = [path for path in table.codes() if path.startswith(("birth.", "death."))]
    assert facts
    assert {path for path in facts if known.get(table.get(path) or "") != path.partition(".")[0]} == set()


def test_the_documentation_lists_every_extension_of_ours() -> None:
    page = (PROJECT / "docs" / "fhir-out.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `urn:vn:hotich:fhir:([a-z_.-]+)`", page, re.MULTILINE))
    used: set[str] = set()
    for kind in UNITS:
        contradiction = {"death.indicated": True, "death.at": BY_TYPE[PartialDate]} if kind == "death" else {}
        for _, value in below(orjson.loads(written(kind, every_fact(kind) | contradiction))):
            if isinstance(value, dict) and str(value.get("url", "")).startswith(OWN):
                used.add(value["url"].removeprefix(OWN))
    assert used == listed
