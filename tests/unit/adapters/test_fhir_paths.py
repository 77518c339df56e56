"""FHIRPath in mapping rows: refused when wrong, exact about what was read."""

from __future__ import annotations

import orjson
import pytest

from adapters.hospital.fhir_bundle import Resources
from adapters.hospital.fhir_paths import FhirScope, compile_path
from tests.hospital_messages import bundle, mother_of, newborn, observation


@pytest.mark.parametrize(
    "expression",
    ["", "%", "%patient.(", "%patient.name[", "a b", "a.b)", "x = ", "%nobody.name", "%patient.name.first_one()"],
)
def test_a_wrong_expression_is_refused_at_start(expression: str) -> None:
    with pytest.raises(ValueError, match=r"FHIRPath|unknown"):
        compile_path(expression)


def test_an_expression_is_compiled_once() -> None:
    assert compile_path("%patient.name") is compile_path("%patient.name")
    assert str(compile_path("%patient.name")) == "%patient.name"


def scope() -> FhirScope:
    root = orjson.loads(
        bundle(
            newborn(
                multipleBirthInteger=2, deceasedBoolean=False, telecom=[{"system": "phone", "value": "0900000000"}]
            ),
            mother_of(),
            observation("8339-4", valueQuantity={"value": 3200.5, "code": "g"}),
        )
    )
    resources = Resources(root)
    patient, mother, weight = resources.entries
    return FhirScope(resources, {"patient": [patient], "mother": [mother], "observations": [weight]})


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("%patient.birthDate", ["2026-11-20"]),
        ("%patient.multipleBirth", ["2"]),
        ("%patient.multipleBirth.ofType(integer)", ["2"]),
        ("%patient.deceased", ["false"]),
        ("%patient.name", [{"text": "Con bà Hoa"}]),
        ("%mother.name.family", ["Nguyễn"]),
        ("%father.name", []),
        ("%observations.where('8339-4' in code.coding.code).value", [{"value": 3200.5, "code": "g"}]),
        ("%observations.where('11884-4' in code.coding.code).value", []),
        ("%bundle.type", ["transaction"]),
        ("Bundle.entry.resource.ofType(RelatedPerson).id", ["mother"]),
    ],
)
def test_values_come_as_text_or_json_objects(expression: str, values: list[object]) -> None:
    assert list(scope().select(compile_path(expression))) == values


def test_a_primitive_without_a_value_is_no_value() -> None:
    root = orjson.loads(
        bundle(newborn(_birthDate={"extension": [{"url": "urn:x", "valueCode": "unknown"}]}, birthDate=None))
    )
    resources = Resources(root)
    found = FhirScope(resources, {"patient": list(resources.entries)}).select(compile_path("%patient.birthDate"))
    assert found == []


def test_unread_lists_exactly_what_no_selected_value_covers() -> None:
    here = scope()
    everything = set(here.unread())
    assert "Bundle.entry[0].resource.telecom[0].value" in everything
    assert "Bundle.entry[2].resource.valueQuantity.value" in everything
    for path in ("%patient.name", "%patient.birthDate", "%mother.name.family", "%observations.value"):
        here.select(compile_path(path))
    assert set(here.unread()) == {
        "Bundle.entry[0].resource.identifier[0].type.coding[0].code",
        "Bundle.entry[0].resource.identifier[0].value",
        "Bundle.entry[0].resource.gender",
        "Bundle.entry[0].resource.multipleBirthInteger",
        "Bundle.entry[0].resource.deceasedBoolean",
        "Bundle.entry[0].resource.telecom[0].value",
        "Bundle.entry[1].resource.name[0].given[0]",
        "Bundle.entry[1].resource.name[0].given[1]",
    }


def test_an_observation_that_a_filter_passed_over_stays_unread() -> None:
    here = scope()
    here.select(compile_path("%observations.where('11884-4' in code.coding.code).value"))
    assert "Bundle.entry[2].resource.valueQuantity.value" in here.unread()


def test_a_date_is_read_when_the_time_that_extends_it_is() -> None:
    time = {"extension": [{"url": "urn:time", "valueDateTime": "2026-11-20T08:15:00+07:00"}]}
    resources = Resources(orjson.loads(bundle(newborn(_birthDate=time))))
    here = FhirScope(resources, {"patient": list(resources.entries)})
    here.select(compile_path("%patient.birthDate.extension.where(url = 'urn:time').value"))
    assert not [leaf for leaf in here.unread() if "birthDate" in leaf]
