"""FHIR messages through the shipped mapping files: what becomes of names, numbers, addresses and facts."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Any

import orjson
import pytest

from adapters.hospital.fhir import FhirReader
from gateway.domain.case import Reading
from gateway.domain.dates import PartialDate
from gateway.domain.notification import BirthNotification, DeathNotification
from gateway.domain.person import Address, PersonName, Sex
from tests.hospital_messages import (
    BORN_HERE,
    COMMUNITY,
    GUIDE,
    bundle,
    concept,
    encounter,
    load_catalogue,
    mother_of,
    newborn,
    observation,
    read_all,
)

catalogue = cache(load_catalogue)


def read(raw: bytes) -> Reading:
    (reading,) = read_all(catalogue(), FhirReader(), raw)
    return reading


def birth_of(*resources: dict[str, Any]) -> BirthNotification:
    notification = read(bundle(*resources)).notification
    assert isinstance(notification, BirthNotification)
    return notification


def death_of(*resources: dict[str, Any]) -> DeathNotification:
    notification = read(bundle(*resources)).notification
    assert isinstance(notification, DeathNotification)
    return notification


def codes_of(reading: Reading) -> list[str]:
    return [finding.code for finding in reading.findings]


BIRTH_TIME = {
    "extension": [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime",
            "valueDateTime": "2026-11-20T08:15:00+07:00",
        }
    ]
}


def test_a_birth_is_read_from_patient_mother_father_and_observations() -> None:
    told = birth_of(
        newborn(_birthDate=BIRTH_TIME, multipleBirthInteger=2),
        mother_of(birthDate="1998-03-04", telecom=[{"system": "phone", "value": "0900 000 000"}]),
        mother_of(code="NFTH", id="father", name=[{"text": "Trần Văn Nam"}]),
        observation("8339-4", valueQuantity={"value": 3.2, "code": "kg"}),
        observation("11884-4", valueQuantity={"value": 39, "code": "wk"}),
        observation("57722-1", valueInteger=2),
        encounter(
            serviceProvider={"reference": "Organization/o"},
            location=[{"location": {"display": "Khoa Sản, Bệnh viện Lúa Mới"}}],
            **BORN_HERE,
        ),
        {
            "resourceType": "Organization",
            "id": "o",
            "name": "Bệnh viện Lúa Mới",
            "identifier": [{"value": "VN-1"}, {"value": "99001"}],
        },
    )
    assert told.child.born == PartialDate(2026, 11, 20, 8, 15, 0, 420)
    assert (told.child.sex, told.child.facility_id, told.child.name) == (Sex.FEMALE, "NB-1", None)
    assert (told.mother.name, told.mother.born) == (PersonName("Nguyễn", "Thị", "Hoa"), PartialDate(1998, 3, 4))
    assert told.mother.phone == "0900 000 000"
    assert told.father.name == PersonName("Trần", "Văn", "Nam")
    assert (told.birth.order, told.birth.multiple, told.birth.plurality) == (2, True, 2)
    assert (told.birth.weight_g, told.birth.gestation_weeks) == (3200, 39)
    assert told.birth.place_name == "Khoa Sản, Bệnh viện Lúa Mới"
    assert (told.facility.code, told.facility.name) == ("99001", "Bệnh viện Lúa Mới")


def test_every_value_says_where_it_came_from_and_what_was_not_read_is_listed() -> None:
    reading = read(bundle(newborn(maritalStatus={"text": "không"}), mother_of()))
    source = reading.provenance["mother.name"]
    assert (source.message, source.path) == ("m.1", "%mother.name")
    assert source.rule.endswith("fhir/birth.toml#mother.name")
    assert reading.unread == ("Bundle.entry[0].resource.maritalStatus.text",)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ({"family": "Nguyễn", "given": ["Văn", "An"]}, PersonName("Nguyễn", "Văn", "An")),
        ({"family": "Nguyễn", "given": ["Văn An"]}, PersonName("Nguyễn", "Văn", "An")),
        ({"text": "Nguyễn Văn An"}, PersonName("Nguyễn", "Văn", "An")),
        ({"text": "Nguyễn Văn An", "family": "Nguyễn", "given": ["An", "Văn"]}, PersonName("Nguyễn", "Văn", "An")),
        ({"text": "An Nguyen", "family": "Nguyễn", "given": ["An"]}, PersonName("Nguyễn", "", "An")),
        ({"family": "Tôn Nữ", "given": ["Thu", "Hà"]}, PersonName("Tôn Nữ", "Thu", "Hà")),
        ({"family": "Nguyễn Thị Bé"}, PersonName("Nguyễn", "Thị", "Bé")),
        ({"given": ["Lê Thị Bình"]}, PersonName("Lê", "Thị", "Bình")),
        ({"text": "Hơ"}, PersonName("", "", "Hơ")),
        ({"text": unicodedata.normalize("NFD", "Đặng Thị Thuỷ")}, PersonName("Đặng", "Thị", "Thuỷ")),
        ({"text": " "}, None),
    ],
)
def test_a_name_is_read_in_vietnamese_order_whatever_its_shape(
    name: dict[str, Any], expected: PersonName | None
) -> None:
    assert birth_of(newborn(), mother_of(name=[name])).mother.name == expected


def test_the_official_name_comes_before_others_and_old_names_never_count() -> None:
    names = [{"use": "old", "text": "A B"}, {"text": "Lê C"}, {"use": "official", "text": "Lê D"}]
    assert birth_of(newborn(), mother_of(name=names)).mother.name == PersonName("Lê", "", "D")
    assert birth_of(newborn(), mother_of(name=names[:1])).mother.name is None


@pytest.mark.parametrize(
    "name",
    [
        {"text": "BB Nguyễn Thị Hoa"},
        {"text": "Con bà Hoa"},
        {"text": unicodedata.normalize("NFD", "Con bà Hoa")},
        {"family": "Nguyễn", "given": ["Bé Trai"]},
        {"family": "Nguyen", "given": ["Baby Boy"]},
        {"use": "temp", "text": "Nguyễn Lan"},
    ],
)
def test_a_placeholder_is_not_a_name(name: dict[str, Any]) -> None:
    reading = read(bundle(newborn(name=[name]), mother_of()))
    assert reading.notification.child.name is None  # type: ignore[union-attr]
    assert "name.placeholder" in codes_of(reading)


@pytest.mark.parametrize("text", ["Nguyễn Văn Bé", "Bế Thị Lan", "Trần Minh Con"])
def test_a_real_name_that_resembles_one_is_kept(text: str) -> None:
    child = birth_of(newborn(name=[{"text": text}]), mother_of()).child
    assert child.name is not None and child.name.full == text


@pytest.mark.parametrize(
    ("identifier", "field", "expected"),
    [
        (
            {"system": f"{GUIDE}/sid/national_id", "type": concept("NI"), "value": "999198000001"},
            "personal_id",
            "999198000001",
        ),
        ({"system": f"{COMMUNITY}/sid/cccd", "value": "999198000001"}, "personal_id", "999198000001"),
        ({"type": concept("NI"), "value": "999198000001"}, "personal_id", "999198000001"),
        ({"type": concept("CCCD"), "value": "999198000001"}, "personal_id", "999198000001"),
        ({"system": f"{GUIDE}/sid/citizen_id", "type": concept("NI"), "value": "999000001"}, "cmnd", "999000001"),
        ({"type": concept("NI"), "value": "999000001"}, "cmnd", "999000001"),
        ({"type": concept("PPN"), "value": "Z9990001"}, "passport", "Z9990001"),
        ({"system": f"{COMMUNITY}/sid/bhyt", "value": "TE1999900000001"}, "insurance", "TE1999900000001"),
        ({"type": concept("SB"), "value": "0000000000"}, "insurance", None),
        ({"type": concept("MR"), "value": "BN-7"}, "facility_id", "BN-7"),
        ({"system": f"{COMMUNITY}/sid/vneid", "type": concept("NI"), "value": "999198000001"}, "personal_id", None),
        ({"use": "old", "type": concept("CCCD"), "value": "999198000001"}, "personal_id", None),
    ],
)
def test_an_identifier_is_what_its_system_and_type_say(
    identifier: dict[str, Any], field: str, expected: str | None
) -> None:
    mother = birth_of(newborn(), mother_of(identifier=[{"value": "1"}, identifier])).mother
    numbers = {name: getattr(mother, name) for name in ("personal_id", "cmnd", "passport", "insurance", "facility_id")}
    assert numbers == dict.fromkeys(numbers) | {field: expected}


def test_a_personal_identifier_of_another_length_is_not_used() -> None:
    reading = read(bundle(newborn(), mother_of(identifier=[{"type": concept("CCCD"), "value": "99919800001"}])))
    assert reading.notification.mother.personal_id is None  # type: ignore[union-attr]
    assert "id.not_12_digits" in codes_of(reading)


def test_religion_is_never_taken_for_the_ethnic_group() -> None:
    race = {"url": f"{GUIDE}/StructureDefinition/extension-race", "valueCodeableConcept": concept("03")}
    religion = {"url": f"{GUIDE}/StructureDefinition/extension-ethic", "valueCodeableConcept": concept("01")}
    community = {"url": f"{COMMUNITY}/StructureDefinition/vn-ext-ethnicity", "valueCoding": {"code": "25"}}
    assert birth_of(newborn(), mother_of(extension=[religion, race])).mother.ethnicity == "03"
    assert birth_of(newborn(), mother_of(extension=[religion])).mother.ethnicity is None
    assert birth_of(newborn(), mother_of(extension=[community])).mother.ethnicity == "25"


def test_nationality_is_read_from_both_extensions() -> None:
    draft = {"url": f"{GUIDE}/StructureDefinition/extension-nationality", "valueCodeableConcept": concept("VN")}
    base = {
        "url": "http://hl7.org/fhir/StructureDefinition/patient-nationality",
        "extension": [{"url": "code", "valueCodeableConcept": concept("VNM")}],
    }
    for extension in (draft, base):
        assert birth_of(newborn(), mother_of(extension=[extension])).mother.nationality == "VN"


def administrative(url: str, code: str, display: str) -> dict[str, Any]:
    return {"url": url, "valueCodeableConcept": {"coding": [{"code": code, "display": display}]}}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (
            {
                "line": ["12 đường Lúa Mới"],
                "extension": [
                    {
                        "url": f"{GUIDE}/StructureDefinition/extension-administrative-address",
                        "extension": [
                            administrative("state", "52", "Tỉnh Gia Lai"),
                            administrative("ward", "21550", "Phường Quy Nhơn"),
                        ],
                    }
                ],
            },
            Address("12 đường Lúa Mới", "Phường Quy Nhơn", "21550", province="Tỉnh Gia Lai", province_code="52"),
        ),
        (
            {
                "line": ["12 đường Lúa Mới"],
                "_district": {
                    "extension": [
                        {
                            "url": f"{COMMUNITY}/StructureDefinition/vn-ext-ward",
                            "valueCoding": {"code": "21550", "display": "Phường Quy Nhơn"},
                        }
                    ]
                },
                "city": "Tỉnh Gia Lai",
                "country": "VN",
            },
            Address("12 đường Lúa Mới", "Phường Quy Nhơn", "21550", province="Tỉnh Gia Lai", country="VN"),
        ),
        (
            {"line": ["Thôn Đông", "Xã Tuy Phước"], "district": "Huyện Tuy Phước", "state": "Tỉnh Bình Định"},
            Address("Thôn Đông", "Xã Tuy Phước", district="Huyện Tuy Phước", province="Tỉnh Bình Định"),
        ),
        ({"district": "Tuy Phước", "city": "Gia Lai"}, Address("", "Tuy Phước", province="Gia Lai")),
        ({"text": "Thôn Đông, xã Tuy Phước, tỉnh Gia Lai"}, Address("Thôn Đông, xã Tuy Phước, tỉnh Gia Lai")),
        ({"use": "old", "city": "Gia Lai"}, None),
        ({}, None),
    ],
)
def test_an_address_carries_codes_from_the_guides_else_names(address: dict[str, Any], expected: Address | None) -> None:
    assert birth_of(newborn(), mother_of(address=[address])).mother.address == expected


def test_an_amount_in_an_unknown_unit_is_a_finding_and_no_weight() -> None:
    weight = observation("8339-4", valueQuantity={"value": 7, "code": "[lb_av]"})
    reading = read(bundle(newborn(), mother_of(), weight))
    assert reading.notification.birth.weight_g is None  # type: ignore[union-attr]
    assert codes_of(reading) == ["name.placeholder", "value.unreadable"]


def test_a_death_is_read_with_its_time_and_one_cause() -> None:
    told = death_of(
        newborn(
            "D-1",
            birthDate="1950",
            name=[{"text": "Lê Văn Bình"}],
            gender="male",
            deceasedDateTime="2026-11-20T04:30:00+07:00",
            identifier=[{"system": f"{GUIDE}/sid/national_id", "value": "999050000003"}],
        ),
        observation("69453-9", "Patient/d-1", valueCodeableConcept={"text": "Bệnh nền"}, component=[line(2)]),
        observation("69453-9", "Patient/d-1", valueCodeableConcept={"text": "Suy hô hấp"}, component=[line(1)]),
    )
    assert told.deceased.name == PersonName("Lê", "Văn", "Bình")
    assert (told.deceased.born, told.deceased.personal_id) == (PartialDate(1950), "999050000003")
    assert (told.death.at, told.death.indicated) == (PartialDate(2026, 11, 20, 4, 30, 0, 420), None)
    assert told.death.cause == "Suy hô hấp"


def line(number: int) -> dict[str, Any]:
    return {"code": concept("lineNumber"), "valueInteger": number}


def test_a_death_without_a_time_is_indicated_and_the_discharge_is_no_time_of_death() -> None:
    stay = encounter(
        "Patient/d-1", period={"end": "2026-11-20"}, hospitalization={"dischargeDisposition": concept("exp")}
    )
    told = death_of(newborn("D-1", birthDate="1950", deceasedBoolean=True), stay)
    assert (told.death.at, told.death.indicated) == (None, True)


def test_a_time_of_death_observation_fills_what_the_patient_does_not_say() -> None:
    adult = newborn("D-1", birthDate="1950", deceasedBoolean=True)
    told = death_of(adult, observation("81956-5", "Patient/d-1", valueDateTime="2026-11-20T04:30:00+07:00"))
    assert told.death.at == PartialDate(2026, 11, 20, 4, 30, 0, 420)


@pytest.mark.parametrize(
    ("resource", "unit", "expected"),
    [
        (mother_of(), "mother.name", PersonName("Nguyễn", "Thị", "Hoa")),
        (mother_of(code="NFTH"), "father.name", PersonName("Nguyễn", "Thị", "Hoa")),
        (observation("8339-4", valueQuantity={"value": 2900, "unit": "g"}), "birth.weight_g", 2900),
        (
            observation("69449-7", valueCodeableConcept={"coding": [{"display": "Tự nhiên"}]}),
            "death.manner",
            "Tự nhiên",
        ),
    ],
)
def test_a_resource_on_its_own_gives_its_facts(resource: dict[str, Any], unit: str, expected: object) -> None:
    reading = read(orjson.dumps(resource))
    section, field = unit.split(".")
    assert getattr(getattr(reading.notification, section), field) == expected
    assert reading.patients == ("Patient/nb-1",)


@pytest.mark.parametrize("amount", ["1e999999999", 1e300, "1000000", 0, -3])
def test_an_amount_nobody_can_weigh_is_a_finding_and_never_written_out(amount: Any) -> None:
    weight = observation("8339-4", valueQuantity={"value": amount, "code": "g"})
    reading = read(bundle(newborn(), mother_of(), weight))
    assert isinstance(reading.notification, BirthNotification)
    assert reading.notification.birth.weight_g is None
    assert "value.unreadable" in codes_of(reading)
