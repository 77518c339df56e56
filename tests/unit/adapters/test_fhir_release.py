"""A feed that says R5 is read as R4."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from adapters.hospital.fhir import FhirReader
from adapters.hospital.fhir_release import as_r4
from adapters.hospital.fhir_xml import write_xml
from tests.hospital_messages import BORN_HERE, DIED_HERE, FEED, bundle, concept, encounter, newborn

R5 = replace(FEED, fhir_version="R5")


def r5_encounter(**elements: Any) -> dict[str, Any]:
    resource = encounter(status="completed", **elements)
    return resource | {"class": [{"coding": [{"code": "IMP"}]}]}


@pytest.mark.parametrize("written", [orjson.dumps, lambda resource: write_xml(resource, "R5")], ids=["json", "xml"])
@pytest.mark.parametrize(
    ("elements", "kind"),
    [
        ({"admission": BORN_HERE["hospitalization"]}, "birth"),
        ({"admission": DIED_HERE["hospitalization"]}, "death"),
        ({"reason": [{"value": [{"concept": concept("Z38.0")}]}]}, "birth"),
    ],
)
def test_an_encounter_of_r5_is_evidence_for_a_feed_of_r5_only(
    elements: dict[str, Any], kind: str, written: Any
) -> None:
    raw = written(r5_encounter(**elements))
    assert [event.kind for event in FhirReader().events(raw, R5)] == [kind]
    assert FhirReader().events(raw, FEED) == []


def test_r4_elements_are_read_alike_in_all_releases() -> None:
    raw = bundle(newborn(), encounter(**BORN_HERE))
    for release in ("R4", "R4B", "R5"):
        (event,) = FhirReader().events(raw, replace(FEED, fhir_version=release))
        assert (event.kind, event.relevance) == ("birth", "birth")


def test_renamed_elements_get_their_r4_names_and_the_rest_stays() -> None:
    stay = r5_encounter(actualPeriod={"start": "2026-11-20"}, serviceType=[{"concept": concept("N")}])
    told = as_r4({"resourceType": "Bundle", "entry": [{"fullUrl": "u", "resource": stay}, "x"]})
    first, odd = told["entry"]
    assert (first["fullUrl"], odd) == ("u", "x")
    resource = first["resource"]
    assert (resource["period"], resource["status"]) == ({"start": "2026-11-20"}, "finished")
    assert (resource["class"], resource["serviceType"]) == ({"code": "IMP"}, concept("N"))
    assert as_r4({"resourceType": "Composition", "subject": [{"reference": "Patient/1"}]})["subject"] == {
        "reference": "Patient/1"
    }
    header = as_r4({"resourceType": "MessageHeader", "source": {"endpointUrl": "urn:his"}})
    assert header["source"]["endpoint"] == "urn:his"


@pytest.mark.parametrize("odd", [None, 1, "x", [], [None], {"value": "x"}])
def test_odd_shapes_pass_the_border_of_releases(odd: Any) -> None:
    names = ("reason", "class", "serviceType", "admission", "actualPeriod")
    told = as_r4({"resourceType": "Encounter", **dict.fromkeys(names, odd)})
    assert told["hospitalization"] == odd
